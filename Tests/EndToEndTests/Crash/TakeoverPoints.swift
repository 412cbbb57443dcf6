import Foundation
import Testing

private let drain = ["job", "work", "-w", "main", "--drain"]

/// The second worker dies while it adopts; a third one goes on, and the attempt is the same one.
private func expectAdopted(_ world: World, at point: Injection) throws {
  let (id, first, _) = try world.waitingAttempt()
  World.end(first)
  try world.killed(drain, at: point)
  #expect(try world.state(id) == "running")
  let third = try world.start(drain)
  try world.eventually("the third worker adopts") {
    try world.isMinded(id, by: third)
  }
  try world.letGo()
  third.waitUntilExit()
  try world.goOn()
  try world.expectRunOnce(id)
  #expect(world.lineCount("ends") == 1)
}

private func expectReclaimed(_ world: World, at point: Injection) throws {
  let (id, child) = try world.deadAttempt()
  try world.killed(["job", "reclaim", "-w", "main"], at: point)
  try world.goOn()
  try world.expectUncertain(id)
  #expect(!World.isAlive(child), "what the attempt left is stopped before it counts as over")
}

extension CrashPoint {
  static let takeover = [
    CrashPoint("adopt-before-sync") { world in try expectAdopted(world, at: .logSync(2)) },
    CrashPoint("adopt-committed") { world in try expectAdopted(world, at: .committed(2)) },
    CrashPoint("adopt-before-told") { world in
      // Of the adopter: the question, then the adoption.
      try expectAdopted(world, at: Injection(call: "sendto", number: 2))
    },
    CrashPoint("reclaim-stopping") { world in
      let (id, child) = try world.deadAttempt()
      try world.killed(
        ["job", "reclaim", "-w", "main"],
        at: Injection(call: "pidfd_send_signal", number: 1))
      #expect(World.isAlive(child))
      #expect(try world.state(id) == "running", "not given up while a process of it lives")
      try world.goOn()
      try world.expectUncertain(id)
      #expect(!World.isAlive(child))
    },
    CrashPoint("reclaim-before-sync") { world in try expectReclaimed(world, at: .logSync(1)) },
    CrashPoint("reclaim-committed") { world in try expectReclaimed(world, at: .committed(1)) },
    CrashPoint("reclaim-forgetting") { world in
      try expectReclaimed(world, at: Injection(call: "unlinkat", number: 1))
    },
    CrashPoint("verify-asked") { world in
      let (id, _) = try world.deadAttempt(
        ["--verify", "echo v >>asked; while [ ! -e answer ]; do sleep 0.02; done; exit 0"])
      let reclaim = try world.start(["job", "reclaim", "-w", "main"])
      try world.eventually("the check is asked") { world.lineCount("asked") == 1 }
      World.end(reclaim)
      #expect(try world.state(id) == "running")
      try Data().write(to: world.folder.appendingPathComponent("answer"))
      try world.goOn()
      #expect(world.lineCount("asked") == 2, "asked again")
      #expect(try world.state(id) == "succeeded")
    },
    CrashPoint("verify-answered") { world in
      let (id, _) = try world.deadAttempt(["--verify", "echo v >>asked; exit 0"])
      try world.killed(["job", "reclaim", "-w", "main"], at: .logSync(1))
      try world.goOn()
      #expect(world.lineCount("asked") == 1, "the answer was kept")
      #expect(try world.state(id) == "succeeded")
    },
    CrashPoint("cancel-before-order") { world in
      let (id, worker, _) = try world.waitingAttempt(["--stop", "TERM,200ms,KILL"])
      World.end(worker)
      // Of the command: the question whether the attempt lives, then the order.
      try world.killed(
        ["job", "cancel", "-w", "main", id], at: Injection(call: "sendto", number: 2))
      #expect(try world.state(id) == "running")
      try world.goOn()
      #expect(try world.state(id) == "cancelled")
      #expect(world.lineCount("ends") == 0)
    },
    CrashPoint("resolve-before-sync") { world in
      let id = try world.enqueue("echo x >>runs; kill -KILL $$")
      try world.goOn()
      let order = [
        "job", "resolve", "-w", "main", id, "--as", "retry", "--reason", "looked at it",
      ]
      try world.killed(order, at: .logSync(1))
      #expect(["pending", "uncertain"].contains(try world.state(id)))
      #expect(try world.findings() == [])
    },
  ]
}

extension World {
  /// An attempt whose worker and supervisor are dead, with a child of its handler that lives on and
  /// does not mind being told to end.
  func deadAttempt(_ flags: [String] = []) throws -> (String, child: Int32) {
    let (id, worker, supervisor) = try waitingAttempt(
      flags + ["--stop", "TERM,200ms,KILL"],
      script: "(trap '' TERM; echo $$ >/dev/null; exec sleep 300) & echo $! >child;")
    World.end(worker)
    kill(supervisor, SIGKILL)
    let child = try #require(Int32(read("child").split(separator: "\n").first ?? ""))
    try eventually("the handler dies with its supervisor") {
      try findings() == ["attempt_dead"]
    }
    return (id, child)
  }

  /// Whether the store names this worker as the one who minds the job's attempt.
  func isMinded(_ job: String, by worker: Process) throws -> Bool {
    let name = try self.job(job)["worker"] as? String ?? ""
    return name.hasSuffix(":\(worker.processIdentifier)")
  }
}
