import HotglueCore
import HotglueStore
import Testing

@testable import HotglueCommands

@Suite struct JobLinesTests {
  let world: JobWorld

  init() throws { world = try JobWorld() }

  private func bulk(_ flags: String..., input: String) -> JobWorld.Answer {
    world.run(["job", "enqueue", "--jsonl", "-"] + flags, input: Array(input.utf8))
  }

  private func jobs() throws -> [Job] {
    try world.store().jobs(in: world.acme, matching: JobFilter(), before: nil, limit: 100)
  }

  @Test("lines become jobs in the order of the input; empty lines are passed over")
  func order() throws {
    let answer = bulk(input: "\n{\"command\":[\"a\"]}\r\n  \n{\"command\":[\"b\"]}")
    #expect(answer == .init(status: 0, out: "1\n2\n", err: ""))
    #expect(try jobs().map(\.request.command) == [["b"], ["a"]])
  }

  @Test("a line has a bound: one without an end is refused before it takes all memory")
  func lineBound() throws {
    let line = #"{"command":["a","\#(String(repeating: "x", count: LineInput.longestLine))"]}"#
    for flags in [[], ["--commit-every", "1"]] {
      let answer = world.run(
        ["job", "enqueue", "--jsonl", "-"] + flags, input: Array(("\n" + line).utf8))
      #expect(answer.status == 65)
      #expect(answer.err.hasPrefix("hotglue: line 2: it is longer than 8 MiB\n"), "\(answer.err)")
    }
    #expect(try jobs().isEmpty)
  }

