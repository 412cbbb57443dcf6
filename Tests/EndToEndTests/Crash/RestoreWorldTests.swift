import Foundation
import Testing

/// A restore, and those who are at work meanwhile.
@Suite(.serialized)
struct RestoreWorldTests {
  private let restore = ["store", "restore", "kept.db", "--yes"]

  @Test("a worker that waits for work goes on after a restore, and works what was restored")
  func workersGoOn() throws {
    let world = try World()
    let worker = try world.start(["job", "work", "-w", "main"])
    try world.eventually("it works") {
      try world.enqueue("true")
      return try world.stateCounts()["succeeded"] != nil
    }
    let later = try world.enqueue("echo x >>late", ["--delay", "1h", "--replay", "safe"])
    let unsafe = try world.enqueue("echo x >>late", ["--delay", "1h"])
    try world.succeed(["store", "backup", "kept.db"])
    let lost = try world.enqueue("true", ["--delay", "1h"])
    try world.eventually("nothing runs") {
      try world.stateCounts().keys.allSatisfy { ["succeeded", "pending"].contains($0) }
    }
    try world.eventually("it is restored") { try world.run(restore).status == 0 }
    #expect(try world.run(["job", "show", lost, "-w", "main"]).status == 66)
    #expect(try world.state(later) == "pending")
    // It may have run since, as far as the backup can tell.
    #expect(try world.state(unsafe) == "uncertain")
    let id = try world.enqueue("echo x >>runs")
    try world.eventually("the same worker works on") { try world.state(id) == "succeeded" }
    #expect(worker.isRunning)
    let attempts = try world.job(id)["attempts"] as? [[String: Any]]
    let name = attempts?.first?["worker"] as? String ?? ""
    #expect(name.hasSuffix(":\(worker.processIdentifier)"))
    #expect(try world.findings() == [])
    World.end(worker, SIGTERM)
    #expect(worker.terminationStatus == 0)
    try world.goOn()
  }

  @Test("a lost store is not restored while its attempts and workers live, and they are named")
  func lostStore() throws {
    let world = try World()
    let (id, worker, supervisor) = try world.waitingAttempt()
    try world.succeed(["store", "backup", "kept.db"])
    // It looks for its store once a second, and ends when that is gone: it is not to look now.
    kill(worker.processIdentifier, SIGSTOP)
    try world.loseStore()
    #expect(try world.findings().contains("attempt_unknown"))
    let early = try world.run(restore)
    #expect(early.status == 81)
    #expect(early.errorOutput.contains("worker \(worker.processIdentifier)"), "\(early)")
    #expect(early.errorOutput.contains("supervisor \(supervisor) of job \(id)"), "\(early)")
    #expect(early.errorOutput.contains("kill -TERM \(worker.processIdentifier)"), "\(early)")
    World.end(worker)
    let second = try world.run(restore)
    #expect(second.status == 81 && !second.errorOutput.contains("worker "), "\(second)")
    #expect(!FileManager.default.fileExists(atPath: world.folder.path + "/" + World.database))
    try world.letGo()
    try world.eventually("the supervisor has ended") { !World.isAlive(supervisor) }
    try world.succeed(restore)
    // It ran when the backup was taken, so nobody knows; what it came to is kept beside that.
    #expect(try world.state(id) == "uncertain")
    try world.goOn()
    #expect(world.lineCount("ends") == 1)
    #expect(try world.lateOutcomes(id) == ["succeeded"])
    #expect(try world.diagnosis().notes.contains("slot_left") == false)
  }

  @Test(
    "what an attempt left when its supervisor was killed keeps a lost store from being restored")
  func markedProcess() throws {
    let world = try World()
    let (_, worker, supervisor) = try world.waitingAttempt(
      script: "setsid sh -c 'echo $$ >child; while [ ! -e over ]; do sleep 0.02; done' &")
    try world.eventually("its child is up") { world.lineCount("child") == 1 }
    try world.succeed(["store", "backup", "kept.db"])
    World.end(worker)
    kill(supervisor, SIGKILL)
    try world.loseStore()
    let child = world.read("child").trimmingCharacters(in: .newlines)
    try world.eventually("only the child is left") {
      let result = try world.run(restore)
      #expect(result.status == 81)
      return !result.errorOutput.contains("supervisor")
        && result.errorOutput.contains("process \(child) of job")
    }
    try Data().write(to: world.folder.appendingPathComponent("over"))
    try world.eventually("it is restored when that has ended") {
      try world.run(restore).status == 0
    }
    try world.goOn()
  }

