/// The order of two values of a replication key, as far as it can be known from outside the source.
public enum ReplicationOrder {
  /// Whether `next` may come after `last` in a stream that is sorted: it is not less. `nil` where the two
  /// cannot be compared, since they are of different kinds.
  public static func isAscending(from last: JSON, to next: JSON) -> Bool? {
    switch (last, next) {
    case (.number(let last), .number(let next)):
      guard let old = ExactDecimal(last.utf8), let new = ExactDecimal(next.utf8) else {
        return nil
      }
      return old <= new
    case (.string(let last), .string(let next)): return isAscending(from: last, to: next)
    default: return nil
    }
  }

  /// Times compare as times. Numbers that are written as texts are in order only if the texts are, too:
  /// which of the two a source sorts by cannot be seen. Any other text compares by its bytes: a source that
  /// sorts by a language's rules may then count as unsorted, which costs a repetition and loses nothing.
  private static func isAscending(from last: String, to next: String) -> Bool {
    if last == next { return true }
    if let old = Timestamp(rfc3339: last), let new = Timestamp(rfc3339: next) {
      return old != new
        ? old < new : !fraction(of: next).lexicographicallyPrecedes(fraction(of: last))
    }
    let isByBytes = !next.utf8.lexicographicallyPrecedes(last.utf8)
    guard isByBytes, let old = ExactDecimal(last.utf8), let new = ExactDecimal(next.utf8) else {
      return isByBytes
    }
    return old <= new
  }

  /// The digits of a second, without zeros at their end: of two times in one millisecond they decide.
  private static func fraction(of time: String) -> [UInt8] {
    guard let point = time.utf8.firstIndex(of: UInt8(ascii: ".")) else { return [] }
    let digits = time.utf8[point...].dropFirst().prefix {
      (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
    }
    let end = digits.lastIndex { $0 != UInt8(ascii: "0") }
    return end.map { Array(digits[...$0]) } ?? []
  }
}
