import HotglueCommands
import HotglueCore
import HotglueStore
import Testing

@Suite("Drafts and their workspace")
struct DraftGuardTests {
  /// Draft 1 of acme is a job, draft 2 a type.
  private func place() throws -> CommandPlace {
    var place = try CommandPlace.writing(editor: "true")
    place.input = Array(DraftCommandTests.job.utf8)
    #expect(place.run("draft new job --from -").status == 0)
    place.input = Array("[type.mail]\ncommand = [\"cat\"]\n".utf8)
    #expect(place.run("draft new type --from -").status == 0)
    return place
  }

  @Test(
    "a draft of another workspace is refused with both names and nothing changes",
    arguments: ["show", "edit", "submit", "discard", "restore"],
    ["1", "hotglue://acme/draft/1"])
  func otherWorkspace(verb: String, reference: String) throws {
    let place = try place()
    let answer = place.run("-w beta draft \(verb) \(reference)")
    #expect(answer.status == 80)
    #expect(
      answer.error
        == "hotglue: draft 1 belongs to workspace 'acme', but the context is 'beta' (from -w)\n"
        + "hint: hotglue -w acme draft \(verb) \(reference)\n")
    #expect(try place.draft(1).state == .open)
    #expect(place.run("-w beta job list").output == "")
  }

  @Test("a link names a draft wherever one is named, and a wrong one is told")
  func links() throws {
    let place = try place()
    #expect(place.run("draft show hotglue://acme/draft/1 -q").output == "1\n")
    for (word, status) in [
      ("hotglue://acme/job/1", Int32(64)), ("hotglue://acme/drafts/1", 64), ("x", 64), ("0", 64),
      ("9", 66), ("hotglue://acme/draft/x", 64), ("hotglue://beta/job/1", 64),
      ("hotglue://beta/draft/1", 80),
      ("hotglue://nowhere/draft/1", 66),
    ] {
      #expect(place.run("draft show \(word)").status == status, "\(word)")
    }
    #expect(place.run("draft submit hotglue://acme/draft/1 -q").output == "1\n")
  }

  @Test(
    "a draft begins from what a link names, of this workspace alone",
    arguments: [
      ("type", "mail", "hotglue://acme/type/mail", "cat"),
      ("source", "crm", "hotglue://acme/source/1", "tap"),
    ])
  func beginFromLink(_ kind: String, _ name: String, _ link: String, _ word: String) throws {
    var place = try place()
    #expect(place.run("draft submit 2").status == 0)
    #expect(place.run("source add crm -- tap").status == 0)
    let refused = place.run("-w beta draft edit \(kind) \(link)")
    #expect(refused.status == 80, "\(refused)")
    #expect(refused.error.contains("'acme'") && refused.error.contains("'beta'"))
    #expect(refused.error.contains("\nhint: hotglue -w acme draft edit \(kind) "), "\(refused)")
    #expect(place.run("draft edit \(kind) hotglue://acme/job/1").status == 64)
    place.variables["EDITOR"] = "sed -i 's/\"\(word)\"/\"\(word)2\"/'"
    #expect(place.run("draft edit \(kind) \(link) -q").output == "3\n")
    #expect(try place.draft(3).name == name)
    #expect(try place.draft(3).baseRevision == 1)
    let done = place.run("draft submit 3 -q")
    #expect(done.output == name + "\n", "\(done)")
    #expect(place.run("\(kind) show \(name)").output.contains("\(word)2"))
  }

  @Test("'open' shows a draft in its own workspace without switching")
  func open() throws {
    let place = try place()
    _ = place.run("workspace switch beta --keep-drafts")
    let answer = place.run("open hotglue://acme/draft/2")
    #expect(answer.status == 0)
    #expect(answer.output.contains("[type.mail]"))
    #expect(place.run("open hotglue://beta/draft/2").status == 66)
    #expect(place.run("workspace current").output == "beta\n")
  }

  @Test("a draft goes to the bin and back; all that are named are looked at before one is changed")
  func bin() throws {
    let place = try place()
    #expect(place.run("draft discard 1 99").status == 66)
    #expect(place.run("draft discard 1 --dry-run").output.contains("would be put"))
    #expect(try place.draft(1).state == .open)
    #expect(place.run("draft discard 1 2").status == 0)
    #expect(place.run("draft list").output == "")
    #expect(place.run("draft list --bin -q").output == "2\n1\n")
    #expect(place.run("draft submit 1").status == 81)
    #expect(place.run("draft restore 1").status == 0)
    #expect(place.run("draft restore 1").status == 81)
    #expect(place.run("draft submit 1 -q").output == "1\n")
  }

  @Test("the bin is emptied after 14 days, and submitted drafts go with it")
  func prune() throws {
    var place = try place()
    _ = place.run("draft discard 1")
    _ = place.run("draft submit 2")
    #expect(!place.run("store prune").output.contains("drafts"))
    place.now = place.now.advanced(by: .days(15))
    #expect(place.run("store prune --dry-run").output.contains("2 drafts"))
    #expect(place.run("store prune --json").output.contains(#""drafts":2"#))
    #expect(place.run("draft restore 1").status == 66)
  }

  @Test("workspace show and archive count open drafts")
  func counted() throws {
    let place = try place()
    #expect(place.run("workspace show").output.contains("no jobs and 2 open drafts"))
    #expect(place.run("workspace show --json").output.contains(#""drafts":{"open":2}"#))
    #expect(place.run("workspace archive acme").error.contains("2 open drafts"))
  }

  @Test("a draft that began from a revision is refused over a newer one, with what changed")
  func behind() throws {
    var place = try place()
    _ = place.run("draft submit 2")
    place.variables["EDITOR"] = "printf 'timeout = \"5m\"\\n' >>"
    #expect(place.run("draft edit type mail -q").output == "3\n")
    #expect(try place.draft(3).baseRevision == 1)
    #expect(place.run("type set mail --priority 5").status == 0)
    let answer = place.run("draft submit 3")
    #expect(answer.status == 81)
    #expect(
      answer.error
        == "hotglue: type 'mail' is at revision 2, but draft 3 starts from 1\n"
        + "  priority: 0 -> 5\n"
        + "hint: put what changed into 'hotglue draft edit 3', then 'hotglue draft submit 3 --over "
        + "2'\n")
    #expect(
      place.run("draft submit 3 --json").error.contains(
        #""changes":[{"key":"priority","before":0,"after":5}]"#))
    #expect(try place.draft(3).state == .open)
    #expect(place.run("draft submit 3 --over 2").status == 0)
    #expect(place.run("type show mail --json").output.contains(#""revision":3"#))
  }

  @Test("--over that names another revision than the one a draft starts from is told as that")
  func overInTheWay() throws {
    var place = try place()
    for number in [0, 3] {
      let answer = place.run("draft submit 2 --over \(number)")
      #expect(answer.status == 81, "\(answer)")
      #expect(
        answer.error
          == "hotglue: there is no type 'mail' yet, and '--over' names revision \(number)\n"
          + "hint: hotglue draft submit 2\n")
    }
    #expect(place.run("draft submit 2").status == 0)
    place.variables["EDITOR"] = "printf 'timeout = \"5m\"\\n' >>"
    #expect(place.run("draft edit type mail -q").output == "3\n")
    let answer = place.run("draft submit 3 --over 9")
    #expect(answer.status == 81, "\(answer)")
    #expect(
      answer.error
        == "hotglue: type 'mail' is at revision 1, from which draft 3 starts, and '--over' names "
        + "revision 9\nhint: hotglue draft submit 3\n")
    #expect(place.run("draft submit 3").status == 0)
  }

  @Test("--over names a revision, so the draft of a job, which has none, is refused with it")
  func overOfJob() throws {
    var place = try CommandPlace.ready()
    place.input = Array("[job]\ncommand = [\"true\"]\n".utf8)
    #expect(place.run("draft new job --from - -q").output == "1\n")
    for number in ["1", "0", "7"] {
      #expect(
        place.run("draft submit 1 --over \(number)")
          == Answer(
            status: 64, output: "",
            error: "hotglue: '--over' names a revision, and draft 1 is of a job, which has none\n"
              + "hint: hotglue draft submit 1\n"))
    }
    #expect(try place.draft(1).state == .open)
    #expect(place.run("job list -q").output.isEmpty)
    #expect(place.run("draft submit 1 -q").output == "1\n")
  }

  @Test("a draft of one type is not submitted as another, and a job that is there is not edited")
  func otherName() throws {
    var place = try place()
    _ = place.run("draft submit 2")
    place.variables["EDITOR"] = "sed -i s/type.mail/type.post/"
    #expect(place.run("draft edit type mail").status == 65)
    #expect(place.run("draft edit type nothing").status == 66)
    #expect(place.run("draft edit job 1").status == 64)
    #expect(place.run("draft edit type").status == 64)
    #expect(place.run("draft new jobs").status == 64)
    #expect(place.run("draft new type sync").status == 64)
  }

  @Test(
    "every mistake in a job is told with its line",
    arguments: [
      ("[job]\ncommand = []\n", "line 2:"), ("[job]\nx = 1\n", "line 2: unknown key 'x'"),
      ("[job]\nqueue = \"q\"\n", "line 1: the job has neither a 'command' nor a 'type'"),
      ("[job]\ncommand = [\"a\"]\nqueue = 5\n", "line 3: invalid value '5' for 'queue'"),
      ("[job]\ncommand = [\"a\"]\nquue = \"x\"\n", "line 3: unknown key 'quue'"),
      ("[job]\ncommand = [\"a\"]\npayload = 'x'\n", "line 3: the payload is not JSON"),
      ("command = [\"a\"]\n", "line 1: a setting stands before [job]"),
      ("[job]\ntype = \"t\"\ncommand = [\"a\"]\n", "line 3: there is a 'command' and a 'type'"),
      ("[job]\ncommand = [\"a\"]\n[job.x]\n", "line 3: [job.x] is no part of a job"),
      ("# nothing\n", "line 1: there is no [job]"), ("[job\n", "line 1, column 5:"),
    ])
  func mistakes(text: String, words: String) throws {
    var place = try CommandPlace.writing(editor: "true")
    place.input = Array(text.utf8)
    let answer = place.run("draft new job --from -")
    #expect(answer.status == 65)
    #expect(answer.error.contains("draft 1 is kept, but \(words)"), "\(answer)")
  }

  @Test("pages of drafts go on where they ended, in their own workspace only")
  func pages() throws {
    let place = try place()
    let first = place.run("draft list -q --limit 1 -v")
    #expect(first.output == "2\n")
    let second = place.run("draft list --limit 1")
    let cursor = try #require(second.error.split(separator: " ").last?.dropLast())
    #expect(place.run("draft list -q --cursor \(cursor)").output == "1\n")
    #expect(place.run("-w beta draft list --cursor \(cursor)").status == 80)
    #expect(place.run("draft list --bin --cursor \(cursor)").status == 80)
    #expect(place.run("draft list --cursor x").status == 64)
  }
}
