import Glibc
import HotglueCore
import HotglueStore
import Testing

@testable import HotglueCommands

@Suite struct JobEnqueueTests {
  let world: JobWorld

  init() throws { world = try JobWorld() }

  @Test("a command that is larger than the system starts is refused where it can be changed")
  func tooLargeToStart() throws {
    let many = Array(repeating: String(repeating: "x", count: 100_000), count: 80)
    for line in [["--", "echo"] + many, ["--env", "A=\(many.joined())", "--", "true"]] {
      let result = world.run(["job", "enqueue"] + line, input: [])
      #expect(result.status == 64)
      #expect(result.err.contains("the system starts no program with more than"))
    }
    #expect(
      try world.store().jobs(in: world.acme, matching: JobFilter(), before: nil, limit: 9) == [])
  }

  @Test("a bare enqueue prints the job's ID alone, with and without -q")
  func printsID() throws {
    #expect(world.run("job", "enqueue", "--", "/bin/true") == .init(status: 0, out: "1\n", err: ""))
    #expect(
      world.run("job", "enqueue", "-q", "--", "/bin/true") == .init(status: 0, out: "2\n", err: ""))
    let job = try world.job(1)
    #expect(job.request.command == ["/bin/true"])
    #expect(job.request.directory == world.folder.path)
    #expect(job.state == .pending)
  }

  @Test("arguments behind -- reach the job as they are, flags and empty ones too")
  func argumentsAreKept() throws {
    let command = ["sh", "-c", "echo \"$1\"", "--", "-w", "", "--json", "ü\n"]
    let id = try world.enqueue(command: command)
    #expect(try world.job(id).request.command == command)
  }

  @Test("every policy flag reaches the job")
  func policyFlags() throws {
    let id = try world.enqueue(
      "--lease", "90s", "--timeout", "5m", "--stop", "INT,3s,TERM,5s,KILL", "--max-attempts", "4",
      "--max-losses", "2", "--max-snoozes", "9", "--backoff", "linear:2s:1m", "--jitter", "full",
      "--retry-for", "2h", "--on-exit", "3=failed,*=retry", "--replay", "keyed", "--verify",
      "test -f done", "--queue", "mail", "--priority", "-5", "--limit-key", "src", "--limit-max",
      "2", "--log-cap", "2M", "--keep-children")
    let request = try world.job(id).request
    let policy = request.policy
    #expect(policy.lease == .seconds(90))
    #expect(policy.timeout == .minutes(5))
    #expect(policy.stop.text == "INT,3s,TERM,5s,KILL")
    #expect(policy.maxAttempts == 4)
    #expect(policy.maxLosses == 2)
    #expect(policy.maxSnoozes == 9)
    #expect(policy.backoff == Backoff("linear:2s:1m"))
    #expect(policy.jitter == .full)
    #expect(policy.retryFor == .hours(2))
    #expect(policy.onExit.text == "3=failed,*=retry")
    #expect(policy.replay == .keyed)
    #expect(policy.verify == "test -f done")
    #expect(policy.logCap == 2 << 20)
    #expect(policy.keepChildren)
    #expect(request.queue == "mail")
    #expect(request.priority == -5)
    #expect(request.limitKey == "src")
    #expect(request.limitMax == 2)
  }

  @Test("without flags the policy is a bare command's")
  func defaultPolicy() throws {
    let request = try world.job(world.enqueue()).request
    #expect(request.policy == .bareCommand)
    #expect(request.queue == "default")
    #expect(request.priority == 0)
  }

  @Test(
    "a value that is not of its flag's form is refused, with the form in the hint",
    arguments: [
      ("--lease", "abc", "7d"), ("--lease", "500ms", "1s"), ("--lease", "8d", "7d"),
      ("--timeout", "0", "5m"), ("--timeout", "-5s", "5m"), ("--stop", "TERM,10s,FOO", "KILL"),
      ("--max-attempts", "0", "1 to 1000000"), ("--max-attempts", "many", "1 to 1000000"),
      ("--max-losses", "-1", "0 to"), ("--max-snoozes", "1.5", "0 to"),
      ("--backoff", "quick", "exponential:10s:1h"), ("--backoff", "fixed:10s:5s", "BASE"),
      ("--jitter", "some", "equal"), ("--retry-for", "10", "5m"),
      ("--on-exit", "3=perhaps", "succeeded"), ("--on-exit", "*=failed,75=retry", "never fits"),
      ("--replay", "twice", "keyed"),
      ("--verify", "", "sh -c"), ("--queue", "", "name"), ("--queue", "a\u{1b}b", "name"),
      ("--priority", "high", "1000000"), ("--limit-key", "", "name"), ("--limit-max", "0", "1 to"),
      ("--log-cap", "1K", "4K"), ("--log-cap", "12Q", "64M"), ("--run-at", "someday", "+10m"),
      ("--run-at", "10m", "+10m"), ("--delay", "soon", "30s"), ("--expires", "never", "10m"),
      ("--key", "", "name"), ("--key-for", "ever", "done"),
    ])
  func badValues(flag: String, value: String, accepted: String) throws {
    let given = value.isEmpty ? [flag, value] : ["\(flag)=\(value)"]
    let answer = world.run(["job", "enqueue"] + given + ["--", "/bin/true"], input: [])
    #expect(answer.status == 64)
    #expect(answer.out == "")
    #expect(answer.err.hasPrefix("hotglue: invalid value '\(Visible.text(value))' for '\(flag)': "))
    #expect(answer.err.contains("hint: "))
    #expect(answer.err.contains(accepted))
    #expect(
      try world.store().jobs(in: world.acme, matching: JobFilter(), before: nil, limit: 9) == [])
  }

  @Test("--run-at takes RFC 3339 or +D, --delay a duration, --expires either")
  func times() throws {
    func job(_ flags: String...) throws -> Job {
      let answer = world.run(["job", "enqueue"] + flags + ["--", "true"], input: [])
      return try world.job(#require(JobID(answer.out.dropLast())))
    }
    let later = JobWorld.start.advanced(by: .minutes(10))
    #expect(try job("--run-at", later.rfc3339).runAt == later)
    #expect(try job("--run-at", "+10m").runAt == later)
    #expect(try job("--delay", "10m").runAt == later)
    #expect(try job("--delay", "0s").runAt == JobWorld.start)
    #expect(try job("--expires", "10m").request.expiresAt == later)
    #expect(try job("--expires", "+10m").request.expiresAt == later)
    #expect(try job("--expires", later.rfc3339).request.expiresAt == later)
    #expect(try job("--expires", "20m", "--delay", "10m").runAt == later)
  }

  @Test(
    "flags that contradict each other are refused",
    arguments: [
      (["--run-at", "+1m", "--delay", "1m"], "'--run-at' and '--delay' cannot both be given"),
      (["--key-for", "1h"], "'--key-for' says how long a key is held, but there is no key"),
      (["--limit-max", "2"], "'--limit-max' bounds a limit key, but there is none"),
      (["--expires", "1m", "--delay", "1m"], "'--expires' is over before the job may run"),
      (["--expires", "2001-01-01T00:00:00Z"], "'--expires' is over before the job may run"),
      (["--commit-every", "5"], "'--commit-every' is for '--jsonl'"),
    ])
  func contradictions(flags: [String], message: String) {
    let answer = world.run(["job", "enqueue"] + flags + ["--", "true"], input: [])
    #expect(answer.status == 64)
    #expect(answer.err.hasPrefix("hotglue: \(message)\n"))
  }

  @Test("there must be a command, and it stands behind --")
  func commandIsNeeded() {
    let none = world.run("job", "enqueue")
    #expect(none.status == 64)
    #expect(none.err.hasPrefix("hotglue: there is no command to enqueue\n"))
    let empty = world.run("job", "enqueue", "--", "")
    #expect(empty.status == 64)
    #expect(empty.err.hasPrefix("hotglue: the command is empty\n"))
    let words = world.run("job", "enqueue", "echo", "two words")
    #expect(words.status == 64)
    #expect(words.err.contains("unexpected argument 'two words'"))
    #expect(words.err.contains("-- COMMAND"))
    let before = world.run("job", "enqueue", "echo", "--", "hi")
    #expect(before.status == 64)
    #expect(before.err.hasPrefix("hotglue: 'echo' stands before '--'\n"))
  }

  @Test("a name that no job type can have is a usage error", arguments: ["a b", ".x", "sync"])
  func badTypeName(name: String) {
    let answer = world.run("job", "enqueue", name, "--json")
    #expect(answer.status == 64)
    #expect(answer.err.contains("type"))
    #expect(answer.out == "")
  }

  @Test("--env records a value, or the one that the variable has now")
  func variables() throws {
    let answer = world.run(
      "job", "enqueue", "--env", "A=1=2", "--env", "TOKEN", "--env", "EMPTY=", "--", "true",
      variables: ["TOKEN": "secret"])
    #expect(answer.status == 0)
    #expect(try world.job(1).request.environment == ["A=1=2", "TOKEN=secret", "EMPTY="])
    let missing = world.run("job", "enqueue", "--env", "TOKEN", "--", "true")
    #expect(missing.status == 64)
    #expect(missing.err.hasPrefix("hotglue: the variable 'TOKEN' is not set (--env)\n"))
    #expect(world.run("job", "enqueue", "--env", "=x", "--", "true").status == 64)
  }

  @Test(
    "--cwd is recorded by its real path, so that a key means the same folder however it is named")
  func realFolder() throws {
    for name in ["d1", "d2"] { mkdir(world.folder.file(name), 0o700) }
    symlink("d1", world.folder.file("link"))
    for name in ["d1", "d2/../d1", "./link/.", world.folder.file("link")] {
      let answer = world.run("job", "enqueue", "-q", "--key", "k", "--cwd", name, "--", "true")
      #expect(answer.status == 0, "\(answer)")
      #expect(answer.out == "1\n")
    }
    #expect(try world.job(1).request.directory == world.folder.file("d1"))
    #expect(world.run("job", "enqueue", "--key", "k", "--cwd", "d2", "--", "true").status == 81)
    let line = #"{"command":["true"],"key":"k","cwd":"d2/../link"}"# + "\n"
    #expect(world.run("job", "enqueue", "--jsonl", "-", input: line).out == "1\n")
    let type = "[type.t]\ncommand = [\"true\"]\ncwd = \"d2/../link\"\n"
    #expect(world.run("type", "apply", "-", input: type).status == 0)
    #expect(world.run("type", "show", "t").out.contains(world.folder.file("d1")))
  }

  @Test("a directory that does not exist is recorded by no file and by no line")
  func missingFolder() throws {
    try Self.write("", to: world.folder.file("file"))
    for (name, reason) in [
      ("gone", "'cwd' names no directory: '\(world.folder.file("gone"))'"),
      ("file", "'cwd' is not a directory"), ("", "'cwd' is not a path"),
    ] {
      let line = world.run(
        "job", "enqueue", "--jsonl", "-", input: #"{"command":["a"],"cwd":"\#(name)"}"#)
      let file = world.run(
        "type", "apply", "-", input: "[type.t]\ncommand = [\"a\"]\ncwd = \"\(name)\"\n")
      let job = world.run(
        "draft", "new", "job", "--from", "-",
        input: "[job]\ncommand = [\"a\"]\ncwd = \"\(name)\"\n")
      let source = world.run(
        "draft", "new", "source", "--from", "-",
        input: "[source.s]\ncommand = [\"a\"]\ncwd = \"\(name)\"\n")
      for answer in [line, file, job, source] {
        #expect(answer.status == 65 && answer.err.contains(reason), "\(answer)")
      }
    }
    #expect(world.run("type", "list").out == "")
  }

  @Test("why a --cwd cannot be one is told as it is")
  func noFolder() throws {
    try Self.write("", to: world.folder.file("file"))
    for name in ["file", "file/below"] {
      let answer = world.run("job", "enqueue", "--cwd", name, "--", "true")
      #expect(answer.status == 66)
      #expect(answer.err.contains("' is not a directory\n"), "\(answer)")
    }
    let bytes = Array((world.folder.path + "/d").utf8).map { CChar(bitPattern: $0) } + [-23, 0]
    mkdir(bytes, 0o700)
    symlink(bytes, world.folder.file("latin"))
    let answer = world.run("job", "enqueue", "--cwd", "latin", "--", "true")
    #expect(answer.status == 64)
    #expect(answer.err.contains("is not UTF-8 text"), "\(answer)")
  }

  @Test("--cwd is recorded absolute and must exist")
  func folder() throws {
    mkdir(world.folder.file("sub"), 0o700)
    let id = try world.enqueue("--cwd", "sub")
    #expect(try world.job(id).request.directory == world.folder.file("sub"))
    let gone = world.run("job", "enqueue", "--cwd", "none", "--", "true")
    #expect(gone.status == 66)
    #expect(gone.err.hasPrefix("hotglue: no folder '\(world.folder.file("none"))'\n"))
  }

  @Test("a payload comes from the argument, a file or standard input, numbers as written")
  func payloads() throws {
    let text = #"{ "big": 12345678901234567890.10, "b": [true, null] }"#
    let compact = #"{"big":12345678901234567890.10,"b":[true,null]}"#
    try Self.write(text, to: world.folder.file("payload.json"))
    for (flag, input) in [(text, ""), ("@payload.json", ""), ("-", text)] {
      let answer = world.run("job", "enqueue", "--payload", flag, "--", "cat", input: input)
      #expect(answer.err == "")
      let id = try #require(JobID(answer.out.dropLast()))
      #expect(try world.job(id).request.payload == compact)
    }
  }

  @Test("a payload that is not JSON or over 1 MiB is bad input, and the limit is said")
  func badPayloads() throws {
    let broken = world.run("job", "enqueue", "--payload", "{\"a\":}", "--", "true")
    #expect(broken.status == 65)
    #expect(broken.err.hasPrefix("hotglue: the payload is not JSON: "))
    #expect(broken.err.contains("column 6"))
    let long = "\"" + String(repeating: "x", count: 1 << 20) + "\""
    try Self.write(long, to: world.folder.file("long.json"))
    for (flag, input) in [(long, ""), ("@long.json", ""), ("-", long)] {
      let answer = world.run("job", "enqueue", "--payload", flag, "--", "true", input: input)
      #expect(answer.status == 65)
      #expect(answer.err.contains("the limit is 1 MiB (1048576 bytes)"))
    }
    let just = "\"" + String(repeating: "x", count: (1 << 20) - 2) + "\""
    #expect(world.run("job", "enqueue", "--payload", "-", "--", "true", input: just).status == 0)
    let missing = world.run("job", "enqueue", "--payload", "@none", "--", "true")
    #expect(missing.status == 66)
    #expect(missing.err == "hotglue: no file '\(world.folder.file("none"))'\n")
  }

  @Test("a key makes one job; with another request it is refused, and the difference is shown")
  func keys() throws {
    let first = world.run("job", "enqueue", "--key", "nightly", "--", "backup")
    let again = world.run("job", "enqueue", "--key", "nightly", "--", "backup")
    #expect(first == again)
    let other = world.run("job", "enqueue", "--key", "nightly", "--json", "--", "backup", "-v")
    #expect(other.status == 81)
    let error = try JSON.parse(other.err)["error"]
    #expect(error?["code"] == .string("key_conflict"))
    #expect(error?["job"] == .number("1"))
  }

  @Test("the JSON of a job has its documented keys in their order")
  func jsonShape() throws {
    let answer = world.run(
      "job", "enqueue", "--json", "--payload", "{\"n\":1.50}", "--key", "k", "--", "echo", "a b")
    let time = JobWorld.start.rfc3339
    #expect(
      answer.out == #"{"id":1,"workspace":"acme","link":"hotglue://acme/job/1","type":"exec","#
        + #""queue":"default","batch":null,"automation":null,"occurrence":null,"#
        + #""dependencies":[],"limit_key":null,"state":"pending","waiting_for":null,"reason":null,"#
        + #""priority":0,"command":["echo","a b"],"directory":"\#(world.folder.path)","#
        + #""payload":{"n":1.50},"key":"k","replay":"unsafe","#
        + #""attempt":0,"failures":0,"max_attempts":1,"losses":0,"max_losses":3,"snoozes":0,"#
        + #""max_snoozes":1000,"run_at":"\#(time)","expires_at":null,"created_at":"\#(time)","#
        + #""started_at":null,"finished_at":null,"fence":0,"worker":null,"#
        + #""lease_expires_at":null,"progress":null,"result":null,"error":null,"#
        + "\"exit_status\":null,\"signal\":null}\n")
  }

  @Test("the JSON of a whole job has every setting that its flags have, and no values of variables")
  func jsonPolicy() throws {
    let line = [
      "job", "enqueue", "--limit-key", "shop", "--limit-max", "3", "--key", "k", "--key-for",
      "done",
      "--env", "SECRET=b", "--log-cap", "8192", "--keep-children", "--queue", "q", "--priority",
      "4",
      "--", "true",
    ]
    #expect(world.run(line, input: []).status == 0)
    let job = try world.run("job", "show", "1", "--json").json()
    let policy = job["policy"]
    for (key, value) in [
      ("limit_key", JSON.string("shop")), ("limit_max", .number("3")), ("key_for", .string("done")),
      ("environment", .array([.string("SECRET")])), ("log_cap", .number("8192")),
      ("keep_children", .bool(true)), ("queue", .string("q")), ("priority", .number("4")),
      ("directory", .string(world.folder.path)),
    ] { #expect(policy?[key] == value, "\(key)") }
    #expect(job["limit_key"] == .string("shop"))
  }

  @Test("a job that has not started says in JSON what it waits for")
  func waitingFor() throws {
    for (words, waits) in [
      (["--delay", "1h", "--", "true"], JSON.string("time")), (["nope"], .string("type")),
      (["--", "true"], .null),
    ] {
      let answer = world.run(["job", "enqueue", "--json"] + words, input: [])
      #expect(try answer.json()["waiting_for"] == waits, "\(words)")
    }
  }

  @Test("an archived workspace takes no jobs")
  func archived() {
    #expect(world.run("workspace", "archive", "beta").status == 0)
    let answer = world.run("job", "enqueue", "-w", "beta", "--", "true")
    #expect(answer.status == 81)
  }

  static func write(_ text: String, to path: String) throws {
    let file = try #require(fopen(path, "we"))
    fputs(text, file)
    fclose(file)
  }
}
