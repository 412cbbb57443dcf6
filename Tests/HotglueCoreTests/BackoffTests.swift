import Testing

@testable import HotglueCore

@Suite("Back-off and jitter")
struct BackoffTests {
  @Test(
    "a back-off reads what it writes",
    arguments: [
      ("exponential", "exponential:10s:1h"), ("linear:5s", "linear:5s:1h"),
      ("fixed:1m:2m", "fixed:1m:2m"), ("exponential:2h", "exponential:2h:2h"),
      ("fixed:0", "fixed:0s:1h"),
    ])
  func roundTrip(text: String, written: String) throws {
    let backoff = try #require(Backoff(text))
    #expect(backoff.text == written)
    #expect(Backoff(written) == backoff)
  }

  @Test(
    "what is no back-off is refused",
    arguments: [
      "", "quadratic", "fixed:", "fixed:10", "fixed:10s:", "fixed:10s:5s", "fixed:10s:1h:1d",
      "FIXED", "fixed :10s",
    ])
  func bad(text: String) { #expect(Backoff(text) == nil) }

  @Test("waits grow as their kind says, up to the cap")
  func growth() {
    func waits(_ kind: Backoff.Kind) -> [Int64] {
      let backoff = Backoff(kind: kind, base: .seconds(10), cap: .seconds(60))
      return (1...5).map { backoff.plainDelay(afterFailure: $0).milliseconds / 1000 }
    }
    #expect(waits(.exponential) == [10, 20, 40, 60, 60])
    #expect(waits(.linear) == [10, 20, 30, 40, 50])
    #expect(waits(.fixed) == [10, 10, 10, 10, 10])
  }

  @Test("no count of failures makes a wait wrap around", arguments: Backoff.Kind.allCases)
  func noOverflow(kind: Backoff.Kind) {
    let backoff = Backoff(kind: kind, base: .days(36_500), cap: .days(36_500))
    for count in [1, 2, 41, 64, 1000, Int.max] {
      #expect(backoff.plainDelay(afterFailure: count) == .days(36_500))
    }
  }

  @Test("jitter is the same for the same job and attempt, for ever")
  func pinned() {
    let tenSeconds = Span.seconds(10)
    let values: [(JobID, Int, full: Int64, equal: Int64)] = [
      (0, 0, 6524, 8262), (1, 1, 9140, 9570), (1, 2, 7376, 8688), (42, 1, 9504, 9752),
      (42, 3, 9777, 9888),
    ]
    for (job, attempt, full, equal) in values {
      #expect(Jitter.none.applied(to: tenSeconds, job: job, attempt: attempt) == tenSeconds)
      #expect(
        Jitter.full.applied(to: tenSeconds, job: job, attempt: attempt).milliseconds == full)
      #expect(
        Jitter.equal.applied(to: tenSeconds, job: job, attempt: attempt).milliseconds == equal)
    }
  }

  @Test("jitter stays within its bounds, and spreads over them")
  func bounds() {
    let delay = Span(milliseconds: 10_001)
    var full: [Int64] = []
    var equal: [Int64] = []
    for job in 1...1000 as ClosedRange<JobID> {
      full.append(Jitter.full.applied(to: delay, job: job, attempt: 1).milliseconds)
      equal.append(Jitter.equal.applied(to: delay, job: job, attempt: 1).milliseconds)
    }
    #expect(full.allSatisfy { (0..<10_001).contains($0) })
    #expect(equal.allSatisfy { (5000..<10_001).contains($0) })
    #expect(full.contains { $0 < 500 } && full.contains { $0 > 9500 })
    #expect(equal.contains { $0 < 5250 } && equal.contains { $0 > 9750 })
    #expect(Jitter.full.applied(to: .zero, job: 1, attempt: 1) == .zero)
    #expect(Jitter.equal.applied(to: Span(milliseconds: 1), job: 1, attempt: 1) <= .seconds(1))
  }
}
