import Glibc
import HotglueCommands
import HotglueCore
import HotglueStore
import Testing

@Suite("Switches that another one ends")
struct SwitchRepairTests {
  struct Killed: Error {}

  /// In acme, with a draft of a type, and the switch to beta killed there.
  private func killed(at step: SwitchStep) throws -> CommandPlace {
    var place = try CommandPlace.ready()
    place.input = Array("[type.mail]\ncommand = [\"cat\"]\n".utf8)
    #expect(place.run("draft new type --from -").status == 0)
    place.userName = "ann"
    place.switchStep = { if $0 == step { throw Killed() } }
    #expect(place.run("workspace switch beta --discard-drafts").status == 70)
    place.switchStep = { _ in }
    place.userName = "bob"
    return place
  }

  @Test("the row of a switch that another command ended says who switched, and who ended it")
  func logged() throws {
    var place = try killed(at: .fileReplaced)
    #expect(place.run("workspace current").output == "beta\n")
    let rows = place.run("log --all-workspaces --limit 2 --json").output.split(separator: "\n")
    #expect(rows.count == 2)
    for row in rows {
      #expect(row.contains(#""user":"ann","command":"workspace switch","#), "\(row)")
      #expect(row.contains(#""origin":"argument","#), "\(row)")
      #expect(row.hasSuffix(#","repaired_by":"bob"}"#), "\(row)")
    }
    #expect(rows[0].contains(#""workspace":"beta""#))
    #expect(rows[1].contains(#""workspace":"acme""#) && rows[1].contains(#""subject":"draft/1""#))
    #expect(place.run("log --limit 1").output.contains("\tann (ended by bob)\tworkspace switch\t"))
    #expect(place.run("log --user ann -q --limit 1").output == "context\(place.shownContext)\n")
    // What a switch ends itself names nobody besides.
    place.userName = "cid"
    #expect(place.run("workspace switch acme").status == 0)
    #expect(
      place.run("log --limit 1 --json").output.contains(
        #""user":"cid","command":"workspace switch","#))
    #expect(place.run("log --limit 1 --json").output.hasSuffix(#","repaired_by":null}"# + "\n"))
  }

  @Test("a switch that was given up leaves no row, whoever gives it up")
  func rolledBack() throws {
    let place = try killed(at: .fileWritten)
    let before = place.run("log --all-workspaces -q").output
    #expect(place.run("workspace current").output == "acme\n")
    #expect(place.run("log --all-workspaces -q").output == before)
    #expect(try place.draft(1).state == .open)
  }

  @Test(
    "while nobody can pass the writer gate, reading goes on with what the file says",
    arguments: [SwitchStep.fileWritten, .fileReplaced])
  func gateHeld(step: SwitchStep) throws {
    let place = try killed(at: step)
    let gate = open(place.storePath + ".d/gate.b", O_RDWR | O_CLOEXEC)
    #expect(gate >= 0 && flock(gate, LOCK_EX | LOCK_NB) == 0)
    let happened = step == .fileReplaced
    #expect(place.run("workspace current").output == (happened ? "beta\n" : "acme\n"))
    let shown = place.run("workspace current -v")
    #expect(
      shown.error.hasPrefix(
        "a switch to 'beta' that was cut short is \(happened ? "not confirmed" : "not rolled back")"
          + " yet: "), "\(shown)")
    #expect(try place.record()?.intent != nil)
    close(gate)
    #expect(place.run("workspace current").status == 0)
    #expect(try place.record()?.intent == nil)
  }

  @Test(
    "on a disk that fills up behind the replaced file the switch is done: 0, and recorded later",
    .enabled(if: geteuid() == 0, "only root can mount a small file system"))
  func fullDisk() throws {
    var place = try CommandPlace()
    let small = place.folder.file("small")
    #expect(mkdir(small, 0o700) == 0)
    guard mount("none", small, "tmpfs", 0, "size=2m,mode=700") == 0 else {
      Issue.record("no small file system could be mounted: errno \(errno)")
      return
    }
    defer { umount2(small, Int32(MNT_DETACH)) }
    place.directory = small
    for line in ["init", "workspace create acme", "workspace create beta", "workspace switch acme"]
    {
      #expect(place.run(line).status == 0)
    }
    place.input = Array("[type.mail]\ncommand = [\"cat\"]\n".utf8)
    #expect(place.run("draft new type --from -").status == 0)
    let fill = small + "/fill"
    place.switchStep = { if $0 == .fileReplaced { Self.fillDisk(fill) } }
    let answer = place.run("workspace switch beta --discard-drafts")
    #expect(answer.status == 0, "\(answer)")
    #expect(answer.output.hasPrefix("switched to 'beta' (from 'acme'): generation 2 of "))
    #expect(
      answer.error.hasPrefix(
        "hotglue: the context is in 'beta', but the store cannot record that yet: "), "\(answer)")
    place.switchStep = { _ in }

    #expect(place.run("workspace current") == Answer(status: 0, output: "beta\n", error: ""))
    for line in ["job list", "context show", "draft list", "log", "workspace list", "doctor"] {
      let answer = place.run(line)
      #expect(answer.status == (line == "doctor" ? 1 : 0), "\(line): \(answer)")
    }
    // The file is the truth, and what the switch moved lies in the bin.
    #expect(place.run("-w acme draft list").output == "")
    #expect(place.run("-w acme draft list --bin -q").output == "1\n")
    #expect(place.run("job enqueue -- true").status == 74)

