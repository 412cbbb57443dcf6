import HotglueCore

/// Formats of texts that taps declare.
///
/// A format is an annotation: real taps declare `date-time` and send a date alone. So a text of another
/// form is counted and shown, and never a reason to set a record aside.
enum TextFormat: String {
  case dateTime = "date-time"
  case date
  case time
  case email
  case uuid
  case uri

  func accepts(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    switch self {
    case .dateTime:
      Self.isDate(bytes, from: 0)
        && (bytes.count > 10 && (bytes[10] | 0x20 == UInt8(ascii: "t") || bytes[10] == 0x20))
        && Self.isTime(bytes, from: 11)
    case .date: bytes.count == 10 && Self.isDate(bytes, from: 0)
    case .time: Self.isTime(bytes, from: 0)
    case .email: bytes.contains(UInt8(ascii: "@"))
    case .uuid:
      bytes.count == 36
        && bytes.indices.allSatisfy { index in
          let byte = bytes[index]
          return [8, 13, 18, 23].contains(index)
            ? byte == UInt8(ascii: "-")
            : Self.isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
        }
    case .uri: bytes.contains(UInt8(ascii: ":"))
    }
  }

  /// `YYYY-MM-DD`, any year of four digits, also before 1970.
  private static func isDate(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Bool {
    guard bytes.count >= start + 10, bytes[start + 4] == UInt8(ascii: "-"),
      bytes[start + 7] == UInt8(ascii: "-"), let year = number(bytes, start, 4),
      let month = number(bytes, start + 5, 2), let day = number(bytes, start + 8, 2)
    else { return false }
    guard (1...12).contains(month), day >= 1 else { return false }
    let isLeap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
    let days = month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
    return day <= days
  }

  /// `hh:mm:ss`, with a fraction and an offset or without.
  private static func isTime(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Bool {
    guard bytes.count >= start + 8, bytes[start + 2] == UInt8(ascii: ":"),
      bytes[start + 5] == UInt8(ascii: ":"), let hour = number(bytes, start, 2), hour < 24,
      let minute = number(bytes, start + 3, 2), minute < 60,
      let second = number(bytes, start + 6, 2), second <= 60
    else { return false }
    var index = start + 8
    if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
      index += 1
      let first = index
      while index < bytes.count, isDigit(bytes[index]) { index += 1 }
      guard index > first else { return false }
    }
    guard index < bytes.count else { return true }
    switch bytes[index] {
    case UInt8(ascii: "Z"), UInt8(ascii: "z"): return index + 1 == bytes.count
    case UInt8(ascii: "+"), UInt8(ascii: "-"):
      guard let hours = number(bytes, index + 1, 2), hours < 24 else { return false }
      let hasColon = index + 3 < bytes.count && bytes[index + 3] == UInt8(ascii: ":")
      let rest = index + (hasColon ? 4 : 3)
      guard let minutes = number(bytes, rest, 2), minutes < 60 else { return false }
      return rest + 2 == bytes.count
    default: return false
    }
  }

  private static func number(
    _ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ count: Int
  ) -> Int? {
    guard start + count <= bytes.count else { return nil }
    var value = 0
    for index in start..<start + count {
      guard isDigit(bytes[index]) else { return nil }
      value = value * 10 + Int(bytes[index] - UInt8(ascii: "0"))
    }
    return value
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }
}
