import ArgumentParser
import HotglueCore
import HotglueStore

struct WorkspaceShow: StoreCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "show a workspace and what it holds")
  static let record = CommandRecord(
    "workspace show", .readsStore, requires: .role(.viewer))

  @OptionGroup var global: GlobalOptions

  @Argument(help: "The workspace; the resolved one when left out.")
  var id: String?

  func run(in session: StoreSession) throws -> ExitStatus {
    let id = try id.map { try WorkspaceID(argument: $0) } ?? session.requireWorkspace()
    let there = try session.entering(id)
    let workspace = there.record
    let contents = try session.store.contents(of: id)
    let members = try session.store.members(of: id).count
    let output = session.output
    if output.isJSON {
      output.object(
        .object(
          (workspace.json.members ?? []) + contents.members + [
            JSON.Member("members", .integer(members)),
            JSON.Member("role", .string(there.standing.word)),
          ]))
    } else if output.isQuiet {
      output.line(id.text)
    } else {
      output.breadcrumb(id.text)
      output.fields([
        ("id", Cell(id.text)), ("name", Cell(workspace.name)),
        ("state", Cell(workspace.state.rawValue)),
        ("protected", Cell(workspace.isProtected ? "yes" : "no")),
        ("created", Cell(workspace.createdAt)), ("holds", Cell(contents.summary)),
        ("members", Cell(members == 0 ? "none: open to all" : String(members))),
        ("your role", Cell(there.standing == .open ? "-" : there.standing.word)),
      ])
    }
    return .done
  }
}
