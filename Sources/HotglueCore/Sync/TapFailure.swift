/// How a tap or a target failed, and what of it: whether trying again may help.
public struct TapFailure: Hashable, Sendable {
  public enum Kind: String, Sendable, CaseIterable {
    /// There is no such command, or it cannot be executed.
    case notFound = "tap_not_found"
    /// It says that its configuration is wrong: trying again does not help.
    case config = "tap_config"
    /// It ended with a status that says it failed: trying again may help.
    case transient = "tap_failed"
    /// It was killed or crashed.
    case crash = "tap_crashed"
    /// It sent nothing for longer than it may.
    case hang = "tap_hung"
    case targetNotFound = "target_not_found"
    case targetConfig = "target_config"
    case targetTransient = "target_failed"
    case targetCrash = "target_crashed"
    /// It neither read nor said anything for longer than it may.
    case targetHang = "target_hung"
    /// It ended, or read no more, before it was given everything, and said that all is well.
    case targetEarly = "target_ended_early"

    public var isOfTarget: Bool { rawValue.hasPrefix("target_") }
  }

  public var kind: Kind
  /// Lower-case words for people, without a full stop.
  public var message: String
  /// It failed as the attempt before it did: trying again does not help.
  public private(set) var isRepeated = false

  /// It said by its status that it may pass (sysexits: 75).
  private var isTemporary = false

  public init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }

  public var mayPass: Bool {
    switch kind {
    case .notFound, .config, .targetNotFound, .targetConfig, .targetEarly: false
    case .transient, .targetTransient: !isRepeated
    case .crash, .hang, .targetCrash, .targetHang: true
    }
  }

  /// This failure, of a program that exited before its first message. When the attempt before failed with
  /// the same words, it is not worth a third: a wrong password does not pass.
  ///
  /// Numbers in the words do not count: logs carry times and process IDs.
  public func beforeFirstMessage(
    after earlier: (code: String, message: String)?
  ) -> TapFailure {
    guard kind == .transient || kind == .targetTransient, !isTemporary else { return self }
    var failure = self
    failure.message += Self.firstMessageMark
    guard let earlier, earlier.code == kind.rawValue,
      Self.withoutNumbers(earlier.message) == Self.withoutNumbers(failure.message)
    else { return failure }
    failure.isRepeated = true
    failure.message += ", twice in a row"
    return failure
  }

  private static let firstMessageMark = " (before its first message)"

  private static func withoutNumbers(_ text: String) -> String {
    text.filter { !$0.isNumber }
  }

  /// Judges a tap that ended with a status other than 0, by the status and by what it logged.
  ///
  /// Nearly every tap ends with 1, whatever is wrong. So its last critical line decides: one that
  /// speaks of the configuration is a matter for a person.
  public init(status: Int32, log: String, ofTarget isTarget: Bool = false) {
    let line = Self.lastCriticalLine(of: log)
    let words = line.map { ": \($0)" } ?? ""
    // 2 is how argument parsers refuse; the others are those of sysexits that no retry changes.
    let isDeclared = [2, 64, 65, 66, 77, 78].contains(status)
    if isDeclared || line.map(Self.speaksOfConfig) == true {
      kind = isTarget ? .targetConfig : .config
    } else {
      kind = isTarget ? .targetTransient : .transient
    }
    message = "the \(isTarget ? "target" : "tap") ended with status \(status)\(words)"
    isTemporary = status == 75
  }

  public init(signal: Signal, ofTarget isTarget: Bool = false) {
    kind = isTarget ? .targetCrash : .crash
    message = "the \(isTarget ? "target" : "tap") was ended by signal SIG\(signal.name)"
  }

  /// Both failed: the first one's kind, unless the other's is one that trying again does not help.
  public init(_ first: TapFailure, and second: TapFailure) {
    kind = first.mayPass && !second.mayPass ? second.kind : first.kind
    message = "\(first.message); and \(second.message)"
  }

  /// The last line that is marked as critical, else as an error, else the last one at all.
  public static func lastCriticalLine(of log: String) -> String? {
    let lines = log.split(whereSeparator: \.isNewline).filter { line in
      line.contains { !$0.isWhitespace }
    }
    let found =
      lines.last { $0.contains("CRITICAL") }
      // The last line of a Python traceback names the error.
      ?? lines.last { $0.contains("Error: ") || $0.contains("Exception: ") }
      ?? lines.last { $0.contains("ERROR") } ?? lines.last
    guard let found else { return nil }
    let text = found.drop { $0.isWhitespace }
    return text.count > 500 ? text.prefix(499) + "…" : String(text)
  }

  private static func speaksOfConfig(_ line: String) -> Bool {
    let line = line.lowercased()
    let signs = [
      "configvalidation", "config validation", "invalid config", "config is invalid",
      "missing config", "config is missing", "missing required config", "configuration error",
      "required property", "required config", "configurationerror", "invalid credentials",
      "401 client error", "403 client error", "unauthorized", "access denied",
      "authentication failed", "invalid_grant",
    ]
    return signs.contains { line.contains($0) }
  }
}
