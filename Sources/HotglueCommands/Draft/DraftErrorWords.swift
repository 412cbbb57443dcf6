import HotglueCore
import HotglueStore

extension CommandError {
  /// What is wrong with what was asked of a draft.
  init(ofDraft error: StoreError) {
    func draft(_ id: DraftID) -> [JSON.Member] { [JSON.Member("draft", .integer(id))] }
    switch error {
    case .unknownDraft(let id):
      self.init(
        "unknown_draft", .notFound, "no draft \(id)", hint: "see them with 'hotglue draft list'",
        facts: draft(id))
    case .draftOfOtherWorkspace(let id, let owner):
      self.init(
        "context_mismatch", .contextMismatch, "draft \(id) belongs to workspace '\(owner)'",
        hint: "name it with '-w \(owner)'",
        facts: draft(id) + [JSON.Member("workspace", .string(owner.text))])
    case .draftNotOpen(let id, let state):
      let (words, hint) =
        switch state {
        case .open: ("open, not in the bin", "edit it: 'hotglue draft edit \(id)'")
        case .bin: ("in the bin", "bring it back: 'hotglue draft restore \(id)'")
        case .submitted: ("submitted already", "see 'hotglue draft show \(id)'")
        }
      self.init(
        "draft_not_open", .refused, "draft \(id) is \(words)", hint: hint,
        facts: draft(id) + [JSON.Member("state", .string(state.rawValue))])
    case .draftChanged(let id):
      self.init(
        "draft_changed", .refused, "draft \(id) was changed by another process meanwhile",
        hint: "look at it with 'hotglue draft show \(id)', then submit it again", facts: draft(id))
    case .draftBehind(let conflict): self.init(conflict)
    case .draftsChanged:
      self.init(
        "drafts_changed", .tryLater, "the drafts of this context change while it is switched",
        hint: "try again")
    default: self.init("internal", .internalError, "the store failed: \(error)")
    }
  }

  /// A draft of what has changed since: with the difference.
  private init(_ conflict: DraftConflict) {
    let name = conflict.name
    let id = conflict.draft
    let message: String
    var changes: [TypeSettingChange] = []
    if let current = conflict.current {
      if let base = conflict.base {
        message =
          "type '\(name)' is at revision \(current.revision), but draft \(id) starts from "
          + "\(base.revision)"
        changes = current.definition.changes(from: base.definition)
      } else {
        message =
          "type '\(name)' is defined already, at revision \(current.revision), but draft \(id) "
          + "would be its first"
        changes = current.definition.changes(from: nil)
      }
    } else {
      message =
        "type '\(name)' was removed, but draft \(id) starts from revision "
        + "\(conflict.base?.revision ?? 0)"
    }
    self.init(
      "draft_behind", .refused, message,
      hint: conflict.current.map {
        "put what changed into 'hotglue draft edit \(id)', then 'hotglue draft submit \(id) "
          + "--over \($0.revision)'"
      } ?? "to define it anew, take the text: 'hotglue draft show \(id) --text | hotglue draft new "
        + "type --from -'",
      facts: [
        JSON.Member("draft", .integer(id)), JSON.Member("name", .string(name)),
        JSON.Member("base_revision", .optional(conflict.base?.revision)),
        JSON.Member("revision", .optional(conflict.current?.revision)),
        JSON.Member("changes", .array(changes.map(TypeJSON.settingChange))),
      ])
    details = TypeChangeText.lines(of: changes)
  }
}
