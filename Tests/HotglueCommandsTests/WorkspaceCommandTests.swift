import HotglueCommands
import HotglueCore
import HotglueStore
import Testing

@Suite("Workspaces")
struct WorkspaceCommandTests {
  @Test("a workspace that holds one job says so")
  func holdsOne() throws {
    let world = try JobWorld()
    try world.enqueue()
    #expect(world.run("workspace", "show", "acme").lines.contains("holds\t1 pending job"))
    try world.enqueue()
    #expect(world.run("workspace", "show", "acme").lines.contains("holds\t2 pending jobs"))
  }

  @Test("a workspace is made, listed and shown")
  func create() throws {
    let place = try CommandPlace()
    _ = place.run("init")
    #expect(
      place.run(["workspace", "create", "acme", "--name", "Acme Inc."])
        == Answer(
          status: 0, output: "created workspace 'acme'\n",
          error: "hint: select it with 'hotglue workspace switch acme'\n"))
    #expect(place.run("workspace create beta -q").output == "beta\n")
    #expect(
      place.run("workspace list").output
        == "acme\tactive\t-\tno\t2026-02-02T02:40:00.000Z\tAcme Inc.\n"
        + "beta\tactive\t-\tno\t2026-02-02T02:40:00.000Z\tbeta\n")
    #expect(place.run("workspace protect beta").status == 0)
    #expect(
      place.run("workspace list").output.contains(
        "beta\tactive\t-\tyes\t2026-02-02T02:40:00.000Z\tbeta\n"))
    #expect(place.run("workspace unprotect beta").status == 0)
    #expect(
      place.run("workspace list --json").output
        == #"{"id":"acme","name":"Acme Inc.","state":"active","protected":false,"#
        + #""created_at":"2026-02-02T02:40:00.000Z"}"# + "\n"
        + #"{"id":"beta","name":"beta","state":"active","protected":false,"#
        + #""created_at":"2026-02-02T02:40:00.000Z"}"# + "\n")
    #expect(place.run("workspace show acme -q").output == "acme\n")
  }

  @Test("an ID is never used twice, and must be a slug")
  func badIDs() throws {
    let place = try CommandPlace.ready()
    #expect(place.run("workspace create acme").status == 73)
    #expect(
      place.run("workspace create ACME")
        == Answer(
          status: 64, output: "",
          error: "hotglue: 'ACME' is not a workspace ID\n"
            + "hint: use lower-case letters, digits and '-', at most 63, not starting with '-'\n"))
  }

  @Test("an unknown workspace is told with what is near, wherever it is named")
  func unknown() throws {
    let place = try CommandPlace.ready()
    let refusal = Answer(
      status: 66, output: "", error: "hotglue: no workspace 'bta'\nhint: did you mean 'beta'?\n")
    for line in [
      "-w bta workspace current", "workspace switch bta", "workspace show bta",
      "workspace archive bta", "-w bta context show",
    ] {
      #expect(place.run(line) == refusal, "\(line)")
    }
    #expect(
      place.run("-w zzz workspace current").error
        == "hotglue: no workspace 'zzz'\nhint: make it with 'hotglue workspace create zzz'\n")
  }

  @Test("on a terminal a list is a table, and what users stored cannot disturb it")
  func terminal() throws {
    var place = try CommandPlace.ready()
    // No command takes such a name: another program wrote it.
    _ = try place.store().createWorkspace(
      #require(WorkspaceID("evil")), name: "\u{1b}[31mred\n\u{202e}x",
      by: Actor(user: "other", command: "test", workspaceOrigin: "flag"), at: place.now)
    place.terminals = [1]
    place.width = 72
    #expect(
      place.run("workspace list").output
        == "\u{1b}[2mID\u{1b}[0m    \u{1b}[2mSTATE\u{1b}[0m   \u{1b}[2mCURRENT\u{1b}[0m  "
        + "\u{1b}[2mPROTECTED\u{1b}[0m  \u{1b}[2mCREATED\u{1b}[0m  \u{1b}[2mNAME\u{1b}[0m\n"
        + "acme  active  *        no         0ms ago  acme\n"
        + "beta  active  -        no         0ms ago  beta\n"
        + "evil  active  -        no         0ms ago  \\u001b[31mred\\n\\u202ex\n")
    place.variables["NO_COLOR"] = "1"
    #expect(
      place.run("workspace list").output.hasPrefix("ID    STATE   CURRENT  PROTECTED  CREATED"))
    #expect(place.run("workspace list --color always").output.hasPrefix("\u{1b}[2mID"))
    place.variables = [:]
    #expect(place.run("workspace list --color never").output.hasPrefix("ID "))
    place.width = 40
    let narrow = place.run("workspace list --color never").output
    #expect(narrow.split(separator: "\n").allSatisfy { $0.count <= 40 }, "\(narrow)")
    #expect(!narrow.contains("\u{1b}"))
    place.terminals = []
    #expect(place.run("workspace list").output.hasSuffix("\t\\u001b[31mred\\n\\u202ex\n"))
  }

  @Test("a breadcrumb is for people at a terminal only")
  func breadcrumb() throws {
    var place = try CommandPlace.ready()
    #expect(place.run("workspace show").error == "")
    place.terminals = [2]
    #expect(place.run("workspace show").error == "acme\n")
    #expect(place.run("workspace show --json").error == "")
    #expect(place.run("workspace show -q").error == "")
  }

  @Test("archiving the workspace of the context needs its name again, and says what it holds")
  func archive() throws {
    let place = try CommandPlace.ready()
    _ = try place.enqueue(3)
    #expect(
      place.run("workspace archive acme")
        == Answer(
          status: 82, output: "",
          error: "hotglue: 'acme' is the workspace of this context (from .hotglue/context.json) "
            + "and holds 3 pending jobs\n"
            + "hint: hotglue workspace archive acme --confirm acme\n"))
    #expect(place.run("workspace archive acme --confirm beta").status == 82)
    // A dry run asks for nothing, says what it holds, and closes nothing.
    #expect(
      place.run("workspace archive acme --dry-run").output
        == "would archive workspace 'acme'; it holds 3 pending jobs\n")
    let dry = place.run("workspace archive acme --dry-run --json").output
    #expect(dry.hasSuffix(#""dry_run":true}"# + "\n") && dry.contains(#""state":"active""#))
    #expect(
      place.run("workspace archive acme --confirm acme").output
        == "archived workspace 'acme'; it holds 3 pending jobs\n")
    #expect(place.run("workspace archive acme --confirm acme").status == 0)
    #expect(place.run("workspace show acme").output.contains("state\tarchived"))
    #expect(
      place.run("workspace archive beta").output == "archived workspace 'beta'; it holds no jobs\n")
  }

  @Test("an archived workspace can be read, and not be changed or switched to")
  func archived() throws {
    let place = try CommandPlace.ready()
    _ = try place.enqueue(in: "beta")
    _ = place.run("workspace archive beta")
    #expect(place.run("-w beta workspace current").status == 0)
    #expect(place.run("-w beta job list").status == 0)
    #expect(place.run("-w beta job cancel 1").status == 81)
    #expect(place.run("-w beta job enqueue -- true").status == 81)
    #expect(place.run("workspace switch beta").status == 81)
    #expect(try place.context().workspace?.text == "acme")
  }

  @Test("an ID or link of another workspace is refused, with both names and what would work")
  func guardEntities() throws {
    let place = try CommandPlace.ready()
    let job = try #require(try place.enqueue(in: "beta").first)
    for name in ["\(job)", "hotglue://beta/job/\(job)"] {
      #expect(
        place.run("job show \(name)")
          == Answer(
            status: 80, output: "",
            error: "hotglue: job \(job) belongs to workspace 'beta', but the context is 'acme' "
              + "(from .hotglue/context.json)\nhint: hotglue -w beta job show \(name)\n"))
    }
    #expect(place.run("-w beta job show hotglue://beta/job/\(job)").status == 0)
    #expect(place.run("-w beta job show \(job)").status == 0)
    let flagged = place.run("-w acme job show \(job)")
    #expect(flagged.error.contains("but the context is 'acme' (from -w)"))
    let json = place.run("job show \(job) --json")
    #expect(
      json.error.contains(
        #""exit":80,"kind":"job","id":\#(job),"workspace":"beta","context_workspace":"acme","#
          + #""context_origin":"context_file""#), "\(json)")
    #expect(place.run("job show 999").status == 66)
    #expect(place.run("job show hotglue://acme/job/\(job)").status == 80)
    for text in ["x", "0", "-1", "+1", "1.5", "hotglue://acme", "hotglue://acme/draft/1"] {
      #expect(place.run(["job", "show", "--", text]).status == 64, "\(text)")
    }
  }
}
