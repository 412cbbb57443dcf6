import HotglueCore
import Testing

@testable import HotglueCommands

@Suite("Hints")
struct HintTests {
  static let given = GivenArguments(["--context", "one.json", "-w", "acme", "job", "cancel", "1"])

  @Test(
    "a command in a hint repeats --context, --store and -w as far as the command takes them",
    arguments: [
      ("see 'hotglue job list'", "see 'hotglue --context one.json -w acme job list'"),
      ("hotglue -w beta job list", "hotglue --context one.json -w beta job list"),
      (
        "name one: 'hotglue workspace list'",
        "name one: 'hotglue --context one.json workspace list'"
      ),
      ("hotglue workspace switch ID", "hotglue --context one.json workspace switch ID"),
      ("make one with 'hotglue init'", "make one with 'hotglue init'"),
      ("hotglue job lifecycle", "hotglue job lifecycle"),
      (
        "'hotglue draft show 1 | hotglue draft new job --from -'",
        "'hotglue --context one.json -w acme draft show 1 | hotglue --context one.json -w acme "
          + "draft new job --from -'"
      ),
      ("a newer hotglue wrote it", "a newer hotglue wrote it"),
      ("use the newer hotglue that wrote it", "use the newer hotglue that wrote it"),
    ])
  func repeats(literal: String, shown: String) {
    #expect(Hint(command: literal).text(for: Self.given) == shown)
  }

  @Test("a command that the core suggests gets the same flags, and every word of it is quoted")
  func suggested() {
    func shown(_ command: SuggestedCommand, _ words: [String]) -> String {
      Hint(command).text(for: GivenArguments(words))
    }
    let given = ["--store", "my store", "-w", "acme", "job", "explain", "1"]
    #expect(
      shown(.hotglue(["queue", "limit", "it's"], form: "N"), given)
        == #"hotglue --store 'my store' -w acme queue limit 'it'\''s' N"#)
    #expect(
      shown(.hotglue(["job", "work", "-w", "beta"]), given)
        == "hotglue --store 'my store' job work -w beta")
    #expect(
      Hint(command: "hotglue job reclaim -w beta 1").text(for: GivenArguments(given))
        == "hotglue --store 'my store' job reclaim -w beta 1")
    #expect(shown(.other(["sudo", "kill", "-KILL", "7"]), given) == "sudo kill -KILL 7")
    #expect(
      shown(.hotglue(["job", "retry", "1"]), ["-w", "acme", "open", "hotglue://beta/job/1"])
        == "hotglue -w beta job retry 1", "what 'open' shows is in the workspace of its link")
  }

  @Test("text that comes from a value is never taken for a command")
  func values() {
    let stored = "hotglue job cancel 1"
    #expect(Hint("see '\(stored)'").text(for: Self.given) == "see 'hotglue job cancel 1'")
    let hint: Hint = "no '\(stored)' here"
    #expect(hint.text(for: Self.given) == "no 'hotglue job cancel 1' here")
  }

  @Test("the given command line is repeated whole, with what was missing put in or replaced")
  func again() throws {
    func shown(_ words: [String], _ changes: GivenArguments.Change...) -> String {
      let hint: Hint = "\(again: changes)"
      return hint.text(for: GivenArguments(words))
    }
    let beta = try #require(WorkspaceID("beta"))
    #expect(
      shown(["job", "show", "1", "-wacme", "--json"], .workspace(beta))
        == "hotglue -w beta job show 1 --json")
    #expect(
      shown(["--workspace=acme", "--expect", "acme", "job", "show", "1"], .workspace(beta))
        == "hotglue -w beta job show 1")
    #expect(
      shown(["job", "enqueue", "--", "tar", "-w", "x"], .workspace(beta))
        == "hotglue -w beta job enqueue -- tar -w x")
    #expect(
      shown(["foo", "-w", "x"], .workspace(beta)) == "hotglue -w beta foo -w x",
      "the words behind an external command are its own")
    #expect(
      shown(["workspace", "archive", "acme", "--confirm", "acm"], .option("--confirm", "acme"))
        == "hotglue workspace archive acme --confirm acme")
    #expect(
      shown(["store", "restore", "my copy.db"], .flag("--yes"))
        == "hotglue store restore 'my copy.db' --yes")
    #expect(
      shown(["job", "cancel", "--timeout", "3", "1", "3", "--wait"], .only("3"))
        == "hotglue job cancel --timeout 3 3 --wait")
    #expect(
      shown(["job", "enqueue", "--queue", "q", "mail", "--", "x"], .command("mail"))
        == "hotglue job enqueue --queue q -- mail x")
  }

  @Test("words are quoted so that any shell makes the same of them")
  func quoting() {
    #expect(Shell.quoted("a b") == "'a b'")
    #expect(Shell.quoted("it's") == #"'it'\''s'"#)
    #expect(Shell.exact("a b", insideQuotes: true) == #""a b""#)
    #expect(Shell.exact("100%\nof it") == #""$(printf '100%%\012of it')""#)
    #expect(Shell.exact("a\n") == #"$'a\012'"#)
    #expect(Shell.quoted("") == "''")
  }
}

