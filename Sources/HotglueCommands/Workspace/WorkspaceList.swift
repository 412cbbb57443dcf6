import ArgumentParser
import HotglueCore
import HotglueStore

struct WorkspaceList: StoreCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "list the workspaces of the store")
  static let record = CommandRecord(
    "workspace list", .readsStore, requires: .none)

  @OptionGroup var global: GlobalOptions

  func run(in session: StoreSession) throws -> ExitStatus {
    let output = session.output
    let workspaces = try session.store.workspaces()
    if output.isJSON {
      for workspace in workspaces { output.jsonLine(workspace.json) }
    } else if output.isQuiet {
      for workspace in workspaces { output.line(workspace.id.text) }
    } else {
      output.table(
        ["id", "state", "current", "protected", "created", "name"],
        workspaces.map { workspace in
          [
            Cell(workspace.id.text), Cell(workspace.state.rawValue),
            Cell(workspace.id == session.context.workspace ? "*" : "-"),
            Cell(workspace.isProtected ? "yes" : "no"), Cell(workspace.createdAt),
            Cell(workspace.name),
          ]
        })
    }
    return .done
  }
}
