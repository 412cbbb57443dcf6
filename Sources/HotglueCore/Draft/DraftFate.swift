/// What a switch does about a draft of the workspace that is left.
public enum DraftFate: String, Sendable {
  /// Moved to the bin: nothing is lost with it that a template does not say again.
  case reset
  /// Somebody has put work into it, so somebody decides.
  case needsConfirmation = "needs_confirmation"
  /// Decided: moved to the bin.
  case discarded
  /// Decided, or nobody's to decide: it stays open in the workspace that is left.
  case kept

  /// Whether the switch moves the draft to the bin.
  public var movesToBin: Bool { self == .reset || self == .discarded }

  /// An untouched draft is reset; so is one of a job whose payload was not edited, since all else of
  /// a job is flags that are said again at once. A text that cannot be read has been worked on.
  ///
  /// `isOpenInEditor`: somebody is typing right now, and what they typed is not known.
  /// `isArchived`: the workspace that is left is not changed any more. From its bin nothing comes
  /// back, so its drafts stay where they can be read.
  /// `mayMove`: whoever switches may put drafts there aside. Who may not leaves without touching them.
  public static func onSwitch(
    _ draft: Draft, isOpenInEditor: Bool = false, isArchived: Bool = false, mayMove: Bool = true
  ) -> DraftFate {
    if isArchived { return .kept }
    if isOpenInEditor || hasWork(in: draft) { return .needsConfirmation }
    return mayMove ? .reset : .kept
  }

  /// Whether somebody has put more into it than a template says again.
  private static func hasWork(in draft: Draft) -> Bool {
    if !draft.isTouched { return false }
    guard draft.kind == .job, let before = JobForm.payload(in: draft.template),
      let after = JobForm.payload(in: draft.text)
    else { return true }
    return before != after
  }

  /// What a person or a flag decided about the drafts that need a confirmation.
  public enum Decision: Sendable {
    case discard
    case keep
  }

  /// The fate once somebody has decided.
  public func decided(_ decision: Decision?) -> DraftFate {
    guard self == .needsConfirmation, let decision else { return self }
    return decision == .discard ? .discarded : .kept
  }
}

/// The form in which the draft of a job is written: a table `[job]`.
public enum JobForm {
  public static let table = "job"
  public static let payloadKey = "payload"

  /// What the text says about the payload, which may be nothing; outer `nil`: it cannot be read.
  public static func payload(in text: [UInt8]) -> JSON?? {
    guard let file = try? TOMLFile(reading: text) else { return nil }
    let entries = file.tables.first { $0.path == [table] }?.entries
    return .some(entries?.first { $0.key == payloadKey }?.value)
  }
}

/// The lines with which hotglue tells an editor's user what is wrong. They stand on top of the file
/// that is edited, and are no part of the draft.
public enum DraftRemark {
  public static let mark = "#!hotglue: "

  /// `text` with `lines` on top of it.
  public static func putting(_ lines: [String], onTopOf text: [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = []
    for line in lines {
      // One line each, whatever is in it: a line feed would end the comment.
      bytes += Array(mark.utf8)
      bytes += line.utf8.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 }
      bytes.append(0x0A)
    }
    return bytes + text
  }

  /// The text without the remarks on top of it.
  public static func removed(from bytes: [UInt8]) -> [UInt8] {
    var rest = bytes[...]
    let mark = Array(mark.utf8)
    while rest.starts(with: mark) {
      guard let end = rest.firstIndex(of: 0x0A) else { return [] }
      rest = rest[(end + 1)...]
    }
    return Array(rest)
  }
}
