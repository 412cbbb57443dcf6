import Glibc
import HotglueCommands
import HotglueCore
import HotglueStore
import Testing

@Suite("What an editor left behind")
struct DraftRescueTests {
  /// Draft 1 of acme, which has members, typed in by daemon when her hotglue was killed.
  private func place() throws -> CommandPlace {
    var place = try CommandPlace.writing(editor: "true")
    for (user, role) in [("daemon", "operator"), ("bin", "operator"), ("sys", "viewer")] {
      #expect(place.run("workspace member add \(user) --role \(role)").status == 0)
    }
    place.input = Array(DraftCommandTests.job.utf8)
    #expect(place.run("draft new job --from -").status == 0)
    place.userName = "daemon"
    #expect(place.run("draft edit 1").status == 0)
    try place.write("[job]\ncommand = [\"typed\"]\n", to: place.lying(1))
    return place
  }

  @Test("it is logged as typed by who had the editor, and names who took it up")
  func logged() throws {
    var place = try place()
    place.userName = "bin"
    #expect(place.run("draft list").output.contains("typed"))
    let row = place.run("log --limit 1 --json").output
    #expect(row.contains(#""user":"daemon","command":"draft edit","#), "\(row)")
    #expect(row.hasSuffix(#""subject":"draft/1","repaired_by":"bin"}"# + "\n"), "\(row)")
    #expect(try FolderNames.of(place.desk) == [])
  }

  @Test("who may not change drafts there leaves it to those who may, and nothing is lost")
  func role() throws {
    var place = try place()
    for user in ["sys", "games"] {
      place.userName = user
      let before = try place.read(place.lying(1))
      let answer = place.run(user == "sys" ? "draft list -v" : "-w beta draft list -v")
      #expect(answer.status == 0, "\(answer)")
      #expect(answer.error.contains("is of workspace 'acme', where this user changes no drafts"))
      #expect(try place.read(place.lying(1)) == before)
      #expect(try place.text(of: 1) == DraftCommandTests.job)
      // A switch does not take the draft for what the store knows of it.
      #expect(place.run("workspace switch beta").status == 82)
    }
    // Who typed it may have lost the role since: nothing that was typed is refused.
    place.userName = "tester"
    #expect(place.run("workspace member add daemon --role viewer").status == 0)
    #expect(try place.text(of: 1) == DraftCommandTests.job)
    place.userName = "daemon"
    #expect(place.run("draft list").status == 0)
    #expect(try place.text(of: 1) == "[job]\ncommand = [\"typed\"]\n")
  }

  @Test("what cannot be taken up now stays, is told, and the draft is not submitted without it")
  func noRoom() throws {
    var place = try place()
    place.userName = "bin"
    let gate = open(place.storePath + ".d/gate.b", O_RDWR | O_CLOEXEC)
    #expect(gate >= 0 && flock(gate, LOCK_EX | LOCK_NB) == 0)
    let list = place.run("draft list -q")
    #expect(list.status == 0 && list.output == "1\n", "\(list)")
    #expect(place.run("draft list").error.contains("drafts/1.toml' cannot be taken up now: "))
    let submitted = place.run("draft submit 1")
    #expect(submitted.status == 75)
    #expect(submitted.error.contains("what was typed in draft 1 lies in '"))
    close(gate)
    #expect(place.run("draft submit 1 -q").output == "1\n")
    #expect(
      try place.store().job(1, in: #require(WorkspaceID("acme"))).request.command == ["typed"])
  }

  @Test(
    "an editor that leaves something else in the place of its file keeps nobody from other drafts",
    arguments: ["mkdir", "mkfifo", "ln -s /etc/passwd"])
  func noFile(_ making: String) throws {
    var place = try place()
    #expect(unlink(place.lying(1)) == 0)
    place.variables["EDITOR"] = "f() { rm \"$1\"; \(making) \"$1\"; }; f"
    let edit = place.run("draft edit 1")
    #expect(edit.status == 74, "\(edit)")
    #expect(edit.error.contains("drafts/1.toml"))

    for line in ["draft list -q", "draft show 1 -q", "-w beta draft list"] {
      let answer = place.run(line)
      #expect(answer.status == 0, "\(line): \(answer)")
    }
    let told = place.run("draft list").error
    #expect(told.contains("drafts/1.toml' cannot be read and stays where it is: "), "\(told)")
    place.input = Array(DraftCommandTests.job.utf8)
    #expect(place.run("draft new job --from - -q").output == "2\n")
    #expect(place.run("draft submit 2 -q").output == "1\n")
    // What lies there may be more than the store has: it is neither sent nor left behind unasked.
    #expect(place.run("draft submit 1").status == 75)
    #expect(place.run("workspace switch beta").status == 82)
    #expect(place.run("workspace switch beta --keep-drafts").status == 0)
    #expect(try place.text(of: 1) == DraftCommandTests.job)
  }

  @Test("a text that cannot be parsed is taken up as it is, and blocks neither drafts nor a switch")
  func unreadableText() throws {
    let place = try place()
    let deep = "[job]\ncommand = " + String(repeating: "[", count: 60_000)
    try place.write(deep, to: place.lying(1))
    #expect(place.run("draft list").status == 0)
    #expect(try place.text(of: 1) == deep)
    #expect(try FolderNames.of(place.desk) == [])
    let submitted = place.run("draft submit 1")
    #expect(submitted.status == 65)
    #expect(submitted.error.contains("nested too deeply"), "\(submitted)")
    #expect(place.run("workspace switch beta --discard-drafts").status == 0)
    #expect(place.run("-w acme draft list").status == 0)
  }

  @Test("a draft that is taken up gets the name that its text says")
  func named() throws {
    var place = try CommandPlace.writing(editor: "true")
    place.input = Array("[type.old]\ncommand = [\"true\"]\n".utf8)
    #expect(place.run("draft new type --from -").status == 0)
    #expect(place.run("draft edit 1").status == 0)
    try place.write("[type.new]\ncommand = [\"true\"]\n", to: place.lying(1))
    #expect(place.run("draft list").status == 0)
    #expect(try place.draft(1).name == "new")
  }
}
