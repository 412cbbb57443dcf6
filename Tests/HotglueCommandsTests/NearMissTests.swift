import Testing

@testable import HotglueCommands

@Suite("Values and names that are nearly right")
struct NearMissTests {
  @Test(
    "a value that the parser refuses is told like any other: the flag, the value, and what is right",
    arguments: [
      (
        "effect run k --scope workspac -- true",
        "invalid value 'workspac' for '--scope': expected job or workspace",
        "did you mean 'workspace'?"
      ),
      (
        "effect run k --scope all -- true",
        "invalid value 'all' for '--scope': expected job or workspace", "hotglue effect run"
      ),
      (
        "effect run k --unknown retry -- true",
        "invalid value 'retry' for '--unknown': expected refuse, rerun or check=COMMAND",
        "hotglue effect run"
      ),
      (
        "effect run k --not-done 5-3 -- true",
        "invalid value '5-3' for '--not-done': expected numbers and ranges from 1 to 255 such as "
          + "6,7,40-49",
        "hotglue effect run"
      ),
      (
        "effect run k --wait 5 -- true",
        "invalid value '5' for '--wait': expected a duration such as 30s or 5m",
        "hotglue effect run"
      ),
      (
        "type diff mail one", "invalid value 'one' for '<from>': expected a whole number",
        "hotglue type diff [<options>]"
      ),
      (
        "log --limit x", "invalid value 'x' for '--limit': expected a whole number",
        "hotglue log [<options>]"
      ),
      (
        "log --command job-cancel", "'--command' cannot be 'job-cancel': no command is called so",
        "did you mean 'job cancel'?"
      ),
      (
        "log --command xyzzy", "'--command' cannot be 'xyzzy': no command is called so",
        "give one as 'job cancel', or a noun as 'job'"
      ),
      ("draft list --state x --bin", "'--state' cannot be 'x'", "one of open, bin, submitted"),
      (
        "draft list --state open --bin", "'--bin' and '--state open' exclude each other",
        "give one of them"
      ),
    ])
  func refused(_ line: String, _ message: String, _ hint: String) throws {
    let answer = try CommandPlace.ready().run(line)
    #expect(answer.status == 64)
    #expect(answer.output.isEmpty)
    #expect(answer.error.hasPrefix("hotglue: \(message)\nhint: \(hint)"), "\(answer.error)")
  }

  @Test("a value is checked by the type of its own option, for every option of every command")
  func valueTypes() throws {
    var checked = 0
    for command in CommandRegistry.commands {
      let shape = CommandShape(of: command)
      for option in shape.options where option.valueType is any ArgumentValue.Type {
        let name = try #require(option.names.last)
        let words = ["\(name)=?"]
        let mistake = UsageCheck(shape: shape).mistake(in: words)
        #expect(mistake?.message.hasPrefix("invalid value '?' for '\(name)'") == true)
        let refused = #expect(throws: (any Error).self) { try command.parse(words) }
        let message = refused.map { RootCommand.message(for: $0) } ?? ""
        #expect(message.contains("is invalid for '\(name)"), "\(command.record.path): \(message)")
        checked += 1
      }
    }
    #expect(checked > 30)
  }

  @Test("the log takes every command and every noun that there is")
  func logged() throws {
    let place = try CommandPlace.ready()
    for word in CommandRegistry.records.map(\.name) + CommandRegistry.verbs(of: []) {
      #expect(place.run(["log", "--command", word]).status == 0, "\(word)")
    }
    #expect(place.run(["log", "--command", "workspace member"]).status == 0)
  }

  @Test(
    "a misspelled key of a job's draft is told, and not that the key it was meant for is missing")
  func keyOfDraft() throws {
    var place = try CommandPlace.ready()
    place.input = Array("[job]\nqueue = \"bulk\"\ncommnd = [\"true\"]\n".utf8)
    let answer = place.run("draft new job --from -")
    #expect(answer.status == 65)
    #expect(
      answer.error.contains("draft 1 is kept, but line 3: unknown key 'commnd'\n"), "\(answer)")
    #expect(answer.error.contains("did you mean 'command'?"), "\(answer)")
  }
}
