import ArgumentParser
import HotglueCore
import HotglueStore

struct WorkspaceCreate: StoreCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "make a workspace")
  static let record = CommandRecord(
    "workspace create", .changesStore, requires: .none)

  @OptionGroup var global: GlobalOptions

  @Argument(help: "Lower-case letters, digits and '-'. Never renamed, never used again.")
  var id: String

  @Option(help: ArgumentHelp("A name for people; it may change.", valueName: "text"))
  var name: String?

  func run(in session: StoreSession) throws -> ExitStatus {
    let id = try WorkspaceID(argument: id)
    if let name { try DisplayName.check(name, of: "--name") }
    let workspace = try session.store.createWorkspace(
      id, name: name ?? id.text, by: session.naming.actor, at: session.now)
    session.output.result(json: workspace.json, id: id.text) { "created workspace '\(id)'" }
    if session.context.workspace == nil, !session.output.isJSON {
      session.output.hint("select it with 'hotglue workspace switch \(id)'")
    }
    return .done
  }
}
