/// Ordered rules that map how a command ended to an outcome: `RULE,…`, the first that fits counts.
///
/// A rule is `STATUS=OUTCOME`, `FIRST-LAST=OUTCOME`, `SIGNAL=OUTCOME` or `*=OUTCOME`; `*` covers all
/// statuses but 0, and no signal. After the rules of the policy come the built-in ones.
public struct ExitRules: Hashable, Sendable {
  public enum Match: Hashable, Sendable {
    case statuses(ClosedRange<Int32>)
    case signal(Signal)
    case anyStatusButZero
  }

  public struct Rule: Hashable, Sendable {
    public let match: Match
    public let outcome: AttemptOutcome
    public let text: String
  }

  public let rules: [Rule]
  public static let none = ExitRules(rules: [])

  private init(rules: [Rule]) { self.rules = rules }

  /// The outcomes a rule may name; `cancelled` and `never_started` are facts, not judgements.
  public static let outcomes: [AttemptOutcome] = [.succeeded, .retry, .failed, .snooze, .unknown]

  public init?(_ text: String) {
    var rules: [Rule] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let sides = part.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
      guard sides.count == 2, let outcome = AttemptOutcome(rawValue: sides[1]),
        Self.outcomes.contains(outcome), let match = Self.match(sides[0])
      else { return nil }
      rules.append(Rule(match: match, outcome: outcome, text: String(part)))
    }
    guard !rules.isEmpty else { return nil }
    self.rules = rules
  }

  private static func match(_ text: String) -> Match? {
    if text == "*" { return .anyStatusButZero }
    let ends = text.split(separator: "-", omittingEmptySubsequences: false)
    if !text.hasPrefix("+"), let first = Int32(ends[0]) {
      guard ends.count <= 2, let last = Int32(ends[ends.count - 1]), first >= 0, last <= 255,
        first <= last
      else { return nil }
      return .statuses(first...last)
    }
    guard text.hasPrefix("SIG"), let signal = Signal(name: text) else { return nil }
    return .signal(signal)
  }

  /// The first rule that never fits, since those before it take all that it is about.
  public var idleRule: Rule? {
    var taken: Set<Int32> = []
    var signals: Set<Int32> = []
    for rule in rules {
      let isNew =
        switch rule.match {
        case .statuses(let range): range.reduce(false) { taken.insert($1).inserted || $0 }
        case .anyStatusButZero:
          (1...255 as ClosedRange<Int32>).reduce(false) { taken.insert($1).inserted || $0 }
        case .signal(let signal): signals.insert(signal.number).inserted
        }
      if !isNew { return rule }
    }
    return nil
  }

  public var text: String { rules.map(\.text).joined(separator: ",") }

  /// The outcome of an exit status, and the rule that said so.
  public func outcome(ofStatus status: Int32) -> (AttemptOutcome, rule: String) {
    for rule in rules {
      switch rule.match {
      case .statuses(let range) where range.contains(status): return (rule.outcome, rule.text)
      case .anyStatusButZero where status != 0: return (rule.outcome, rule.text)
      default: continue
      }
    }
    switch status {
    case 0: return (.succeeded, "0=succeeded")
    case 75: return (.retry, "75=retry")
    case 64, 65, 66, 77, 78, 80, 81, 82, 126, 127: return (.failed, "\(status)=failed")
    case 83: return (.unknown, "83=unknown")
    default: return (.retry, "*=retry")
    }
  }

  /// The outcome of a death by signal, and the rule that said so.
  public func outcome(ofSignal signal: Signal) -> (AttemptOutcome, rule: String) {
    for rule in rules where rule.match == .signal(signal) { return (rule.outcome, rule.text) }
    return (.unknown, "SIG\(signal.name)=unknown")
  }
}
