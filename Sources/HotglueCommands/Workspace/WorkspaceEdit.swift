import ArgumentParser
import HotglueCore
import HotglueStore

struct WorkspaceEdit: StoreCommand {
  static let record = CommandRecord("workspace edit", .changesWorkspace, requires: .role(.owner))
  static let configuration = CommandConfiguration(
    commandName: "edit", abstract: "Change the display name of a workspace",
    discussion: """
      The ID never changes. A protected workspace is changed only with '-w ID' (82).
      """)

  @OptionGroup var global: GlobalOptions

  @Option(help: ArgumentHelp("The new name, for people.", valueName: "text"))
  var name: String

  @Argument(help: "The workspace.")
  var id: String

  func run(in session: StoreSession) throws -> ExitStatus {
    let id = try WorkspaceID(argument: id)
    try DisplayName.check(name, of: "--name")
    let there = try session.entering(id)
    let isNew = try there.store.renameWorkspace(
      there.workspace, to: name, by: there.actor, at: there.now)
    var record = there.record
    record.name = name
    session.output.result(json: record.json, id: there.workspace.text) {
      isNew
        ? "workspace '\(there.workspace)' is named '\(name)'"
        : "workspace '\(there.workspace)' is named '\(name)' already"
    }
    return .done
  }
}
