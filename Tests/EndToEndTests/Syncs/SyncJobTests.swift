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
      printf '%s\\n' '\(World.schemaLine)'
      [ -e mended ] || exit 1
      printf '%s\\n' '{"type":"RECORD","stream":"a","record":{"id":1}}'
      """, as: "tap")
    try world.succeed(["source", "add", "a", "--", "./tap"])
    let id = try world.succeed(["sync", "run", "a", "--detach"])
    try world.succeed(["job", "work", "-w", "main", "--once"])
    #expect(try world.state(id) == "pending")
    // Each failure doubles the back-off; after the fourth it is no time in which a command may start.
    for failures in 2...4 {
      let running = try world.start(["sync", "run", "a"])
      try world.eventually("it has failed \(failures) times") {
        let job = try world.job(id)
        return job["failures"] as? Int == failures && job["state"] as? String == "pending"
      }
      kill(running.processIdentifier, SIGKILL)
      running.waitUntilExit()
    }
    try world.write("", to: "mended")
    try world.succeed(["sync", "run", "a"])
    let job = try world.job(id)
    #expect(job["state"] as? String == "succeeded")
    let attempts = try #require(job["attempts"] as? [[String: Any]])
    #expect(attempts.count == 5)
    #expect(job["run_at"] as? String ?? "" > attempts[4]["started_at"] as? String ?? "~")
    #expect(try world.records("a") == "{\"id\":1}")
  }

  @Test(
    "a tap that exits twice in a row before its first message, with the same last line, fails for good"
  )
  func failsEarly() throws {
    let world = try World()
    try world.script(
      "echo x >>tries; echo \"CRITICAL $$ password was refused\" >&2; exit 1", as: "tap")
    try world.succeed(["source", "add", "a", "--", "./tap"])
    let id = try world.succeed(["sync", "run", "a", "--detach"])
    try world.succeed(["job", "work", "-w", "main", "--once"])
    #expect(try world.state(id) == "pending")
    // Runs what waits, now.
    #expect(try world.run(["sync", "run", "a"]).status == 1)
    #expect(try world.state(id) == "failed")
    #expect(world.lineCount("tries") == 2)
    let error = try #require(try world.job(id)["error"] as? [String: Any])
    let message = try #require(error["message"] as? String)
    #expect(message.hasSuffix("(before its first message), twice in a row"), "\(message)")
    // A user who bounds the attempts waits for no second one.
    try world.write("", to: "tries")
    #expect(try world.run(["sync", "run", "a", "--max-attempts", "1"]).status == 1)
    #expect(world.lineCount("tries") == 1)
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
    let told = ["following", "waiting"].map { world.folder.appendingPathComponent($0) }
    let following = try world.start(["sync", "run", "a"], errors: told[0])
    let waiting = try world.start(["sync", "run", "a", "--if-running", "wait"], errors: told[1])
    // Whoever came when the first has ended would begin one of their own.
    try world.eventually("both have found the one that runs") {
      world.read("following").contains("already; following it")
        && world.read("waiting").contains("already; waiting for it")
    }
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

  @Test("a sync is run by the binary of its worker, whatever that is called, also one that is gone")
  func ownBinary() throws {
    let world = try World()
    try world.script(
      """
      printf '%s\\n' '\(World.schemaLine)' '{"type":"RECORD","stream":"a","record":{"id":1}}'
      while [ -e hold ]; do sleep 0.05; done
      """, as: "tap")
    try world.succeed(["source", "add", "a", "--", "./tap"])
    try world.succeed(["source", "add", "b", "--", "./tap"])
    // No folder of PATH has a hotglue, nor has the one where this binary is.
    let folder = world.folder.appendingPathComponent("elsewhere")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    let copy = folder.appendingPathComponent("glue-2")
    try FileManager.default.copyItem(atPath: world.binary, toPath: copy.path)
    let alone = ["PATH": "/usr/bin:/bin"]
    let named = try world.command(copy.path, ["sync", "run", "a"], extra: alone)
    #expect(named.status == 0, "\(named.errorOutput)")
    // A worker whose file was removed goes on with the one that it runs.
    try world.write("", to: "hold")
    let waiting = try world.succeed(["sync", "run", "a", "--detach"])
    let worker = try world.start(
      copy.path, ["job", "work", "-w", "main", "--max-jobs", "2"], input: nil, output: nil,
      errors: nil, extra: alone)
    try world.eventually("the first runs") { try world.state(waiting) == "running" }
    try FileManager.default.removeItem(at: copy)
    let next = try world.succeed(["sync", "run", "b", "--detach"])
    try FileManager.default.removeItem(at: world.folder.appendingPathComponent("hold"))
    worker.waitUntilExit()
    #expect(try world.state(waiting) == "succeeded" && world.state(next) == "succeeded")
  }

  @Test("a terminal of few rows shows the newest streams in place, one short enough for each row")
  func fewRows() throws {
    let world = try World()
    try world.script(
      """
      for n in 1 2 3 4 5 6 7 8 9 10 11 12; do
        printf '%s\\n' '{"type":"SCHEMA","stream":"stream-'$n'-of-this-source","key_properties":["id"],"schema":{"type":"object","properties":{"id":{"type":"integer"}}}}'
        printf '%s\\n' '{"type":"RECORD","stream":"stream-'$n'-of-this-source","record":{"id":1}}'
      done
      while [ ! -e go ]; do sleep 0.05; printf '%s\\n' '{"type":"RECORD","stream":"stream-12-of-this-source","record":{"id":1}}'; done
      """, as: "tap")
    try world.succeed(["source", "add", "a", "--", "./tap"])
    let next = "\u{1b}[K\r\n"
    try Terminal(world: world).drive(
      [
        "/bin/sh", "-c",
        "stty rows 6 cols 40; (read line </dev/tty; touch go) & "
          + "\"$0\" sync run a >/dev/null; echo ended with $?", world.binary,
      ],
      [
        // Five lines at the most, the last row being the cursor's; 39 columns at the most.
        .see(
          "9 more streams\(next)stream-10-of-this-source: 1 received, …\(next)"
            + "stream-11-of-this-source: 1 received, …\(next)stream-12-of-this-source: "
        ),
        .see("\u{1b}[5A\r9 more streams\(next)"), .see("records/s\(next)"), .type("\n"),
        .see("ended with 0"),
      ])
  }
}
