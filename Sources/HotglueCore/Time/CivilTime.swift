/// A date and time of day as clocks of one place show it, without a zone: `2026-03-29T02:30:00`.
///
/// The value counts the seconds that this calendar has shown since 1970-01-01T00:00:00, so that
/// arithmetic on it ignores daylight saving.
public struct CivilTime: Comparable, Hashable, Sendable {
  public var seconds: Int64
  public init(seconds: Int64) { self.seconds = seconds }

  public static func < (left: CivilTime, right: CivilTime) -> Bool {
    left.seconds < right.seconds
  }

  /// The time at `hour`:`minute`:`second` of a date, or nil where a number is out of its range.
  public init?(
    year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0
  ) {
    guard (1...9999).contains(year), (1...12).contains(month), day >= 1,
      day <= Calendar.days(inMonth: month, of: year), (0..<24).contains(hour),
      (0..<60).contains(minute), (0..<60).contains(second)
    else { return nil }
    let days = Calendar.days(fromYear: year, month: month, day: day)
    seconds = days * 86_400 + Int64(hour * 3600 + minute * 60 + second)
  }

  /// Days since 1970-01-01.
  public var day: Int64 { seconds.flooredQuotient(by: 86_400) }
  /// Seconds since midnight.
  public var secondOfDay: Int { Int(seconds - day * 86_400) }
  public var hour: Int { secondOfDay / 3600 }
  public var minute: Int { secondOfDay / 60 % 60 }
  public var date: CalendarDate { CalendarDate(daysSinceEpoch: day) }

  /// `2026-03-29T02:30`, with the seconds where they are not zero.
  public var text: String {
    let date = date
    let clock = secondOfDay
    let end = clock % 60 == 0 ? "" : ":" + Calendar.padded(clock % 60, 2)
    return date.text + "T" + Calendar.padded(clock / 3600, 2) + ":"
      + Calendar.padded(clock / 60 % 60, 2) + end
  }
}

/// A day of the Gregorian calendar.
public struct CalendarDate: Hashable, Sendable {
  public let year: Int
  /// 1 to 12.
  public let month: Int
  /// 1 to 31.
  public let day: Int
  public let daysSinceEpoch: Int64

  public init(daysSinceEpoch days: Int64) {
    (year, month, day) = Calendar.date(fromDays: days)
    daysSinceEpoch = days
  }

  /// 0 is Sunday. 1970-01-01 was a Thursday.
  public var weekday: Int {
    let shifted = daysSinceEpoch + 4
    return Int(shifted - shifted.flooredQuotient(by: 7) * 7)
  }

  /// `2026-03-29`.
  public var text: String {
    Calendar.padded(year, 4) + "-" + Calendar.padded(month, 2) + "-" + Calendar.padded(day, 2)
  }
}

/// The arithmetic of the Gregorian calendar.
enum Calendar {
  /// Days since 1970-01-01, by Howard Hinnant's `days_from_civil`: years start in March, so that the
  /// leap day is the last.
  static func days(fromYear year: Int, month: Int, day: Int) -> Int64 {
    let shifted = Int64(month <= 2 ? year - 1 : year)
    let era = shifted.flooredQuotient(by: 400)
    let yearOfEra = shifted - era * 400
    let dayOfYear = Int64((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1)
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  static func date(fromDays days: Int64) -> (year: Int, month: Int, day: Int) {
    let shifted = days + 719_468
    let era = shifted.flooredQuotient(by: 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    return (Int(yearOfEra + era * 400 + (month <= 2 ? 1 : 0)), Int(month), Int(day))
  }

  static func isLeap(_ year: Int) -> Bool {
    (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
  }

  static func days(inMonth month: Int, of year: Int) -> Int {
    switch month {
    case 2: isLeap(year) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  static func padded(_ value: Int, _ width: Int) -> String {
    let text = String(value)
    return String(repeating: "0", count: max(0, width - text.count)) + text
  }
}

extension Int64 {
  /// Division that rounds towards negative infinity, for times before 1970.
  func flooredQuotient(by divisor: Int64) -> Int64 {
    let quotient = self / divisor
    return self % divisor < 0 ? quotient - 1 : quotient
  }
}
