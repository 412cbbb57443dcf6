/// A time zone: which offset from UTC the clocks of a place show, and from when to when.
///
/// A value of the bytes of a TZif file (RFC 9636), read by `init(name:tzif:)`. Times are whole
/// seconds since 1970-01-01T00:00:00Z.
public struct Zone: Equatable, Sendable {
  /// An unbroken stretch of time with one offset: `start` belongs to it, `end` does not.
  public struct Period: Equatable, Sendable {
    public let start: Int64
    public let end: Int64
    /// Seconds east of Greenwich.
    public let offset: Int
    /// `CEST`, or a number such as `+03` where the place has no abbreviation.
    public let abbreviation: String

    func contains(_ time: CivilTime) -> Bool {
      let second = time.seconds - Int64(offset)
      return start <= second && second < end
    }
  }

  /// What a date and time of day means in a zone.
  public enum Meaning: Equatable, Sendable {
    /// Clocks show it once.
    case once(Int64)
    /// Clocks never show it: they are set forward past it. The value is the second at which they are.
    case gap(end: Int64)
    /// Clocks show it twice: they are set back over it.
    case fold(first: Int64, second: Int64)
  }

  struct LocalType: Equatable, Sendable {
    var offset: Int
    var abbreviation: String
  }

  /// The name it was asked for by, such as `Europe/Berlin`.
  public let name: String
  let types: [LocalType]
  /// Rising times from which a type holds. Before the first, type 0 holds.
  let transitions: [(time: Int64, type: Int)]
  /// The rule for all time after the last transition; without one its type holds forever.
  let rule: ZoneRule?

  public static func == (left: Zone, right: Zone) -> Bool {
    left.name == right.name && left.types == right.types && left.rule == right.rule
      && left.transitions.elementsEqual(right.transitions, by: ==)
  }

  /// UTC needs no file.
  public static let utc = Zone(
    name: "UTC", types: [LocalType(offset: 0, abbreviation: "UTC")], transitions: [], rule: nil)

  /// A zone that is a rule alone, as the variable `TZ` may hold one; nil where `text` is none.
  public init?(name: String, rule text: String) {
    guard let rule = ZoneRule(text) else { return nil }
    let type = LocalType(offset: rule.offset, abbreviation: rule.abbreviation)
    self.init(name: name, types: [type], transitions: [], rule: rule)
  }

  init(name: String, types: [LocalType], transitions: [(Int64, Int)], rule: ZoneRule?) {
    self.name = name
    self.types = types
    self.transitions = transitions.map { (time: $0.0, type: $0.1) }
    self.rule = rule
  }

  /// The period that holds at `second`.
  public func period(at second: Int64) -> Period {
    guard let last = transitions.last, second < last.time else {
      return periodAfterLastTransition(at: second)
    }
    var low = 0
    var high = transitions.count - 1
    while low < high {
      let middle = (low + high) / 2
      if transitions[middle].time <= second { low = middle + 1 } else { high = middle }
    }
    let start = low == 0 ? Int64.min : transitions[low - 1].time
    let type = types[low == 0 ? 0 : transitions[low - 1].type]
    return Period(
      start: start, end: transitions[low].time, offset: type.offset,
      abbreviation: type.abbreviation)
  }

  private func periodAfterLastTransition(at second: Int64) -> Period {
    let start = transitions.last?.time ?? Int64.min
    guard let rule else {
      let type = types[transitions.last?.type ?? 0]
      return Period(
        start: start, end: Int64.max, offset: type.offset, abbreviation: type.abbreviation)
    }
    let found = rule.period(at: second)
    return Period(
      start: max(start, found.start), end: found.end, offset: found.offset,
      abbreviation: found.abbreviation)
  }

  public func civil(_ second: Int64) -> CivilTime {
    CivilTime(seconds: second + Int64(period(at: second).offset))
  }

  /// No offset is further from UTC than this, so every period that shows a civil time is this near.
  static let widestOffset: Int64 = 26 * 3600

  public func meaning(of time: CivilTime) -> Meaning {
    var found: [Int64] = []
    var period = period(at: time.seconds - Self.widestOffset)
    while true {
      if period.contains(time) { found.append(time.seconds - Int64(period.offset)) }
      guard period.end <= time.seconds + Self.widestOffset else { break }
      let next = self.period(at: period.end)
      if found.isEmpty, next.start + Int64(next.offset) > time.seconds {
        return .gap(end: next.start)
      }
      period = next
    }
    // Every civil time lies in a period or in a gap between two.
    guard let first = found.first, let last = found.last else { return .gap(end: period.start) }
    return first == last ? .once(first) : .fold(first: first, second: last)
  }
}