    #expect(unlink(fill) == 0)
    #expect(place.run("workspace current").output == "beta\n")
    #expect(
      place.run("log --limit 1 --json").output.hasSuffix(
        #""subject":"context\#(place.shown(small))/.hotglue/context.json","repaired_by":"tester"}"#
          + "\n"))
    #expect(place.run("store check").status == 0)
    #expect(place.run("workspace switch acme").status == 0)
  }

  private static func fillDisk(_ path: String) {
    let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    defer { close(file) }
    var size = 1 << 16
    let bytes = [UInt8](repeating: 0, count: size)
    while size > 0 {
      if Glibc.write(file, bytes, size) <= 0 { size /= 2 }
    }
  }

  @Test("a context file that is deleted while the question stands is told with words: 81, then 78")
  func deletedUnderTheQuestion() throws {
    var place = try CommandPlace.ready()
    place.input = Array("[type.mail]\ncommand = [\"cat\"]\n".utf8)
    #expect(place.run("draft new type --from -").status == 0)
    place.terminals = [0, 1, 2]
    place.input = Array("d\n".utf8)
    let path = place.contextPath
    place.onRead = { unlink(path) }
    let answer = place.run("workspace switch beta")
    #expect(answer.status == 81)
    #expect(
      answer.error.contains("was deleted meanwhile: nothing was switched\nhint: "), "\(answer)")
    #expect(try place.draft(1).state == .open)
    #expect(place.run("workspace switch beta").status == 78)
  }

  @Test("a context that names a workspace which the store does not have can be left")
  func unknownWorkspace() throws {
    let place = try CommandPlace.ready()
    var file = try place.context()
    file.workspace = WorkspaceID("gone")
    file.previous = WorkspaceID("lost")
    try place.write(file.text, to: place.contextPath)
    #expect(place.run("job list").status == 66)
    let plan = place.run("workspace switch beta --dry-run --json")
    #expect(plan.status == 0, "\(plan)")
    #expect(plan.output.contains(#""previous":"gone","previous_state":"unknown","#))
    #expect(
      place.run("workspace switch beta")
        == Answer(
          status: 0,
          output:
            "switched to 'beta' (from 'gone'): generation 2 of 'PLACE/.hotglue/context.json'\n",
          error: "the store has no workspace 'gone'\n"))
    #expect(place.run("workspace current").output == "beta\n")
    #expect(place.run("workspace switch -").status == 66)
    #expect(place.run("workspace switch acme").status == 0)
    #expect(place.run("workspace switch - -q").output == "beta\n")
    #expect(try place.store().check() == [])
  }

  @Test(
    "killed on its way from a workspace that is not there, a switch is settled all the same",
    arguments: SwitchStep.allCases)
  func unknownAndKilled(step: SwitchStep) throws {
    var place = try CommandPlace.ready()
    var file = try place.context()
    file.workspace = WorkspaceID("gone")
    try place.write(file.text, to: place.contextPath)
    place.switchStep = { if $0 == step { throw Killed() } }
    #expect(place.run("workspace switch beta").status == 70)
    place.switchStep = { _ in }
    #expect(place.run("workspace list -q").output == "acme\nbeta\n")
    #expect(try place.record()?.intent == nil)
    #expect(place.run("workspace switch acme").status == 0)
  }

  @Test(
    "who may not read in the workspace that is left is told how many drafts stop the switch only")
  func hiddenDrafts() throws {
    var place = try CommandPlace.ready()
    place.input = Array("[type.secret-name]\ncommand = [\"cat\"]\n".utf8)
    #expect(place.run("draft new type --from -").status == 0)
    #expect(place.run("workspace member add daemon --role viewer").status == 0)
    place.userName = "games"
    let plan = place.run("workspace switch beta --dry-run")
    #expect(plan.status == 0)
    #expect(plan.output.contains("1 draft: needs a decision"))
    let json = place.run("workspace switch beta --dry-run --json")
    #expect(json.output.contains(#""stale":{"drafts":[],"hidden_drafts":1,"#))
    let stopped = place.run("workspace switch beta")
    #expect(stopped.status == 82)
    #expect(stopped.error.contains("  1 draft\n"))
    let dry = place.run("workspace switch beta --dry-run --json --discard-drafts")
    #expect(dry.output.contains(#""would_exit":77"#))
    for answer in [plan, json, stopped, dry, place.run("workspace switch beta --json")] {
      #expect(!(answer.output + answer.error).contains("secret-name"), "\(answer)")
    }
    #expect(place.run("workspace switch beta --discard-drafts").status == 77)
    #expect(place.run("workspace switch beta --keep-drafts").status == 0)
    place.userName = "daemon"
    #expect(
      place.run("-w acme draft list").output.contains("secret-name"))
  }
}

extension CommandPlace {
  /// A path as an answer shows it.
  func shown(_ path: String) -> String { path.replacing(folder.path, with: "PLACE") }
  var shownContext: String { shown(contextPath) }
}
