import ArgumentParser
import HotglueCore
import HotglueStore

struct WorkspaceUnarchive: StoreCommand {
  static let record = CommandRecord("workspace unarchive", .changesStore, requires: .role(.owner))
  static let configuration = CommandConfiguration(
    commandName: "unarchive", abstract: "Take an archived workspace into use again",
    discussion: """
      Workers claim its pending jobs again. Deadlines that passed meanwhile count.
      """)

  @OptionGroup var global: GlobalOptions

  @Argument(help: "The workspace.")
  var id: String

  func run(in session: StoreSession) throws -> ExitStatus {
    let there = try session.entering(WorkspaceID(argument: id), isNamed: true)
    let wasArchived = there.record.state == .archived
    if wasArchived {
      try there.store.unarchiveWorkspace(there.workspace, by: there.actor, at: there.now)
    }
    let contents = try session.store.contents(of: there.workspace)
    var record = there.record
    record.state = .active
    session.output.result(
      json: .object((record.json.members ?? []) + contents.members), id: there.workspace.text
    ) {
      wasArchived
        ? "workspace '\(there.workspace)' is active again; it holds \(contents.summary)"
        : "workspace '\(there.workspace)' is active already; it holds \(contents.summary)"
    }
    return .done
  }
}