  @Test("every key of a line says what its flag says")
  func keys() throws {
    let answer = bulk(
      input: #"{"type":"exec","command":["c"],"payload":{"n":1e400},"env":{"A":"1"},"cwd":"/tmp","#
        + #""queue":"q","priority":-3,"limit_key":"l","limit_max":2,"delay":"10m","expires":"1h","#
        + #""key":"k","key_for":"done","lease":"5s","timeout":"1m","stop":"KILL","max_attempts":3,"#
        + #""max_losses":0,"max_snoozes":"4","backoff":"fixed:1s","jitter":"none","retry_for":"1d","#
        + #""on_exit":"9=failed","replay":"safe","verify":"true","log_cap":"8K","#
        + #""keep_children":true,"run_at":null}"#)
    #expect(answer.err == "")
    let request = try world.job(1).request
    #expect(request.payload == #"{"n":1e400}"#)
    #expect(request.environment == ["A=1"])
    #expect(request.directory == "/tmp")
    #expect(request.queue == "q")
    #expect(request.priority == -3)
    #expect(request.limitKey == "l")
    #expect(request.limitMax == 2)
    #expect(request.runAt == JobWorld.start.advanced(by: .minutes(10)))
    #expect(request.expiresAt == JobWorld.start.advanced(by: .hours(1)))
    #expect(request.key == "k")
    #expect(request.keyHold == .untilDone)
    #expect(
      request.policy.json(complete: true).text
        == #"{"lease":"5s","timeout":"1m","stop":"KILL","max_attempts":3,"max_losses":0,"#
        + #""max_snoozes":4,"backoff":"fixed:1s:1h","jitter":"none","retry_for":"1d","#
        + #""on_exit":"9=failed","replay":"safe","verify":"true","log_cap":8192,"#
        + #""keep_children":true}"#)
  }

  @Test("what a line does not say is as the flags say it")
  func defaults() throws {
    let answer = bulk(
      "--queue", "slow", "--max-attempts", "7", "--env", "A=1",
      input: #"{"command":["a"]}"# + "\n" + #"{"command":["b"],"queue":"fast","env":["B=2"]}"#)
    #expect(answer.err == "")
    #expect(try world.job(1).request.queue == "slow")
    let second = try world.job(2).request
    #expect(second.queue == "fast")
    #expect(second.policy.maxAttempts == 7)
    #expect(second.environment == ["A=1", "B=2"])
  }

  @Test("a bad line 5,000 is named, and nothing is enqueued")
  func badLine() throws {
    let good = String(repeating: "{\"command\":[\"true\"]}\n", count: 4999)
    let answer = bulk(input: good + "{\"command\":[\"true\"}\n" + good)
    #expect(answer.status == 65)
    #expect(answer.out == "")
    #expect(answer.err.hasPrefix("hotglue: line 5000, column 19: expected ',' or ']'\nhint: "))
    #expect(try jobs() == [])
  }

  @Test(
    "a line that is no job is refused with its number and the reason",
    arguments: [
      ("7", "the line is not an object"),
      ("{}", "there is no 'command'"),
      (#"{"command":"true"}"#, "'command' is not an array of strings"),
      (#"{"command":[]}"#, "'command' is not an array of strings"),
      (#"{"command":[1]}"#, "'command' is not an array of strings"),
      (#"{"command":[""]}"#, "the command is empty"),
      (#"{"command":["a\u0000"]}"#, "an argument of the command contains a NUL character"),
      (#"{"type":"re size"}"#, "'re size' is no name of a job type"),
      (#"{"type":"sync"}"#, "type 'sync' is built in"),
      (#"{"type":7}"#, "'type' is not a string"),
      (#"{"type":"resize","command":["a"]}"#, "there is a 'command' and a 'type'"),
      (#"{"comand":["a"]}"#, "unknown key 'comand'"),
      (#"{"command":["a"],"lease":60}"#, "invalid value '60' for 'lease': expected "),
      (#"{"command":["a"],"lease":"60"}"#, "invalid value '60' for 'lease': expected "),
      (
        #"{"command":["a"],"max_attempts":1.5}"#,
        "invalid value '1.5' for 'max_attempts': expected a whole number from 1 to 1000000"
      ),
      (
        #"{"command":["a"],"keep_children":"yes"}"#,
        "invalid value '\"yes\"' for 'keep_children': expected true or false"
      ),
      (
        #"{"command":["a"],"env":3}"#,
        "'env' is neither an array of strings nor an object of strings"
      ),
      (#"{"command":["a"],"env":["GONE"]}"#, "the variable 'GONE' is not set"),
      (#"{"command":["a"],"cwd":""}"#, "'cwd' is not a path"),
      (
        #"{"command":["a"],"delay":"1s","run_at":"+1s"}"#,
        "'run_at' and 'delay' cannot both be given"
      ),
    ])
  func badLines(line: String, reason: String) throws {
    let answer = bulk(input: "{\"command\":[\"true\"]}\n\(line)\n")
    #expect(answer.status == 65)
    #expect(answer.err.hasPrefix("hotglue: line 2: \(reason)"))
    #expect(try jobs() == [])
  }

  @Test("of lines with one key that one is named which asks for something else")
  func conflictingLine() throws {
    let same = [
      #"{"type":"mail","key":"k","payload":{"a":1,"b":[2.0]}}"#,
      #"{"type":"mail","key":"k","payload":{"b":[2],"a":1.0}}"#,
    ]
    let others = [
      #"{"type":"post","key":"k","payload":7}"#, #"{"type":"mail","key":"k","payload":{"a":1}}"#,
    ]
    let within = bulk(input: (same + others).joined(separator: "\n"))
    #expect(within.status == 81)
    #expect(within.err.hasPrefix("hotglue: line 4: key 'k' is that of line 1"), "\(within.err)")
    #expect(try jobs() == [])
    #expect(bulk(input: same[0]).status == 0)
    let behind = bulk(input: ([same[1]] + others).joined(separator: "\n"))
    #expect(behind.status == 81)
    #expect(behind.err.hasPrefix("hotglue: line 3: key 'k' belongs to job 1"), "\(behind.err)")
    let spelled = bulk(
      input: #"{"command":["e\u0301"],"key":"c"}"# + "\n" + #"{"command":["\u00e9"],"key":"c"}"#)
    #expect(spelled.err.hasPrefix("hotglue: line 2: key 'c' is that of line 1"), "\(spelled.err)")
  }

  @Test("an unknown key is told with the near one")
  func nearKey() {
    let answer = bulk(input: #"{"command":["a"],"max_attempt":3}"#)
    #expect(answer.err.contains("hint: did you mean 'max_attempts'?"))
  }

  @Test("a payload over the limit is refused in a line too")
  func longPayload() {
    let long = String(repeating: "x", count: 1 << 20)
    let answer = bulk(input: #"{"command":["a"],"payload":""# + long + "\"}")
    #expect(answer.status == 65)
    #expect(answer.err.contains("line 1: the payload is 1048578 bytes, and the limit is 1 MiB"))
  }

  @Test("more than one transaction takes needs --commit-every, which says how far it came")
  func tooMany() throws {
    let lines = String(repeating: "{\"command\":[\"true\"]}\n", count: 100_001)
    let refused = bulk(input: lines)
    #expect(refused.status == 65)
    #expect(refused.err.contains("hint: give --commit-every N"))
    #expect(try jobs() == [])
    let broken = bulk(
      "--commit-every", "2",
      input: String(repeating: "{\"command\":[\"true\"]}\n", count: 5) + "oops\n")
    #expect(broken.status == 65)
    #expect(broken.out == "1\n2\n3\n4\n")
    #expect(broken.err.hasPrefix("hotglue: line 6, column 1: "))
    #expect(broken.err.contains("the first 4 jobs of the input are enqueued, the rest is not"))
  }

  @Test("a file is validated whole before its first part is stored")
  func fileIsValidated() throws {
    let text = String(repeating: "{\"command\":[\"true\"]}\n", count: 5)
    try JobEnqueueTests.write(text + "oops\n", to: world.folder.file("bad.jsonl"))
    let bad = world.run("job", "enqueue", "--jsonl", "bad.jsonl", "--commit-every", "2")
    #expect(bad.status == 65)
    #expect(bad.out == "")
    #expect(try jobs() == [])
    try JobEnqueueTests.write(text, to: world.folder.file("good.jsonl"))
    let good = world.run("job", "enqueue", "--jsonl", "good.jsonl", "--commit-every", "2")
    #expect(good == .init(status: 0, out: "1\n2\n3\n4\n5\n", err: ""))
    #expect(world.run("job", "enqueue", "--jsonl", "none.jsonl").status == 66)
  }

  @Test("a key conflict in one line keeps all of them out")
  func conflictKeepsAllOut() throws {
    #expect(world.run("job", "enqueue", "--key", "k", "--", "a").status == 0)
    let answer = bulk(input: #"{"command":["x"]}"# + "\n" + #"{"command":["b"],"key":"k"}"#)
    #expect(answer.status == 81)
    #expect(try jobs().map(\.id) == [1])
  }

  @Test("flags that one job only can have are refused with --jsonl")
  func singleFlags() {
    for flags in [["--key", "k"], ["--payload", "1"], ["--commit-every", "0"], ["--", "true"]] {
      let answer = world.run(["job", "enqueue", "--jsonl", "-"] + flags, input: [])
      #expect(answer.status == 64)
    }
  }

  @Test("lines are found whatever the pieces they are read in")
  func pieces() throws {
    for size in 1...9 {
      var rest = Array("a\nbb\n\nccc\ndddd".utf8)[...]
      let input = LineInput(
        .reader { _ in
          defer { rest = rest.dropFirst(size) }
          return Array(rest.prefix(size))
        })
      var lines: [String] = []
      while let line = try input.nextLine({ String(decoding: $0, as: UTF8.self) }) {
        lines.append(line)
      }
      #expect(lines == ["a", "bb", "", "ccc", "dddd"])
    }
  }
}
