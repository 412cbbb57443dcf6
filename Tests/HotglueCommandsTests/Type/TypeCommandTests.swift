import Glibc
import HotglueCore
import Testing

@Suite("type commands")
struct TypeCommandTests {
  let world: JobWorld

  init() throws { world = try JobWorld() }

  @Test(
    "type set --persistent makes a type whose process answers many jobs; type show says what that is"
  )
  func stream() {
    _ = world.run("type", "set", "resize", "--persistent", "--", "./resize")
    let shown = world.run("type", "show", "resize").lines.joined(separator: "\n")
    #expect(
      shown.contains("as a persistent handler: one process is given many jobs, one at a time"))
    #expect(shown.contains("of the one job it had in hand the outcome is unknown"))
    #expect(shown.contains("without an answer is unknown, whatever the status or signal"))
    #expect(
      world.run("type", "set", "resize", "--no-persistent").lines == [
        "type 'resize' in workspace 'acme' is at revision 2, was 1", "  persistent: true -> false",
      ])
    let plain = world.run("type", "show", "resize").lines.joined(separator: "\n")
    #expect(plain.contains("once per attempt"))
  }

  @Test("type set prints the revision and what changed, and nothing new when nothing did")
  func set() {
    let first = world.run("type", "set", "resize", "--limit", "2", "--", "./resize", "a b")
    #expect(
      first.lines == [
        "type 'resize' in workspace 'acme' is defined, at revision 1",
        "  command: ./resize 'a b'", "  cwd: \(world.folder.path)", "  limit: 2",
      ])
    let second = world.run("type", "set", "resize", "--timeout", "5m", "--priority", "5")
    #expect(
      second.lines == [
        "type 'resize' in workspace 'acme' is at revision 2, was 1", "  priority: 0 -> 5",
        "  timeout: none -> 5m",
      ])
    let same = world.run("type", "set", "resize", "--timeout", "5m")
    #expect(same.lines == ["type 'resize' in workspace 'acme' is at revision 2 already"])
    let back = world.run(
      "type", "set", "resize", "--timeout", "none", "--limit", "none", "--priority", "0")
    #expect(back.lines.count == 4)
    #expect(
      world.run("type", "diff", "resize", "1", "3").lines == [
        "type 'resize', from revision 1 to revision 3", "  limit: 2 -> none",
      ])
    #expect(
      world.run("type", "diff", "resize", "--json").out
        == #"{"name":"resize","workspace":"acme","from":2,"to":3,"changes":["#
        + #"{"key":"priority","before":5,"after":0},"#
        + #"{"key":"limit","before":2,"after":null},"#
        + #"{"key":"timeout","before":"5m","after":null}]}"# + "\n")
    #expect(world.run("type", "diff", "resize", "9").status == 66)
  }

  @Test(
    "an attempt that runs is judged by the revision it was claimed with, the next one by the new one"
  )
  func changedWhileRunning() throws {
    let worker = try TestWorker(in: world)
    let safe = ["type", "set", "resize", "--replay", "safe", "--backoff", "fixed:1ms"]
    #expect(world.run(safe + ["--", "./resize"], input: []).err == "")
    let id = try #require(JobID(world.run("job", "enqueue", "resize").out.dropLast()))
    let first = try worker.claim(id).reference
    let changed = world.run("type", "set", "resize", "--replay", "unsafe")
    #expect(changed.status == 0)
    #expect(
      changed.err.contains(
        "1 attempt of type 'resize' runs by an earlier revision, and goes on by it: it decides what "
          + "its end means. Jobs that wait run by revision 2"), "\(changed.err)")
    try worker.settle(first, AttemptEnd(how: .lost))
    #expect(try world.job(id).state == .pending, "what was claimed as safe is run again")
    let later = JobWorld.start.advanced(by: .hours(1))
    let second = try worker.claim(id, at: later).reference
    // The other way round: unsafe it was claimed, unsafe it is judged.
    #expect(
      try world.run("type", "set", "resize", "--replay", "safe", "--json").json()["running"]
        == .integer(1))
    try worker.settle(second, AttemptEnd(how: .lost), at: later)
    #expect(try world.job(id).state == .uncertain)
    #expect(world.run("type", "set", "resize", "--replay", "keyed").err == "")
  }

  @Test("the types that are built in are told of in words, and neither set nor removed")
  func builtIn() throws {
    let exec = world.run("type", "show", "exec")
    #expect(exec.status == 0)
    for part in [
      "runs\tthe command that the job was enqueued with", "attempts\t1 at most that fail",
      "safe twice\tno",
    ] {
      #expect(exec.out.contains(part), "\(part)")
    }
    let sync = world.run("type", "show", "sync").out
    #expect(sync.contains("at once\tone of each source") && sync.contains("safe twice\tyes"))
    let json = try world.run("type", "show", "sync", "--json").json()
    #expect(json["built_in"] == .bool(true) && json["revision"] == .null)
    #expect(json["policy"]?["replay"] == .string("safe"))
    #expect(world.run("type", "show", "exec", "--revision", "1").status == 64)
    let removed = world.run("type", "remove", "exec")
    #expect(removed.status == 64)
    #expect(removed.err.contains("type 'exec' is built in"))
    #expect(world.run("type", "list").out == "")
  }

  @Test(
    "what cannot be a type is refused and nothing is set",
    arguments: [
      (["resize"], "a new type needs its command"),
      (["resize", "--limit", "0", "--", "a"], "'limit' cannot be '0'"),
      (["resize", "--limit-max", "3", "--", "a"], "a limit of 3 bounds a limit key"),
      (["resize", "--lease", "soon", "--", "a"], "invalid value 'soon' for '--lease'"),
      (["resize", "--on-exit", "*=retry,3=failed", "--", "a"], "invalid value '*=retry,"),
      (["exec", "--", "a"], "type 'exec' is built in"),
      (["re size", "--", "a"], "'re size' is no name of a job type"),
      (["resize", "--", ""], "the command is empty"),
    ])
  func refused(arguments: [String], message: String) {
    let answer = world.run(["type", "set"] + arguments, input: [])
    #expect(answer.status == 64)
    #expect(answer.err.hasPrefix("hotglue: \(message)"))
    #expect(world.run("type", "list").out == "")
  }

  @Test("type show names the built-in exit rules only as far as those of the type leave them")
  func exitRulesInWords() {
    func shown(_ rules: String) -> String? {
      #expect(world.run("type", "set", "resize", "--on-exit", rules, "--", "./resize").status == 0)
      return world.run("type", "show", "resize").lines.first { $0.hasPrefix("on exit\t") }
    }
    let some = shown("3=failed")
    #expect(some?.hasPrefix("on exit\t3=failed; else 0 succeeded, 75 retry, 64 ") == true)
    let all = shown("3=failed,*=retry")
    #expect(all == "on exit\t3=failed,*=retry; else 0 succeeded, a signal unknown")
  }

  @Test("type show tells the whole contract, with the waits before each retry")
  func show() {
    _ = world.run(
      "type", "set", "resize", "--max-attempts", "3", "--backoff", "linear:4s", "--timeout", "5m",
      "--replay", "keyed", "--limit-key", "disk", "--", "./resize")
    let answer = world.run("type", "show", "resize")
    #expect(answer.status == 0)
    for part in [
      "type\tresize", "revision\t1", "runs\t./resize in \(world.folder.path), once per attempt",
      "at once\tat most 1 of all jobs with limit key 'disk'",
      "retries\tafter 2s to 4s, then 4s to 8s, then the job has failed",
      "safe twice\twith the same key", "on a crash\tof the machine, the supervisor or the handler",
      "past 3 such losses", "on time-out\tafter 5m: TERM, and after 10s KILL",
    ] {
      #expect(answer.out.contains(part), "\(part)")
    }
    _ = world.run("type", "set", "resize", "--max-attempts", "1")
    #expect(world.run("type", "show", "resize").out.contains("retries\tnone"))
    #expect(world.run("type", "show", "resize", "--revision", "1").out.contains("revision\t1\n"))
    #expect(
      world.run("type", "show", "resize", "--json").out
        == #"{"name":"resize","workspace":"acme","link":"hotglue://acme/type/resize","#
        + #""revision":2,"command":["./resize"],"cwd":""#
        + world.folder.path
        + #"","persistent":false,"queue":"default","priority":0,"limit":null,"limit_key":"disk","#
        + #""limit_max":1,"policy":{"lease":"1m","timeout":"5m","stop":"TERM,10s,KILL","#
        + #""max_attempts":1,"max_losses":3,"max_snoozes":1000,"backoff":"linear:4s:1h","#
        + #""jitter":"equal","retry_for":null,"on_exit":null,"replay":"keyed","verify":null,"#
        + #""log_cap":67108864,"keep_children":false},"set_at":"2026-02-02T02:40:00.000Z","#
        + #""set_by":"alice","built_in":false}"# + "\n")
    let near = world.run("type", "show", "rezise", "--json")
    #expect(near.status == 66)
    #expect(near.err.contains(#""code":"unknown_type""#))
    #expect(world.run("type", "show", "resiez").err.contains("did you mean 'resize'?"))
    #expect(world.run("type", "show", "resize", "-w", "beta").status == 66)
  }

  @Test("a type file is applied as a whole, with a diff; a dry run changes nothing")
  func apply() throws {
    let text = """
      # what this project's jobs promise
      [type.resize]
      command = ["./resize"]   # beside this file
      limit = 2
      max_attempts = 9

      [type."email.send"]
      command = ["./send", "--fast"]
      cwd = "./mail"
      replay = "keyed"
      """
    mkdir(world.folder.file("mail"), 0o700)
    let dry = world.run("type", "apply", "-", "--dry-run", input: text)
    #expect(dry.status == 0)
    #expect(dry.lines.first == "type 'resize' in workspace 'acme' would be defined, at revision 1")
    #expect(world.run("type", "list").out == "")
    let done = world.run("type", "apply", "-", input: text)
    #expect(
      done.lines == [
        "type 'resize' in workspace 'acme' is defined, at revision 1", "  command: ./resize",
        "  cwd: \(world.folder.path)", "  limit: 2", "  max_attempts: 9",
        "type 'email.send' in workspace 'acme' is defined, at revision 1",
        "  command: ./send --fast", "  cwd: \(world.folder.path)/mail", "  replay: keyed",
      ])
    let exported = world.run("type", "export")
    #expect(exported.status == 0)
    let again = world.run("type", "apply", "-", input: exported.out)
    #expect(
      again.lines == [
        "type 'email.send' in workspace 'acme' is at revision 1 already",
        "type 'resize' in workspace 'acme' is at revision 1 already",
      ])
    // What the file does not say becomes the default.
    let smaller = world.run(
      "type", "apply", "-", "--json", input: "[type.resize]\ncommand = [\"./resize\"]")
    #expect(
      smaller.out
        == #"{"name":"resize","workspace":"acme","revision":2,"revision_before":1,"#
        + #""changed":true,"dry_run":false,"changes":["#
        + #"{"key":"limit","before":2,"after":null},"#
        + #"{"key":"max_attempts","before":9,"after":5}],"running":0}"# + "\n")
    #expect(world.run("type", "list", "-q").lines == ["email.send", "resize"])
    #expect(world.run("type", "export", "nothing").status == 66)
  }

  @Test(
    "a type file with a mistake is refused with line and near match, and nothing is set",
    arguments: [
      (
        "command = [\"a\"]", "line 1: a setting stands before the first type",
        "begin with [type.NAME]"
      ),
      (
        "[type.x]\ncommand = [\"a\"]\nlesae = \"5s\"", "line 3: unknown key 'lesae'",
        "did you mean 'lease'?"
      ),
      (
        "[type.x]\ncommand = [\"a\"]\nlease = 5",
        "line 3: invalid value '5' for 'lease': expected a string",
        "for example: lease = \"90s\""
      ),
      (
        "[type.x]\ncommand = [\"a\"]\non_exit = \"*=failed,75=retry\"",
        "line 3: invalid value '*=failed,75=retry' for 'on_exit': rule '75=retry' never fits",
        "put it before"
      ),
      ("[type.x]\ncommand = \"a\"", "line 2: 'command' is not an array of strings", ""),
      ("[type.x]\nlease = \"5s\"", "line 1: type 'x' has no command", ""),
      ("[type.x]\ncommand = [\"a\"]\nrun_at = \"5s\"", "line 3: 'run_at' is said of one job", ""),
      ("[type.x]\ncommand = [\"a\"]\nlimit = 0", "line 3: 'limit' cannot be '0'", ""),
      (
        "[type.x]\ncommand = [\"a\"]\npersistent = \"yes\"",
        "line 3: 'persistent' cannot be \"yes\"", ""
      ),
      ("[type.exec]\ncommand = [\"a\"]", "line 1: type 'exec' is built in", ""),
      (
        "[type.email.send]\ncommand = [\"a\"]", "line 1: [type.email.send] is no type",
        "write [type.\"email.send\"]"
      ),
      ("[resize]\ncommand = [\"a\"]", "line 1: [resize] is no type", "write [type.resize]"),
      ("[types.a]\ncommand = [\"a\"]", "line 1: [types.a] is no type", "write [type.a]"),
      ("[Type.a]\ncommand = [\"a\"]", "line 1: [Type.a] is no type", "write [type.a]"),
      ("[types]\ncommand = [\"a\"]", "line 1: [types] is no type", "write [type.NAME]"),
      (
        "[queue.default]\nlimit = 3", "line 1: [queue.default] is no type",
        "a file of types holds tables [type.NAME], and nothing else"
      ),
      ("[type.x]\ncommand = [\"a\"", "line 2, column 15: the array is not closed", ""),
    ])
  func badFile(text: String, message: String, hint: String) {
    let good = "[type.first]\ncommand = [\"a\"]\n"
    let answer = world.run("type", "apply", "-", input: text)
    #expect(answer.status == 65)
    #expect(answer.err.hasPrefix("hotglue: \(message)"), "\(answer.err)")
    #expect(answer.err.contains("hint: \(hint)"), "\(answer.err)")
    if !text.hasPrefix("command") {
      #expect(world.run("type", "apply", "-", input: good + text).status == 65)
    }
    #expect(world.run("type", "list").out == "")
  }

  @Test("none takes away what a type says, for the type and for one job")
  func none() throws {
    let said = [
      "--limit-key", "disk", "--limit-max", "3", "--verify", "./look", "--on-exit", "3=failed",
      "--timeout", "5m", "--retry-for", "1h", "--keep-children",
    ]
    let unsaid = [
      "--limit-key", "none", "--verify", "none", "--on-exit", "none", "--timeout", "none",
      "--retry-for", "none", "--no-keep-children",
    ]
    #expect(
      world.run(["type", "set", "resize"] + said + ["--", "./resize"], input: []).status == 0)
    #expect(world.run(["job", "enqueue", "resize"] + unsaid, input: []).out == "1\n")
    #expect(world.run("job", "enqueue", "resize").out == "2\n")
    let plain = JobPolicy.jobType
    for (id, policy, key, most) in [
      (JobID(1), plain, nil as String?, 1), (2, try world.job(2).request.policy, "disk", 3),
    ] {
      let request = try world.job(id).request
      #expect(request.policy == policy)
      #expect(request.limitKey == key)
      #expect(request.limitMax == most)
    }
    #expect(try world.job(2).request.policy.keepChildren)
    let refused = world.run("job", "enqueue", "resize", "--limit-key", "none", "--limit-max", "2")
    #expect(refused.status == 64)
    #expect(refused.err.contains("'--limit-key' says none"))
    #expect(world.run(["type", "set", "resize"] + unsaid, input: []).status == 0)
    let definition = try world.store().type("resize", in: world.acme).definition
    #expect(definition.policy == plain)
    #expect(definition.limitKey == nil)
    #expect(definition.limitMax == 1)
  }

  @Test("[type] alone is told how a type is written")
  func bareTable() {
    let answer = world.run(
      ["type", "apply", "-"], input: Array("[type]\ncommand = [\"x\"]\n".utf8))
    #expect(answer.status == 65)
    #expect(
      answer.err == "hotglue: line 1: [type] is no type\nhint: write [type.NAME]\n")
  }

  @Test("a file that is not there is 66")
  func noFile() { #expect(world.run("type", "apply", "types.toml").status == 66) }

  @Test("type remove says how many jobs wait, and a job's story says what it waits for")
  func remove() throws {
    _ = world.run("type", "set", "resize", "--", "./resize")
    let made = world.run("job", "enqueue", "resize", "--payload", "{}")
    #expect(made == JobWorld.Answer(status: 0, out: "1\n", err: ""))
    let dry = world.run("type", "remove", "resize", "--dry-run")
    #expect(
      dry.out == "type 'resize' would be removed from workspace 'acme'; 1 job of it waits until it "
        + "is defined again\n")
    #expect(world.run("type", "list", "-q").lines == ["resize"])
    #expect(
      world.run("type", "remove", "resize", "--json").out
        == #"{"name":"resize","workspace":"acme","removed":true,"waiting":1,"dry_run":false}"#
        + "\n")
    #expect(world.run("type", "remove", "resize").status == 66)
    #expect(
      world.run("job", "show", "1").out.contains(
        "next\twaits for its type: 'resize' is not defined in workspace 'acme'"))
    #expect(world.run("job", "list").out.contains("\tundefined\t"))
    #expect(
      try world.run("job", "show", "1", "--json").json()["reason"] == .string("type_undefined"))
    #expect(try world.run("job", "show", "1", "--json").json()["state"] == .string("pending"))
  }

  @Test("enqueueing a type that nobody defined succeeds, and says that the job waits")
  func undefinedType() {
    _ = world.run("type", "set", "resize", "--", "./resize")
    let answer = world.run("job", "enqueue", "rezize")
    #expect(answer.status == 0)
    #expect(answer.out == "1\n")
    #expect(
      answer.err == "type 'rezize' is not defined in workspace 'acme': its jobs wait until it is\n"
        + "hint: did you mean 'resize'?\n")
    let lines = world.run(
      "job", "enqueue", "--jsonl", "-",
      input: "{\"type\":\"resize\"}\n{\"type\":\"other\"}\n{\"type\":\"other\"}\n")
    #expect(lines.lines == ["2", "3", "4"])
    #expect(lines.err.split(separator: "\n").count == 2)
  }

  @Test("flags on enqueue go over the type's policy for that job, as a line and as flags")
  func overrides() throws {
    _ = world.run(
      "type", "set", "resize", "--timeout", "5m", "--queue", "bulk", "--", "./resize")
    let flags = world.run(
      "job", "enqueue", "resize", "--timeout", "none", "--max-attempts", "9", "--cwd", "/", "--json"
    )
    let line = world.run(
      "job", "enqueue", "--json", "--jsonl", "-",
      input: #"{"type":"resize","timeout":"none","max_attempts":9,"cwd":"/"}"#)
    for answer in [flags, line] {
      #expect(answer.status == 0)
      let id = try #require(try answer.json()["id"]).text
      let job = try world.run("job", "show", id, "--json").json()
      #expect(job["policy"]?["timeout"] == .null)
      #expect(job["max_attempts"] == .integer(9))
      #expect(job["queue"] == .string("bulk"))
      #expect(job["command"] == .strings(["./resize"]))
      #expect(world.run("job", "show", id).out.contains("folder\t/\n"))
      #expect(world.run("job", "show", id).out.contains("type\tresize, revision 1\n"))
    }
  }

  @Test("in an archived workspace no type can be changed")
  func archived() {
    _ = world.run("type", "set", "resize", "-w", "beta", "--", "./resize")
    _ = world.run("workspace", "archive", "beta")
    #expect(world.run("type", "set", "resize", "-w", "beta", "--lease", "5s").status == 81)
    #expect(world.run("type", "remove", "resize", "-w", "beta").status == 81)
    #expect(world.run("type", "show", "resize", "-w", "beta").status == 0)
  }
}
