import Foundation
import Testing

private let once = ["job", "work", "-w", "main", "--once"]
private let drain = ["job", "work", "-w", "main", "--drain"]

/// The worker, or a process of its attempt, dies before anything of the handler was executed.
private func expectNeverStarted(
  _ world: World, at point: Injection, flags: [String] = []
) throws {
  let id = try world.enqueue("echo x >>runs", flags)
  try world.killed(once, at: point)
  #expect(world.lineCount("runs") == 0)
  #expect(try !world.outcomes(id).contains("unknown"))
  try world.goOn()
  try world.expectRunOnce(id)
}

extension CrashPoint {
  static let claim = [
    CrashPoint("worker-register") { world in
      try expectNeverStarted(world, at: .logSync(1))
    },
    CrashPoint("slot-made") { world in
      // The supervisor that is being made.
      try expectNeverStarted(world, at: Injection(call: "renameat", number: 1))
    },
    CrashPoint("claim-writing") { world in
      let id = try world.enqueue("echo x >>runs")
      try world.killed(
        once, at: Injection(call: "flock", number: 3, path: World.turnstile))
      #expect(try world.state(id) == "pending")
      try world.goOn()
      try world.expectRunOnce(id)
    },
    CrashPoint("claim-before-sync") { world in
      try expectNeverStarted(world, at: .logSync(2))
    },
    CrashPoint("claim-committed") { world in
      let id = try world.enqueue("echo x >>runs")
      try world.killed(once, at: .committed(2))
      #expect(try world.state(id) == "running")
      #expect(world.lineCount("runs") == 0)
      try world.eventually("nothing of the attempt lives") {
        try world.findings() == ["attempt_dead"]
      }
      try world.goOn()
      try world.expectRunOnce(id)
      #expect(try world.outcomes(id) == ["never_started", "succeeded"])
    },
    CrashPoint("order-taken") { world in
      // The slot names the attempt; its payload is being put into place.
      try expectNeverStarted(
        world, at: Injection(call: "memfd_create", number: 1), flags: ["--payload", "{}"])
    },
    CrashPoint("spawned") { world in
      // The child between clone and exec.
      try expectNeverStarted(world, at: Injection(call: "chdir", number: 1, path: "."))
    },
    CrashPoint("start-marked") { world in
      // After the mark nobody can tell that it never ran: it counts as started.
      let exec = Injection(call: "execve", number: 1, path: "/bin/sh")
      let command = ["--", "/bin/sh", "-c", "echo x >>runs"]
      let unsafe = try world.succeed(["job", "enqueue", "-w", "main"] + command)
      let safe = try world.succeed(
        ["job", "enqueue", "-w", "main", "--replay", "safe", "--backoff", "fixed:10ms"] + command)
      try world.killed(once, at: exec)
      try world.killed(once, at: exec)
      #expect(world.lineCount("runs") == 0)
      try world.goOn()
      #expect(try world.state(unsafe) == "uncertain")
      #expect(try world.state(safe) == "succeeded")
      #expect(try world.outcomes(safe) == ["unknown", "succeeded"])
      #expect(world.lineCount("runs") == 1)
    },
  ]

