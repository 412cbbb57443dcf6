import Foundation
import Testing

/// The command line as scripts depend on it: exit statuses, streams, JSON keys and their order.
@Suite
struct CommandLineTests {
  /// The keys of a JSON object in the order in which they are written.
  private func keys(_ text: String) throws -> [String] {
    var keys: [String] = []
    var depth = 0
    var current = ""
    var isInText = false
    var isEscaped = false
    var last = ""
    for character in text {
      if isInText {
        if isEscaped {
          isEscaped = false
          current.append(character)
        } else if character == "\\" {
          isEscaped = true
        } else if character == "\"" {
          isInText = false
          last = current
        } else {
          current.append(character)
        }
        continue
      }
      switch character {
      case "\"":
        isInText = true
        current = ""
      case "{", "[": depth += 1
      case "}", "]": depth -= 1
      case ":" where depth == 1: keys.append(last)
      default: break
      }
    }
    return keys
  }

  private static let jobKeys = [
    "id", "workspace", "link", "type", "queue", "batch", "automation", "occurrence",
    "dependencies", "limit_key", "state", "waiting_for", "reason", "priority", "command",
    "directory", "payload", "key", "replay", "attempt", "failures", "max_attempts", "losses",
    "max_losses", "snoozes",
    "max_snoozes", "run_at", "expires_at", "created_at", "started_at", "finished_at", "fence",
    "worker", "lease_expires_at", "progress", "result", "error", "exit_status", "signal",
  ]

