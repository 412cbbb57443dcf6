import Foundation
import Testing

/// A sync is a job, whoever runs it.
@Suite(.serialized)
struct SyncJobTests {
  @Test("the foreground, a worker, and two at once end in the same records; no sync is doubled")
  func sameRecords() throws {
    let world = try World()
    let tap = try world.place("counting.py")
    world.environment["TOTAL"] = "3000"
    for name in ["fore", "work", "twice"] {
      try world.succeed(["source", "add", name, "--", "python3", "-I", "-S", tap])
    }
    try world.succeed(["sync", "run", "fore"])
    let job = try world.succeed(["sync", "run", "work", "--detach"])
    #expect(try world.succeed(["sync", "run", "work", "--detach"]) == job)
    try world.succeed(["job", "work", "-w", "main", "--drain"])
    #expect(try world.state(job) == "succeeded")
    let first = try world.start(["sync", "run", "twice"])
    let second = try world.start(["sync", "run", "twice"])
    first.waitUntilExit()
    second.waitUntilExit()
    #expect(first.terminationStatus == 0 && second.terminationStatus == 0)
    let expected = try world.records("fore")
    #expect(expected.split(separator: "\n").count == 997)
    #expect(try world.records("work") == expected)
    #expect(try world.records("twice") == expected)
    let received = try world.runs("twice").map { run in
      (run["streams"] as? [[String: Any]])?.first?["received"] as? Int ?? 0
    }
    #expect(received.reduce(0, +) == 3000, "each message was taken once: \(received)")
  }

  @Test("a sync that waits out a back-off is run now by the next command")
  func backoffIsCutShort() throws {
    let world = try World()
    try world.script(
      """
      [ -e mended ] || exit 1
      printf '%s\\n' '\(World.schemaLine)' '{"type":"RECORD","stream":"a","record":{"id":1}}'
      """, as: "tap")
    try world.succeed(["source", "add", "a", "--", "./tap"])
    let id = try world.succeed(["sync", "run", "a", "--detach"])
    try world.succeed(["job", "work", "-w", "main", "--once"])
    #expect(try world.state(id) == "pending")
    try world.write("", to: "mended")
    try world.succeed(["sync", "run", "a"])
    let job = try world.job(id)
    #expect(job["state"] as? String == "succeeded")
    // Without being run now it would have waited for five seconds at least.
    let attempts = try #require(job["attempts"] as? [[String: Any]])
    #expect(attempts.count == 2)
    #expect(job["run_at"] as? String ?? "" > attempts[1]["started_at"] as? String ?? "~")
    #expect(try world.records("a") == "{\"id\":1}")
  }

  @Test("the second of two at once follows, waits, or is refused, as the flag says")
  func ifRunning() throws {
    let world = try World()
    // Runs until the test lets it go.
    try world.script(
      """
      printf '%s\\n' '\(World.schemaLine)'
      printf '%s\\n' '{"type":"RECORD","stream":"a","record":{"id":1}}' '{"type":"STATE","value":{"n":1}}'
      echo run >>runs
      while [ ! -e go ]; do sleep 0.05; done
      """, as: "tap")
    try world.succeed(["source", "add", "a", "--", "./tap"])
    let running = try world.start(["sync", "run", "a"])
    try world.eventually("the tap runs") { world.lineCount("runs") == 1 }
    let refused = try world.run(["sync", "run", "a", "--if-running", "refuse"])
    #expect(refused.status == 81)
    #expect(refused.errorOutput.contains("job 1 syncs source 'a' already"))
    let other = try world.run(["sync", "run", "a", "--full"])
    #expect(other.status == 81)
    let following = try world.start(["sync", "run", "a"])
    let waiting = try world.start(["sync", "run", "a", "--if-running", "wait"])
    // What the running one has published is there to be read meanwhile.
    try world.eventually("the first bookmark is published") {
      try world.records("a") == "{\"id\":1}"
    }
    try world.write("", to: "go")
    for process in [running, following, waiting] {
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
    }
    #expect(world.lineCount("runs") == 2)
    #expect(try world.jobs().count == 2)
  }

  @Test("a signal cancels the sync that the command began, and what was published stays")
  func signalCancels() throws {
    let world = try World()
    try world.script(
      """
      trap '' TERM
      printf '%s\\n' '\(World.schemaLine)'
      printf '%s\\n' '{"type":"RECORD","stream":"a","record":{"id":1}}' '{"type":"STATE","value":{"n":1}}'
      printf '%s\\n' '{"type":"RECORD","stream":"a","record":{"id":2}}'
      while :; do sleep 0.1; done
      """, as: "deaf-tap")
    try world.succeed(["source", "add", "a", "--", "./deaf-tap"])
    let running = try world.start(["sync", "run", "a"])
    try world.eventually("the bookmark is published") { try world.records("a") == "{\"id\":1}" }
    kill(running.processIdentifier, SIGTERM)
    running.waitUntilExit()
    #expect(running.terminationStatus == 143)
    #expect(try world.state("1") == "cancelled")
    #expect(try world.records("a") == "{\"id\":1}")
    #expect(try world.succeed(["sync", "state", "a"]) == "{\"n\":1}")
    let left = World.processes(named: world.folder.path + "/deaf-tap")
    #expect(left.isEmpty)
  }
}
