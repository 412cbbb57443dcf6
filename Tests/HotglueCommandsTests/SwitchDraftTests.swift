import Glibc
import HotglueCommands
import HotglueCore
import HotglueStore
import Testing

@Suite("Switching and drafts")
struct SwitchDraftTests {
  /// In acme: 1 is untouched, 2 a job without a payload, 3 a job with one, 4 a type.
  private func place() throws -> CommandPlace {
    var place = try CommandPlace.writing(editor: "true")
    _ = place.run("draft new job")
    for (kind, text) in [
      ("job", "[job]\ncommand = [\"a\"]\n"), ("job", "[job]\ncommand = [\"a\"]\npayload = '1'\n"),
      ("type", "[type.mail]\ncommand = [\"cat\"]\n"),
    ] {
      place.input = Array(text.utf8)
      #expect(place.run("draft new \(kind) --from -").status == 0)
    }
    return place
  }

  private func states(_ place: CommandPlace) throws -> [DraftState] {
    try (1...4).map { try place.draft($0).state }
  }

  static let list = "  draft 3 (job a)\n  draft 4 (type mail)\n"

  @Test("a draft that somebody worked on stops the switch with 82 and the list; nothing changes")
  func stops() throws {
    let place = try place()
    let before = try place.read(place.contextPath)
    #expect(
      place.run("workspace switch beta")
        == Answer(
          status: 82, output: "",
          error: "hotglue: drafts of 'acme' need a decision\n" + Self.list
            + "hint: submit them, or add --keep-drafts to leave them open there, or "
            + "--discard-drafts to put them into the bin\n"))
    #expect(place.run("workspace switch beta --yes").status == 82)
    #expect(
      place.run("workspace switch beta --json").error.contains(
        #""drafts":[{"id":3,"kind":"job","name":"a","fate":"needs_confirmation"},"#
          + #"{"id":4,"kind":"type","name":"mail","fate":"needs_confirmation"}]"#))
    #expect(try place.read(place.contextPath) == before)
    #expect(try states(place) == [.open, .open, .open, .open])
    #expect(try place.record()?.generation == 1)
  }

