import ArgumentParser
import Testing

@testable import HotglueCommands

@Suite("Dispatch and arguments")
struct DispatchTests {
  @Test("every command of the registry is found by its own path, which no other command has")
  func registry() {
    for command in CommandRegistry.commands {
      let record = command.record
      #expect(command.configuration.commandName == record.words.last)
      guard case .command(let found, arguments: []) = Dispatch.decide(record.words) else {
        Issue.record("'\(record.path)' is not found")
        continue
      }
      #expect(found.record == record)
    }
    #expect(Set(CommandRegistry.records.map(\.path)).count == CommandRegistry.commands.count)
  }

  @Test("the tree has every command of the registry")
  func tree() {
    func leaves(_ type: any ParsableCommand.Type, _ path: [String]) -> [[String]] {
      let below = type.configuration.subcommands
      if below.isEmpty { return [path] }
      return below.flatMap { leaves($0, path + [$0.configuration.commandName ?? "?"]) }
    }
    #expect(Set(leaves(RootCommand.self, [])) == Set(CommandRegistry.records.map(\.words)))
  }

  @Test(
    "global flags are taken before the noun, before the verb and behind it",
    arguments: [
      "-w beta workspace current", "workspace -w beta current", "workspace current -w beta",
      "--workspace=beta workspace current", "workspace --workspace beta current",
      "-q -w beta --no-input workspace current", "--color never -w beta workspace current",
    ])
  func globals(line: String) throws {
    let place = try CommandPlace.ready()
    #expect(place.run(line) == Answer(status: 0, output: "beta\n", error: ""))
  }

  @Test("nothing behind '--' is taken for a global flag")
  func terminator() {
    guard
      case .command(let command, let arguments) = Dispatch.decide([
        "-q", "job", "enqueue", "--", "ls", "--json", "-w", "x",
      ]), command == JobEnqueue.self
    else {
      Issue.record("not found")
      return
    }
    #expect(arguments == ["-q", "--", "ls", "--json", "-w", "x"])
    #expect(!Dispatch.asksForJSON(["job", "enqueue", "--", "ls", "--json"]))
    #expect(Dispatch.asksForJSON(["--json", "job", "enqueue", "--", "ls"]))
  }

