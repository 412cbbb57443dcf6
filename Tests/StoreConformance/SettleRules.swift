import HotglueCore
import HotglueStore

extension ClaimStoreConformance {
  static let settleRules: [ConformanceRule] = [
    ConformanceRule("recording the same outcome again is no error and changes nothing") { fixture in
      let id = try fixture.enqueue()
      let attempt = try fixture.claimOne().reference
      try requireEqual(
        try fixture.settle(attempt, .succeeded), .recorded(.succeeded, runAt: nil))
      let before = try fixture.job(id)
      fixture.advance(by: .seconds(9))
      try requireEqual(try fixture.settle(attempt, .succeeded), .alreadyRecorded(.succeeded))
      try requireEqual(try fixture.job(id), before, "the job")
      try requireEqual(try fixture.store.lateReports(of: id, in: fixture.acme), [], "late reports")
    },
    ConformanceRule("another outcome of a recorded attempt is late, and kept for people") {
      fixture in
      let id = try fixture.enqueue()
      let attempt = try fixture.claimOne().reference
      try fixture.settle(attempt, .unknown)
      // Twice, as a recorder does that was killed before it could say that it had.
      for _ in 1...2 {
        try requireEqual(try fixture.settle(attempt, .succeeded), .late(current: 1))
      }
      try requireEqual(try fixture.job(id).state, .uncertain)
      let reports = try fixture.store.lateReports(of: id, in: fixture.acme)
      try requireEqual(reports.map(\.fence), [1], "the late reports' fences")
      try requireEqual(reports.first?.report["outcome"], .string("succeeded"), "what it said")
    },
    ConformanceRule("what the check command answered stands in the history, before the outcome") {
      fixture in
      let id = try fixture.enqueue()
      let attempt = try fixture.claimOne().reference
      var settlement = fixture.settlement(
        of: attempt, .unknown, verification: .didNotHappen, by: "host:9")
      settlement.verifyAnswer = "did_not_happen: exit 1"
      _ = try fixture.store.settle([settlement], thenClaim: nil, at: fixture.now)
      let history = try fixture.store.history(of: id, in: fixture.acme)
      try requireEqual(history.map(\.event), ["enqueue", "claim", "verify", "unknown"])
      try requireEqual(history[2].reason, "did_not_happen: exit 1")
      try requireEqual([history[2].from, history[2].to], [.running, .running])
      try requireEqual(history[2].by, "host:9")
      try fixture.requireSound()
    },
    ConformanceRule("a stale worker cannot complete a job that was claimed again") { fixture in
      let id = try fixture.enqueue { $0.policy.replay = .safe }
      let stale = try fixture.claimOne().reference
      try fixture.settle(stale, .unknown)
      fixture.advance(by: .hours(2))
      let current = try fixture.claimOne()
      try requireEqual(current.job.fence, 2)
      try requireEqual(try fixture.settle(stale, .succeeded), .late(current: 2))
      try requireEqual(try fixture.job(id).state, .running)
      try requireEqual(
        try fixture.settle(current.reference, .succeeded), .recorded(.succeeded, runAt: nil))
      try fixture.requireSound()
    },
    ConformanceRule("settlements of one call each stand under their own fence") { fixture in
      try fixture.enqueue()
      try fixture.enqueue()
      try fixture.enqueue()
      let claimed = try fixture.claim(2)
      let stale = AttemptReference(
        workspace: fixture.acme, job: claimed[0].job.id, fence: 7)
      let settlements = [
        fixture.settlement(of: stale, .failed),
        fixture.settlement(of: claimed[0].reference, .succeeded),
        fixture.settlement(of: claimed[1].reference, .failed),
      ]
      let claim = ClaimRequest(
        worker: try fixture.registerWorker(), workspaces: [fixture.acme], slots: ["s"],
        bootNow: fixture.boot)
      let (results, next) = try fixture.store.settle(
        settlements, thenClaim: claim, at: fixture.now)
      try requireEqual(
        results,
        [.late(current: 1), .recorded(.succeeded, runAt: nil), .recorded(.failed, runAt: nil)])
      try requireEqual(next.count, 1, "number of claims")
      try fixture.requireSound()
    },
    ConformanceRule("a settlement that fails leaves the whole call undone") { fixture in
      let id = try fixture.enqueue()
      let elsewhere = try fixture.enqueue(in: fixture.beta)
      let attempt = try fixture.claimOne().reference
      let wrong = AttemptReference(workspace: fixture.acme, job: elsewhere, fence: 1)
      let refusal = try fixture.refusal {
        _ = try fixture.store.settle(
          [fixture.settlement(of: attempt, .succeeded), fixture.settlement(of: wrong, .failed)],
          thenClaim: nil, at: fixture.now)
      }
      try requireEqual(refusal, .otherWorkspace(elsewhere, owner: fixture.beta))
      try requireEqual(try fixture.job(id).state, .running)
      try requireEqual(try fixture.settle(attempt, .succeeded), .recorded(.succeeded, runAt: nil))
    },
    ConformanceRule("an outcome is recorded also in a workspace that was archived meanwhile") {
      fixture in
      let id = try fixture.enqueue()
      let attempt = try fixture.claimOne().reference
      try fixture.store.archiveWorkspace(fixture.acme, by: fixture.alice, at: fixture.now)
      try fixture.settle(attempt, .succeeded)
      try requireEqual(try fixture.job(id).state, .succeeded)
    },
    ConformanceRule("the result of a job that succeeded is stored") { fixture in
      let id = try fixture.enqueue()
      let attempt = try fixture.claimOne().reference
      var settlement = fixture.settlement(of: attempt, .succeeded)
      let value = JSON.object([JSON.Member("rows", .number("12345678901234567890"))])
      settlement.end.result = HandlerResult(outcome: .succeeded, value: value)
      _ = try fixture.store.settle([settlement], thenClaim: nil, at: fixture.now)
      try requireEqual(try fixture.job(id).result, value, "the result")
      try requireEqual(try fixture.job(id).error, nil, "the error")
    },
  ]

