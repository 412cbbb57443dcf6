import ArgumentParser
import HotglueCore
import HotglueStore

struct WorkspaceArchive: StoreCommand {
  static let configuration = CommandConfiguration(
    commandName: "archive", abstract: "Close a workspace: it can be read, and not changed",
    discussion: """
      Prints what the workspace holds. The resolved one is archived only when --confirm repeats its ID.
      Nothing is removed. An archived workspace takes what already happened: 'job reclaim', 'job \
      resolve' and 'effect confirm'. 'workspace unarchive' reverses it.
      """)
  static let record = CommandRecord(
    "workspace archive", .changesStore, requires: .role(.owner))

  @OptionGroup var global: GlobalOptions

  @Argument(help: "The workspace.")
  var id: String

  @Option(help: ArgumentHelp("Needed for the resolved workspace: its ID again.", valueName: "id"))
  var confirm: String?

  @Flag(name: .customLong("dry-run"), help: "Say what it holds, and archive nothing.")
  var dryRun = false

  func run(in session: StoreSession) throws -> ExitStatus {
    let id = try WorkspaceID(argument: id)
    let there = try session.entering(id, isNamed: true)
    let workspace = there.record
    let contents = try session.store.contents(of: id)
    if let confirm, confirm != id.text {
      throw CommandError.needsConfirmation(
        "--confirm '\(confirm)' is not '\(id)'", hint: "\(again: .option("--confirm", id.text))")
    }
    if id == session.context.workspace, confirm == nil, !dryRun {
      throw CommandError.needsConfirmation(
        "'\(id)' is the workspace of this context (\(session.context.workspaceProvenance)) "
          + "and holds \(contents.summary)",
        hint: "\(again: .option("--confirm", id.text))")
    }
    if workspace.state == .active, !dryRun {
      try session.store.archiveWorkspace(id, by: there.actor, at: session.now)
    }
    let archived = try session.store.workspace(id)
    let json = JSON.object(
      (archived.json.members ?? []) + contents.members + [JSON.Member("dry_run", .bool(dryRun))])
    session.output.result(json: json, id: id.text) {
      workspace.state == .archived
        ? "workspace '\(id)' is archived already; it holds \(contents.summary)"
        : "\(dryRun ? "would archive" : "archived") workspace '\(id)'; it holds \(contents.summary)"
    }
    return .done
  }
}
