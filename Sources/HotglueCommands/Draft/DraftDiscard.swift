import ArgumentParser
import HotglueCore
import HotglueStore

struct DraftDiscard: WorkspaceCommand {
  static let record = CommandRecord("draft discard", .changesWorkspace, requires: .role(.operator))
  static let configuration = CommandConfiguration(
    commandName: "discard", abstract: "put drafts aside; they can be restored for 14 days")

  @OptionGroup var global: GlobalOptions

  @Flag(help: "Only say which drafts would be put aside.")
  var dryRun = false

  @Argument(help: ArgumentHelp("IDs or links.", valueName: "draft"))
  var drafts: [String]

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    try session.rescueDrafts()
    // All are looked at before the first is changed: a slip of the pen changes nothing.
    let found = try drafts.map { text in
      let draft = try session.draft(text)
      guard draft.state == .open else {
        throw StoreError.draftNotOpen(draft.id, state: draft.state)
      }
      return draft
    }
    for draft in found {
      let done =
        dryRun
        ? draft
        : try session.takingDraft(draft.id) {
          try session.store.discardDraft(
            draft.id, in: session.workspace, by: session.actor, at: session.now)
        }
      session.output.result(
        json: DraftJSON.object(done, [JSON.Member("dry_run", .bool(dryRun))]),
        id: String(done.id)
      ) {
        dryRun
          ? "\(DraftWords.subject(done)) would be put into the bin"
          : "\(DraftWords.subject(done)) is in the bin"
      }
      if !dryRun, !session.output.isJSON {
        session.output.hint("to bring it back: hotglue draft restore \(done.id)")
      }
    }
    return .done
  }
}

struct DraftRestore: WorkspaceCommand {
  static let record = CommandRecord("draft restore", .changesWorkspace, requires: .role(.operator))
  static let configuration = CommandConfiguration(
    commandName: "restore", abstract: "bring drafts back from the bin")

  @OptionGroup var global: GlobalOptions

  @Argument(help: ArgumentHelp("IDs or links.", valueName: "draft"))
  var drafts: [String]

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    try session.rescueDrafts()
    let found = try drafts.map { text in
      let draft = try session.draft(text)
      guard draft.state == .bin else {
        throw StoreError.draftNotOpen(draft.id, state: draft.state)
      }
      return draft
    }
    for draft in found {
      let done = try session.store.restoreDraft(
        draft.id, in: session.workspace, by: session.actor, at: session.now)
      session.output.result(json: DraftJSON.object(done), id: String(done.id)) {
        "\(DraftWords.subject(done)) is open again"
      }
    }
    return .done
  }
}
