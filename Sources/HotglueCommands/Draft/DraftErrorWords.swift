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
        hint: "\(again: .workspace(owner), .only(String(id)))",
        facts: draft(id) + [JSON.Member("workspace", .string(owner.text))])
    case .draftNotOpen(let id, let state):
      let (words, hint): (String, Hint) =
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
    case .draftBehind(let conflict): self.init(conflict, base: nil, over: nil)
    case .draftsChanged:
      self.init(
        "drafts_changed", .tryLater, "the drafts of this context change while it is switched",
        hint: "try again")
    default: self.init("internal", .internalError, "the store failed: \(error)")
    }
  }

  /// A draft of what has changed since: with the difference. `base` is what the draft's template asks
  /// for, where it can still be read. `over` is the revision that was named instead, which is not the
  /// current one either.
  init(_ conflict: DraftConflict, base: DraftSubmission?, over: Int?) {
    let (kind, name, id) = (conflict.kind.rawValue, conflict.name, conflict.draft)
    let message: String
    let started = conflict.baseRevision
    let isInTheWay = over != nil && started == conflict.revision
    if let over, isInTheWay {
      message =
        (started.map { "\(kind) '\(name)' is at revision \($0), from which draft \(id) starts" }
          ?? "there is no \(kind) '\(name)' yet") + ", and '--over' names revision \(over)"
    } else if let revision = conflict.revision {
      message =
        started.map {
          "\(kind) '\(name)' is at revision \(revision), but draft \(id) starts from \($0)"
        }
        ?? "\(kind) '\(name)' is defined already, at revision \(revision), but draft \(id) would "
        + "be its first"
    } else {
      message =
        "\(kind) '\(name)' was removed, but draft \(id) starts from revision \(started ?? 0)"
    }
    let changes = conflict.changes(from: base)
    self.init(
      "draft_behind", .refused, message,
      hint: isInTheWay
        ? "\(again: .withoutOption("--over"))"
        : conflict.revision.map {
          "put what changed into 'hotglue draft edit \(id)', then 'hotglue draft submit \(id) "
            + "--over \($0)'"
        } ?? "to define it anew, take the text: 'hotglue draft show \(id) --text | hotglue draft "
          + "new \(kind) --from -'",
      facts: [
        JSON.Member("draft", .integer(id)), JSON.Member("name", .string(name)),
        JSON.Member("base_revision", .optional(started)),
        JSON.Member("revision", .optional(conflict.revision)),
        JSON.Member("changes", .array(changes.map(TypeJSON.settingChange))),
      ])
    details = TypeChangeText.lines(of: changes)
  }
}

extension DraftConflict {
  fileprivate var kind: DraftKind {
    switch meanwhile {
    case .type: .type
    case .source: .source
    case .automation: .automation
    }
  }

  /// What has changed since the draft was begun, or all that is said when it would be the first.
  fileprivate func changes(from started: DraftSubmission?) -> [SettingChange] {
    switch meanwhile {
    case .type(let base, let current):
      return current?.definition.changes(from: base?.definition) ?? []
    case .source(let current):
      guard baseRevision != nil else { return current?.definition.changes(from: nil) ?? [] }
      // Without what it was, nothing is known of what changed.
      guard case .source(_, let base)? = started else { return [] }
      return current?.definition.changes(from: base) ?? []
    case .automation(let current):
      guard baseRevision != nil else { return current?.contract.changes(from: nil) ?? [] }
      guard case .automation(let base)? = started else { return [] }
      return current?.contract.changes(from: base.contract) ?? []
    }
  }
}