  @Test("what a supervisor brings late, after the store was put back by hand, is kept as a report")
  func lateEnd() throws {
    let world = try World()
    let id = try world.enqueue(
      "echo x >>runs; while [ ! -e go ]; do sleep 0.02; done; echo x >>ends")
    try world.succeed(["store", "backup", "kept.db"])
    let worker = try world.start(["job", "work", "-w", "main"])
    try world.eventually("the handler starts") { world.lineCount("runs") == 1 }
    let supervisors = World.children(ofStore: world.folder.path, kind: "hotglue-super")
    let supervisor = try #require(supervisors.first)
    World.end(worker)
    try world.loseStore()
    // The job is there, and nothing of its attempt.
    try FileManager.default.copyItem(
      atPath: world.folder.path + "/kept.db", toPath: world.folder.path + "/" + World.database)
    try world.succeed(["context", "trust", "."])
    #expect(try world.diagnosis().findings == ["attempt_unknown"])
    let refused = try world.run(restore)
    #expect(refused.status == 81 && refused.errorOutput.contains("\(supervisor)"), "\(refused)")
    try world.letGo()
    try world.eventually("its end is kept") { try world.lateOutcomes(id) == ["succeeded"] }
    #expect(try world.state(id) == "pending")
    try world.eventually("the supervisor has ended") { !World.isAlive(supervisor) }
    #expect(try world.findings() == [])
  }

  @Test("the doctor of a workspace that is not there says so")
  func noWorkspace() throws {
    let world = try World()
    let answer = try world.run(["doctor", "-w", "mian"])
    #expect(answer.status == 66)
    #expect(
      answer.errorOutput == "hotglue: no workspace 'mian'\nhint: did you mean 'main'?\n")
    #expect(try world.run(["doctor", "-w", "main"]).status == 0)
  }

  @Test("a reclaim that meets another one at the same attempt waits for what that finds out")
  func twoReclaims() throws {
    let world = try World()
    let (id, worker, supervisor) = try world.waitingAttempt([
      "--verify", "echo v >>asked; while [ ! -e answer ]; do sleep 0.02; done; exit 0",
    ])
    World.end(worker)
    kill(supervisor, SIGKILL)
    try world.eventually("the handler dies with its supervisor") {
      try world.findings() == ["attempt_dead"]
    }
    let first = try world.start(["job", "reclaim", "-w", "main"])
    try world.eventually("the check is asked") { world.lineCount("asked") == 1 }
    let seen = try world.run(["doctor", "--json"])
    #expect(seen.status == 0)
    #expect(
      seen.output.contains("is being resolved by pid \(first.processIdentifier)"), "\(seen.output)")
    let tried = try world.run(["job", "reclaim", "-w", "main", "--dry-run"])
    #expect(tried.output.contains("being resolved by pid \(first.processIdentifier)"), "\(tried)")
    let output = world.folder.appendingPathComponent("second")
    let second = try world.start(
      program: world.binary, ["job", "reclaim", "-w", "main"], output: output)
    // It sleeps between two looks: that often it does not sleep for anything else.
    try world.eventually("the second looks at it again and again") {
      World.sleeps(of: second.processIdentifier) > 60
    }
    try Data().write(to: world.folder.appendingPathComponent("answer"))
    for process in [first, second] {
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
    }
    #expect(world.lineCount("asked") == 1)
    #expect(try world.state(id) == "succeeded")
    #expect(world.read("second").contains("succeeded"), "\(world.read("second"))")
    try world.goOn()
  }
}

extension World {
  /// How often a process has gone to sleep by itself.
  fileprivate static func sleeps(of pid: Int32) -> Int {
    let status = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("voluntary_ctxt_switches") }
    return line?.split(separator: "\t").last.flatMap { Int($0) } ?? 0
  }

  fileprivate func lateOutcomes(_ id: String) throws -> [String] {
    let reports = try #require(try job(id)["late_reports"] as? [[String: Any]])
    return reports.compactMap { ($0["report"] as? [String: Any])?["outcome"] as? String }
  }

  /// The store's file is gone with its log; its folder, and who works there, is not.
  fileprivate func loseStore() throws {
    try FileManager.default.createDirectory(
      atPath: folder.path + "/old", withIntermediateDirectories: true)
    for suffix in ["", "-wal", "-shm"] {
      try FileManager.default.moveItem(
        atPath: folder.path + "/" + Self.database + suffix, toPath: folder.path + "/old/db" + suffix
      )
    }
  }
}
