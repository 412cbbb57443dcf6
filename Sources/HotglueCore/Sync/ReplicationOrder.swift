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

  /// Times compare as times. Any other text compares by its bytes: a source that sorts by a language's
  /// rules may then count as unsorted, which costs a repetition and loses nothing.
  private static func isAscending(from last: String, to next: String) -> Bool {
    if let old = Timestamp(rfc3339: last), let new = Timestamp(rfc3339: next) {
      // Finer than a millisecond the digits decide, where both have as many.
      if old != new || last.utf8.count != next.utf8.count { return old <= new }
    }
    return !next.utf8.lexicographicallyPrecedes(last.utf8)
  }
}