  @Test(
    "-w given twice is a mistake, wherever",
    arguments: [
      "-w acme -w beta workspace current", "-w acme workspace current -w beta",
      "workspace current --workspace=acme -w acme",
    ])
  func twice(line: String) throws {
    let answer = try CommandPlace.ready().run(line)
    #expect(
      answer
        == Answer(
          status: 64, output: "",
          error: "hotglue: -w is given 2 times\n"
            + "hint: a command acts in one workspace: give it once\n"))
  }

  @Test(
    "an unknown noun or verb is refused with what is near",
    arguments: [
      ("workspce list", "no command 'workspce'", "did you mean 'workspace'?"),
      ("frobnicate", "no command 'frobnicate'", "see 'hotglue help'"),
      ("workspace lst", "'workspace' has no verb 'lst'", "did you mean 'list'?"),
      (
        "context frob", "'context' has no verb 'frob'", "one of 'show', 'path', 'prompt', 'trust'"
      ),
      (
        "store", "'store' needs a verb",
        "one of 'info', 'check', 'backup', 'restore', 'prune'; see 'hotglue store --help'"
      ),
      ("-q", "no command is named", "see 'hotglue help'"),
      ("__recor", "no command '__recor'", "see 'hotglue help'"),
    ])
  func unknown(line: String, message: String, hint: String) throws {
    let answer = try CommandPlace().run(line)
    #expect(answer == Answer(status: 64, output: "", error: "hotglue: \(message)\nhint: \(hint)\n"))
  }

  @Test(
    "a mistake in the arguments ends with 64, and shows the usage of the whole command",
    arguments: [
      ("workspace list --bogus", "unknown option '--bogus'", "hotglue workspace list [<options>]"),
      (
        "workspace create", "missing argument '<id>'",
        "hotglue workspace create [<options>] <id>"
      ),
      (
        "job enqueue --bogus", "unknown option '--bogus'",
        "hotglue job enqueue [flags] (TYPE | -- COMMAND… | --jsonl FILE|-)"
      ),
      ("workspace list extra", "unexpected argument 'extra'", "hotglue workspace list"),
      ("job list a b", "unexpected arguments 'a', 'b'", "hotglue job list [<options>]"),
      ("job list -qvz", "unknown option '-qvz'", "hotglue job list [<options>]"),
      ("job list --json=yes", "'--json' takes no value", "hotglue job list [<options>]"),
      ("job list --limt 5", "unknown option '--limt'", "did you mean '--limit'?"),
      ("job resolve 1", "missing option '--as'", "hotglue job resolve"),
      ("job enqueue --pririty 5 -- a", "unknown option '--pririty'", "did you mean '--priority'?"),
      ("--bogus", "unknown option '--bogus'", "see 'hotglue help'"),
      ("workspace --workspce x", "unknown option '--workspce'", "did you mean '--workspace'?"),
      (
        "workspace list --color green",
        "invalid value 'green' for '--color': expected auto, always or never",
        "hotglue workspace list"
      ),
      ("workspace list --store", "missing value for '--store'\n", "hotglue workspace list"),
      (
        "store prune --older-than 5",
        "invalid value '5' for '--older-than': expected a duration such as 30s or 5m\n",
        "hotglue store prune"
      ),
      (
        "workspace switch b --if-generation x",
        "invalid value 'x' for '--if-generation': expected a whole number\n",
        "hotglue workspace"
      ),
    ])
  func mistakes(line: String, message: String, usage: String) throws {
    let answer = try CommandPlace().run(line)
    #expect(answer.status == 64)
    #expect(answer.output == "")
    #expect(answer.error.contains(message), "\(answer)")
    #expect(answer.error.contains("\nhint: \(usage)"), "\(answer)")
    #expect(answer.error.hasPrefix("hotglue: "))
  }

  @Test("with --json a mistake in the arguments is one JSON object on standard error")
  func jsonMistake() throws {
    let answer = try CommandPlace().run("workspace list --bogus --json")
    #expect(
      answer
        == Answer(
          status: 64, output: "",
          error: #"{"error":{"code":"usage","message":"unknown option '--bogus'","#
            + #""hint":"hotglue workspace list [<options>]","exit":64}}"# + "\n"))
  }

  @Test("help and version open nothing and end with 0")
  func help() throws {
    let place = try CommandPlace()
    #expect(place.run("--version") == Answer(status: 0, output: "\(Hotglue.version)\n", error: ""))
    for line in ["", "--help", "help", "-h", "-w acme --help"] {
      let answer = place.run(line)
      #expect(answer.status == 0)
      #expect(answer.output.contains("SUBCOMMANDS:"), "\(line): \(answer)")
      #expect(answer.error == "")
    }
    for line in [
      "workspace switch --help", "help workspace switch", "-q workspace switch -h",
    ] {
      #expect(place.run(line).output.contains("USAGE: hotglue workspace switch"), "\(line)")
    }
    for line in ["workspace --help", "help workspace", "workspace help"] {
      #expect(place.run(line).output.contains("USAGE: hotglue workspace <subcommand>"), "\(line)")
    }
  }

  @Test("completions are made for three shells", arguments: ["bash", "zsh", "fish"])
  func completions(shell: String) throws {
    let answer = try CommandPlace().run("--generate-completion-script \(shell)")
    #expect(answer.status == 0)
    #expect(answer.output.contains("workspace"))
  }

  @Test("a reader that went away is no error, a full disk is one")
  func closedPipe() throws {
    var place = try CommandPlace.ready()
    place.failOutput = 32
    #expect(place.run("workspace list").status == 0)
    place.failOutput = 28
    #expect(
      place.run("workspace list")
        == Answer(
          status: 74, output: "",
          error: "hotglue: cannot write 'standard output': no space left on device\n"))
    #expect(
      place.run("workspace current --json").error
        == #"{"error":{"code":"input_output","message":"cannot write 'standard output': no space "#
        + #"left on device","hint":null,"exit":74,"path":"standard output"}}"# + "\n")
  }
}
