import Foundation
import Testing

/// What works on something is stopped, and others come to it meanwhile.
@Suite(.serialized)
struct FrozenWorkTests {
  @Test("freeze-handler: a handler that is stopped runs still; an order reaches it all the same")
  func frozenHandler() throws {
    let world = try World()
    let (id, worker, _) = try world.waitingAttempt(
      ["--stop", "TERM,60s,KILL"], script: "trap 'echo x >>told; exit 1' TERM;")
    let handlers = World.handlers(in: world.folder.path)
    try #require(handlers.count == 1)
    kill(handlers[0], SIGSTOP)
    #expect(try world.findings() == [])
    #expect(try world.state(id) == "running")
    try world.succeed(["job", "cancel", id, "-w", "main"])
    try world.eventually("it has ended") { try world.state(id) == "cancelled" }
    #expect(world.lineCount("told") == 1, "it was woken to be told")
    World.end(worker, SIGTERM)
    try world.goOn()
    #expect(world.lineCount("runs") == 1 && world.lineCount("ends") == 0)
  }

  @Test("freeze-recorder: one that is stopped is ended by the next worker, which records instead")
  func frozenRecorder() throws {
    let world = try World()
    let (id, worker, supervisor) = try world.waitingAttempt()
    World.end(worker)
    let recorder = try world.frozen(
      supervisor, at: Injection(call: "openat", number: 1, path: World.turnstile)
    ) { try world.letGo() }
    #expect(recorder != supervisor && World.isAlive(recorder))
    #expect(try world.state(id) == "running", "nothing is recorded")
    try world.succeed(["job", "work", "-w", "main", "--drain"])
    try world.expectRunOnce(id)
    try world.eventually("both are gone") {
      !World.isAlive(recorder) && !World.isAlive(supervisor)
    }
    try world.goOn()
  }

  @Test("freeze-effect: who carries an effect out is stopped, and nobody else begins it")
  func frozenEffect() throws {
    let world = try World()
    let effect = { (flags: [String]) in
      ["effect", "run", "k", "--scope", "workspace", "-w", "main"] + flags
        + ["--", "sh", "-c", "echo x >>runs; while [ ! -e go ]; do sleep 0.02; done; echo said"]
    }
    let first = try world.start(effect([]))
    try world.eventually("the command runs") { world.lineCount("runs") == 1 }
    kill(first.processIdentifier, SIGSTOP)
    let other = effect(["--wait", "100ms", "--unknown", "rerun"])
    let refused = try world.run(other)
    #expect(refused.status == 75, "\(refused)")
    #expect(refused.errorOutput.contains("\(first.processIdentifier)"), "\(refused)")
    #expect(try world.findings() == [])
    try world.letGo()
    #expect(try world.run(other).status == 75, "nobody has said how its command ended")
    kill(first.processIdentifier, SIGCONT)
    first.waitUntilExit()
    #expect(first.terminationStatus == 0)
    #expect(try world.succeed(other) == "said", "what was recorded is told again")
    #expect(world.lineCount("runs") == 1)
    try world.goOn()
  }

  @Test("freeze-backup: a backup that is stopped keeps nobody from writing, and woken it is whole")
  func frozenBackup() throws {
    let world = try World()
    let id = try world.enqueue("echo x >>runs", ["--replay", "safe"])
    let backup = try world.frozen(
      ["store", "backup", "kept.db"], at: Injection(call: "pwrite64", number: 20))
    try world.succeed(["job", "work", "-w", "main", "--drain"])
    let later = try world.enqueue("true")
    try world.expectRunOnce(id)
    #expect(try world.findings() == [])
    kill(backup, SIGCONT)
    try world.eventually("it is there") {
      FileManager.default.fileExists(atPath: world.folder.path + "/kept.db")
    }
    try world.eventually("it has ended") { !World.isAlive(backup) }
    try world.goOn()
    try world.succeed(["store", "restore", "kept.db", "--yes"])
    #expect(try world.state(id) == "pending", "as it was when the backup began")
    #expect(try world.jobs().count == 1, "without job \(later)")
    try world.goOn()
  }
}
