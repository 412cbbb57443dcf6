import HotglueCore
import HotglueStore
import TestSupport
import Testing

@testable import HotglueCommands

@Suite("The records of commands, and their guards")
struct GuardTableTests {
  @Test("what changes something takes an operator at least, what reads a workspace a viewer")
  func rolesFitAccess() {
    for record in CommandRegistry.records {
      switch record.access {
      case .none: #expect(record.required == .none, "\(record.path)")
      case .readsWorkspace:
        // To run a tap is more than to read, though nothing is kept of it.
        #expect(
          record.required == .role(record == SourceTest.record ? .operator : .viewer),
          "\(record.path)")
      case .changesWorkspace, .settlesWorkspace:
        #expect(record.leastRole.map { $0 >= .operator } == true, "\(record.path)")
      case .readsStore:
        #expect([nil, .viewer].contains(record.leastRole), "\(record.path)")
      case .changesStore:
        // To create a workspace, to switch to one that may be read, and to trust a store for oneself
        // needs no role.
        let isFree = [WorkspaceCreate.record, WorkspaceSwitch.record, ContextTrustCommand.record]
          .contains(record)
        #expect(isFree || record.leastRole == .owner, "\(record.path)")
      }
    }
  }

  @Test("only what puts members right is for rescue")
  func rescue() {
    #expect(
      CommandRegistry.records.filter(\.isForRescue).map(\.path)
        == ["workspace member add", "workspace member remove", "workspace member list"])
  }

  @Test("the registry is listed whole, but for what only hotglue itself uses")
  func told() throws {
    let lines = try CommandPlace().run("workspace member roles").output.split(separator: "\n")
    let shown = CommandRegistry.records.filter { !$0.isInternal }
    #expect(lines.map { $0.split(separator: "\t")[0] } == shown.map { $0.name[...] })
    #expect(lines.contains("job cancel\tchanges_workspace\toperator"))
    #expect(lines.contains("store prune\tchanges_store\towner*"))
    #expect(
      try CommandPlace().run("workspace member roles --json").output.hasPrefix(
        #"{"command":"init","access":"none","role":null,"everywhere":false}"# + "\n"))
  }

  @Test("a member is added, shown, changed and removed, each with its workspace named")
  func members() throws {
    var place = try CommandPlace.ready()
    #expect(
      place.run("workspace member list").error
        == "workspace 'acme' has no members: it is open to all who may write the store\n")
    #expect(
      place.run("workspace member add daemon --role operator")
        == Answer(
          status: 0, output: "user 'daemon' is an operator of workspace 'acme'\n",
          error: "workspace 'acme' has members now: 'tester' is an owner\n"))
    #expect(
      place.run("workspace member list").output
        == "daemon\toperator\t2026-02-02T02:40:00.000Z\ttester\n"
        + "tester\towner\t2026-02-02T02:40:00.000Z\ttester\n")
    #expect(
      place.run("workspace member add daemon --role viewer --json").output
        == #"{"user":"daemon","role":"viewer","workspace":"acme","#
        + #""added_at":"2026-02-02T02:40:00.000Z","added_by":"tester"}"# + "\n")
    #expect(place.run("workspace member list -q").output == "daemon\ntester\n")
    #expect(
      place.run("workspace member remove daemon --json").output
        == #"{"user":"daemon","workspace":"acme","removed":true,"members":1}"# + "\n")
    #expect(place.run("workspace show").output.contains("members\t1\nyour role\towner\n"))
    place.terminals = [1]
    #expect(
      place.run("workspace member list --color never").output
        == "USER    ROLE   ADDED    BY\ntester  owner  0ms ago  tester\n")
  }

  @Test("with --json a refusal tells the role, the one that is needed, and the owners")
  func refusalJSON() throws {
    let place = try CommandPlace.ready()
    let store = try place.store()
    let acme = try #require(WorkspaceID("acme"))
    let ann = Actor(user: "ann", command: "test", workspaceOrigin: "flag")
    _ = try store.addMember("tester", as: .viewer, in: acme, by: ann, at: place.now)
    #expect(
      place.run("job enqueue --json -- true")
        == Answer(
          status: 77, output: "",
          error: #"{"error":{"code":"role_needed","message":"user 'tester' is a viewer of "#
            + #"workspace 'acme', and 'job enqueue' needs an operator","hint":"ask ann: hotglue "#
            + #"-w acme workspace member add tester --role operator","exit":77,"workspace":"acme","#
            + #""user":"tester","role":"viewer","needed":"operator","owners":["ann"]}}"# + "\n"))
    #expect(place.run("workspace switch beta").status == 0)
    #expect(place.run("job enqueue -- true").status == 0)
  }

  @Test("nobody switches to a workspace that he may not read")
  func switchToForeign() throws {
    let place = try CommandPlace.ready()
    let beta = try #require(WorkspaceID("beta"))
    let ann = Actor(user: "ann", command: "test", workspaceOrigin: "flag")
    _ = try place.store().addMember("bob", as: .viewer, in: beta, by: ann, at: place.now)
    let before = try place.context()
    for line in ["workspace switch beta", "workspace switch beta --dry-run", "-w beta job list"] {
      let answer = place.run(line)
      #expect(answer.status == 77)
      #expect(answer.error.contains("'tester' is no member of workspace 'beta'"))
    }
    #expect(try place.context() == before)
    #expect(place.run("workspace list -q").output == "acme\nbeta\n")
  }

  @Test("cursors tell their workspace and their list, and read what they write")
  func cursors() throws {
    let acme = try #require(WorkspaceID("acme"))
    let moment = Timestamp(milliseconds: 1_770_000_000_000)
    for cursor in [
      PageCursor(workspace: acme, query: .max, before: 42, since: nil),
      PageCursor(workspace: nil, query: 0, before: .max, since: moment),
    ] { #expect(PageCursor(cursor.text) == cursor) }
    for text in ["", "acme", "acme.1.1", "A.1.1.", "acme.1.0.", "acme.1.-1.", ".1.1.", "__.1.1."] {
      #expect(PageCursor(text) == nil, "\(text)")
    }
  }
}
