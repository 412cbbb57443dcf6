/// Five fields of Debian's crontab(5): minute, hour, day of month, month, day of week.
///
/// Besides lists, ranges, steps and names it takes `L` (the last day of the month), `5L` (the last
/// Friday), `MON#2` (the second Monday) and `~` (a value drawn once, see `resolved(seed:)`).
public struct CronExpression: Hashable, Sendable {
  /// The fields as they were written, with `~` replaced by what was drawn for it.
  public let text: String
  /// Bit n: minute, hour, day or month n.
  var minutes: UInt64
  var hours: UInt64
  var days: UInt64
  var months: UInt64
  /// Bit 0 is Sunday.
  var weekdays: UInt64
  var hasLastDay = false
  /// Bit n: the last weekday n of the month.
  var lastWeekdays: UInt64 = 0
  /// By weekday: bit n for its nth in the month.
  var nthWeekdays: [UInt64] = Array(repeating: 0, count: 7)
  /// Whether a day that either day field names is taken. Else both must name it.
  ///
  /// Debian's rule: both fields are restricted, and neither begins with `*`.
  public let takesEitherDay: Bool
  /// Whether the minute and the hour are named rather than starred: such a schedule means a time of
  /// day, and daylight saving must neither skip nor repeat it.
  public let isTimeOfDay: Bool

  /// The longest expression, in bytes.
  public static let longest = 256

  /// Reads five fields, or `@hourly`, `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly`,
  /// `@annually`. A `~` draws from `seed`.
  public init(_ given: String, seed: UInt64) throws(CronError) {
    guard given.utf8.count <= Self.longest else { throw .tooLong }
    let named = try Self.expansion(of: given)
    let fields = named.split { $0 == " " || $0 == "\t" }.map(String.init)
    guard fields.count == 5 else { throw .fieldCount(fields.count) }

    var texts: [String] = []
    var parsed: [CronFieldValues] = []
    for (kind, field) in zip(CronField.all, fields) {
      let drawn = try kind.drawing(field, seed: seed)
      texts.append(drawn)
      parsed.append(try kind.parse(drawn))
    }
    text = texts.joined(separator: " ")
    minutes = parsed[0].mask
    hours = parsed[1].mask
    days = parsed[2].mask
    hasLastDay = parsed[2].hasLast
    months = parsed[3].mask
    weekdays = parsed[4].mask
    lastWeekdays = parsed[4].lastWeekdays
    nthWeekdays = parsed[4].nthWeekdays
    takesEitherDay = !fields[2].hasPrefix("*") && !fields[4].hasPrefix("*")
    isTimeOfDay = !fields[0].hasPrefix("*") && !fields[1].hasPrefix("*")
    guard first(from: Self.start, within: Self.searchedYears) != nil else { throw .never }
  }

  /// A schedule that names no day of 50 years is refused: 30 February, or a fifth Monday on the 3rd.
  static let searchedYears = 50
  private static let start = CivilTime(seconds: 1_767_225_600)  // 2026-01-01

  private static func expansion(of text: String) throws(CronError) -> String {
    guard text.hasPrefix("@") else { return text }
    switch text.lowercased() {
    case "@hourly": return "0 * * * *"
    case "@daily", "@midnight": return "0 0 * * *"
    case "@weekly": return "0 0 * * 0"
    case "@monthly": return "0 0 1 * *"
    case "@yearly", "@annually": return "0 0 1 1 *"
    case "@reboot": throw .reboot
    default: throw .unknownName(text)
    }
  }

  /// Whether the fields take a day.
  func takes(_ date: CalendarDate) -> Bool {
    guard months & (1 << UInt64(date.month)) != 0 else { return false }
    let length = Calendar.days(inMonth: date.month, of: date.year)
    let weekday = date.weekday
    let inMonth =
      days & (1 << UInt64(date.day)) != 0 || (hasLastDay && date.day == length)
    let inWeek =
      weekdays & (1 << UInt64(weekday)) != 0
      || (lastWeekdays & (1 << UInt64(weekday)) != 0 && date.day > length - 7)
      || nthWeekdays[weekday] & (1 << UInt64((date.day - 1) / 7 + 1)) != 0
    return takesEitherDay ? inMonth || inWeek : inMonth && inWeek
  }

  /// The first minute at or after `time` that the fields take, as clocks would show it that never
  /// change; nil when there is none within so many years.
  func first(from time: CivilTime, within years: Int = searchedYears) -> CivilTime? {
    let minute = (time.seconds + 59).flooredQuotient(by: 60)
    var day = minute.flooredQuotient(by: 1440)
    var minuteOfDay = Int(minute - day * 1440)
    var date = CalendarDate(daysSinceEpoch: day)
    let lastYear = date.year + years
    while date.year <= lastYear {
      if months & (1 << UInt64(date.month)) == 0 {
        // To the first day of the next month.
        let length = Calendar.days(inMonth: date.month, of: date.year)
        day += Int64(length - date.day + 1)
      } else {
        if takes(date), let found = firstMinute(from: minuteOfDay) {
          return CivilTime(seconds: day * 86_400 + Int64(found * 60))
        }
        day += 1
      }
      minuteOfDay = 0
      date = CalendarDate(daysSinceEpoch: day)
    }
    return nil
  }

  private func firstMinute(from start: Int) -> Int? {
    var hour = start / 60
    var minute = start % 60
    while hour < 24 {
      if hours & (1 << UInt64(hour)) != 0 {
        let rest = minutes >> UInt64(minute)
        if rest != 0 { return hour * 60 + minute + rest.trailingZeroBitCount }
      }
      hour += 1
      minute = 0
    }
    return nil
  }
}
