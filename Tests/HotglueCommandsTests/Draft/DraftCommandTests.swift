import Glibc
import HotglueCommands
import HotglueCore
import HotglueStore
import Testing

/// A place with a real editor: a line of shell that gets the file as its argument.
extension CommandPlace {
  static func writing(editor: String? = nil) throws -> CommandPlace {
    var place = try ready()
    place.variables["PATH"] = "/usr/local/bin:/usr/bin:/bin"
    place.variables["EDITOR"] = editor
    return place
  }

  /// An editor that writes this text over what is there.
  static func types(_ text: String) -> String { "printf '%s' '\(text)' >" }

  func draft(_ id: DraftID, in workspace: String = "acme") throws -> Draft {
    let workspace = try #require(WorkspaceID(workspace))
    return try store().draft(id, in: workspace)
  }

  func text(of id: DraftID) throws -> String {
    String(decoding: try draft(id).text, as: UTF8.self)
  }

  var desk: String { storePath + ".d/drafts" }

  func lying(_ id: DraftID) -> String { "\(desk)/\(id).toml" }
}

@Suite("Drafts")
struct DraftCommandTests {
  static let job = "[job]\ncommand = [\"echo\", \"hi\"]\n"

  @Test("a draft that was typed is kept, shown and submitted as the job it describes")
  func story() throws {
    let place = try CommandPlace.writing(editor: CommandPlace.types(Self.job))
    #expect(
      place.run("draft new job")
        == Answer(
          status: 0, output: "draft 1 (job 'echo') of workspace 'acme' is kept\n",
          error: "hint: when it is ready, 'hotglue draft submit 1'\n"))
    #expect(try place.text(of: 1) == Self.job)
    #expect(place.run("draft show 1 --text").output == Self.job)
    #expect(
      place.run("draft list").output
        == "1\tjob\techo\tyes\t-\t2026-02-02T02:40:00.000Z\n")
    let keys =
      #"{"id":1,"kind":"job","workspace":"acme","name":"echo","touched":true,"#
      + #""base_revision":null,"created_at":"2026-02-02T02:40:00.000Z","#
      + #""updated_at":"2026-02-02T02:40:00.000Z","link":"hotglue://acme/draft/1","#
    #expect(place.run("draft list --json").output == keys + #""state":"open"}"# + "\n")
    #expect(
      place.run("draft submit 1")
        == Answer(
          status: 0, output: "draft 1 is submitted: job 1 in workspace 'acme'\n", error: ""))
    let job = try place.store().job(1, in: #require(WorkspaceID("acme")))
    #expect(job.request.command == ["echo", "hi"])
    #expect(job.request.directory == place.folder.path)
    #expect(place.run("draft list").output == "")
    #expect(place.run("draft list --state submitted -q").output == "1\n")
    #expect(place.run("draft submit 1").status == 81)
    #expect(place.run("draft edit 1").status == 81)
    #expect(try FolderNames.of(place.desk) == [])
  }

  @Test("an untouched draft is kept as its template, and the template says what is missing")
  func untouched() throws {
    let place = try CommandPlace.writing(editor: "true")
    let answer = place.run("draft new job")
    #expect(answer.status == 65)
    #expect(answer.output == "draft 1 (job) of workspace 'acme' is kept\n")
    #expect(
      answer.error.hasPrefix(
        "hotglue: draft 1 is kept, but line 3: the job has neither a 'command' nor a 'type'\n"))
    #expect(try !place.draft(1).isTouched)
    #expect(place.run("draft submit 1").status == 65)
    #expect(place.run("draft new type mail").status == 65)
    #expect(try place.draft(2).name == "mail")
  }

  @Test("every line of a template that is a comment may be taken as it stands")
  func templates() throws {
    var place = try CommandPlace.writing(editor: "true")
    for (line, kind) in [("job", "job"), ("job mail", "job"), ("type mail", "type")] {
      _ = place.run("draft new \(line)")
      let id = try #require(DraftID(place.run("draft list -q --limit 1").output.dropLast()))
      // What excludes another or refers to the past is left out, as its user would.
      let lines = try place.text(of: id).split(separator: "\n", omittingEmptySubsequences: false)
        .filter { !$0.hasPrefix("# run_at") && !(line != "job mail" && $0.hasPrefix("# type =")) }
        .filter { !(line == "job mail" && $0.hasPrefix("# command")) }
      let text = lines.map { line in
        line.hasPrefix("# ") && line.contains(" = ") ? String(line.dropFirst(2)) : String(line)
      }.joined(separator: "\n")
      place.input = Array(text.utf8)
      let answer = place.run("draft new \(kind) --from -")
      #expect(answer.status == 0, "\(line): \(answer)")
    }
  }

  @Test("--from reads a file or what is piped in, and opens no editor")
  func from() throws {
    var place = try CommandPlace.writing()
    place.variables["EDITOR"] = "touch \(place.folder.file("opened")); true"
    try place.write(Self.job, to: place.folder.file("job.toml"))
    #expect(place.run("draft new job --from job.toml -q --no-input").output == "1\n")
    place.input = Array("[type.mail]\ncommand = [\"cat\"]\n".utf8)
    #expect(place.run("draft new type --from -").status == 0)
    #expect(try place.draft(2).name == "mail")
    #expect(try place.draft(1).isTouched)
    place.input = Array("[job]\ncommand = [\"b\"]\n".utf8)
    #expect(place.run("draft edit 1 --from -").status == 0)
    #expect(try place.draft(1).name == "b")
    #expect(place.run("draft new job --from nothing").status == 66)
    place.input = []
    #expect(place.run("draft edit 1 --from -").status == 65)
    #expect(try place.draft(1).name == "b")
    #expect(try FolderNames.of(place.folder.path).contains("opened") == false)
  }

  @Test("without an editor to open and without --from nothing is asked: 82")
  func noInput() throws {
    var place = try CommandPlace.writing(editor: "true")
    #expect(place.run("draft new job --no-input").status == 82)
    #expect(place.run("draft edit type mail --no-input").status == 66)
    #expect(place.run("type set mail -- true").status == 0)
    #expect(place.run("draft edit type mail --no-input").status == 82)
    place.variables["EDITOR"] = nil
    #expect(place.run("draft new job").status == 82)
    #expect(place.run("draft list").output == "")
  }

  @Test("$VISUAL counts before $EDITOR, and either may be a command with words of its own")
  func editors() throws {
    var place = try CommandPlace.writing(editor: "false")
    place.variables["VISUAL"] = "sh -c 'printf \"[job]\\ncommand=[\\\"v\\\"]\\n\" > \"$1\"' visual"
    #expect(place.run("draft new job").status == 0)
    #expect(try place.text(of: 1) == "[job]\ncommand=[\"v\"]\n")
  }

  @Test(
    "an editor that fails or is missing is told with status 1, and what it saved is kept",
    arguments: [
      ("printf typed > \"$1\"; exit 1; :", "ended with status 1"),
      ("printf typed > \"$1\"; kill -9 $$; :", "was ended by signal 9"),
      ("printf typed > \"$1\"; no-such-editor", "is not there"),
      ("printf typed > \"$1\"; /etc/passwd", "cannot be run"),
    ])
  func failing(_ editor: String, _ words: String) throws {
    let place = try CommandPlace.writing(editor: editor)
    let answer = place.run("draft new job")
    #expect(answer.status == 1)
    #expect(answer.error.contains(words), "\(answer)")
    #expect(answer.error.contains("draft 1 of workspace 'acme' is kept"))
    #expect(try place.text(of: 1) == "typed")
    #expect(try FolderNames.of(place.desk) == [])
    #expect(place.run("draft show 1 --text").output == "typed")
  }

  @Test("an editor that is there and cannot be executed is told with its interpreter")
  func interpreter() throws {
    var place = try CommandPlace.writing()
    let editor = place.folder.file("crlf")
    try place.write("#!/bin/sh\r\ntrue\r\n", to: editor, mode: 0o700)
    place.variables["EDITOR"] = editor
    let answer = place.run("draft new job")
    #expect(answer.status == 1)
    #expect(answer.error.contains("cannot be executed: its interpreter '/bin/sh"), "\(answer)")
    #expect(answer.error.contains("no such file or directory"), "\(answer)")
  }

  @Test("off a terminal the editor is opened once, and a draft with a mistake is kept: 65")
  func onceOffTerminal() throws {
    var place = try CommandPlace.writing()
    let count = place.folder.file("count")
    place.variables["EDITOR"] =
      "f() { echo x >> \(count); printf '[job]\\ncommand = 5\\n' > \"$1\"; }; f"
    let answer = place.run("draft new job")
    #expect(answer.status == 65)
    #expect(answer.error.contains("line 2: 'command' is not an array of strings"))
    #expect(answer.error.contains("hotglue draft edit 1"))
    #expect(try place.text(of: 1) == "[job]\ncommand = 5\n")
    #expect(try place.read(count) == "x\n")
  }

  @Test("at a terminal the editor is opened again with the mistake on top, until it is mended")
  func again() throws {
    var place = try CommandPlace.writing()
    place.terminals = [0, 1, 2]
    let seen = place.folder.file("seen")
    place.variables["EDITOR"] = """
      f() { cat "$1" >> \(seen); echo ---- >> \(seen); if grep -q "^#!hotglue: line 2" "$1";
      then sed -i "s/= 5/= [\\"ok\\"]/" "$1"; else printf "[job]\\ncommand = 5\\n" > "$1"; fi; }; f
      """
    let answer = place.run("draft new job")
    #expect(answer.status == 0, "\(answer)")
    #expect(try place.text(of: 1) == "[job]\ncommand = [\"ok\"]\n")
    let rounds = try place.read(seen).split(separator: "----\n")
    #expect(rounds.count == 2)
    #expect(rounds.last?.hasPrefix("#!hotglue: line 2: 'command' is not an array") == true)
  }

  @Test("at a terminal a mistake that is left as it is ends the editing, and the draft is kept")
  func leftAsItIs() throws {
    var place = try CommandPlace.writing(
      editor: "f() { echo x >> \"$(dirname \"$1\")/../../count\"; printf '[job]\\n' > \"$1\"; }; f")
    place.terminals = [0, 1, 2]
    #expect(place.run("draft new job").status == 65)
    #expect(try place.text(of: 1) == "[job]\n")
    #expect(try place.read(place.folder.file(".hotglue/count")) == "x\nx\n")
  }

  @Test("bytes that are not UTF-8 are kept as they are, and refused with their line: 65")
  func invalidUTF8() throws {
    let place = try CommandPlace.writing(editor: "printf '[job]\\n# \\377\\376\\n' >")
    let answer = place.run("draft new job")
    #expect(answer.status == 65)
    #expect(answer.error.contains("line 2: this is not UTF-8 text"))
    #expect(try place.draft(1).text == Array("[job]\n# ".utf8) + [0xFF, 0xFE, 0x0A])
    #expect(place.run("draft submit 1").status == 65)
    #expect(place.run("draft show 1 --json").output.contains(#""text":null"#))
  }

  @Test("an editor that could not write leaves an empty file, which says nothing")
  func emptyFile() throws {
    var place = try CommandPlace.writing(editor: CommandPlace.types(Self.job))
    _ = place.run("draft new job")
    place.variables["EDITOR"] = ": >"
    #expect(place.run("draft edit 1").status == 0)
    #expect(try place.text(of: 1) == Self.job)
  }

  @Test("what lies on the desk of a hotglue that was killed is taken up by the next command")
  func takenUp() throws {
    let place = try CommandPlace.writing(editor: "true")
    _ = place.run("draft new job")
    let typed = DraftRemark.putting(["line 1: no"], onTopOf: Array(Self.job.utf8))
    try place.write(String(decoding: typed, as: UTF8.self), to: place.lying(1))
    let answer = place.run("draft list -q")
    #expect(answer == Answer(status: 0, output: "1\n", error: ""))
    #expect(try place.text(of: 1) == Self.job)
    #expect(try FolderNames.of(place.desk) == [])
  }

  @Test("what lies there for a draft that was submitted meanwhile becomes a draft of its own")
  func takenUpAnew() throws {
    var place = try CommandPlace.writing(editor: CommandPlace.types(Self.job))
    _ = place.run("draft new job")
    _ = place.run("draft submit 1")
    try place.write("[job]\n# later\n", to: place.lying(1))
    let answer = place.run("draft list")
    #expect(answer.error.contains("draft 1 was submitted while an editor had it open"))
    #expect(try place.text(of: 2) == "[job]\n# later\n")
    #expect(try place.text(of: 1) == Self.job)
    place.variables["EDITOR"] = nil
    #expect(place.run("draft list").error == "")
  }

  @Test("what belongs to no draft, or is too long for one, stays where it is and is told")
  func strangers() throws {
    let place = try CommandPlace.writing(editor: "true")
    _ = place.run("draft new job")
    try place.write("x", to: place.lying(77))
    let long = String(repeating: "#", count: Draft.longest + 1)
    try place.write(long, to: place.lying(1))
    let answer = place.run("draft list")
    #expect(answer.error.contains("77.toml' belongs to no draft of this store and stays"))
    #expect(answer.error.contains("1.toml' is too long for a draft (4 MiB) and stays"))
    #expect(try FolderNames.of(place.desk) == ["1.toml", "77.toml"])
    // It is what the editor opens, and not the text from before.
    #expect(place.run("draft edit 1").status == 65)
    #expect(try FolderNames.of(place.desk).contains("1.toml"))
  }

  @Test("a text that the store cannot take stays in its file, and the message names it")
  func storeGone() throws {
    let place = try CommandPlace.writing(editor: "true")
    _ = place.run("draft new job")
    var writing = place
    writing.variables["EDITOR"] =
      "f() { cd \(place.folder.file(".hotglue")); mv store.db away.db; printf mine > \"$1\"; }; f"
    let answer = writing.run("draft edit 1")
    #expect(answer.status == 69)
    #expect(answer.error.contains("what was typed is in 'PLACE/.hotglue/store.db.d/drafts/1.toml'"))
    #expect(try place.read(place.lying(1)) == "mine")
    #expect(rename(place.folder.file(".hotglue/away.db"), place.storePath) == 0)
    #expect(place.run("draft show 1 --text").output == "mine")
  }

  @Test("another store that came to the path while the editor was open is not written to: 80")
  func storeReplaced() throws {
    let place = try CommandPlace.writing(editor: "true")
    _ = place.run("draft new job")
    let other = try CommandPlace.ready()
    try other.store().backup(to: place.folder.file("other.db"))
    var writing = place
    writing.variables["EDITOR"] =
      "f() { cd \(place.folder.file(".hotglue")); rm -f store.db store.db-wal store.db-shm; "
      + "cp ../other.db store.db; printf mine > \"$1\"; }; f"
    let answer = writing.run("draft edit 1")
    #expect(answer.status == 80, "\(answer)")
    #expect(try place.read(place.lying(1)) == "mine")
  }

  @Test("the context file may be switched, replaced or deleted while an editor is open")
  func contextGone() throws {
    let place = try CommandPlace.writing(editor: "true")
    _ = place.run("draft new job")
    var writing = place
    writing.variables["EDITOR"] = "f() { rm \(place.contextPath); printf '[job]\\n' > \"$1\"; }; f"
    #expect(writing.run("draft edit 1").status == 65)
    #expect(try place.text(of: 1) == "[job]\n")
    #expect(place.run("draft list").status == 78)
  }

  @Test("a draft of a workspace that was archived while it was typed keeps what was typed")
  func archivedMeanwhile() throws {
    let place = try CommandPlace.writing(editor: "true")
    _ = place.run("draft new job")
    let acme = try #require(WorkspaceID("acme"))
    try place.store().archiveWorkspace(
      acme, by: Actor(user: "t", command: "t", workspaceOrigin: "flag"), at: place.now)
    try place.write("typed", to: place.lying(1))
    #expect(place.run("draft list -q").output == "1\n")
    #expect(try place.text(of: 1) == "typed")
    for line in [
      "draft submit 1", "draft edit 1", "draft discard 1", "draft new job", "draft restore 1",
    ] {
      #expect(place.run(line).status == 81, "\(line)")
    }
  }
}

enum FolderNames {
  static func of(_ path: String) throws -> [String] {
    guard let folder = opendir(path) else { throw SystemError("open", path) }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }
}
