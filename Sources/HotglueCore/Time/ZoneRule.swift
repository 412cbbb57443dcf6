/// The rule at the end of a TZif file: POSIX's TZ string with the extensions of RFC 9636, such as
/// `CET-1CEST,M3.5.0,M10.5.0/3` or `<-02>2<-01>,M3.5.0/-1,M10.5.0/0`.
struct ZoneRule: Equatable, Sendable {
  /// A day of a year and a time on it, at which clocks change.
  struct Change: Equatable, Sendable {
    enum Day: Equatable, Sendable {
      /// Counted from 0, with 29 February.
      case ofYear(Int)
      /// Counted from 1, where 29 February is never counted.
      case ofYearWithoutLeapDay(Int)
      /// The `week`th `weekday` (0 is Sunday) of a month; week 5 is the last.
      case ofMonth(month: Int, week: Int, weekday: Int)
    }
    var day: Day
    /// Seconds after midnight, of the clock before the change; -167 to 167 hours.
    var time: Int
  }

  struct Saving: Equatable, Sendable {
    var offset: Int
    var abbreviation: String
    var start: Change
    var end: Change
  }

  var offset: Int
  var abbreviation: String
  var saving: Saving?

  /// Reads the string; nil where it does not have the form.
  init?(_ text: String) {
    var reader = ZoneRuleReader(text)
    guard let name = reader.name(), let west = reader.clock(hours: 24) else { return nil }
    abbreviation = name
    offset = -west
    guard !reader.isAtEnd else { return }
    guard let savingName = reader.name() else { return nil }
    var savingOffset = offset + 3600
    if !reader.isAt(",") {
      guard let west = reader.clock(hours: 24) else { return nil }
      savingOffset = -west
    }
    guard reader.take(","), let start = reader.change(), reader.take(","),
      let end = reader.change(), reader.isAtEnd
    else { return nil }
    saving = Saving(offset: savingOffset, abbreviation: savingName, start: start, end: end)
  }

  func period(at second: Int64) -> Zone.Period {
    guard let saving else {
      return Zone.Period(
        start: Int64.min, end: Int64.max, offset: offset, abbreviation: abbreviation)
    }
    // Far away from all calendars the year is not asked for: a rule has no end.
    let bound: Int64 = 253_402_300_800
    let near = min(max(second, -bound), bound)
    let year = CivilTime(seconds: near).date.year
    // A change may lie a week outside its year, because its hours run from -167 to 167.
    let changes = changes(of: saving, in: (year - 1)...(year + 1))
    let next = changes.firstIndex { $0.time > near } ?? changes.count - 1
    let current = changes[max(0, next - 1)]
    return Zone.Period(
      start: current.time, end: changes[next].time,
      offset: current.isSaving ? saving.offset : offset,
      abbreviation: current.isSaving ? saving.abbreviation : abbreviation)
  }

  private func changes(
    of saving: Saving, in years: ClosedRange<Int>
  ) -> [(time: Int64, isSaving: Bool)] {
    var all: [(time: Int64, isSaving: Bool)] = []
    for year in years {
      all.append((saving.start.second(in: year, offset: offset), true))
      all.append((saving.end.second(in: year, offset: saving.offset), false))
    }
    // Permanent saving is written as an end at the very second of the next start.
    all.sort { ($0.time, $0.isSaving ? 1 : 0) < ($1.time, $1.isSaving ? 1 : 0) }
    var kept: [(time: Int64, isSaving: Bool)] = []
    for change in all {
      if kept.last?.time == change.time { kept.removeLast() }
      if kept.last?.isSaving != change.isSaving { kept.append(change) }
    }
    if kept.count < 2, let only = kept.first { kept.append((Int64.max, !only.isSaving)) }
    return kept
  }
}

extension ZoneRule.Change {
  /// The second at which clocks change in `year`, which show `offset` before.
  func second(in year: Int, offset: Int) -> Int64 {
    let firstDay = Calendar.days(fromYear: year, month: 1, day: 1)
    let day: Int64
    switch self.day {
    case .ofYear(let number): day = firstDay + Int64(number)
    case .ofYearWithoutLeapDay(let number):
      let passesLeapDay = Calendar.isLeap(year) && number >= 60
      day = firstDay + Int64(number - 1) + (passesLeapDay ? 1 : 0)
    case .ofMonth(let month, let week, let weekday):
      let first = CalendarDate(
        daysSinceEpoch: Calendar.days(fromYear: year, month: month, day: 1))
      var number = 1 + (weekday - first.weekday + 7) % 7 + (week - 1) * 7
      while number > Calendar.days(inMonth: month, of: year) { number -= 7 }
      day = first.daysSinceEpoch + Int64(number - 1)
    }
    return day * 86_400 + Int64(time - offset)
  }
}

/// Reads the parts of a rule, from left to right.
private struct ZoneRuleReader {
  private var rest: Substring.UTF8View

  init(_ text: String) { rest = text[...].utf8 }

  var isAtEnd: Bool { rest.isEmpty }
  func isAt(_ character: Unicode.Scalar) -> Bool { rest.first == UInt8(ascii: character) }

  mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard isAt(character) else { return false }
    rest = rest.dropFirst()
    return true
  }

  /// Three or more letters, or letters, digits and signs between angle brackets.
  mutating func name() -> String? {
    let isQuoted = take("<")
    let bytes = rest.prefix { byte in
      byte.isLetter
        || (isQuoted && (byte.isDigit || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")))
    }
    rest = rest.dropFirst(bytes.count)
    guard bytes.count >= 3, !isQuoted || take(">") else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  mutating func number(upTo bound: Int) -> Int? {
    let digits = rest.prefix { $0.isDigit }
    guard (1...3).contains(digits.count) else { return nil }
    rest = rest.dropFirst(digits.count)
    let value = digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    return value <= bound ? value : nil
  }

  /// `[+-]hh[:mm[:ss]]` in seconds.
  mutating func clock(hours bound: Int) -> Int? {
    let isNegative = take("-")
    if !isNegative { _ = take("+") }
    guard let hours = number(upTo: bound) else { return nil }
    var total = hours * 3600
    for unit in [60, 1] {
      guard take(":") else { break }
      guard let part = number(upTo: 59) else { return nil }
      total += part * unit
    }
    return isNegative ? -total : total
  }

  mutating func change() -> ZoneRule.Change? {
    let day: ZoneRule.Change.Day
    if take("J") {
      guard let number = number(upTo: 365), number >= 1 else { return nil }
      day = .ofYearWithoutLeapDay(number)
    } else if take("M") {
      guard let month = number(upTo: 12), month >= 1, take("."), let week = number(upTo: 5),
        week >= 1, take("."), let weekday = number(upTo: 6)
      else { return nil }
      day = .ofMonth(month: month, week: week, weekday: weekday)
    } else {
      guard let number = number(upTo: 365) else { return nil }
      day = .ofYear(number)
    }
    var time = 2 * 3600
    if take("/") {
      guard let given = clock(hours: 167) else { return nil }
      time = given
    }
    return ZoneRule.Change(day: day, time: time)
  }
}

extension UInt8 {
  fileprivate var isLetter: Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20)
  }
}