/// Every refusal that a command line in one directory meets about the store of another.
@Suite("Hints stay in the store")
struct HintPlaceTests {
  /// Where a command line is refused, with the context of the store that it means.
  struct Worlds {
    var one: CommandPlace
    var two: CommandPlace

    init() throws {
      one = try CommandPlace.ready()
      two = try CommandPlace.ready()
      for place in [one, two] {
        _ = try place.enqueue(in: "beta")
        _ = try place.enqueue(in: "acme")
        for line in [
          "workspace create guarded", "workspace protect guarded", "workspace create old",
          "workspace archive old", "-w beta type set mail -- true",
          "-w beta source add crm -- tap", "-w beta draft new job --from /dev/null",
        ] { _ = place.run(line) }
      }
    }

    /// All that a command can change.
    func state(of place: CommandPlace) -> String {
      [
        "log --all-workspaces --json --limit 0", "workspace list --json", "context show --json",
        "-w acme job list --json", "-w beta job list --json", "-w beta draft list --json",
      ].map { place.run($0).output }.joined(separator: "\n")
    }
  }

  static let refused = [
    "job show 1", "job cancel 1", "job cancel 1 2", "job cancel 9", "job retry 1", "job retry 2",
    "job resolve 1 --as failed --reason x", "job resolve 2 --as failed --reason x",
    "job wait 1 --timeout 1ms",
    "job logs 1", "job explain 1", "job list --cursor beta.1.1.",
    "job list --type hotglue://beta/type/mail", "job list --expect beta",
    "job enqueue mail -- x", "job enqueue nope --expect beta", "job list --state pendin",
    "effect show k --job 1", "effect show k", "effect abandon k --job 1", "effect run",
    "draft show 1", "draft discard 1", "draft submit 1", "draft restore 9", "draft edit 1",
    "type show hotglue://beta/type/mail", "type show mail", "type remove mail", "source show crm",
    "source show hotglue://beta/source/1", "source remove crm", "sync run crm", "sync history crm",
    "record list crm", "workspace archive acme", "workspace archive acme --confirm acm",
    "workspace show nope", "workspace switch nope", "workspace switch old",
    "workspace switch - --if-generation 9", "workspace create acme",
    "-w guarded job enqueue -- true --expect x", "-w nope job list", "-w old job enqueue -- true",
    "workspace member remove nobody", "store restore nope --no-input", "open hotglue://beta/job/2",
    "open hotglue://acme/job/1", "log --type nope", "queue limit q x", "job prune --no-input",
  ]

  @Test("no command of any hint acts in another store than the refused one", arguments: refused)
  func staysInStore(line: String) throws {
    let worlds = try Worlds()
    let before = worlds.state(of: worlds.two)
    let words = ["--context", worlds.one.contextPath] + line.split(separator: " ").map(String.init)
    let answer = worlds.two.run(words)
    guard let hint = answer.error.firstRange(of: "hint: ").map({ answer.error[$0.upperBound...] })
    else { return }
    for command in Self.commands(in: String(hint)) { _ = worlds.two.run(command) }
    #expect(worlds.state(of: worlds.two) == before, "\(answer)")
  }

