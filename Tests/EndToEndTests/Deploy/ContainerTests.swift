import Foundation
import Testing

/// A worker as process 1 of a PID namespace, as in a container: whatever it left would be killed with it.
/// As root, since namespaces are made.
@Suite(.serialized)
struct ContainerTests {
  let world: World

  init() throws {
    world = try World()
    let allowed = try world.command(
      "/usr/bin/unshare", ["--pid", "--fork", "--mount-proc", "true"])
    try #require(allowed.status == 0, "needs the right to unshare a PID namespace")
  }

  /// Runs it as process 1 of a namespace of its own.
  private func contained(_ arguments: [String]) throws -> Process {
    try world.start(
      program: "/usr/bin/unshare",
      ["--pid", "--fork", "--mount-proc", "--kill-child"] + arguments)
  }

  /// Process 1 of the namespace, as it is seen from here.
  private func first(of container: Process) throws -> Int32 {
    let pid = container.processIdentifier
    var found: Int32?
    try world.eventually("process 1") {
      let children =
        (try? String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)) ?? ""
      found = children.split(separator: " ").first.flatMap { Int32($0) }
      return found != nil
    }
    return try #require(found)
  }

  private let patient =
    "trap 'echo stopped; exit 0' TERM; echo x >begun; while :; do sleep 0.05; done"

  @Test(
    "process 1 stops and records what it cannot leave: after the grace, at a second signal, at its time",
    arguments: [
      (["--grace", "100ms"], 1), (["--grace", "1h"], 2),
      (["--max-time", "2s"], 0), (["--max-time", "2s", "--grace", "1h"], 0),
    ])
  func stops(_ flags: [String], signals: Int) throws {
    let job = try world.enqueue(patient)
    let container = try contained([World.binaryPath, "job", "work", "-w", "main"] + flags)
    let first = try first(of: container)
    try world.eventually("the attempt") { world.lineCount("begun") == 1 || !container.isRunning }
    for _ in 0..<signals {
      kill(first, SIGTERM)
      // Two of one kind that come at once are one.
      usleep(300_000)
    }
    container.waitUntilExit()
    #expect(container.terminationStatus == 0)
    // Nobody else has recorded it.
    let shown = try world.job(job)
    #expect(shown["state"] as? String == "succeeded")
    let attempts = try #require(shown["attempts"] as? [[String: Any]])
    #expect(attempts.count == 1)
    #expect(try world.succeed(["job", "logs", job, "-w", "main"]).hasSuffix("stopped"))
    try world.checkStore()
  }

  @Test("within the grace process 1 waits for its attempts")
  func waits() throws {
    let job = try world.enqueue("echo x >begun; until [ -e go ]; do sleep 0.02; done; echo done")
    let container = try contained([World.binaryPath, "job", "work", "-w", "main"])
    let first = try first(of: container)
    try world.eventually("the attempt") { world.lineCount("begun") == 1 }
    kill(first, SIGTERM)
    usleep(300_000)
    try world.write("", to: "go")
    container.waitUntilExit()
    #expect(container.terminationStatus == 0)
    #expect(try world.succeed(["job", "logs", job, "-w", "main"]) == "done")
  }

  @Test("'job run' as process 1 cancels at a signal, and a second one leaves nothing")
  func run() throws {
    let container = try contained([World.binaryPath, "job", "run", "--", "sh", "-c", patient])
    let first = try first(of: container)
    try world.eventually("the attempt") { world.lineCount("begun") == 1 }
    kill(first, SIGTERM)
    usleep(100_000)
    kill(first, SIGTERM)
    container.waitUntilExit()
    #expect(container.terminationStatus == 128 + SIGTERM)
    #expect(try world.state("1") == "succeeded")
  }

  @Test(
    "every command that waits ends at a signal as process 1, as elsewhere",
    arguments: [
      ["job", "wait", "1"], ["job", "logs", "1", "-f"], ["job", "list", "--watch"],
      ["job", "show", "1", "--watch"],
    ])
  func waiting(_ arguments: [String]) throws {
    _ = try world.enqueue("exit 0")
    let container = try contained([World.binaryPath] + arguments + ["-w", "main"])
    let first = try first(of: container)
    // The command itself, below process 1: it has its own signals from its start.
    try world.eventually("the command") {
      let path = "/proc/\(first)/task/\(first)/children"
      return try !String(contentsOfFile: path, encoding: .utf8).isEmpty
    }
    kill(first, SIGTERM)
    container.waitUntilExit()
    #expect(container.terminationStatus == 128 + SIGTERM)
  }

  @Test("process 1 reaps what it inherits")
  func reaps() throws {
    let container = try contained([
      "/bin/sh", "-c",
      "(sleep 0.1 & echo $! >orphan); (sh -c 'sleep 0.2 & :'); exec '\(World.binaryPath)' job work -w main",
    ])
    let first = try first(of: container)
    _ = try world.enqueue("echo x >begun; exec sleep 600")
    try world.eventually("the attempt") { world.lineCount("begun") == 1 }
    try world.eventually("no zombie below process 1") {
      let path = "/proc/\(first)/task/\(first)/children"
      let children = try String(contentsOfFile: path, encoding: .utf8).split(separator: " ")
      return !children.isEmpty
        && children.allSatisfy { child in
          let stat = (try? String(contentsOfFile: "/proc/\(child)/stat", encoding: .utf8)) ?? ""
          return stat.split(separator: ")").last?.hasPrefix(" Z") != true
        }
    }
    kill(first, SIGTERM)
    usleep(300_000)
    kill(first, SIGTERM)
    container.waitUntilExit()
  }
}
