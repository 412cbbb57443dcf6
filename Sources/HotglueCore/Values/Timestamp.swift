/// A moment of the wall clock: milliseconds since 1970-01-01T00:00:00Z.
///
/// Schedules and display use it. Leases never do: a wall clock may jump.
public struct Timestamp: Comparable, Hashable, Sendable {
  public var milliseconds: Int64
  public init(milliseconds: Int64) { self.milliseconds = milliseconds }

  public static func < (left: Timestamp, right: Timestamp) -> Bool {
    left.milliseconds < right.milliseconds
  }

  /// The moment `span` later; a sum past the end of the calendar stops at year 9999.
  public func advanced(by span: Span) -> Timestamp {
    let (sum, overflow) = milliseconds.addingReportingOverflow(span.milliseconds)
    return Timestamp(milliseconds: overflow ? Self.latest : min(sum, Self.latest))
  }

  /// 9999-12-31T23:59:59.999Z, the last moment RFC 3339 can write.
  static let latest: Int64 = 253_402_300_799_999
}

extension Timestamp {
  /// RFC 3339 in UTC with milliseconds: `2026-03-01T08:30:00.000Z`.
  public var rfc3339: String {
    let days = milliseconds.flooredQuotient(by: 86_400_000)
    let time = Int(milliseconds - days * 86_400_000)
    return CalendarDate(daysSinceEpoch: days).text + "T"
      + Calendar.padded(time / 3_600_000, 2) + ":" + Calendar.padded(time / 60_000 % 60, 2) + ":"
      + Calendar.padded(time / 1000 % 60, 2) + "." + Calendar.padded(time % 1000, 3) + "Z"
  }

  /// Reads RFC 3339, with `Z` or a numeric offset, with or without a fraction of a second.
  public init?(rfc3339 text: String) {
    let bytes = Array(text.utf8)
    guard bytes.count >= 20 else { return nil }
    func number(_ range: Range<Int>) -> Int64? {
      guard range.upperBound <= bytes.count else { return nil }
      var value: Int64 = 0
      for byte in bytes[range] {
        guard byte.isDigit else { return nil }
        value = value * 10 + Int64(byte - UInt8(ascii: "0"))
      }
      return value
    }
    func has(_ characters: String, at index: Int) -> Bool {
      index < bytes.count && characters.utf8.contains(bytes[index])
    }
    guard let year = number(0..<4), has("-", at: 4), let month = number(5..<7), has("-", at: 7),
      let day = number(8..<10), has("Tt ", at: 10), let hour = number(11..<13), has(":", at: 13),
      let minute = number(14..<16), has(":", at: 16), let second = number(17..<19)
    else { return nil }
    guard (1...12).contains(month), day >= 1,
      day <= Int64(Calendar.days(inMonth: Int(month), of: Int(year))), hour < 24, minute < 60,
      second <= 60
    else { return nil }
    var index = 19
    var fraction: Int64 = 0
    if has(".", at: index) {
      index += 1
      let start = index
      var scale: Int64 = 100
      while index < bytes.count, bytes[index].isDigit {
        fraction += scale * Int64(bytes[index] - UInt8(ascii: "0"))
        scale /= 10
        index += 1
      }
      guard index > start else { return nil }
    }
    var offsetMinutes: Int64 = 0
    if has("Zz", at: index) {
      index += 1
    } else {
      guard has("+-", at: index), let hours = number(index + 1..<index + 3) else { return nil }
      // `date +%z` writes the offset without a colon.
      let rest = has(":", at: index + 3) ? index + 4 : index + 3
      guard let minutes = number(rest..<rest + 2), hours < 24, minutes < 60 else { return nil }
      offsetMinutes = (hours * 60 + minutes) * (bytes[index] == UInt8(ascii: "-") ? -1 : 1)
      index = rest + 2
    }
    guard index == bytes.count else { return nil }
    let days = Calendar.days(fromYear: Int(year), month: Int(month), day: Int(day))
    let seconds = days * 86_400 + hour * 3600 + (minute - offsetMinutes) * 60 + min(second, 59)
    milliseconds = seconds * 1000 + fraction
  }
}
