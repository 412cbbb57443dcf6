import Glibc
import HotglueCommands
import HotglueCore
import HotglueStore
import Testing

@Suite("Drafts of sources")
struct SourceDraftTests {
  private func source(_ place: CommandPlace, _ name: String = "crm") throws -> Source {
    try place.store().source(name, in: #require(WorkspaceID("acme")))
  }

  private func write(_ text: String, _ name: String, in place: CommandPlace) throws {
    let file = try #require(fopen(place.folder.file(name), "we"))
    fputs(text, file)
    fclose(file)
  }

  static let text = """
    [source.crm]
    command = ["tap-crm", "--verbose"]
    config = "crm.json"
    key = ["people=id", "a=b=x,y"]
    on_reject = "fail"
    idle_timeout = "10m"

    """

  @Test("a draft of a source becomes the source it describes, and nothing before it is submitted")
  func story() throws {
    let place = try CommandPlace.writing(editor: CommandPlace.types(Self.text))
    try write("{\"token\":\"s3cret\"}", "crm.json", in: place)
    let made = place.run("draft new source crm")
    #expect(made.status == 0, "\(made)")
    #expect(place.run("source list -q").output == "")
    let done = place.run("draft submit 1")
    #expect(done.status == 0, "\(done)")
    let crm = try source(place)
    #expect(crm.revision == 1)
    #expect(crm.definition.command == ["tap-crm", "--verbose"])
    #expect(crm.definition.config == place.folder.file("crm.json"))
    #expect(crm.definition.keys == ["people": ["id"], "a=b": ["x", "y"]])
    #expect(crm.definition.rejects == .fail)
    #expect(crm.definition.idleTimeout == Span("10m"))
    #expect(!"\(made)\(done)".contains("s3cret"))
  }

  @Test(
    "a text that describes no source is kept, and told with its line",
    arguments: [
      ("command = [\"x\"]", "line 1: a setting stands before the source"),
      ("[source.crm]\n", "line 1: source 'crm' has no command"),
      ("[source.crm]\ncommand = \"x y\"\n", "line 2: 'command' is not an array of strings"),
      ("[source.crm]\ncommand = [\"x\", \"--state=f\"]\n", "line 2: '--state' stands in the tap's"),
      ("[source.crm]\ncommand = [\"x\"]\nconfig = \"nowhere.json\"\n", "line 3: "),
      ("[source.crm]\ncommand = [\"x\"]\nconfig = \"-\"\n", "line 3: no configuration is kept"),
      ("[source.crm]\ncommand = [\"x\"]\nkeys = [\"a=b\"]\n", "line 3: unknown key 'keys'"),
      ("[source.crm]\ncommand = [\"x\"]\nkey = [\"a\"]\n", "line 3: invalid value 'a' for 'key'"),
      ("[source.crm]\ncommand = [\"x\"]\ncatalog = \"c\"\n", "line 3: 'catalog' is not written"),
      ("[source.\"a b\"]\ncommand = [\"x\"]\n", "line 1: 'a b' is no name of a source"),
      ("[type.crm]\ncommand = [\"x\"]\n", "line 1: [type.crm] is no source"),
      (
        "[source.crm]\ncommand = [\"x\"]\n[source.two]\ncommand = [\"x\"]\n",
        "line 3: a draft is of one source"
      ),
    ])
  func mistakes(_ text: String, _ words: String) throws {
    let place = try CommandPlace.writing()
    try write(text, "text.toml", in: place)
    let answer = place.run("draft new source --from text.toml")
    #expect(answer.status == 65, "\(answer)")
    #expect(answer.error.contains(words), "\(answer)")
    #expect(try place.text(of: 1) == text)
  }

  @Test("what a draft of a source shows reads back as the source; its catalog stays")
  func edit() throws {
    var place = try CommandPlace.writing()
    place.input = Array("{\"token\":\"s3cret\"}".utf8)
    let added = place.run("source add crm --config - --key people=id --idle-timeout 3s -- tap -x")
    #expect(added.status == 0, "\(added)")
    try write(
      "{\"streams\":[{\"stream\":\"people\",\"schema\":{\"type\":\"object\"}}]}", "catalog.json",
      in: place)
    #expect(place.run("source edit crm --catalog catalog.json").status == 0)
    let before = try source(place)
    #expect(before.definition.catalog != nil)
    place.variables["EDITOR"] = "true"
    #expect(place.run("draft edit source crm").status == 0)
    let shown = try place.text(of: 1)
    #expect(shown.contains("config = \"-\"") && !shown.contains("s3cret"))
    #expect(place.run("draft submit 1").status == 0)
    #expect(try source(place) == before)
    place.variables["EDITOR"] = "sed -i 's/^command.*/command = [\"other\"]/'"
    let edited = place.run("source edit crm")
    #expect(edited.status == 0, "\(edited)")
    var expected = before.definition
    expected.command = ["other"]
    #expect(try source(place).definition == expected)
    #expect(try source(place).revision == before.revision + 1)
    // A kept configuration that nothing refers to any more goes.
    try write("{}", "plain.json", in: place)
    place.variables["EDITOR"] = "sed -i 's/^config.*/config = \"plain.json\"/'"
    #expect(place.run("source edit crm").status == 0)
    #expect(try source(place).definition.config == place.folder.file("plain.json"))
    #expect(access(place.storePath + ".d/" + (before.definition.config ?? ""), F_OK) != 0)
  }

  @Test("an editor that is left as it was opened changes nothing, and leaves no open draft")
  func untouched() throws {
    let place = try CommandPlace.writing(editor: "true")
    #expect(place.run("source add crm -- tap").status == 0)
    let answer = place.run("source edit crm")
    #expect(answer.status == 0 && answer.error.contains("is as it was"), "\(answer)")
    #expect(try source(place).revision == 1)
    #expect(place.run("draft list -q").output == "")
  }

  @Test("a source that changed in the meantime is not overwritten, and the difference is told")
  func behind() throws {
    let place = try CommandPlace.writing(
      editor: "sed -i 's/^on_reject.*/on_reject = \"7\"/'")
    #expect(place.run("source add crm -- tap").status == 0)
    #expect(place.run("draft edit source crm").status == 0)
    #expect(place.run("source edit crm --idle-timeout 9s").status == 0)
    let refused = place.run("draft submit 1")
    #expect(refused.status == 81, "\(refused)")
    #expect(refused.error.contains("idle_timeout"), "\(refused)")
    #expect(try source(place).definition.rejects == nil)
    #expect(place.run("draft submit 1 --over 2").status == 0)
    #expect(try source(place).definition.rejects == .setAside(limit: 7))
  }

  @Test("a mistake in the editor keeps the draft and the source")
  func mistake() throws {
    let place = try CommandPlace.writing(editor: "sed -i 's/^command.*/comand = 1/'")
    #expect(place.run("source add crm -- tap").status == 0)
    let answer = place.run("source edit crm")
    #expect(answer.status == 65, "\(answer)")
    #expect(answer.error.contains("draft 1") || answer.error.contains("draft edit 1"), "\(answer)")
    #expect(try source(place).revision == 1)
    #expect(try place.draft(1).state == .open)
  }
}
