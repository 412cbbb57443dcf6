import HotglueCore
import HotglueStore

/// Where a list goes on. It carries its workspace and what was asked, so that it cannot silently go
/// on in another list; and the moment that `--since` meant, so that pages fit together.
struct PageCursor: Equatable {
  /// `nil`: a list of every workspace.
  var workspace: WorkspaceID?
  /// A hash of the list's name and filters.
  var query: UInt64
  /// The number of the last row that was shown.
  var before: Int64
  var since: Timestamp?

  init(workspace: WorkspaceID?, query: UInt64, before: Int64, since: Timestamp?) {
    self.workspace = workspace
    self.query = query
    self.before = before
    self.since = since
  }

  /// No workspace has this ID.
  private static let everyWorkspace = "_"

  /// `WORKSPACE.QUERY.BEFORE.SINCE`, the numbers in base 36.
  var text: String {
    let numbers = [String(query, radix: 36), String(before, radix: 36)]
    let moment = since.map { String($0.milliseconds, radix: 36) } ?? ""
    return ([workspace?.text ?? Self.everyWorkspace] + numbers + [moment]).joined(separator: ".")
  }

  init?(_ text: String) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 4, let query = UInt64(parts[1], radix: 36),
      let before = Int64(parts[2], radix: 36), before > 0
    else { return nil }
    let workspace = WorkspaceID(parts[0])
    guard workspace != nil || parts[0] == Self.everyWorkspace else { return nil }
    self.init(workspace: workspace, query: query, before: before, since: nil)
    if !parts[3].isEmpty {
      guard let moment = Int64(parts[3], radix: 36) else { return nil }
      since = Timestamp(milliseconds: moment)
    }
  }

  /// FNV-1a, so that a cursor means the same in every process; the order of words does not count.
  static func hash(of words: [String]) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in words.sorted().joined(separator: "\n").utf8 {
      hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
    }
    return hash
  }
}

/// A list that is shown in pages: a cursor is good for this one and for no other.
struct PagedList {
  let session: StoreSession
  /// `nil`: every workspace.
  let workspace: WorkspaceID?
  private let query: UInt64

  /// `filters`: what was asked, a word each.
  init(_ session: StoreSession, in workspace: WorkspaceID?, filters: [String]) {
    self.session = session
    self.workspace = workspace
    query = PageCursor.hash(of: ["list=\(session.command.name)"] + filters)
  }

  /// Where an earlier page ended. A cursor of another workspace or another list is refused.
  func start(at text: String?) throws(CommandError) -> PageCursor? {
    guard let text else { return nil }
    guard let cursor = PageCursor(text) else {
      throw .usage(
        "'--cursor' cannot be '\(text)'", hint: "give one that '\(session.command.name)' printed")
    }
    guard cursor.workspace == workspace else { throw mismatch(cursor) }
    guard cursor.query == query else {
      throw CommandError(
        "context_mismatch", .contextMismatch,
        "the cursor belongs to another list, or to this one with other filters",
        hint: "give the command and the filters of the page it was printed with")
    }
    return cursor
  }

  private func mismatch(_ cursor: PageCursor) -> CommandError {
    let owner = cursor.workspace.map { "workspace '\($0)'" } ?? "a list of all workspaces"
    let here =
      workspace.map { "the context is '\($0)' (\(session.context.workspaceProvenance))" }
      ?? "this list is of all workspaces"
    return CommandError(
      "context_mismatch", .contextMismatch, "the cursor belongs to \(owner), but \(here)",
      hint: cursor.workspace == nil
        ? "\(again: .workspace(nil), .flag("--all-workspaces"))"
        : "\(again: .workspace(cursor.workspace), .withoutFlag("--all-workspaces"))",
      facts: [
        JSON.Member("workspace", .text(cursor.workspace?.text)),
        JSON.Member("context_workspace", .text(workspace?.text)),
      ])
  }

  /// Says how the list goes on behind the row `before`.
  func tellNext(before: Int64, since: Timestamp?) throws {
    let next = PageCursor(workspace: workspace, query: query, before: before, since: since)
    try session.environment.output.flush()
    session.output.note("next page: --cursor \(next.text)")
  }
}