  static let running = [
    CrashPoint("handler-killed") { world in
      let id = try world.enqueue("echo x >>runs; kill -KILL $$")
      try world.goOn()
      try world.expectUncertain(id)
      #expect(try world.job(id)["signal"] as? Int == 9)
    },
    CrashPoint("supervisor-killed") { world in
      let (id, worker, supervisor) = try world.waitingAttempt()
      kill(supervisor, SIGKILL)
      try world.eventually("the worker finds out") { try world.state(id) == "uncertain" }
      World.end(worker, SIGTERM)
      #expect(world.lineCount("ends") == 0)
      try world.goOn()
      try world.expectUncertain(id)
    },
    CrashPoint("worker-killed") { world in
      let (id, worker, _) = try world.waitingAttempt()
      World.end(worker)
      let seen = try world.diagnosis()
      #expect(seen.findings == [])
      #expect(seen.notes.contains("attempt_unattended"))
      try world.letGo()
      try world.eventually("its supervisor records it") { try world.state(id) == "succeeded" }
      try world.goOn()
      try world.expectRunOnce(id)
    },
    CrashPoint("fork-server-killed") { world in
      let (id, worker, _) = try world.waitingAttempt()
      let next = try world.enqueue("echo y >>later")
      for pid in World.children(ofStore: world.folder.path, kind: "hotglue-forksrv") {
        kill(pid, SIGKILL)
      }
      try world.letGo()
      try world.eventually("both end") { try world.state(next) == "succeeded" }
      World.end(worker, SIGTERM)
      try world.goOn()
      try world.expectRunOnce(id)
      #expect(world.lineCount("later") == 1)
    },
    CrashPoint("all-killed") { world in
      let (id, worker, supervisor) = try world.waitingAttempt()
      World.end(worker)
      kill(supervisor, SIGKILL)
      try world.eventually("the doctor sees it") { try world.findings() == ["attempt_dead"] }
      try world.goOn()
      try world.expectUncertain(id)
      #expect(world.lineCount("ends") == 0)
    },
    CrashPoint("renew-before-sync") { world in
      let id = try world.enqueue(
        "echo x >>runs; while [ ! -e go ]; do sleep 0.02; done", ["--lease", "1s"])
      // Traced are the worker and its supervisor, which goes on: the command ends with both.
      let worker = try world.traced(drain, at: .logSync(3))
      try world.eventually("the worker is gone") {
        try world.lineCount("runs") == 1 && world.diagnosis().notes.contains("attempt_unattended")
      }
      try world.letGo()
      try world.eventually("its supervisor records it") { try world.state(id) == "succeeded" }
      try world.eventually("what is traced ends") { !worker.process.isRunning }
      #expect(world.read(worker.trace).contains("killed by SIGKILL"))
      try world.goOn()
      try world.expectRunOnce(id)
    },
  ]

  static let ending = [
    CrashPoint("end-log-move") { world in
      let id = try world.enqueue("echo x >>runs; echo said")
      try world.killed(drain, at: Injection(call: "renameat", number: 2))
      try world.goOn()
      try world.expectUncertain(id)
      #expect(try world.succeed(["job", "logs", id, "-w", "main"]) == "said")
    },
    CrashPoint("end-before-outcome") { world in
      let id = try world.enqueue("echo x >>runs; echo said")
      try world.killed(drain, at: Injection(call: "renameat", number: 3))
      try world.goOn()
      try world.expectUncertain(id)
      #expect(try world.succeed(["job", "logs", id, "-w", "main"]) == "said")
    },
    CrashPoint("outcome-before-told") { world in
      let id = try world.enqueue("echo x >>runs")
      // Of the supervisor: the greeting, the start, the end.
      try world.killed(drain, at: Injection(call: "sendto", number: 3))
      try world.goOn()
      try world.expectRunOnce(id)
    },
    CrashPoint("record-before-sync") { world in
      let id = try world.enqueue("echo x >>runs")
      try world.killed(drain, at: .logSync(3))
      try world.goOn()
      try world.expectRunOnce(id)
    },
    CrashPoint("record-committed") { world in
      let id = try world.enqueue("echo x >>runs")
      try world.killed(drain, at: .committed(3))
      #expect(try world.state(id) == "succeeded")
      try world.goOn()
      try world.expectRunOnce(id)
    },
    CrashPoint("recorder-starts") { world in
      try expectRecordedLater(world, Injection(call: "execve", number: 1, path: "/proc/self/exe"))
    },
    CrashPoint("recorder-before-sync") { world in try expectRecordedLater(world, .logSync(1)) },
    CrashPoint("recorder-committed") { world in try expectRecordedLater(world, .committed(1)) },
    CrashPoint("slot-removed") { world in
      let id = try world.enqueue("echo x >>runs")
      // The supervisor that ends leaves its slot half removed.
      try world.killed(drain, at: Injection(call: "unlinkat", number: 2))
      #expect(try world.findings() == [])
      try world.goOn()
      try world.expectRunOnce(id)
      let slots = try FileManager.default.contentsOfDirectory(atPath: world.storeFolder + "/slots")
      #expect(slots == [], "the next worker removes what is left")
    },
  ]
}

/// Without a worker the supervisor has its outcome recorded; that is killed.
private func expectRecordedLater(_ world: World, _ point: Injection) throws {
  let (id, worker, supervisor) = try world.waitingAttempt()
  World.end(worker)
  try world.killed(supervisor, at: point) { try world.letGo() }
  #expect(world.lineCount("ends") == 1)
  try world.goOn()
  try world.expectRunOnce(id)
}
