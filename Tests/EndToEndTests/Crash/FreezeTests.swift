import Foundation
import Testing

/// Where a process that is stopped (SIGSTOP) leaves others in another place than one that is dead.
@Suite(.serialized)
struct FreezeTests {
  private let other = ["job", "enqueue", "-w", "main", "--", "true"]

  @Test("freeze-in-gate: the doctor names who is stopped there, and killed it stops nobody")
  func frozenUnderTheGate() throws {
    let world = try World()
    let pid = try world.frozen(other, at: .logSync(1))
    let waiting = try world.start(other)
    try expectFrozen(world, pid)
    #expect(waiting.isRunning)
    kill(pid, SIGKILL)
    waiting.waitUntilExit()
    #expect(waiting.terminationStatus == 0)
    #expect(try (1...2).contains(world.jobs().count))
    try world.goOn()
  }

  @Test("freeze-at-turnstile: whoever is stopped on the way in is named, and woken it goes on")
  func frozenAtTheTurnstile() throws {
    let world = try World()
    // Somebody works under the gate, so that the command waits with the turnstile in its hand.
    let gate = open(world.folder.path + "/" + World.gate, O_RDWR | O_CLOEXEC)
    try #require(gate >= 0 && flock(gate, LOCK_EX) == 0)
    let first = try world.start(other)
    try world.eventually("it waits at the gate") {
      try String(contentsOfFile: "/proc/locks", encoding: .utf8).split(separator: "\n").contains {
        $0.contains("->") && $0.contains(" \(first.processIdentifier) ")
      }
    }
    try world.freeze(first.processIdentifier)
    flock(gate, LOCK_UN)
    close(gate)
    let second = try world.start(other)
    try expectFrozen(world, first.processIdentifier)
    #expect(second.isRunning)
    kill(first.processIdentifier, SIGCONT)
    for process in [first, second] {
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
    }
    #expect(try world.jobs().count == 2)
    try world.goOn()
  }

  @Test("freeze-worker: a worker that is stopped is named; its attempt goes to another")
  func frozenWorker() throws {
    let world = try World()
    let (id, worker, _) = try world.waitingAttempt(["--lease", "1s"])
    try world.freezeOutsideTheGate(worker.processIdentifier)
    try world.eventually("the doctor sees it") {
      Set(try world.findings()) == ["worker_frozen", "lease_over"]
    }
    let second = try world.start(["job", "work", "-w", "main", "--drain"])
    try world.eventually("the second worker adopts") { try world.isMinded(id, by: second) }
    try world.letGo()
    second.waitUntilExit()
    #expect(try world.findings() == ["worker_frozen"])
    kill(worker.processIdentifier, SIGCONT)
    World.end(worker, SIGTERM)
    try world.goOn()
    try world.expectRunOnce(id)
  }

  @Test("freeze-supervisor: a supervisor that is stopped is named, and woken it records what was")
  func frozenSupervisor() throws {
    let world = try World()
    let (id, worker, supervisor) = try world.waitingAttempt()
    try world.freeze(supervisor)
    #expect(try world.findings() == ["supervisor_frozen"])
    try world.letGo()
    try world.eventually("the handler ends") { world.lineCount("ends") == 1 }
    #expect(try world.state(id) == "running")
    kill(supervisor, SIGCONT)
    try world.eventually("it is recorded") { try world.state(id) == "succeeded" }
    World.end(worker, SIGTERM)
    try world.goOn()
    try world.expectRunOnce(id)
  }

  @Test("a supervisor that stays stopped is ended by its own worker, which goes on with others")
  func frozenForGood() throws {
    let world = try World()
    let (id, worker, supervisor) = try world.waitingAttempt(["--lease", "1s"])
    kill(supervisor, SIGSTOP)
    let handlers = World.handlers(in: world.folder.path)
    let next = try world.enqueue("echo y >>later")
    try world.eventually("two leases later") { try world.state(id) == "uncertain" }
    #expect(!World.isAlive(supervisor) && !handlers.contains { World.isAlive($0) })
    try world.eventually("the next runs") { try world.state(next) == "succeeded" }
    World.end(worker, SIGTERM)
    #expect(worker.terminationStatus == 0)
    try world.goOn()
    try world.expectUncertain(id)
    #expect(world.lineCount("ends") == 0)
  }

  @Test("a supervisor that is woken within its lease loses nothing, and its worker renews again")
  func frozenForAMoment() throws {
    let world = try World()
    // Long enough that nobody takes it for dead while this test itself is held up.
    let (id, worker, supervisor) = try world.waitingAttempt(["--lease", "9s"])
    try world.freeze(supervisor)
    let stopped = try world.job(id)["lease_expires_at"] as? String
    try world.eventually("it is seen to be stopped") {
      try world.findings().contains("supervisor_frozen")
    }
    kill(supervisor, SIGCONT)
    try world.eventually("the lease is renewed") {
      try world.job(id)["lease_expires_at"] as? String != stopped
    }
    try world.letGo()
    try world.eventually("it is recorded") { try world.state(id) == "succeeded" }
    World.end(worker, SIGTERM)
    try world.goOn()
    try world.expectRunOnce(id)
  }