  /// What answers suggest, about a job that was cancelled, one that waits, and a new source.
  static let answered = [
    "job explain 2", "job explain 2 --json", "job show 2", "job explain 3", "job explain 3 --json",
    "job show 3", "-w beta job explain 1", "-w beta job show 1", "open hotglue://beta/job/1",
    "source add erp -- tap", "draft discard 4",
  ]

  @Test("no command of any answer acts in another store than the asked one", arguments: answered)
  func answerStaysInStore(line: String) throws {
    let worlds = try Worlds()
    for place in [worlds.one, worlds.two] {
      for line in [
        "job cancel 2", "-w beta job cancel 1", "job enqueue nope --expires 1h",
        "draft new job --from /dev/null",
      ] { _ = place.run(line) }
    }
    let before = worlds.state(of: worlds.two)
    let words = ["--context", worlds.one.contextPath] + line.split(separator: " ").map(String.init)
    let answer = worlds.two.run(words)
    let commands = Self.commands(in: answer.output + answer.error)
    #expect(line.hasPrefix("draft") || !commands.isEmpty, "\(answer)")
    for command in commands {
      #expect(command.starts(with: ["--context", worlds.one.contextPath]), "\(command)")
      // It would go on for ever.
      if !command.contains("work") { _ = worlds.two.run(command) }
    }
    #expect(worlds.state(of: worlds.two) == before, "\(answer)")
  }

  @Test(
    "a command that an answer suggests is done where the answer came from",
    arguments: [("job explain 2", 2), ("job show 2", 2), ("open hotglue://beta/job/1", 1)])
  func answerIsDone(line: String, job: JobID) throws {
    let worlds = try Worlds()
    for line in ["job cancel 2", "-w beta job cancel 1"] { _ = worlds.one.run(line) }
    let words = ["--context", worlds.one.contextPath] + line.split(separator: " ").map(String.init)
    let answer = worlds.two.run(words)
    let retry = try #require(
      Self.commands(in: answer.output).first { $0.contains("retry") }, "\(answer)")
    #expect(worlds.two.run(retry).status == 0)
    let workspace = try #require(WorkspaceID(job == 1 ? "beta" : "acme"))
    #expect(try worlds.one.store().job(job, in: workspace).state == .pending)
  }

  @Test(
    "a command in a hint has every argument that it needs",
    arguments: [
      ("sync reset crm --to 9", "hotglue -w beta sync history crm'"),
      ("sync reset crm --to start --target 9", "hotglue -w beta sync status crm'"),
      ("source test crm", "hotglue -w beta source edit crm -- TAP COMMAND…'"),
      ("open hotglue://beta/job/77", "hotglue -w beta job list'"),
    ])
  func hasArguments(line: String, command: String) throws {
    let worlds = try Worlds()
    let scope = line.hasPrefix("open") ? [] : ["-w", "beta"]
    let answer = worlds.one.run(scope + line.split(separator: " ").map(String.init))
    #expect(answer.error.contains(command), "\(answer)")
  }

  @Test(
    "a hint that is a command alone is done where it was refused",
    arguments: [
      "job show 1", "job cancel 1", "job resolve 1 --as failed --reason x",
      "job list --expect beta",
      "draft discard 1", "workspace archive acme", "workspace archive acme --confirm acm",
    ])
  func isDone(line: String) throws {
    let worlds = try Worlds()
    let words = ["--context", worlds.one.contextPath] + line.split(separator: " ").map(String.init)
    let refusal = worlds.two.run(words)
    let last = try #require(refusal.error.split(separator: "\n").last)
    try #require(last.hasPrefix("hint: hotglue "), "\(refusal)")
    let command = last.dropFirst("hint: hotglue ".count).split(separator: " ").map(String.init)
    let answer = worlds.two.run(command)
    // A pending job is not uncertain: its own rule refuses it, in its own workspace.
    #expect(answer.status == (line.hasPrefix("job resolve") ? 81 : 0), "\(answer)")
  }

  /// The words of each command in a hint, without the program's name.
  private static func commands(in hint: String) -> [[String]] {
    hint.split(separator: "hotglue ").dropFirst(hint.hasPrefix("hotglue ") ? 0 : 1).map { text in
      text.prefix { !"'\"|;\n".contains($0) }.split(separator: " ").map { word in
        String(word.prefix { $0 != "," })
      }
    }
  }
}
