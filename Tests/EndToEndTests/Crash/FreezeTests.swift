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
    kill(first.processIdentifier, SIGSTOP)
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
    kill(worker.processIdentifier, SIGSTOP)
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
    kill(supervisor, SIGSTOP)
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

  private func expectFrozen(_ world: World, _ pid: Int32) throws {
    let answer = try world.run(["doctor", "--json"])
    #expect(answer.status == 1)
    #expect(answer.output.contains("\"gate_frozen\""), "\(answer.output)")
    #expect(answer.output.contains("kill -CONT \(pid), or kill -KILL \(pid)"))
  }
}
