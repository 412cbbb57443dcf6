import ArgumentParser
import HotglueCore
import HotglueStore

struct DraftList: WorkspaceCommand {
  static let record = CommandRecord("draft list", .readsWorkspace, requires: .role(.viewer))
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "show the drafts of the workspace, newest first")

  @OptionGroup var global: GlobalOptions

  @Option(
    help: ArgumentHelp(
      "Drafts that are open (the default), in the bin, or submitted.", valueName: "state"))
  var state: String?

  @Flag(help: "The same as --state bin.")
  var bin = false

  @Option(name: .customLong("kind"), help: ArgumentHelp("Only this kind.", valueName: "kind"))
  var only: String?

  @Option(help: ArgumentHelp("At most so many (default: all).", valueName: "n"))
  var limit = 0

  @Option(help: ArgumentHelp("Go on where an earlier page ended.", valueName: "cursor"))
  var cursor: String?

  private static let page = 200

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    guard limit >= 0 else {
      throw CommandError.usage("'--limit' cannot be '\(limit)'", hint: "give 0 for all, or more")
    }
    let word = self.state ?? (bin ? "bin" : "open")
    guard let state = DraftState(rawValue: word) else {
      throw CommandError.usage(
        "'--state' cannot be '\(word)'",
        hint: "one of \(DraftState.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    guard !bin || word == "bin" else {
      throw CommandError.usage(
        "'--bin' and '--state \(word)' exclude each other", hint: "give one of them")
    }
    let only = try self.only.map { word in
      guard let kind = DraftKind(rawValue: word) else {
        throw CommandError.usage(
          "'--kind' cannot be '\(word)'",
          hint: "one of \(DraftKind.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      return kind
    }
    try session.rescueDrafts()
    let list = PagedList(
      session.base, in: session.workspace,
      filters: ["state=\(state.rawValue)", "kind=\(only?.rawValue ?? "")"])
    var before = try list.start(at: cursor)?.before
    session.output.breadcrumb(session.workspace.text, "drafts")
    var shown = 0
    while true {
      // One more than is shown tells whether there is another page.
      let room = limit == 0 ? Self.page : min(Self.page, limit - shown + 1)
      let drafts = try session.store.drafts(
        in: session.workspace, state: state, kind: only, before: before, limit: room)
      let rows = limit == 0 ? drafts[...] : drafts.prefix(limit - shown)
      try show(rows, session)
      shown += rows.count
      before = rows.last?.id ?? before
      if drafts.count > rows.count {
        if let before { try list.tellNext(before: before, since: nil) }
        return .done
      }
      if drafts.count < room || session.environment.output.isClosed { return .done }
    }
  }

  private func show(_ drafts: ArraySlice<Draft>, _ session: WorkspaceSession) throws {
    let output = session.output
    if output.isJSON {
      for draft in drafts { output.jsonLine(DraftJSON.object(draft)) }
    } else if output.isQuiet {
      for draft in drafts { output.rawLine(String(draft.id)) }
    } else {
      output.table(
        ["id", "kind", "name", "touched", "base", "updated"],
        drafts.map { draft in
          [
            Cell(draft.id), Cell(draft.kind.rawValue), Cell(draft.name),
            Cell(draft.isTouched ? "yes" : "no"), Cell(draft.baseRevision.map(String.init)),
            Cell(draft.updatedAt),
          ]
        })
    }
  }
}
