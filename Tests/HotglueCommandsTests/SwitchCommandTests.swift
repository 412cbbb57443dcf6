import HotglueCommands
import HotglueCore
import HotglueStore
import Testing

@Suite("Switching")
struct SwitchCommandTests {
  @Test("a switch replaces the file, raises the generation, and says which file it wrote")
  func carryOut() throws {
    let place = try CommandPlace.ready()
    #expect(
      place.run("workspace switch beta")
        == Answer(
          status: 0,
          output:
            "switched to 'beta' (from 'acme'): generation 2 of 'PLACE/.hotglue/context.json'\n",
          error: ""))
    let file = try place.context()
    #expect(file.workspace?.text == "beta")
    #expect(file.previous?.text == "acme")
    #expect(file.generation == 2)
    let record = try #require(try place.record())
    #expect(record.generation == 2)
    #expect(record.workspace?.text == "beta")
    #expect(record.intent == nil)
    #expect(try place.mode(of: place.contextPath) == 0o600)
  }

  @Test("'-' leads back to the previous workspace")
  func previous() throws {
    let place = try CommandPlace.ready()
    #expect(place.run("workspace switch -").status == 66)
    _ = place.run("workspace switch beta")
    #expect(place.run("workspace switch - -q").output == "acme\n")
    #expect(place.run("workspace switch - -q").output == "beta\n")
    #expect(try place.context().generation == 4)
  }

  @Test("a switch to where the context is already changes nothing")
  func alreadyThere() throws {
    let place = try CommandPlace.ready()
    let before = try place.read(place.contextPath)
    let answer = place.run("workspace switch acme")
    #expect(answer.status == 0)
    #expect(
      answer.output
        == "already in 'acme': generation 1 of 'PLACE/.hotglue/context.json' is as it was\n")
    #expect(try place.read(place.contextPath) == before)
  }

  @Test("a dry run prints the plan and changes nothing")
  func dryRun() throws {
    let place = try CommandPlace.ready()
    _ = try place.enqueue(2)
    let before = try place.read(place.contextPath)
    #expect(
      place.run("workspace switch beta --dry-run")
        == Answer(
          status: 0,
          output: "would switch to 'beta' (from 'acme'): generation 2 of "
            + "'PLACE/.hotglue/context.json'\n",
          error: "0 running and 2 pending jobs of 'acme' go on\n"))
    #expect(
      place.run("workspace switch beta --dry-run --json").output
        == #"{"workspace":"beta","target_state":"active","previous":"acme","#
        + #""previous_state":"active","context_file":"PLACE/.hotglue/context.json","#
        + #""generation":2,"stale":{"drafts":[],"hidden_drafts":0,"cursors":"refused","#
        + #""watches":[]},"goes_on":{"running":0,"pending":2,"pinned_contexts":0,"shells":0,"#
        + #""watches":[]},"roles":null,"switched":false,"dry_run":true,"would_exit":0}"# + "\n")
    #expect(try place.read(place.contextPath) == before)
    #expect(try place.record()?.generation == 1)
  }

  @Test("--if-generation makes a switch a compare-and-set")
  func ifGeneration() throws {
    let place = try CommandPlace.ready()
    #expect(
      place.run("workspace switch beta --if-generation 0")
        == Answer(
          status: 81, output: "",
          error: "hotglue: the context is at generation 1, not at 0\n"
            + "hint: see 'hotglue context show', then decide again\n"))
    #expect(place.run("workspace switch beta --if-generation 1").status == 0)
    #expect(place.run("workspace switch acme --if-generation 1").status == 81)
    #expect(place.run("workspace switch acme --expect acme").status == 80)
  }

  @Test(
    "a switch takes neither -w nor --store",
    arguments: ["-w acme", "--store x -w acme", "--store x"])
  func flags(flags: String) throws {
    let place = try CommandPlace.ready()
    #expect(place.run("\(flags) workspace switch beta").status == 64)
    #expect(try place.context().workspace?.text == "acme")
  }

  struct Killed: Error {}

  @Test(
    "killed at any step, the context is whole, and the next command puts the record right",
    arguments: SwitchStep.allCases)
  func killed(step: SwitchStep) throws {
    var place = try CommandPlace.ready()
    place.switchStep = { if $0 == step { throw Killed() } }
    #expect(place.run("workspace switch beta").status == 70)
    let happened = step == .fileReplaced
    #expect(try place.context().workspace?.text == (happened ? "beta" : "acme"))
    #expect(try place.record()?.intent?.generation == 2)

    place.switchStep = { _ in }
    // Reading only shows what is; it opens no store and rolls nothing.
    #expect(place.run("context prompt").output == (happened ? "beta\n" : "acme\n"))
    #expect(try place.record()?.intent != nil)
    let word = happened ? "confirmed" : "rolled back"
    #expect(
      place.run("workspace current -v")
        == Answer(
          status: 0, output: happened ? "beta\n" : "acme\n",
          error: "a switch to 'beta' that was cut short is \(word)\n"))
    let record = try #require(try place.record())
    #expect(record.intent == nil)
    #expect(record.generation == (happened ? 2 : 1))
    #expect(record.workspace?.text == (happened ? "beta" : "acme"))
    #expect(place.run("workspace switch beta").status == 0)
    #expect(place.run("workspace switch acme").status == 0)
    #expect(try place.record()?.generation == (try place.context().generation))
  }

  @Test(
    "a switch itself puts right the one before it that was cut short",
    arguments: SwitchStep.allCases)
  func switchAfterKill(step: SwitchStep) throws {
    var place = try CommandPlace.ready()
    place.switchStep = { if $0 == step { throw Killed() } }
    _ = place.run("workspace switch beta")
    place.switchStep = { _ in }
    let happened = step == .fileReplaced
    #expect(place.run("workspace switch \(happened ? "acme" : "beta")").status == 0)
    #expect(try place.context().generation == (happened ? 3 : 2))
    #expect(try place.record()?.generation == (happened ? 3 : 2))
  }

  @Test("while a switch holds the lock, others leave its intent alone")
  func intentOfALivingSwitch() throws {
    var place = try CommandPlace.ready()
    let bystander = place
    var seen: Answer?
    place.switchStep = { step in
      if step == .intentRecorded { seen = bystander.run("workspace current -v") }
    }
    #expect(place.run("workspace switch beta").status == 0)
    #expect(seen == Answer(status: 0, output: "acme\n", error: ""))
    #expect(try place.record()?.generation == 2)
  }

  @Test(
    "a file that was put back by hand goes on from the larger generation", arguments: [true, false])
  func exchanged(behind: Bool) throws {
    let place = try CommandPlace.ready()
    for id in ["beta", "acme", "beta"] { _ = place.run("workspace switch \(id)") }
    var file = try place.context()
    file.generation = behind ? 1 : 9
    file.workspace = WorkspaceID("acme")
    try place.write(file.text, to: place.contextPath)
    #expect(place.run("workspace switch beta").status == 0)
    #expect(try place.context().generation == (behind ? 5 : 10))
    #expect(try place.record()?.generation == (behind ? 5 : 10))
  }

  @Test("an intent that neither file nor number fits is given up, and no number is used twice")
  func foreignFile() throws {
    var place = try CommandPlace.ready()
    place.switchStep = { if $0 == .intentRecorded { throw Killed() } }
    _ = place.run("workspace switch beta")
    place.switchStep = { _ in }
    var file = try place.context()
    file.generation = 0
    try place.write(file.text, to: place.contextPath)
    #expect(place.run("workspace current").status == 0)
    #expect(try place.record()?.generation == 2)
    #expect(place.run("workspace switch beta").status == 0)
    #expect(try place.context().generation == 3)
  }

  @Test("a copied context is a context of its own")
  func copied() throws {
    let place = try CommandPlace.ready()
    var file = try place.context()
    file.store = place.storePath
    let copy = place.folder.file("copy.json")
    try place.write(file.text, to: copy)
    #expect(place.run("--context copy.json workspace switch beta").status == 0)
    #expect(place.run("workspace current").output == "acme\n")
    #expect(place.run("--context copy.json workspace current").output == "beta\n")
    #expect(try place.record()?.generation == 1)
  }

  @Test("of many switches at once each is whole, and the numbers have no gap")
  func race() async throws {
    let place = try CommandPlace.ready()
    let path = place.folder.path
    let statuses = await withTaskGroup(of: [Int32].self) { group in
      for racer in 0..<4 {
        group.addTask {
          guard var own = try? CommandPlace() else { return [-1] }
          own.directory = path
          return (0..<5).map {
            own.run("workspace switch \(($0 + racer).isMultiple(of: 2) ? "acme" : "beta")").status
          }
        }
      }
      return await group.reduce(into: []) { $0 += $1 }
    }
    #expect(statuses == Array(repeating: 0, count: 20))
    let file = try place.context()
    let record = try #require(try place.record())
    #expect(record.intent == nil)
    #expect(record.generation == file.generation)
    #expect(record.workspace == file.workspace)
    #expect(file.previous != file.workspace)
  }

  @Test("of two that compare and set the same generation, one wins")
  func compareAndSetRace() async throws {
    let place = try CommandPlace.ready()
    let path = place.folder.path
    let statuses = await withTaskGroup(of: Int32.self) { group in
      for _ in 0..<4 {
        group.addTask {
          guard var own = try? CommandPlace() else { return -1 }
          own.directory = path
          return own.run("workspace switch beta --if-generation 1").status
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(statuses.sorted() == [0, 81, 81, 81])
    #expect(try place.context().generation == 2)
  }
}
