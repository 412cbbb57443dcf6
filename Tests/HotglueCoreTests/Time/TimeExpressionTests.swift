import Testing

@testable import HotglueCore

@Suite("times as people write them")
struct TimeExpressionTests {
  /// 2026-07-15 14:30 in Berlin.
  private func time(
    _ text: String, _ direction: TimeExpression.Direction = .next,
    now: String = "2026-07-15T12:30:00Z"
  ) throws -> String? {
    let now = try #require(Timestamp(rfc3339: now))
    return TimeExpression.time(
      text, now: now, zone: try systemZone("Europe/Berlin"), direction: direction
    )
    .map { String($0.rfc3339.prefix(19)) }
  }

  @Test(
    "local dates and times of day are those of the zone",
    arguments: [
      ("02:00", "2026-07-16T00:00:00"), ("15:00", "2026-07-15T13:00:00"),
      ("14:30", "2026-07-16T12:30:00"), ("tomorrow 02:00", "2026-07-16T00:00:00"),
      ("tomorrow", "2026-07-15T22:00:00"), ("today 08:00", "2026-07-15T06:00:00"),
      ("2026-12-01 02:00", "2026-12-01T01:00:00"), ("2026-12-01T02:00:30", "2026-12-01T01:00:30"),
      ("2026-12-01", "2026-11-30T23:00:00"), ("+10m", "2026-07-15T12:40:00"),
      ("2026-12-01T02:00:00+0100", "2026-12-01T01:00:00"),
      ("2026-12-01T02:00:00-05:30", "2026-12-01T07:30:00"),
      // The clock does not show 02:30 on that day, and shows it twice on this one.
      ("2026-03-29 02:30", "2026-03-29T01:00:00"), ("2026-10-25 02:30", "2026-10-25T00:30:00"),
    ])
  func next(text: String, expected: String) throws { #expect(try time(text) == expected) }

  @Test(
    "looking back, a time of day is its last one",
    arguments: [
      ("22:00", "2026-07-14T20:00:00"), ("14:30", "2026-07-15T12:30:00"),
      ("yesterday", "2026-07-13T22:00:00"), ("yesterday 12:00", "2026-07-14T10:00:00"),
    ])
  func last(text: String, expected: String) throws { #expect(try time(text, .last) == expected) }

  @Test(
    "what is not a time is refused",
    arguments: [
      "", "soon", "24:00", "2:5", "2026-13-01", "2026-02-30", "tomorrow noon", "2026-12-01 02",
      "+soon", "2026-12-01 02:00 x", "12", "2026-12-01T02:00+01", "-1:00", "02:00:60",
    ])
  func refused(text: String) throws { #expect(try time(text) == nil) }

  @Test(
    "durations are read with the words people use",
    arguments: [
      ("10min", 600_000), ("1 hour", 3_600_000), ("2 hours 30 min", 9_000_000), ("90 s", 90_000),
      ("1w", 604_800_000), ("500ms", 500), ("3days", 259_200_000),
    ] as [(String, Int64)])
  func spans(text: String, milliseconds: Int64) {
    #expect(Span(text)?.milliseconds == milliseconds)
  }

  @Test("a time is written with the offset that the clock shows")
  func offsets() throws {
    let zone = try systemZone("Europe/Berlin")
    #expect(zone.text(Timestamp(milliseconds: 0)) == "1970-01-01T01:00:00+01:00")
    let rule = try #require(Zone(name: "x", rule: "<-0330>3:30"))
    #expect(rule.text(Timestamp(milliseconds: 0)) == "1969-12-31T20:30:00-03:30")
  }
}
