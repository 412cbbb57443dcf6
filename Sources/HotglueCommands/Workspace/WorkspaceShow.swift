import ArgumentParser
import HotglueCore
import HotglueStore

struct WorkspaceShow: StoreCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "show a workspace and what it holds")
  static let kind = CommandKind.workspaceShow

  @OptionGroup var global: GlobalOptions

  @Argument(help: "The workspace; the resolved one when left out.")
  var id: String?

  func run(in session: StoreSession) throws -> ExitStatus {
    let id = try id.map { try WorkspaceID(argument: $0) } ?? session.requireWorkspace()
    let workspace = try session.store.workspace(id)
    let contents = try session.store.contents(of: id)
    let output = session.output
    if output.isJSON {
      output.object(.object((workspace.json.members ?? []) + contents.members))
    } else if output.isQuiet {
      output.line(id.text)
    } else {
      output.breadcrumb(id.text)
      output.fields([
        ("id", Cell(id.text)), ("name", Cell(workspace.name)),
        ("state", Cell(workspace.state.rawValue)),
        ("protected", Cell(workspace.isProtected ? "yes" : "no")),
        ("created", Cell(workspace.createdAt)), ("holds", Cell(contents.summary)),
      ])
    }
    return .done
  }
}