  @Test("a dry run says of each draft what would become of it, and does nothing")
  func dryRun() throws {
    let place = try place()
    let answer = place.run("workspace switch beta --dry-run")
    #expect(answer.status == 0)
    #expect(
      answer.output.hasSuffix(
        """
        draft 1 (job): reset, in the bin
        draft 2 (job a): reset, in the bin
        draft 3 (job a): needs a decision (--keep-drafts or --discard-drafts)
        draft 4 (type mail): needs a decision (--keep-drafts or --discard-drafts)

        """))
    #expect(
      answer.error.contains("would be refused with status 82: 2 drafts need a decision\n"))
    #expect(
      place.run("workspace switch beta --dry-run --json").output.contains(#""would_exit":82"#))
    #expect(
      place.run("workspace switch beta --dry-run --json --keep-drafts").output.contains(
        #"{"id":4,"kind":"type","name":"mail","fate":"kept"}"#))
    #expect(try states(place) == [.open, .open, .open, .open])
  }

  @Test("--discard-drafts moves them to the bin, --keep-drafts leaves them open where they are")
  func flags() throws {
    let place = try place()
    #expect(place.run("workspace switch beta --keep-drafts").status == 0)
    #expect(try states(place) == [.bin, .bin, .open, .open])
    #expect(place.run("draft submit 4").status == 80)
    #expect(place.run("workspace switch acme").status == 0)
    #expect(place.run("workspace switch beta --discard-drafts").status == 0)
    #expect(try states(place) == [.bin, .bin, .bin, .bin])
    #expect(place.run("workspace switch acme --discard-drafts --keep-drafts").status == 64)
    #expect(place.run("workspace switch acme").status == 0)
    #expect(place.run("draft restore 3 4").status == 0)
    #expect(place.run("draft submit 4").status == 0)
    #expect(try place.store().check() == [])
  }

  @Test(
    "at a terminal the question is answered with discard or keep; anything else is no: 82",
    arguments: [
      ("d\n", Int32(0), DraftState.bin), ("keep\n", 0, .open), ("n\n", 82, .open), ("", 82, .open),
      ("y\n", 82, .open),
    ])
  func question(answer text: String, status: Int32, state: DraftState) throws {
    var place = try place()
    place.terminals = [0, 1, 2]
    place.input = Array(text.utf8)
    let answer = place.run("workspace switch beta")
    #expect(answer.status == status)
    #expect(
      answer.error.hasPrefix(
        Self.list + "discard or keep these drafts of 'acme'? [d(iscard)/k(eep)/N] "))
    #expect(try place.draft(3).state == state)
    #expect(try place.draft(1).state == (status == 0 ? .bin : .open))
    #expect(try place.context().workspace?.text == (status == 0 ? "beta" : "acme"))
    place.input = Array("k\n".utf8)
    #expect(place.run("workspace switch acme --no-input").status == 0)
  }

  @Test("a switch concerns drafts of its own context file and of the workspace it leaves only")
  func ownContext() throws {
    var place = try place()
    var file = try place.context()
    file.store = place.storePath
    try place.write(file.text, to: place.folder.file("other.json"))
    place.input = Array("[type.beta]\ncommand = [\"cat\"]\n".utf8)
    #expect(place.run("-w beta draft new type --from -").status == 0)
    #expect(place.run("--context other.json workspace switch beta").status == 0)
    #expect(try states(place) == [.open, .open, .open, .open])
    #expect(place.run("workspace switch beta --discard-drafts").status == 0)
    #expect(try place.draft(5, in: "beta").state == .open)
    // It was begun here for beta, so leaving beta concerns it.
    #expect(place.run("workspace switch acme").status == 82)
  }

  struct Killed: Error {}

  @Test(
    "killed at any step, drafts go with the context: all in the bin, or all open again",
    arguments: SwitchStep.allCases)
  func killed(step: SwitchStep) throws {
    var place = try place()
    place.switchStep = { if $0 == step { throw Killed() } }
    #expect(place.run("workspace switch beta --discard-drafts").status == 70)
    #expect(try states(place) == [.bin, .bin, .bin, .bin])
    place.switchStep = { _ in }
    let happened = step == .fileReplaced
    #expect(place.run("workspace current").output == (happened ? "beta\n" : "acme\n"))
    #expect(
      try states(place) == Array(repeating: happened ? .bin : .open, count: 4))
    #expect(try place.store().check() == [])
    #expect(place.run("workspace switch \(happened ? "acme" : "beta") --keep-drafts").status == 0)
  }

  @Test("a draft that is saved between plan and intent makes the switch decide anew")
  func savedMeanwhile() throws {
    var place = try place()
    place.terminals = [0, 1, 2]
    // The answer is given for the drafts that were shown; one of them is edited before it is.
    let bystander = place
    place.onRead = {
      var other = bystander
      other.terminals = []
      other.input = Array("[job]\ncommand = [\"b\"]\npayload = '2'\n".utf8)
      _ = other.run("draft edit 3 --from -")
    }
    place.input = Array("d\n".utf8)
    let answer = place.run("workspace switch beta")
    #expect(answer.status == 82)
    #expect(answer.error.contains("draft 3 (job b)"))
    #expect(try states(place) == [.open, .open, .open, .open])
  }

  @Test("a draft that is open in an editor stops the switch, untouched as it is")
  func inEditor() throws {
    var place = try CommandPlace.writing(editor: "true")
    _ = place.run("draft new job")
    let bystander = place
    let lock = open(place.desk + "/1.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    #expect(lock >= 0)
    defer { close(lock) }
    #expect(flock(lock, LOCK_EX | LOCK_NB) == 0)
    let answer = place.run("workspace switch beta")
    #expect(answer.status == 82)
    #expect(answer.error.contains("draft 1 (job)"))
    for line in ["draft submit 1", "draft discard 1", "draft edit 1"] {
      let answer = bystander.run(line)
      #expect(answer.status == 75, "\(answer)")
    }
    place.variables["EDITOR"] = nil
    #expect(place.run("draft show 1").output.contains("open, in an editor"))
    #expect(place.run("workspace switch beta --keep-drafts").status == 0)
    #expect(try place.draft(1).state == .open)
  }

  @Test("a switch to an archived workspace is refused and leaves every draft as it is")
  func archivedTarget() throws {
    let place = try place()
    _ = place.run("workspace archive beta")
    let answer = place.run("workspace switch beta --dry-run --json --keep-drafts")
    #expect(answer.status == 0)
    #expect(answer.output.contains(#""target_state":"archived","previous":"acme""#))
    #expect(answer.output.contains(#""would_exit":81"#))
    #expect(
      place.run("workspace switch beta --dry-run").error.contains(
        "would be refused with status 81: workspace 'beta' is archived"))
    #expect(place.run("workspace switch beta --discard-drafts").status == 81)
    #expect(try states(place) == [.open, .open, .open, .open])
  }

  @Test(
    "what was typed stays open and can be read in a workspace that was archived before it is left",
    arguments: ["", " --keep-drafts", " --discard-drafts"])
  func archivedSource(_ flag: String) throws {
    let place = try place()
    #expect(place.run("workspace archive acme --confirm acme").status == 0)
    #expect(
      place.run("workspace switch beta --dry-run --json\(flag)").output.contains(
        #""would_exit":0"#))
    let answer = place.run("workspace switch beta\(flag)")
    #expect(answer.status == 0, "\(answer)")
    #expect(answer.output.contains("draft 3 (job a): kept, open in its workspace\n"))
    #expect(try states(place) == [.open, .open, .open, .open])
    #expect(place.run("-w acme draft show 4").output.contains("[type.mail]"))
    #expect(try place.store().check() == [])
  }

  @Test("on a disk that is full the switch did not happen, and its drafts are open again")
  func fullDisk() throws {
    var place = try place()
    // No room for the context file's successor: a folder stands where it would be written.
    let successor = place.contextPath + ".new"
    place.switchStep = { step in
      if step == .intentRecorded, mkdir(successor, 0o700) != 0 {
        throw SystemError("create", successor)
      }
    }
    #expect(place.run("workspace switch beta --discard-drafts").status != 0)
    #expect(try states(place) == [.open, .open, .open, .open])
    #expect(try place.record()?.intent == nil)
    #expect(rmdir(successor) == 0)
    place.switchStep = { _ in }
    #expect(place.run("workspace switch beta --discard-drafts").status == 0)
  }

  @Test("a context file that is deleted under a switch stays deleted, and the switch is given up")
  func deletedUnderneath() throws {
    var place = try place()
    let path = place.contextPath
    let text = try place.read(path)
    place.switchStep = { if $0 == .fileWritten, unlink(path) != 0 { throw Killed() } }
    let answer = place.run("workspace switch beta --discard-drafts")
    #expect(answer.status == 81)
    #expect(answer.error.contains("was deleted while it was switched: nothing was switched"))
    #expect(try states(place) == [.open, .open, .open, .open])
    place.switchStep = { _ in }
    #expect(place.run("workspace switch beta").status == 78)
    try place.write(text, to: path)
    #expect(place.run("workspace switch beta --discard-drafts").status == 0)
    #expect(try place.context().generation == 2)
    #expect(try place.store().check() == [])
  }

  @Test("a context file that is replaced under a switch is left as it was put there")
  func replacedUnderneath() throws {
    var place = try place()
    let path = place.contextPath
    for isAnother in [true, false] {
      var other = try place.context()
      if isAnother { other.contextID = "another" } else { other.generation = 9 }
      let text = other.text
      let bystander = place
      let own = try place.read(path)
      place.switchStep = { if $0 == .fileWritten { try bystander.write(text, to: path) } }
      let answer = place.run("workspace switch beta --discard-drafts")
      #expect(answer.status == 81)
      #expect(answer.error.contains("was replaced while it was switched"))
      #expect(try place.read(path) == text)
      #expect(try states(place) == [.open, .open, .open, .open])
      place.switchStep = { _ in }
      if isAnother { try place.write(own, to: path) }
    }
    #expect(place.run("workspace switch beta --discard-drafts").status == 0)
    #expect(try place.context().generation == 10)
    #expect(try place.store().check() == [])
  }
}
