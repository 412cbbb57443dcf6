/// A time as people write it: `+10m`, `2026-03-01T08:30:00+01:00`, `02:00`, `tomorrow 02:00`,
/// `yesterday`, `2026-12-01 02:00`.
///
/// A date or time of day without an offset is local. Where the clock never shows it, the time at
/// which the clock is set forward is meant; where the clock shows it twice, the first.
public enum TimeExpression {
  /// Which day a time of day without a date belongs to.
  public enum Direction: Sendable {
    /// Its next one after now, for times at which something is to happen.
    case next
    /// Its last one before now, for times since when something happened.
    case last
  }

  public static let examples =
    "2026-03-01T08:30:00Z, '2026-03-01 08:30', 08:30, 'tomorrow 08:30' or +10m"

  /// The time that `text` means at `now` in `zone`; nil where it is none.
  public static func time(
    _ text: String, now: Timestamp, zone: Zone, direction: Direction
  ) -> Timestamp? {
    if text.hasPrefix("+") { return Span(String(text.dropFirst())).map { now.advanced(by: $0) } }
    if let time = Timestamp(rfc3339: text) { return time }
    return local(text, now: now, zone: zone, direction: direction)
  }

  /// Whether `text` leaves the zone to hotglue, so that what it was resolved to is worth showing.
  public static func isLocal(_ text: String) -> Bool {
    !text.hasPrefix("+") && Timestamp(rfc3339: text) == nil
  }

  private static func local(
    _ text: String, now: Timestamp, zone: Zone, direction: Direction
  ) -> Timestamp? {
    let separators: Set<Character> = [" ", "T", "t"]
    var words = text.split(separator: " ", omittingEmptySubsequences: true).map(String.init)
    if words.count == 1, words[0].first?.isNumber == true {
      words = text.split(whereSeparator: separators.contains).map(String.init)
    }
    guard (1...2).contains(words.count) else { return nil }
    let second = now.milliseconds.flooredQuotient(by: 1000)
    let today = zone.civil(second).day
    if words.count == 1, let clock = secondOfDay(words[0]) {
      return timeOfDay(clock, today: today, now: second, zone: zone, direction: direction)
    }
    guard let day = day(words[0], today: today) else { return nil }
    var clock = 0
    if words.count == 2 {
      guard let given = secondOfDay(words[1]) else { return nil }
      clock = given
    }
    return moment(CivilTime(seconds: day * 86_400 + Int64(clock)), in: zone)
  }

  private static func timeOfDay(
    _ clock: Int, today: Int64, now: Int64, zone: Zone, direction: Direction
  ) -> Timestamp? {
    // A day on either side: a time in a gap may be due on the other side of now.
    for shift in direction == .next ? [0, 1, 2] : [0, -1, -2] as [Int64] {
      let civil = CivilTime(seconds: (today + shift) * 86_400 + Int64(clock))
      let found = moment(civil, in: zone)
      let second = found.milliseconds / 1000
      if direction == .next ? second > now : second <= now { return found }
    }
    return nil
  }

  private static func moment(_ civil: CivilTime, in zone: Zone) -> Timestamp {
    let second: Int64
    switch zone.meaning(of: civil) {
    case .once(let only): second = only
    case .gap(let end): second = end
    case .fold(let first, _): second = first
    }
    return Timestamp(milliseconds: second * 1000)
  }

  private static func day(_ word: String, today: Int64) -> Int64? {
    switch word.lowercased() {
    case "today": return today
    case "tomorrow": return today + 1
    case "yesterday": return today - 1
    default:
      let parts = word.split(separator: "-", omittingEmptySubsequences: false)
      guard parts.count == 3, parts[0].utf8.count == 4,
        let year = number(parts[0]), let month = number(parts[1]), let day = number(parts[2])
      else { return nil }
      return CivilTime(year: year, month: month, day: day)?.day
    }
  }

  /// `02:00` or `02:00:30`.
  private static func secondOfDay(_ word: String) -> Int? {
    let parts = word.split(separator: ":", omittingEmptySubsequences: false)
    guard (2...3).contains(parts.count), parts.dropFirst().allSatisfy({ $0.utf8.count == 2 }),
      let hour = number(parts[0]), let minute = number(parts[1]), hour < 24, minute < 60
    else { return nil }
    guard parts.count == 3 else { return hour * 3600 + minute * 60 }
    guard let second = number(parts[2]), second < 60 else { return nil }
    return hour * 3600 + minute * 60 + second
  }

  private static func number(_ text: Substring) -> Int? {
    guard (1...4).contains(text.utf8.count), text.utf8.allSatisfy(\.isDigit) else { return nil }
    return Int(text)
  }
}

extension Zone {
  /// A time with the offset that the clocks show: `2026-03-29T03:00:00+02:00`.
  public func text(_ time: Timestamp) -> String {
    let second = time.milliseconds.flooredQuotient(by: 1000)
    let period = period(at: second)
    let civil = CivilTime(seconds: second + Int64(period.offset))
    let minutes = abs(period.offset) / 60
    let clock =
      Calendar.padded(civil.hour, 2) + ":" + Calendar.padded(civil.minute, 2) + ":"
      + Calendar.padded(civil.secondOfDay % 60, 2)
    let offset =
      (period.offset < 0 ? "-" : "+") + Calendar.padded(minutes / 60, 2) + ":"
      + Calendar.padded(minutes % 60, 2)
    return civil.date.text + "T" + clock + offset
  }
}
