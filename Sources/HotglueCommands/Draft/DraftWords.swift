import HotglueCore
import HotglueStore

extension WorkspaceSession {
  /// The draft that an argument names: a number, or a link.
  func draft(_ text: String) throws -> Draft {
    try store.draft(try draftNumber(text), in: workspace)
  }

  func draftNumber(_ text: String) throws -> DraftID {
    if EntityLink.isMeant(by: text) { return try number(text, of: .draft) }
    guard let id = DraftID(text), id > 0, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 })
    else {
      throw CommandError.usage(
        "'\(text)' is not a draft ID",
        hint: "give a number like 7, or hotglue://\(workspace)/draft/7")
    }
    return id
  }

  /// Before any command on drafts: what editors left behind is taken up.
  func rescueDrafts() throws { try DraftRescue(base).run() }

  /// Nobody changes a draft under an editor's feet; held until the value goes.
  func takingDraft<Value>(_ id: DraftID, _ body: () throws -> Value) throws -> Value {
    guard let lock = try DraftDesk(store).take(id) else { throw DraftWords.isOpen(id) }
    defer { lock.removeFile() }
    guard !DraftDesk(store).isLying(id) else {
      throw CommandError(
        "draft_not_taken_up", .tryLater,
        "what was typed in draft \(id) lies in '\(DraftDesk(store).path(of: id))', and cannot be "
          + "taken up now",
        hint: "go on with 'hotglue draft edit \(id)'", facts: [JSON.Member("draft", .integer(id))])
    }
    return try body()
  }
}

enum DraftWords {
  static let elsewhere: Hint =
    "run it from the directory from which the draft's relative paths start"

  static func isOpen(_ id: DraftID) -> CommandError {
    CommandError(
      "draft_in_editor", .tryLater, "draft \(id) is open in an editor",
      hint: "leave that editor first", facts: [JSON.Member("draft", .integer(id))])
  }

  /// `draft 7 (job) of workspace 'acme'`
  static func subject(_ draft: Draft) -> String {
    let name = draft.name.map { " '\($0)'" } ?? ""
    return "draft \(draft.id) (\(draft.kind.rawValue)\(name)) of workspace '\(draft.workspace)'"
  }

  /// What is wrong with a draft that is kept nevertheless.
  static func refusal(_ problem: CommandError, of draft: Draft) -> CommandError {
    var refusal = problem
    refusal.message = "draft \(draft.id) is kept, but \(problem.message)"
    refusal.facts.append(JSON.Member("draft", .integer(draft.id)))
    let mend: Hint = "mend it with 'hotglue draft edit \(draft.id)'"
    refusal.hint = problem.hint.map { "\($0); \(mend)" } ?? mend
    return refusal
  }
}

/// A draft as JSON. Keys and their order are documented and never change.
enum DraftJSON {
  static func object(_ draft: Draft, _ more: [JSON.Member] = []) -> JSON {
    .object(
      [
        JSON.Member("id", .integer(draft.id)), JSON.Member("kind", .string(draft.kind.rawValue)),
        JSON.Member("workspace", .string(draft.workspace.text)),
        JSON.Member("name", .text(draft.name)), JSON.Member("touched", .bool(draft.isTouched)),
        JSON.Member("base_revision", .optional(draft.baseRevision)),
        JSON.Member("created_at", .string(draft.createdAt.rfc3339)),
        JSON.Member("updated_at", .string(draft.updatedAt.rfc3339)),
        JSON.Member("link", .string(EntityLink.draft(draft.id, in: draft.workspace).text)),
        JSON.Member("state", .string(draft.state.rawValue)),
      ] + more)
  }
}
