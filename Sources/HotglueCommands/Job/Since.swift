import HotglueCore

extension Moment {
  /// The time of `--since`; anything else is refused.
  static func since(
    _ text: String, now: Timestamp, zone: () -> Zone?
  ) throws(CommandError) -> Timestamp {
    guard let moment = past(text, now: now, zone: zone) else {
      throw .usage(
        "invalid value '\(text)' for '--since'",
        hint: "give a duration such as 2h or 7d, or a time such as 22:00, yesterday or "
          + "2026-03-01T08:30:00Z")
    }
    return moment
  }
}
