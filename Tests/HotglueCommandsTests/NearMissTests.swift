import Testing

@testable import HotglueCommands

@Suite("Values and names that are nearly right")
struct NearMissTests {
  @Test(
    "a value that the parser refuses is told like any other: the flag, the value, and what is right",
    arguments: [
      (
        "effect run k --scope workspac -- true",
        "'--scope' cannot be 'workspac': did you mean 'workspace'?", "hotglue effect run"
      ),
      (
        "effect run k --scope all -- true",
        "'--scope' cannot be 'all': give one of job, workspace", "hotglue effect run"
      ),
      (
        "effect run k --unknown retry -- true",
        "'--unknown' cannot be 'retry': give refuse, rerun or check=COMMAND", "hotglue effect run"
      ),
      (
        "effect run k --not-done 5-3 -- true",
        "'--not-done' cannot be '5-3': give numbers and ranges from 1 to 255, as 6,7,40-49",
        "hotglue effect run"
      ),
      (
        "effect run k --wait 5 -- true",
        "'--wait' cannot be '5': write it like 500ms, 30s, 5m, 2h or 7d", "hotglue effect run"
      ),
      ("type diff mail one", "<from> cannot be 'one'", "hotglue type diff [<options>]"),
      ("log --limit x", "'--limit' cannot be 'x'", "hotglue log [<options>]"),
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

  @Test("what the parser says of anything but a value is left as it is")
  func otherWords() {
    #expect(BadValueWords.of("Missing expected argument '<name>'") == nil)
    #expect(BadValueWords.of("The value 'x' is invalid") == nil)
    #expect(
      BadValueWords.of(
        "The value 'kshh' is invalid for '--shell <shell>'. Please provide one of the following:\n"
          + "  - bash\n  - zsh\n  - ksh-93")
        == "'--shell' cannot be 'kshh': give one of bash, zsh, ksh-93")
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
