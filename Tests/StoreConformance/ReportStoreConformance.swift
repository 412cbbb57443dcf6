import HotglueCore
import HotglueStore

/// What any store keeps of what attempts say of themselves.
public enum ReportStoreConformance {
  private static let half = JobProgress(current: 5, total: 10, message: "sorting")

  public static let rules: [ConformanceRule] = [
    ConformanceRule("the progress of a running attempt is seen with its job") { fixture in
      let id = try fixture.enqueue()
      let attempt = try fixture.claimOne().reference
      try fixture.store.recordProgress([(attempt, half)])
      try requireEqual(try fixture.job(id).progress, half, "the progress")
      let more = JobProgress(current: nil, total: nil, message: "nearly")
      try fixture.store.recordProgress([(attempt, more)])
      try requireEqual(try fixture.job(id).progress, more, "the later progress")
    },
    ConformanceRule("only the current attempt of a running job has progress") { fixture in
      let id = try fixture.enqueue { $0.policy.maxAttempts = 2 }
      let first = try fixture.claimOne().reference
      try fixture.store.recordProgress([(first, half)])
      try fixture.settle(first, .retry)
      fixture.advance(by: .hours(2))
      let second = try fixture.claimOne().reference
      try requireEqual(try fixture.job(id).progress, nil, "the progress of a new attempt")
      try fixture.store.recordProgress([(first, half)])
      try requireEqual(try fixture.job(id).progress, nil, "the progress after a late report")
      try fixture.settle(second, .succeeded)
      try fixture.store.recordProgress([(second, half)])
      try requireEqual(try fixture.job(id).progress, nil, "the progress after the end")
      try fixture.requireSound()
    },
    ConformanceRule("the last progress is recorded with the end") { fixture in
      let id = try fixture.enqueue()
      let attempt = try fixture.claimOne().reference
      try fixture.store.recordProgress([(attempt, half)])
      let whole = JobProgress(current: 10, total: 10, message: nil)
      var settlement = fixture.settlement(of: attempt, .failed)
      settlement.progress = whole
      _ = try fixture.store.settle([settlement], thenClaim: nil, at: fixture.now)
      try requireEqual(try fixture.job(id).progress, whole, "the progress")
    },
    ConformanceRule("what a handler says of a failure is stored") { fixture in
      let id = try fixture.enqueue()
      let attempt = try fixture.claimOne().reference
      var settlement = fixture.settlement(of: attempt, .failed)
      settlement.end.result = HandlerResult(
        outcome: .failed, value: .string("half"), errorCode: "no_money", errorMessage: "declined")
      settlement.verdict = settlement.end.verdict(by: .none)
      _ = try fixture.store.settle([settlement], thenClaim: nil, at: fixture.now)
      let failure = Job.Failure(code: "no_money", message: "declined", kind: "failed")
      try requireEqual(try fixture.job(id).error, failure, "the error")
      try requireEqual(try fixture.job(id).result, .string("half"), "the result")
    },
    ConformanceRule("a retry waits as long as the handler asked for") { fixture in
      let id = try fixture.enqueue { $0.policy.maxAttempts = 3 }
      let attempt = try fixture.claimOne().reference
      try fixture.settle(attempt, .retry, after: .seconds(7))
      try requireEqual(
        try fixture.job(id).runAt, fixture.now.advanced(by: .seconds(7)), "the next time")
    },
    ConformanceRule("a late report is kept for people and changes nothing") { fixture in
      let id = try fixture.enqueue()
      let attempt = try fixture.claimOne().reference
      try fixture.settle(attempt, .succeeded)
      let before = try fixture.job(id)
      let report = JSON.object([JSON.Member("type", .string("progress"))])
      try require(
        try fixture.store.keepLateReport(report, of: attempt, at: fixture.now), "it is kept")
      try requireEqual(try fixture.job(id), before, "the job")
      let kept = try fixture.store.lateReports(of: id, in: fixture.acme)
      try requireEqual(
        kept, [LateReport(at: fixture.now, fence: attempt.fence, report: report)], "what is kept")
    },
    ConformanceRule("late reports of a job are bounded") { fixture in
      let id = try fixture.enqueue()
      let attempt = try fixture.claimOne().reference
      try fixture.settle(attempt, .succeeded)
      for number in 0..<(mostLateReports + 5) {
        let isKept = try fixture.store.keepLateReport(
          .integer(number), of: attempt, at: fixture.now)
        try requireEqual(isKept, number < mostLateReports, "whether report \(number) is kept")
      }
      try requireEqual(
        try fixture.store.lateReports(of: id, in: fixture.acme).count, mostLateReports,
        "how many are kept")
    },
    ConformanceRule("an attempt that never was has no late report, nor one of another workspace") {
      fixture in
      let id = try fixture.enqueue()
      let attempt = try fixture.claimOne().reference
      var other = attempt
      other.fence += 1
      try requireEqual(
        try fixture.refusal {
          _ = try fixture.store.keepLateReport(.null, of: other, at: fixture.now)
        }, .stale(id, fence: other.fence, current: attempt.fence), "the refusal")
      other = attempt
      other.workspace = fixture.beta
      try requireEqual(
        try fixture.refusal {
          _ = try fixture.store.keepLateReport(.null, of: other, at: fixture.now)
        }, .otherWorkspace(id, owner: fixture.acme), "the refusal")
      try requireEqual(try fixture.store.lateReports(of: id, in: fixture.acme), [], "what is kept")
    },
  ]
}