  /// Every row of the lifecycle that an attempt's end takes, through the store.
  static let lifecycleRules: [ConformanceRule] = [
    ending(.succeeded, to: .succeeded),
    ending(.failed, to: .failed, reason: "exit"),
    ending(.retry, to: .failed, reason: "max_attempts"),
    ending(.retry, to: .pending, failures: 1) { $0.maxAttempts = 2 },
    ending(.retry, to: .failed, reason: "retry_for") {
      $0.maxAttempts = 9
      $0.retryFor = .seconds(1)
    },
    ending(.snooze, to: .pending, snoozes: 1),
    ending(.snooze, to: .failed, reason: "max_snoozes") { $0.maxSnoozes = 0 },
    ending(.neverStarted, to: .pending, attempt: 0),
    ending(.unknown, to: .uncertain, reason: "outcome_unknown"),
    ending(.unknown, to: .pending, losses: 1) { $0.replay = .safe },
    ending(.unknown, to: .pending, losses: 1) { $0.replay = .keyed },
    ending(.unknown, to: .failed, reason: "max_losses") {
      $0.replay = .safe
      $0.maxLosses = 0
    },
    ending(.unknown, verification: .happened, to: .succeeded, reason: "verified"),
    ending(.unknown, verification: .didNotHappen, to: .pending, reason: "verified", losses: 1),
    ending(.unknown, verification: .undecided, to: .uncertain, reason: "outcome_unknown"),
    ending(.cancelled, cancelled: true, to: .cancelled, reason: "cancelled"),
    ending(.retry, cancelled: true, to: .cancelled, reason: "cancelled") { $0.maxAttempts = 9 },
    ending(.snooze, cancelled: true, to: .cancelled, reason: "cancelled"),
    ending(.neverStarted, cancelled: true, to: .cancelled, reason: "cancelled", attempt: 0),
    ending(.unknown, cancelled: true, to: .cancelled, reason: "cancelled") { $0.replay = .safe },
    ending(.unknown, cancelled: true, to: .uncertain, reason: "outcome_unknown"),
    ending(.succeeded, cancelled: true, to: .succeeded),
    ending(.failed, cancelled: true, to: .failed, reason: "exit"),
    ConformanceRule("a job whose attempt never started is due at once, with a new fence") {
      fixture in
      try fixture.enqueue()
      let first = try fixture.claimOne()
      try fixture.settle(first.reference, .neverStarted)
      let second = try fixture.claimOne()
      try requireEqual(second.job.attempt, 1, "the number of the attempt")
      try requireEqual(second.job.fence, 2, "the fence")
      try requireEqual(
        try fixture.store.attempts(of: second.job.id, in: fixture.acme).map(\.outcome),
        [.neverStarted, nil], "the attempts")
    },
    ConformanceRule("attempts in a row that never start wait longer; a start begins anew") {
      fixture in
      let id = try fixture.enqueue {
        $0.policy.maxAttempts = 9
        $0.policy.backoff = Backoff(kind: .fixed, base: .seconds(0), cap: .seconds(0))
        $0.policy.jitter = .none
      }
      func after(_ outcome: AttemptOutcome, reason: String = "exit") throws -> Int64 {
        fixture.advance(by: .hours(1))
        let claimed = try fixture.claimOne()
        try fixture.settle(claimed.reference, outcome, reason: reason)
        return try fixture.job(id).runAt.milliseconds - fixture.now.milliseconds
      }
      try requireEqual(try after(.neverStarted), 0, "the first")
      try requireEqual(try after(.neverStarted), 1000, "the second in a row")
      try requireEqual(try after(.neverStarted), 2000, "the third")
      try requireEqual(
        try after(.neverStarted, reason: Verdict.givenBack), 0, "one that was given back")
      try requireEqual(try after(.neverStarted), 4000, "the fourth")
      _ = try after(.retry)
      try requireEqual(try after(.neverStarted), 0, "the first since one was started")
    },
    ConformanceRule("the next time is the one that the policy previews") { fixture in
      let id = try fixture.enqueue { $0.policy.maxAttempts = 4 }
      for count in 1...3 {
        let attempt = try fixture.claimOne()
        let policy = attempt.job.request.policy
        let expected = fixture.now.advanced(
          by: policy.delay(afterFailure: count, job: id, attempt: attempt.job.attempt))
        try requireEqual(
          try fixture.settle(attempt.reference, .retry), .recorded(.pending, runAt: expected))
        try requireEqual(try fixture.job(id).runAt, expected, "run_at")
        fixture.advance(by: .hours(2))
      }
    },
    ConformanceRule("a handler's own wish for the next time counts") { fixture in
      try fixture.enqueue { $0.policy.maxAttempts = 2 }
      let attempt = try fixture.claimOne().reference
      try requireEqual(
        try fixture.settle(attempt, .retry, after: .minutes(3)),
        .recorded(.pending, runAt: fixture.now.advanced(by: .minutes(3))))
    },
    ConformanceRule("the fence of a job never falls and never repeats") { fixture in
      try fixture.enqueue {
        $0.policy.maxAttempts = 99
        $0.policy.replay = .safe
      }
      var fences: [Fence] = []
      for outcome in [AttemptOutcome.retry, .neverStarted, .snooze, .unknown, .neverStarted] {
        let claimed = try fixture.claimOne()
        fences.append(claimed.job.fence)
        try fixture.settle(claimed.reference, outcome)
        fixture.advance(by: .hours(2))
      }
      try requireEqual(fences, [1, 2, 3, 4, 5], "the fences")
    },
  ]

