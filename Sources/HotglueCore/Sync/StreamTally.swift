/// What one run did with the records of one stream.
public struct StreamTally: Hashable, Sendable {
  /// Records that the tap sent.
  public var received: Int64 = 0
  public var added: Int64 = 0
  public var changed: Int64 = 0
  /// Sent again as they were; these cost no write.
  public var unchanged: Int64 = 0
  /// Set aside with a reason.
  public var rejected: Int64 = 0
  /// Not sent any more by a stream that came to its end. Not a part of `received`.
  public var removed: Int64 = 0

  public init(
    received: Int64 = 0, added: Int64 = 0, changed: Int64 = 0, unchanged: Int64 = 0,
    rejected: Int64 = 0, removed: Int64 = 0
  ) {
    self.received = received
    self.added = added
    self.changed = changed
    self.unchanged = unchanged
    self.rejected = rejected
    self.removed = removed
  }

  /// Every record became exactly one thing. A run whose counts do not add up has lost one, and fails.
  public var addsUp: Bool { received == added + changed + unchanged + rejected }

  public static func + (left: StreamTally, right: StreamTally) -> StreamTally {
    StreamTally(
      received: left.received + right.received, added: left.added + right.added,
      changed: left.changed + right.changed, unchanged: left.unchanged + right.unchanged,
      rejected: left.rejected + right.rejected, removed: left.removed + right.removed)
  }
}
