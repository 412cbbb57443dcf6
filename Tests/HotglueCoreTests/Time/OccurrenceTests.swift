import Testing

@testable import HotglueCore

@Suite("occurrences of schedules")
struct OccurrenceTests {
  /// The seconds of one local day, as `hh:mm` of UTC on the day before, that day or the day after.
  private func occurrences(
    _ expression: String, _ zone: String, from: String, to: String
  ) throws -> [Occurrence] {
    let schedule = Schedule.cron([try CronExpression(expression, seed: 0)])
    return schedule.occurrences(zone: try systemZone(zone), in: try second(from)..<second(to))
  }

  @Test(
    "daylight saving follows Debian's rule",
    arguments: [
      ("30 2 * * *", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", ["2026-03-29T01:00"]),
      ("30 2 * * *", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", ["2026-10-25T00:30"]),
      ("0,30 2 * * *", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", ["2026-03-29T01:00"]),
      (
        "*/30 2 * * *", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z",
        ["2026-10-25T00:00", "2026-10-25T00:30", "2026-10-25T01:00", "2026-10-25T01:30"]
      ),
      ("*/20 2 * * *", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", []),
      (
        "0 */2 * * *", "2026-10-24T23:00:00Z", "2026-10-25T04:00:00Z",
        ["2026-10-25T00:00", "2026-10-25T01:00", "2026-10-25T03:00"]
      ),
    ])
  func berlin(expression: String, from: String, to: String, expected: [String]) throws {
    let found = try occurrences(expression, "Europe/Berlin", from: from, to: to)
    #expect(found.map { utcText($0.second) } == expected)
  }

  @Test("an occurrence in a gap keeps its nominal time and is marked as moved")
  func moved() throws {
    let found = try occurrences(
      "30 2 * * *", "Europe/Berlin", from: "2026-03-28T23:00:00Z", to: "2026-03-29T22:00:00Z")
    #expect(found.map(\.nominal.text) == ["2026-03-29T02:30"])
    #expect(found.map(\.note) == [.moved])
    let atEnd = try occurrences(
      "0 2,3 * * *", "Europe/Berlin", from: "2026-03-28T23:00:00Z", to: "2026-03-29T22:00:00Z")
    #expect(atEnd.map(\.nominal.text) == ["2026-03-29T03:00"], "one occurrence at the gap's end")
  }

  @Test("the two of a fold have one nominal time and different folds")
  func folds() throws {
    let found = try occurrences(
      "*/30 2 * * *", "Europe/Berlin", from: "2026-10-24T22:00:00Z", to: "2026-10-25T23:00:00Z")
    #expect(found.map(\.fold) == [0, 0, 1, 1])
    #expect(found.map(\.note) == [.firstOfTwo, .firstOfTwo, nil, nil])
  }

  @Test(
    "gaps at midnight, half-hour folds and skipped days fire once",
    arguments: [
      (
        "0 0 * * *", "America/Sao_Paulo", "2018-11-04T01:00:00Z", "2018-11-04T12:00:00Z",
        "2018-11-04T03:00"
      ),
      (
        "45 1 * * *", "Australia/Lord_Howe", "2026-04-04T12:00:00Z", "2026-04-05T12:00:00Z",
        "2026-04-04T14:45"
      ),
      (
        "0 12 30 12 *", "Pacific/Apia", "2011-12-01T00:00:00Z", "2012-01-30T00:00:00Z",
        "2011-12-30T10:00"
      ),
    ])
  func oddities(
    expression: String, zone: String, from: String, to: String, expected: String
  ) throws {
    let found = try occurrences(expression, zone, from: from, to: to)
    #expect(found.map { utcText($0.second) } == [expected])
  }

  @Test(
    "day fields: either may match, unless one begins with a star",
    arguments: [
      ("0 0 13 * 5", ["02", "09", "13", "16", "23", "30"]), ("0 0 */2 * 1", ["05", "19"]),
      ("0 0 1-7 * *", ["01", "02", "03", "04", "05", "06", "07"]), ("0 0 L * *", ["31"]),
      ("0 0 * * 5L", ["30"]), ("0 0 * * mon#2", ["12"]),
      (
        "0 0 * * fri-sun",
        ["02", "03", "04", "09", "10", "11", "16", "17", "18", "23", "24", "25", "30", "31"]
      ),
      ("0 0 * * 7", ["04", "11", "18", "25"]), ("0 0 25/3 * *", ["25", "28", "31"]),
    ])
  func days(expression: String, expected: [String]) throws {
    let schedule = Schedule.cron([try CronExpression(expression, seed: 0)])
    let found = schedule.occurrences(
      zone: .utc, in: try second("2026-01-01T00:00:00Z")..<second("2026-02-01T00:00:00Z"))
    #expect(found.map { String($0.nominal.text.dropFirst(8).prefix(2)) } == expected)
  }

  @Test(
    "what is not an expression is refused with the reason",
    arguments: [
      ("* * * *", CronError.fieldCount(4)), ("0 0 * * * *", .fieldCount(6)), ("@reboot", .reboot),
      ("0 0 ? * *", .questionMark("day of month")), ("0 0 15W * *", .nearestWeekday("15W")),
      ("60 * * * *", .badValue("minute", "60", 0...59)), ("0 0 30 2 *", .never),
      ("5-1 * * * *", .backwards("minute", "5-1")), ("*/0 * * * *", .badField("minute", "*/0")),
      ("0 0 0 * *", .badValue("day of month", "0", 1...31)), ("@often", .unknownName("@often")),
      ("0 0 * * mon#6", .badField("day of week", "mon#6")), ("", .fieldCount(0)),
      ("0 0 31 2,4,6,9,11 *", .never), ("+1 * * * *", .badValue("minute", "+1", 0...59)),
      (String(repeating: " ", count: 257), .tooLong),
      (",1 * * * *", .badValue("minute", "", 0...59)),
    ])
  func refused(expression: String, error: CronError) {
    #expect(throws: error) { try CronExpression(expression, seed: 0) }
  }

  @Test("a drawn value depends on the seed alone, lies in its range and is shown")
  func drawn() throws {
    for seed in 0..<200 as Range<UInt64> {
      let expression = try CronExpression("~ 2~4 1~5 * ~", seed: seed)
      #expect(try CronExpression("~ 2~4 1~5 * ~", seed: seed) == expression)
      let fields = expression.text.split(separator: " ").map { Int($0) ?? -1 }
      #expect((0...59).contains(fields[0]) && (2...4).contains(fields[1]))
      #expect((1...5).contains(fields[2]) && (0...6).contains(fields[4]))
    }
  }

  @Test("'every' counts from the epoch and ignores the zone")
  func every() throws {
    let schedule = Schedule.every(.minutes(90))
    let zone = try systemZone("Europe/Berlin")
    let found = schedule.occurrences(
      zone: zone, in: try second("2026-10-25T00:00:00Z")..<second("2026-10-25T05:00:00Z"))
    #expect(
      found.map { utcText($0.second) } == [
        "2026-10-25T00:00", "2026-10-25T01:30", "2026-10-25T03:00", "2026-10-25T04:30",
      ])
    #expect(found.map(\.fold) == [0, 1, 0, 0])
  }

  @Test("the next occurrence is the first of those that follow, also years ahead")
  func next() throws {
    let leap = Schedule.cron([try CronExpression("0 0 29 2 *", seed: 0)])
    let found = leap.next(after: try second("2096-03-01T00:00:00Z"), zone: .utc)
    #expect(found?.nominal.text == "2104-02-29T00:00")
    let daily = Schedule.cron([try CronExpression("@daily", seed: 0)])
    let now = try second("2026-01-01T00:00:00Z")
    #expect(daily.next(after: now, zone: .utc)?.second == now + 86_400)
    #expect(daily.occurrences(zone: .utc, in: now..<now + 1).map(\.second) == [now])
  }

  @Test("several expressions are one schedule, and what two of them name is one occurrence")
  func several() throws {
    let schedule = Schedule.cron([
      try CronExpression("0 0 * * *", seed: 0), try CronExpression("0 */12 * * *", seed: 0),
    ])
    let found = schedule.occurrences(
      zone: .utc, in: try second("2026-01-01T00:00:00Z")..<second("2026-01-02T00:00:00Z"))
    #expect(found.map(\.nominal.text) == ["2026-01-01T00:00", "2026-01-01T12:00"])
  }
}
