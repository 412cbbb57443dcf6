/// What becomes of late occurrences: those that are older than a minute when they are decided.
public enum MissedRule: Hashable, Sendable {
  /// They are recorded as missed.
  case skip
  /// The newest one fires.
  case one
  /// The oldest ones fire, at most so many.
  case all(Int)

  public static let standardMost = 100
  public static let mostOfAll = 10_000
  public static let accepted = "skip, one, all or all:N, N from 1 to \(mostOfAll)"

  /// Reads `skip`, `one`, `all` or `all:N`.
  public init?(_ text: String) {
    switch text {
    case "skip": self = .skip
    case "one": self = .one
    case "all": self = .all(Self.standardMost)
    default:
      guard text.hasPrefix("all:"), let count = Int(text.dropFirst(4)),
        (1...Self.mostOfAll).contains(count)
      else { return nil }
      self = .all(count)
    }
  }

  public var text: String {
    switch self {
    case .skip: "skip"
    case .one: "one"
    case .all(let count): count == Self.standardMost ? "all" : "all:\(count)"
    }
  }
}

/// What an occurrence does while jobs of its automation have not ended.
public enum OverlapRule: String, CaseIterable, Sendable {
  case skip
  /// One job waits for the one before it.
  case queue
  /// All wait, and run one at a time.
  case queueAll = "queue-all"
  case allow
  /// Cancels what has not ended, then runs.
  case replace

  /// Whether its jobs run one at a time: a limit key sees to that.
  public var runsOneAtATime: Bool {
    switch self {
    case .queue, .queueAll, .replace: true
    case .skip, .allow: false
    }
  }
}

/// What was decided about an occurrence.
public enum OccurrenceDecision: String, CaseIterable, Sendable {
  /// A job was enqueued for it.
  case fired
  /// It was late, and `--missed` or `--missed-within` let it go.
  case missed
  /// `--overlap` let it go.
  case skipped
  /// The automation was paused.
  case paused
}