  @Test("a job's JSON has these keys in this order, null for what is absent")
  func jobJSON() throws {
    let world = try World()
    let enqueued = try world.succeed(["job", "enqueue", "--json", "--", "true"])
    #expect(try keys(enqueued) == Self.jobKeys)
    #expect(try keys(world.succeed(["job", "list", "--json"])) == Self.jobKeys)
    let shown = try world.succeed(["job", "show", "1", "--json"])
    #expect(
      try keys(shown)
        == Self.jobKeys + ["policy", "attempts", "history", "effects", "late_reports"])
    let job = try world.job("1")
    for absent in ["reason", "payload", "key", "worker", "result", "error", "finished_at"] {
      #expect(job[absent] is NSNull, "\(absent)")
    }
    try world.succeed(["job", "work", "-w", "main", "--drain"])
    let attempts = try #require(try world.job("1")["attempts"] as? [[String: Any]])
    #expect(
      Set(try #require(attempts.first).keys) == [
        "number", "fence", "worker", "started_at", "finished_at", "outcome", "reason",
        "exit_status", "signal", "user_ms", "system_ms", "peak_memory_bytes", "log", "warnings",
        "revision",
      ])
    let history = try #require(try world.job("1")["history"] as? [[String: Any]])
    #expect(history.count == 3)
    #expect(
      Set(try #require(history.first).keys) == ["at", "event", "from", "to", "by", "reason"])
  }

  @Test("the JSON of contexts and workspaces has these keys in this order")
  func contextJSON() throws {
    let world = try World()
    let context = try world.succeed(["context", "show", "--json"])
    #expect(
      try keys(context) == [
        "workspace", "store", "store_id", "generation", "context_file", "pinned", "origins",
      ])
    #expect(context.contains(#""origins":{"workspace":"context_file","store":"context_file""#))
    #expect(
      try keys(world.succeed(["workspace", "list", "--json"]))
        == ["id", "name", "state", "protected", "created_at"])
  }

  @Test(
    "with --json a refusal is one JSON object on standard error",
    arguments: [
      (["job", "show", "9"], 66), (["job", "list", "--limit", "x"], 64), (["nonsense"], 64),
      (["job", "work"], 82), (["-w", "nope", "job", "list"], 66),
      (["--expect", "other", "job", "list"], 80),
      (["job", "enqueue", "--payload", "x", "--", "a"], 65),
      (["--context", "/nonexistent", "job", "list"], 78),
    ])
  func jsonErrors(_ arguments: [String], _ status: Int) throws {
    let world = try World()
    let result = try world.run(["--json"] + arguments)
    #expect(Int(result.status) == status)
    #expect(result.output.isEmpty)
    #expect(result.errorOutput.hasSuffix("}\n"))
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(result.errorOutput.utf8)) as? [String: Any])
    let error = try #require(object["error"] as? [String: Any])
    #expect(error["exit"] as? Int == status)
    #expect(error["code"] is String && error["message"] is String && error["hint"] is String)
  }

  @Test("global flags stand before or after the noun and verb, and -w is given once")
  func globalFlags() throws {
    let world = try World()
    try world.succeed(["workspace", "create", "other"])
    for command in [
      ["-w", "other", "job", "enqueue", "--", "true"],
      ["job", "-w", "other", "enqueue", "--", "true"],
      ["job", "enqueue", "-w", "other", "--", "true"],
      ["job", "enqueue", "--workspace=other", "--", "true"],
    ] { try world.succeed(command) }
    #expect(try world.run(["job", "list", "-q", "-w", "other"]).lines.count == 4)
    for command in [
      ["-w", "main", "-w", "main", "job", "list"], ["-w", "main", "job", "list", "-w", "other"],
      ["job", "list", "--workspace", "main", "-w", "main"],
      ["-w", "main", "job", "enqueue", "-w", "main", "--", "true"],
      ["workspace", "switch", "main", "-w", "other"],
    ] { #expect(try world.run(command).status == 64, "\(command)") }
    // Behind '--' a flag is the command's.
    try world.succeed(["job", "enqueue", "-w", "main", "--", "echo", "-w", "x", "-w", "y"])
    try world.succeed(["job", "work", "-w", "main", "-w", "other", "--drain"])
    #expect(try world.run(["job", "list", "-q", "-w", "other", "--state", "pending"]).output == "")
  }

  @Test("off a terminal 'job work' needs its workspace named: 82 else, and nothing is run")
  func workOffTerminal() throws {
    let world = try World()
    let id = try world.enqueue("true")
    #expect(try world.run(["job", "work", "--drain"]).status == 82)
    #expect(try world.state(id) == "pending")
    try world.succeed(["job", "work", "--all-workspaces", "--drain"])
    #expect(try world.state(id) == "succeeded")
  }

  @Test(
    "'job run' exits with its job's status", .serialized,
    arguments: [
      ("exit 0", 0), ("exit 3", 3), ("exit 64", 64), ("exit 75", 75), ("exit 83", 83),
      ("kill -9 $$", 83), ("exec no-such-tool", 127),
    ])
  func runStatus(_ script: String, _ status: Int) throws {
    let world = try World()
    #expect(try Int(world.run(["job", "run", "--", "sh", "-c", script]).status) == status)
  }

  @Test("'job run' waits out a back-off before it tries again, and streams every attempt")
  func runBackoff() throws {
    let world = try World()
    let result = try world.run([
      "job", "run", "--max-attempts", "2", "--backoff", "fixed:700ms", "--jitter", "none", "--",
      "sh", "-c", "date +%s%3N; exit 9",
    ])
    #expect(result.status == 9)
    let times = result.lines.compactMap { Int($0) }
    try #require(times.count == 2)
    #expect(times[1] - times[0] >= 650)
  }

  @Test("'job wait': 0, 1, 83, 66 and 75 on time-out")
  func waitStatus() throws {
    let world = try World()
    let good = try world.enqueue("true")
    let bad = try world.enqueue("exit 64")
    let doubtful = try world.enqueue("kill -9 $$")
    try world.succeed(["job", "work", "-w", "main", "--drain"])
    let waiting = try world.enqueue("true", ["--delay", "1h"])
    #expect(try world.run(["job", "wait", good]).status == 0)
    #expect(try world.run(["job", "wait", good, bad]).status == 1)
    #expect(try world.run(["job", "wait", good, bad, doubtful]).status == 83)
    #expect(try world.run(["job", "wait", good, "99"]).status == 66)
    #expect(try world.run(["job", "wait", good, waiting, "--timeout", "100ms"]).status == 75)
  }

  @Test("what a state does not allow is 81 and names the states that do")
  func refusedStates() throws {
    let world = try World()
    let id = try world.enqueue("true")
    func refuse(_ arguments: [String], _ states: String) throws {
      let result = try world.run(["job"] + arguments)
      #expect(result.status == 81)
      #expect(result.errorOutput.contains(states), "\(result.errorOutput)")
    }
    try refuse(["retry", id], "'retry' is allowed in 'failed', 'cancelled' only")
    try refuse(["resolve", id, "--as", "failed", "--reason", "r"], "'uncertain' only")
    try world.succeed(["job", "cancel", id])
    try refuse(["cancel", id], "'running', 'pending', 'blocked' only")
    try world.succeed(["job", "retry", id])
    #expect(try world.state(id) == "pending")
  }

  @Test("the same key with another request is 81 and shows the difference")
  func keyConflict() throws {
    let world = try World()
    let id = try world.enqueue("true", ["--key", "k"])
    #expect(try world.enqueue("true", ["--key", "k"]) == id)
    let result = try world.run(["job", "enqueue", "--key", "k", "--", "false"])
    #expect(result.status == 81)
    #expect(result.errorOutput.contains(#"["false"] here"#))
  }

  @Test("what is not asked off a terminal is 82 and names the flag")
  func confirmation() throws {
    let world = try World()
    try world.succeed(["store", "backup", "copy.db"])
    let restore = try world.run(["store", "restore", "copy.db"])
    #expect(restore.status == 82)
    #expect(restore.errorOutput.contains("--yes"))
    let archive = try world.run(["workspace", "archive", "main", "--yes"])
    #expect(archive.status == 82)
    #expect(archive.errorOutput.contains("--confirm main"))
    try world.succeed(["workspace", "create", "other"])
    try world.succeed(["workspace", "archive", "other"])
    #expect(try world.run(["job", "enqueue", "-w", "other", "--", "true"]).status == 81)
  }

  @Test("a copy that cannot be made is 73, a backup that is not there 66")
  func backupPaths() throws {
    let world = try World()
    #expect(try world.run(["store", "backup", "/nonexistent/copy.db"]).status == 73)
    try world.succeed(["store", "backup", "copy.db"])
    #expect(try world.run(["store", "backup", "copy.db"]).status == 73)
    #expect(try world.run(["store", "restore", "none.db", "--yes"]).status == 66)
  }

  @Test("a context pinned to an attempt is refused with 81 once that has ended, a copy of it too")
  func pinnedContext() throws {
    let world = try World()
    let inside = try world.run([
      "job", "run", "--", "sh", "-c", "hotglue job enqueue -- true; cp $HOTGLUE_CONTEXT copy",
    ])
    #expect(inside.lines == ["2"])
    for context in ["copy", "\(world.storeFolder)/slots/gone.1-1.json"] {
      let late = try world.run(
        ["job", "enqueue", "--", "true"], extra: ["HOTGLUE_CONTEXT": context])
      #expect(late.status == 81, "\(late.errorOutput)")
    }
    #expect(try world.jobs().count == 2)
  }

  @Test("an attempt that is lost in an archived workspace does not stay 'running'")
  func archivedWhileRunning() throws {
    let world = try World()
    try world.succeed(["workspace", "create", "other"])
    let ids = try ["--replay=safe", "--replay=unsafe"].map { replay in
      try world.succeed([
        "job", "enqueue", "-w", "other", replay, "--", "sh", "-c",
        "echo $PPID >supervisor-$HOTGLUE_JOB; exec sleep 600",
      ])
    }
    let worker = try world.start(["job", "work", "-w", "other", "--concurrency", "2"])
    try world.eventually("both run") { ids.allSatisfy { world.lineCount("supervisor-\($0)") == 1 } }
    World.end(worker)
    try world.succeed(["workspace", "archive", "other"])
    for id in ids {
      let supervisor = world.read("supervisor-\(id)").trimmingCharacters(in: .newlines)
      try world.killed(try #require(pid_t(supervisor)))
    }
    try world.succeed(["job", "reclaim", "-w", "other", ids[0]])
    try world.succeed(["job", "work", "--all-workspaces", "--drain"])
    #expect(try world.run(["job", "list", "-w", "other", "--state", "running"]).output == "")
    #expect(
      try world.run(["job", "list", "-w", "other", "-q", "--state", "pending"]).lines == [ids[0]])
    #expect(
      try world.run(["job", "list", "-w", "other", "-q", "--state", "uncertain"]).lines == [ids[1]])
  }

  @Test("why a verify command could not be executed is in the job's history")
  func verifyNotExecutable() throws {
    let world = try World()
    try Data("#!/nonexistent/sh\n".utf8).write(to: world.folder.appendingPathComponent("script"))
    try Data().write(to: world.folder.appendingPathComponent("plain"))
    chmod(world.folder.path + "/script", 0o755)
    try FileManager.default.createDirectory(
      at: world.folder.appendingPathComponent("gone"), withIntermediateDirectories: false)
    let cases: [(String, [String], String)] = [
      (
        "./script --id 7", [],
        "undecided: exit 127: cannot execute './script': its interpreter "
          + "'/nonexistent/sh': no such file or directory"
      ),
      ("./plain", [], "undecided: exit 126: cannot execute './plain': permission denied"),
      ("no-such", [], "undecided: exit 127: cannot execute 'no-such': no such file or directory"),
      ("exit 127", [], "undecided: exit 127"), ("sh -c 'exit 126'", [], "undecided: exit 126"),
      (
        "true", ["--cwd", "gone"],
        "undecided: it could not be run: enter '\(world.folder.path)/gone': "
          + "no such file or directory"
      ),
    ]
    for (command, flags, reason) in cases {
      let id = try world.enqueue(
        "rmdir ../gone; kill -9 $$", ["--verify", command] + flags)
      try world.succeed(["job", "work", "-w", "main", "--drain"])
      #expect(try world.state(id) == "uncertain")
      let shown = try world.succeed(["job", "show", id, "-w", "main"])
      let line = shown.split(separator: "\n").first { $0.contains("\tverify\t") }
      #expect(line?.hasSuffix("\t\(reason)") == true, "\(shown)")
    }
  }

  @Test("a verify command is asked by one process at a time, whoever comes to the end")
  func verifyOnce() throws {
    let world = try World()
    // What waits there inherits the lock: what outlives its asker counts as well.
    let id = try world.enqueue(
      "kill -9 $$",
      [
        "--verify",
        """
        exec 9>>lock; flock -n 9 || echo twice >>twice; echo asked >>asked
        sh -c 'while [ ! -e go ]; do sleep 0.02; done'; exit 0
        """,
      ])
    let first = try world.start(["job", "work", "-w", "main", "--drain"])
    try world.eventually("it is asked") { world.lineCount("asked") == 1 }
    // The supervisor's recorder, a second worker and a reclaim all come to the same end.
    try world.killed(first.processIdentifier)
    let second = try world.start(["job", "work", "-w", "main", "--drain"])
    let reclaim = try world.start(["job", "reclaim", "-w", "main"])
    try world.eventually("it is asked again") { world.lineCount("asked") == 2 }
    try world.letGo()
    for process in [second, reclaim] {
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
    }
    try world.eventually("it is recorded") { try world.state(id) == "succeeded" }
    #expect((2...3).contains(world.lineCount("asked")))
    #expect(world.read("twice").isEmpty)
  }
}
