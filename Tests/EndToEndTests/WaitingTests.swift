import Foundation
import Testing

/// What waits costs next to nothing while it waits.
struct WaitingTests {
  @Test(
    "a command that waits sleeps",
    arguments: [
      ["job", "run", "--", "sleep", "600"],
      ["job", "run", "--limit-key", "one", "--", "true"],
      ["job", "run", "--max-attempts", "2", "--backoff", "fixed:1h", "--", "sh", "-c", "exit 75"],
      ["job", "wait", "1"],
      ["job", "wait", "1", "--timeout", "1h"],
      ["job", "logs", "-f", "1"],
      ["job", "list", "--watch"],
      ["job", "work", "-w", "main"],
      ["sync", "run", "slow"],
    ])
  func sleeps(_ arguments: [String]) throws {
    let world = try World()
    // Runs last, when no worker is left: supervisors outlive theirs, and their handlers sleep on.
    defer { _ = try? world.run(["job", "reclaim", "--stop", "-w", "main"]) }
    // Runs, and takes what is enqueued; what it has no room for is due all the time.
    let script = "echo begun; echo x >begun; exec sleep 600"
    let running = try world.enqueue(script, ["--limit-key", "one"])
    #expect(running == "1")
    let worker = try world.start(["job", "work", "-w", "main"])
    defer { end(worker) }
    try world.eventually("the attempt") { world.lineCount("begun") == 1 }
    _ = try world.enqueue("true")
    try world.script("exec sleep 600", as: "tap")
    try world.succeed(["source", "add", "slow", "--", world.folder.path + "/tap"])
    let waiting = try world.start(arguments)
    defer { end(waiting) }
    for process in [waiting, worker] {
      try world.eventually("a sleep of \(process.arguments ?? [])") {
        let before = try ticks(of: process)
        usleep(1_000_000)
        return try ticks(of: process) - before < 5
      }
      #expect(process.isRunning)
    }
  }

  private func end(_ process: Process) {
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  /// The processor time that a process has used, in hundredths of a second.
  private func ticks(of process: Process) throws -> Int {
    let path = "/proc/\(process.processIdentifier)/stat"
    let fields = try String(contentsOfFile: path, encoding: .utf8).split(separator: ")").last
    let numbers = try #require(fields).split(separator: " ")
    return try #require(Int(numbers[11])) + #require(Int(numbers[12]))
  }
}

/// A follower is there for its reader.
struct FollowerTests {
  @Test(
    "a follower ends when its reader does, though nothing comes",
    arguments: [
      ["job", "logs", "-f", "1"], ["job", "list", "--watch"], ["job", "show", "1", "--watch"],
    ])
  func readerEnds(_ arguments: [String]) throws {
    let world = try World()
    // Runs last, when no worker is left: supervisors outlive theirs, and their handlers sleep on.
    defer { _ = try? world.run(["job", "reclaim", "--stop", "-w", "main"]) }
    _ = try world.enqueue("echo ready; echo x >begun; exec sleep 600")
    let worker = try world.start(["job", "work", "-w", "main"])
    defer {
      kill(worker.processIdentifier, SIGKILL)
      worker.waitUntilExit()
    }
    try world.eventually("the attempt") { world.lineCount("begun") == 1 }
    let (follower, pipe) = try world.startPiped(arguments)
    defer { kill(follower.processIdentifier, SIGKILL) }
    #expect(!pipe.fileHandleForReading.availableData.isEmpty)
    try pipe.fileHandleForReading.close()
    try world.eventually("the end of \(arguments)") { !follower.isRunning }
    #expect(follower.terminationStatus == 0)
  }

  @Test("'job wait' has no reader: its status is its result")
  func waitGoesOn() throws {
    let world = try World()
    let job = try world.enqueue("until [ -e go ]; do sleep 0.01; done; exit 3")
    let worker = try world.start(["job", "work", "-w", "main", "--drain"])
    let (waiting, pipe) = try world.startPiped(["job", "wait", job])
    try pipe.fileHandleForReading.close()
    try world.eventually("the attempt") { try world.state(job) == "running" }
    #expect(waiting.isRunning)
    try world.write("", to: "go")
    waiting.waitUntilExit()
    #expect(waiting.terminationStatus == 1)
    worker.waitUntilExit()
  }
}
