import Testing

@testable import HotglueCore

@Suite("what an automation is set to")
struct AutomationDefinitionTests {
  private func definition(_ cron: String, _ zone: String) throws -> AutomationDefinition {
    AutomationDefinition(
      schedule: .cron([try CronExpression(cron, seed: 7)]), zone: zone, zoneOrigin: .flag)
  }

  @Test("a definition reads what it writes")
  func roundTrip() throws {
    var definition = try definition("~ 2 * * MON#2", "Europe/Berlin")
    definition.from = Timestamp(rfc3339: "2026-03-01T00:00:00Z")
    definition.missed = .all(7)
    definition.missedWithin = .hours(2)
    definition.overlap = .queueAll
    definition.jitter = .minutes(5)
    definition.pauseAfter = 3
    #expect(AutomationDefinition(json: definition.json) == definition)
    definition.schedule = .every(.seconds(90))
    #expect(AutomationDefinition(json: definition.json) == definition)
    #expect(AutomationDefinition(json: .object([])) == nil)
  }

  @Test("occurrences lie after the cursor, and within --from and --until")
  func bounds() throws {
    var definition = try definition("0 * * * *", "UTC")
    let noon = try #require(Timestamp(rfc3339: "2026-03-01T12:00:00Z"))
    func hours(after start: Timestamp, through end: String) throws -> [Int] {
      let end = try #require(Timestamp(rfc3339: end))
      return definition.occurrences(after: start, through: end, in: .utc).map(\.nominal.hour)
    }
    #expect(try hours(after: noon, through: "2026-03-01T15:00:00Z") == [13, 14, 15])
    #expect(try hours(after: noon, through: "2026-03-01T14:59:59Z") == [13, 14])
    definition.from = Timestamp(rfc3339: "2026-03-01T14:00:00Z")
    definition.until = Timestamp(rfc3339: "2026-03-01T15:00:00Z")
    #expect(try hours(after: noon, through: "2026-03-01T18:00:00Z") == [14])
    #expect(definition.next(3, after: noon, in: .utc).map(\.nominal.hour) == [14])
    #expect(
      definition.occurrences(after: noon.advanced(by: .hours(9)), through: noon, in: .utc) == [])
  }

  @Test(
    "the occurrence before another one is that of the schedule",
    arguments: [
      ("0 2 * * *", "2026-03-10T02:00:00Z", "2026-03-09T02:00:00.000Z"),
      ("0 0 1 1 *", "2026-01-01T00:00:00Z", "2025-01-01T00:00:00.000Z"),
      ("0 0 29 2 *", "2028-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"),
    ])
  func previous(cron: String, at: String, expected: String) throws {
    let definition = try definition(cron, "UTC")
    let time = try #require(Timestamp(rfc3339: at))
    let before = Timestamp(milliseconds: time.milliseconds - 1000)
    let occurrence = try #require(definition.next(after: before, in: .utc).first)
    #expect(definition.previous(of: occurrence, in: .utc)?.at.rfc3339 == expected)
  }

  @Test("jitter is stable, below its bound, and another one for another name")
  func jitter() {
    let offsets = (0..<200).map {
      AutomationSeed.offset(.minutes(10), seed: AutomationSeed.of("job-\($0)", in: "acme"))
    }
    #expect(offsets.allSatisfy { $0 < .minutes(10) })
    #expect(Set(offsets).count > 190)
    #expect(
      offsets[3]
        == AutomationSeed.offset(.minutes(10), seed: AutomationSeed.of("job-3", in: "acme")))
    #expect(AutomationSeed.offset(.zero, seed: 1) == .zero)
  }

  @Test(
    "the shortest interval of the coming year bounds the jitter",
    arguments: [
      ("*/5 * * * *", 300), ("0 2 * * *", 86_400), ("0,10 2 * * *", 600),
    ] as [(String, Int64)])
  func shortest(cron: String, seconds: Int64) throws {
    let found = try definition(cron, "UTC").schedule.shortestInterval(
      zone: .utc, from: 1_770_000_000)
    #expect(found == .seconds(seconds))
  }

  @Test("days without an occurrence are named for schedules that follow the clock literally")
  func silentDays() throws {
    let berlin = try systemZone("Europe/Berlin")
    let start = try second("2026-01-01T00:00:00Z")
    func days(_ cron: String) throws -> [String] {
      try definition(cron, "Europe/Berlin").schedule.silentDays(zone: berlin, after: start)
        .map(\.text)
    }
    #expect(try days("*/20 2 * * *") == ["2026-03-29", "2027-03-28"])
    #expect(try days("30 2 * * *") == [], "it is moved, and fires")
    #expect(try days("*/20 * * * *") == [])
  }

  @Test("both day fields: either, unless one begins with '*'")
  func dayRule() throws {
    func rule(_ cron: String) throws -> String? {
      try CronExpression(cron, seed: 0).dayRule
    }
    #expect(try rule("0 0 13 * FRI")?.contains("or the day of week 'FRI'") == true)
    #expect(try rule("0 0 */2 * 1")?.contains("both") == true)
    #expect(try rule("0 0 * * 1") == nil)
  }
}