  private static func ending(
    _ outcome: AttemptOutcome, cancelled: Bool = false,
    verification: JobEvent.Verification? = nil, to state: JobState, reason: String? = nil,
    attempt: Int = 1, failures: Int? = nil, losses: Int? = nil, snoozes: Int? = nil,
    policy: @escaping @Sendable (inout JobPolicy) -> Void = { _ in }
  ) -> ConformanceRule {
    let details = [
      cancelled ? "cancel recorded" : nil, verification.map { "verified as \($0.rawValue)" },
      reason,
    ].compactMap { $0 }
    let suffix = details.isEmpty ? "" : " (\(details.joined(separator: ", ")))"
    let name = "running, \(outcome.rawValue): \(state.rawValue)\(suffix)"
    return ConformanceRule(name) { fixture in
      let id = try fixture.enqueue { policy(&$0.policy) }
      let reference = try fixture.claimOne().reference
      if cancelled { _ = try fixture.cancel(id) }
      try fixture.settle(reference, outcome, verification: verification)
      let job = try fixture.job(id)
      try requireEqual(job.state, state, "the state")
      try requireEqual(job.reason, reason, "the reason")
      try requireEqual(job.attempt, attempt, "the number of attempts")
      if let failures { try requireEqual(job.failures, failures, "failures") }
      if let losses { try requireEqual(job.losses, losses, "losses") }
      if let snoozes { try requireEqual(job.snoozes, snoozes, "snoozes") }
      try requireEqual(job.worker, nil, "the worker")
      try requireEqual(job.lease, nil, "the lease")
      try requireEqual(job.finishedAt != nil, state.isFinished, "whether it is finished")
      let last = try fixture.store.history(of: id, in: fixture.acme).last
      try requireEqual(last?.to, state, "where the history ends")
      try requireEqual(last?.event, outcome.rawValue, "the last event")
      try requireEqual(
        try fixture.store.runningAttempt(of: id, in: fixture.acme), nil, "the running attempt")
      try fixture.requireSound()
    }
  }
}