  @Test("freeze-fork-server: what makes supervisors is stopped, named, and replaced after a second")
  func frozenForkServer() throws {
    let world = try World()
    let waiting = try world.enqueue("echo x >>runs; while [ ! -e go ]; do sleep 0.02; done")
    let worker = try world.start(
      ["job", "work", "-w", "main", "--concurrency", "4"],
      errors: world.folder.appendingPathComponent("errors"))
    try world.eventually("one runs") { world.lineCount("runs") == 1 }
    // The claim found a place for every supervisor, so one more is made; then nobody asks for any.
    try world.eventually("another one is ready") {
      World.children(ofStore: world.folder.path, kind: "hotglue-super").count == 2
    }
    let nurseries = World.children(ofStore: world.folder.path, kind: "hotglue-forksrv")
    try #require(nurseries.count == 1)
    try world.freeze(nurseries[0])
    let answer = try world.run(["doctor", "--json"])
    #expect(answer.status == 1)
    #expect(answer.output.contains("\"fork_server_frozen\""), "\(answer.output)")
    #expect(answer.output.contains("kill -KILL \(nurseries[0])"), "\(answer.output)")
    // More at once than there are supervisors for.
    let next = try (1...3).map { _ in
      try world.enqueue("echo x >>later; until [ $(wc -l <later) = 3 ]; do sleep 0.02; done")
    }
    try world.eventually("every place is filled") {
      try next.allSatisfy { try world.state($0) == "succeeded" }
    }
    #expect(try world.state(waiting) == "running", "what ran goes on")
    #expect(!World.isAlive(nurseries[0]))
    let said = world.read("errors")
    #expect(said.contains("supervisors (\(nurseries[0])) was stopped"), "\(said)")
    #expect(said.split(separator: "\n").count == 1, "said once: \(said)")
    #expect(try world.findings() == [])
    try world.letGo()
    World.end(worker, SIGTERM)
    #expect(worker.terminationStatus == 0)
    try world.goOn()
    try world.expectRunOnce(waiting)
    #expect(world.lineCount("later") == 3)
  }

  @Test("freeze-switch: a switch that is stopped is named by the doctor and by who waits for it")
  func frozenSwitch() throws {
    let world = try World()
    try world.succeed(["workspace", "create", "beta"])
    let toBeta = ["workspace", "switch", "beta"]
    let pid = try world.frozen(toBeta, at: Injection(call: "rename", number: 1))
    let answer = try world.run(["doctor", "--json"])
    #expect(answer.status == 1)
    #expect(answer.output.contains("\"switch_frozen\""), "\(answer.output)")
    #expect(answer.output.contains("kill -CONT \(pid), or kill -KILL \(pid)"))
    // The context is what its file says, and work goes on.
    #expect(try world.succeed(["workspace", "current"]) == "beta")
    let id = try world.enqueue("echo x >>runs")
    try world.succeed(["job", "work", "-w", "main", "--drain"])
    try world.expectRunOnce(id)
    let refused = try world.run(toBeta + ["--json"])
    #expect(refused.status == 75)
    let told = try #require(
      try JSONSerialization.jsonObject(with: Data(refused.errorOutput.utf8)) as? [String: Any])
    let error = try #require(told["error"] as? [String: Any])
    #expect(error["pid"] as? Int == Int(pid))
    let since = try #require(error["since"] as? String)
    let began = try Date(since, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    #expect((25...300).contains(-began.timeIntervalSinceNow), "\(since)")
    #expect((error["message"] as? String ?? "").contains("is stopped"))
    kill(pid, SIGKILL)
    try world.eventually("it is gone") { !World.isAlive(pid) }
    #expect(try world.findings() == ["switch_open"])
    try world.succeed(toBeta)
    #expect(try world.succeed(["workspace", "current"]) == "beta")
    #expect(try world.findings() == [])
  }

  @Test("freeze-rescuer: who stops what a dead supervisor left is stopped itself, and is replaced")
  func frozenRescuer() throws {
    let world = try World()
    let (id, child) = try world.deadAttempt(["--lease", "1s"])
    let pid = try world.frozen(
      ["job", "reclaim", "-w", "main"], at: Injection(call: "pidfd_send_signal", number: 1))
    let answer = try world.run(["doctor", "--json"])
    #expect(answer.status == 1)
    #expect(answer.output.contains("\"supervisor_frozen\""), "\(answer.output)")
    #expect(answer.output.contains("kill -CONT \(pid)"), "\(answer.output)")
    #expect(World.isAlive(child) && World.isAlive(pid))
    #expect(try world.state(id) == "running", "nobody concludes anything beside it")
    let worker = try world.start(["job", "work", "-w", "main"])
    try world.eventually("a lease later a worker has got it out of the way") {
      try world.state(id) == "uncertain"
    }
    #expect(!World.isAlive(pid) && !World.isAlive(child))
    World.end(worker, SIGTERM)
    try world.goOn()
    try world.expectUncertain(id)
  }

  private func expectFrozen(_ world: World, _ pid: Int32) throws {
    let answer = try world.run(["doctor", "--json"])
    #expect(answer.status == 1)
    #expect(answer.output.contains("\"gate_frozen\""), "\(answer.output)")
    #expect(answer.output.contains("kill -CONT \(pid), or kill -KILL \(pid)"))
  }
}
