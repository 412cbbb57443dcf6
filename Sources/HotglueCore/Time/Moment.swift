/// A moment as it is written on the command line.
public enum Moment {
  /// A time, or `+10m` from now; with `bareSpan` also `10m`, which means the same.
  public static func parse(
    _ text: String, now: Timestamp, zone: () -> Zone?, bareSpan: Bool
  ) -> Timestamp? {
    if bareSpan, let span = Span(text) { return now.advanced(by: span) }
    return time(text, now: now, zone: zone, direction: .next)
  }

  /// The time that `--since` names: one that has passed, or a duration before now.
  public static func past(_ text: String, now: Timestamp, zone: () -> Zone?) -> Timestamp? {
    if let span = Span(text) {
      return Timestamp(milliseconds: now.milliseconds - span.milliseconds)
    }
    return text.hasPrefix("+") ? nil : time(text, now: now, zone: zone, direction: .last)
  }

  private static func time(
    _ text: String, now: Timestamp, zone: () -> Zone?, direction: TimeExpression.Direction
  ) -> Timestamp? {
    guard TimeExpression.isLocal(text) else {
      return TimeExpression.time(text, now: now, zone: .utc, direction: direction)
    }
    return zone().flatMap {
      TimeExpression.time(text, now: now, zone: $0, direction: direction)
    }
  }
}
