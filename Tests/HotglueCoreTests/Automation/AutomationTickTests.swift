import Testing

@testable import HotglueCore

@Suite("what a tick decides")
struct AutomationTickTests {
  static let now = Timestamp(milliseconds: 1_770_000_000_000)

  /// Occurrences so many seconds before now, oldest first.
  private func occurrences(_ ages: [Int64]) -> [Occurrence] {
    let second = Self.now.milliseconds / 1000
    return ages.map {
      Occurrence(
        nominal: CivilTime(seconds: second - $0), fold: 0, second: second - $0, note: nil)
    }
  }

  private func decide(
    _ ages: [Int64], missed: String = "one", within: String? = nil, overlap: String = "skip",
    unfinished: [AutomationTick.Unfinished] = []
  ) throws -> AutomationTick.Result {
    var definition = AutomationDefinition(
      schedule: .every(.seconds(1)), zone: "UTC", zoneOrigin: .flag)
    definition.missed = try #require(MissedRule(missed))
    definition.missedWithin = within.flatMap { Span($0) }
    definition.overlap = try #require(OverlapRule(rawValue: overlap))
    return AutomationTick(definition, unfinished: unfinished, now: Self.now)
      .decide(occurrences(ages))
  }

  /// `f` fired, `c` caught up, `m` missed, `s` skipped, `p` paused.
  private func letters(_ result: AutomationTick.Result) -> String {
    result.rows.map { row in
      switch row.decision {
      case .fired: row.isCatchUp ? "c" : "f"
      case .missed: "m"
      case .skipped: "s"
      case .paused: "p"
      }
    }.joined()
  }

  @Test(
    "late is older than 60 s, and --missed says which late ones fire",
    arguments: [
      ("one", [0], "f"), ("one", [60], "f"), ("one", [61], "c"), ("skip", [61], "m"),
      ("one", [300, 200, 100], "mmc"), ("skip", [300, 200, 100], "mmm"),
      ("all", [300, 200, 100], "ccc"), ("all:2", [300, 200, 100], "ccm"),
      ("skip", [300, 0], "mf"), ("all:1", [300, 200, 0], "cms"), ("one", [], ""),
    ] as [(String, [Int64], String)])
  func missed(rule: String, ages: [Int64], expected: String) throws {
    #expect(try letters(decide(ages, missed: rule)) == expected)
  }

  @Test(
    "--missed-within bounds all three",
    arguments: [
      ("one", "mmc"), ("all", "mcc"), ("skip", "mmm"),
    ])
  func within(rule: String, expected: String) throws {
    #expect(try letters(decide([300, 200, 100], missed: rule, within: "200s")) == expected)
    #expect(try letters(decide([300, 250], missed: rule, within: "2m")) == "mm")
  }

  @Test(
    "overlap looks at the jobs that have not ended",
    arguments: [
      ("skip", JobState.running, true, "s", []), ("skip", .pending, false, "s", []),
      ("queue", .running, true, "f", []), ("queue", .pending, false, "s", []),
      ("queue", .pending, true, "f", []), ("queue-all", .running, true, "f", []),
      ("allow", .running, true, "f", []), ("replace", .running, true, "f", [41]),
    ] as [(String, JobState, Bool, String, [JobID])])
  func overlap(
    rule: String, state: JobState, hasStarted: Bool, expected: String, cancels: [JobID]
  ) throws {
    let job = AutomationTick.Unfinished(id: 41, state: state, hasStarted: hasStarted)
    let result = try decide([0], overlap: rule, unfinished: [job])
    #expect(letters(result) == expected)
    #expect(result.cancels == cancels)
    if expected == "s" {
      #expect(result.rows[0].reason?.text() == "job 41 is \(state.rawValue)")
    }
    let runsInTurn = rule != "allow" && expected == "f"
    #expect(result.rows[0].waitsInTurn == runsInTurn)
  }

  @Test("of several in one tick, skip fires one, replace the newest, and late ones come in turn")
  func several() throws {
    #expect(try letters(decide([20, 10, 0])) == "fss")
    #expect(try letters(decide([20, 10, 0], overlap: "queue-all")) == "fff")
    #expect(try letters(decide([20, 10, 0], overlap: "replace")) == "ssf")
    let late = try decide([300, 200], missed: "all")
    #expect(late.rows.allSatisfy { $0.isCatchUp && $0.waitsInTurn })
  }

  @Test("a paused automation records every occurrence and fires none")
  func paused() {
    let definition = AutomationDefinition(
      schedule: .every(.seconds(1)), zone: "UTC", zoneOrigin: .flag)
    var tick = AutomationTick(definition, unfinished: [], now: Self.now)
    tick.isPaused = true
    tick.pauseReason = "maintenance"
    let result = tick.decide(occurrences([300, 0]))
    #expect(letters(result) == "pp")
    #expect(result.rows[0].reason?.text() == "maintenance")
  }
}
