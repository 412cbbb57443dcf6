import ArgumentParser
import HotglueCore
import HotglueStore

struct WorkspaceCurrent: WorkspaceCommand {
  static let configuration = CommandConfiguration(
    commandName: "current", abstract: "print the ID of the resolved workspace")
  static let record = CommandRecord(
    "workspace current", .readsWorkspace, requires: .role(.viewer))

  @OptionGroup var global: GlobalOptions

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    session.output.result(json: session.record.json, id: session.workspace.text) {
      session.workspace.text
    }
    return .done
  }
}
