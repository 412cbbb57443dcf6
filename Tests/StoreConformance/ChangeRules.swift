import HotglueCore
import HotglueStore

extension JobStoreConformance {
  static let changeRules: [ConformanceRule] =
    [
      ConformanceRule("a pending job is cancelled at once, and is not claimed") { fixture in
        let id = try fixture.enqueue()
        try requireEqual(try fixture.cancel(id), .cancelled)
        let job = try fixture.job(id)
        try requireEqual(job.state, .cancelled)
        try requireEqual(job.finishedAt, fixture.now)
        try requireEqual(try fixture.claim(), [], "what is claimed")
      },
      ConformanceRule("the cancel of a running job is a request, recorded once") { fixture in
        let id = try fixture.enqueue { $0.policy.replay = .safe }
        let attempt = try fixture.claimOne().reference
        for _ in 1...2 {
          guard case .requested(let running) = try fixture.cancel(id) else {
            throw BrokenRule(description: "a running job was cancelled")
          }
          try requireEqual(running.reference, attempt, "the running attempt")
          try require(running.cancelRequested, "the attempt does not know of the cancel")
        }
        try requireEqual(try fixture.job(id).cancelRequestedAt, fixture.now)
        try requireEqual(
          try fixture.store.history(of: id, in: fixture.acme).map(\.event),
          ["enqueue", "claim", "cancel"], "the history")
        try fixture.settle(attempt, .retry)
        try requireEqual(try fixture.job(id).state, .cancelled)
        try fixture.requireSound()
      },
      ConformanceRule("a job retried again has fresh budgets, and keeps fence and attempts") {
        fixture in
        let id = try fixture.enqueue { $0.policy.retryFor = .hours(1) }
        let first = try fixture.claimOne()
        try fixture.settle(first.reference, .retry)
        try requireEqual(try fixture.job(id).reason, "max_attempts")
        fixture.advance(by: .days(1))
        let job = try fixture.store.retryAgain(
          id, in: fixture.acme, by: fixture.alice, at: fixture.now)
        try requireEqual(job.state, .pending)
        try requireEqual([job.failures, job.losses, job.snoozes], [0, 0, 0], "the budgets")
        try requireEqual([Int(job.fence), job.attempt], [1, 1], "fence and attempt")
        try requireEqual(job.runAt, fixture.now)
        try requireEqual(job.finishedAt, nil)
        let second = try fixture.claimOne()
        try require(second.job.fence > first.job.fence, "the fence did not grow")
        try requireEqual(
          try fixture.store.history(of: id, in: fixture.acme).map(\.event),
          ["enqueue", "claim", "retry", "retry_again", "claim"], "the history")
        try fixture.requireSound()
      },
      ConformanceRule("an unknown job and one of another workspace are told apart") { fixture in
        let id = try fixture.enqueue(in: fixture.beta)
        try requireEqual(
          try fixture.refusal { _ = try fixture.cancel(id) },
          .otherWorkspace(id, owner: fixture.beta))
        try requireEqual(try fixture.refusal { _ = try fixture.cancel(4711) }, .unknownJob(4711))
        try requireEqual(
          try fixture.store.job(id, in: fixture.beta).state, .pending, "the other's job")
      },
      ConformanceRule("jobs past their deadline are cancelled, others are left") { fixture in
        let expiring = try fixture.enqueue {
          $0.expiresAt = fixture.now.advanced(by: .seconds(10))
        }
        let other = try fixture.enqueue {
          $0.expiresAt = fixture.now.advanced(by: .seconds(11))
        }
        let elsewhere = try fixture.enqueue(in: fixture.beta) {
          $0.expiresAt = fixture.now.advanced(by: .seconds(1))
        }
        fixture.advance(by: .seconds(10))
        try requireEqual(try fixture.expire(), [expiring], "what expires")
        let job = try fixture.job(expiring)
        try requireEqual(job.state, .cancelled)
        try requireEqual(job.reason, "expired")
        try requireEqual(try fixture.job(other).state, .pending)
        try requireEqual(try fixture.store.job(elsewhere, in: fixture.beta).state, .pending)
        try requireEqual(try fixture.expire(), [], "what expires once more")
        try fixture.requireSound()
      },
      ConformanceRule("a running job does not expire") { fixture in
        let id = try fixture.enqueue { $0.expiresAt = fixture.now.advanced(by: .seconds(1)) }
        _ = try fixture.claimOne()
        fixture.advance(by: .seconds(2))
        try requireEqual(try fixture.expire(), [], "what expires")
        try requireEqual(try fixture.job(id).state, .running)
      },
      ConformanceRule("a deadline is about the first start alone: a retry does not expire") {
        fixture in
        let id = try fixture.enqueue {
          $0.expiresAt = fixture.now.advanced(by: .seconds(1))
          $0.policy.maxAttempts = 3
          $0.policy.backoff = Backoff(kind: .fixed, base: .seconds(5))
        }
        try fixture.settle(try fixture.claimOne().reference, .retry)
        fixture.advance(by: .minutes(1))
        try requireEqual(try fixture.expire(), [], "what expires")
        try requireEqual(try fixture.listed(.pending), [id], "what is listed as pending")
        try requireEqual(try fixture.claimOne().job.id, id, "what is claimed")
      },
      ConformanceRule("an attempt that never started does not save a job from its deadline") {
        fixture in
        let id = try fixture.enqueue { $0.expiresAt = fixture.now.advanced(by: .seconds(9)) }
        try fixture.settle(try fixture.claimOne().reference, .neverStarted)
        fixture.advance(by: .seconds(9))
        try requireEqual(try fixture.claim(), [], "what is claimed")
        try requireEqual(try fixture.job(id).reason, "expired")
      },
      ConformanceRule("a passed deadline counts at once, in lists and for whoever changes the job")
      {
        fixture in
        let id = try fixture.enqueue { $0.expiresAt = fixture.now.advanced(by: .seconds(1)) }
        let other = try fixture.enqueue()
        fixture.advance(by: .seconds(1))
        try requireEqual(try fixture.listed(.cancelled), [id], "what is listed as cancelled")
        try requireEqual(try fixture.listed(.cancelled, .running), [id], "with others")
        try requireEqual(try fixture.listed(.pending), [other], "what is listed as pending")
        try requireEqual(try fixture.listed(.pending, .cancelled), [other, id], "what is listed")
        try requireEqual(try fixture.job(id).counted(at: fixture.now).reason, "expired")
        try requireEqual(
          try fixture.store.circumstances(of: id, in: fixture.acme, at: fixture.now).facts.state,
          .cancelled, "what is explained")
        guard
          case .invalidTransition(id, let refused) = try fixture.refusal({
            _ = try fixture.cancel(id)
          }), refused.state == .cancelled
        else { throw BrokenRule(description: "an expired job was cancelled once more") }
        // Nothing was recorded by the refusal.
        try requireEqual(try fixture.job(id).state, .pending)
      },
      ConformanceRule("a retry of an expired job drops the deadline, and keeps one to come") {
        fixture in
        let id = try fixture.enqueue { $0.expiresAt = fixture.now.advanced(by: .seconds(1)) }
        let end = fixture.now.advanced(by: .days(9))
        let later = try fixture.enqueue { $0.expiresAt = end }
        _ = try fixture.cancel(later)
        fixture.advance(by: .seconds(2))
        for job in [id, later] {
          _ = try fixture.store.retryAgain(
            job, in: fixture.acme, by: fixture.alice, at: fixture.now)
        }
        try requireEqual(try fixture.job(id).request.expiresAt, nil)
        try requireEqual(try fixture.job(later).request.expiresAt, end)
        try requireEqual(try fixture.expire(), [], "what expires")
        try requireEqual(
          try fixture.store.history(of: id, in: fixture.acme).map(\.event),
          ["enqueue", "expire", "retry_again"], "the history")
        try requireEqual(try fixture.claim(2).map(\.job.id), [id, later], "what is claimed")
        try fixture.requireSound()
      },
      ConformanceRule("deadlines count in an archived workspace too") { fixture in
        let id = try fixture.enqueue { $0.expiresAt = fixture.now.advanced(by: .seconds(1)) }
        _ = try fixture.store.archiveWorkspace(
          fixture.acme, by: fixture.alice, at: fixture.now)
        fixture.advance(by: .seconds(1))
        try requireEqual(try fixture.expire(), [id], "what expires")
      },
      ConformanceRule("a dedupe key that an uncertain job holds keeps others from being run again")
      {
        fixture in
        let first = try fixture.enqueue {
          $0.key = "k"
          $0.keyHold = .untilDone
        }
        _ = try fixture.cancel(first)
        let second = try fixture.enqueue { $0.key = "k" }
        try fixture.settle(try fixture.claimOne(only: second).reference, .unknown)
        try requireEqual(
          try fixture.refusal {
            _ = try fixture.store.retryAgain(
              first, in: fixture.acme, by: fixture.alice, at: fixture.now)
          }, .keyHeld(key: "k", job: second))
      },
      ConformanceRule(
        "prune removes what its rule names, with attempts, and never what is uncertain"
      ) { fixture in
        let kept: [JobState] = [.pending, .running, .uncertain]
        let states = kept + [.succeeded, .cancelled, .failed]
        var ids: [JobState: JobID] = [:]
        for state in states { ids[state] = try fixture.job(in: state) }
        fixture.advance(by: .days(15))
        let young = try fixture.job(in: .succeeded)
        func prune(dryRun: Bool) throws -> [JobID] {
          try fixture.store.prune(
            in: nil, by: .standard(at: fixture.now), limit: 100, dryRun: dryRun, actor: nil,
            at: fixture.now
          ).jobs
        }
        let endedWell = [ids[.succeeded], ids[.cancelled]].compactMap { $0 }
        try requireEqual(try prune(dryRun: true), endedWell, "what would be pruned")
        try requireEqual(try prune(dryRun: false), endedWell, "what is pruned after 15 days")
        fixture.advance(by: .days(80))
        let rest = [young, ids[.failed]].compactMap { $0 }
        try requireEqual(try prune(dryRun: false), rest, "what is pruned after 95 days")
        for state in kept {
          try requireEqual(try fixture.job(try requireValue(ids[state])).state, state)
        }
        try fixture.requireSound()
      },
      ConformanceRule("prune stops at its limit and names the logs that nothing needs any more") {
        fixture in
        var logs: [String] = []
        for index in 0..<3 {
          try fixture.enqueue()
          let attempt = try fixture.claimOne().reference
          var settlement = fixture.settlement(of: attempt, .succeeded)
          // A store keeps that there is a log; where it is follows from the IDs.
          settlement.usage.log = "../\(index)"
          logs.append(LogPath.of(job: attempt.job, fence: attempt.fence))
          _ = try fixture.store.settle([settlement], thenClaim: nil, at: fixture.now)
        }
        fixture.advance(by: .days(15))
        let result = try fixture.store.prune(
          in: fixture.acme, by: .standard(at: fixture.now), limit: 2, dryRun: false,
          actor: fixture.alice, at: fixture.now)
        try requireEqual(result.jobs.count, 2, "number of jobs")
        try requireEqual(result.logs, Array(logs.prefix(2)), "the logs")
      },
    ] + refusedChanges

  /// Every pair of a state and a person's change that the lifecycle does not have.
  private static let refusedChanges: [ConformanceRule] = {
    typealias Change = (StoreFixture, JobID) throws -> Void
    let changes: [(JobEvent.Kind, @Sendable (StoreFixture, JobID) throws -> Void)] = [
      (.cancel, { _ = try $0.cancel($1) }),
      (
        .retryAgain,
        { fixture, id in
          _ = try fixture.store.retryAgain(
            id, in: fixture.acme, by: fixture.alice, at: fixture.now)
        }
      ),
      (
        .resolve,
        { fixture, id in
          _ = try fixture.store.resolve(
            id, in: fixture.acme, as: .retry, reason: "asked", by: fixture.alice,
            at: fixture.now)
        }
      ),
    ]
    var rules: [ConformanceRule] = []
    for (event, change) in changes {
      let allowed = Lifecycle.states(allowing: event)
      for state in JobState.allCases where state != .blocked {
        if allowed.contains(state) {
          rules.append(
            ConformanceRule("\(event.rawValue) is allowed for a job that is \(state.rawValue)") {
              fixture in
              try change(fixture, try fixture.job(in: state))
              try fixture.requireSound()
            })
          continue
        }
        rules.append(
          ConformanceRule(
            "\(event.rawValue) of a job that is \(state.rawValue) is refused and changes nothing"
          ) { fixture in
            let id = try fixture.job(in: state)
            let before = try fixture.job(id)
            let history = try fixture.store.history(of: id, in: fixture.acme)
            try requireEqual(
              try fixture.refusal { try change(fixture, id) },
              .invalidTransition(
                id, try fixture.invalidTransition(event, of: state)))
            try requireEqual(try fixture.job(id), before, "the job")
            try requireEqual(
              try fixture.store.history(of: id, in: fixture.acme), history, "the history")
          })
      }
    }
    return rules
  }()
}

extension StoreFixture {
  func cancel(_ id: JobID) throws -> CancelResult {
    try store.cancel(id, in: acme, by: alice, at: now)
  }

  func expire() throws -> [JobID] { try store.expire(in: [acme], at: now).map(\.id) }

  /// The jobs that a list shows now.
  func listed(_ states: JobState...) throws -> [JobID] {
    var filter = JobFilter(states: Set(states))
    filter.now = now
    return try store.jobs(in: acme, matching: filter, before: nil, limit: 100).map(\.id)
  }

  /// The core's own refusal of an event.
  func invalidTransition(_ kind: JobEvent.Kind, of state: JobState) throws -> InvalidTransition {
    let event: JobEvent =
      switch kind {
      case .cancel: .cancel
      case .retryAgain: .retryAgain
      default: .resolve(as: .retry)
      }
    do {
      _ = try JobFacts(id: 1, state: state).after(event, at: now)
    } catch {
      return error
    }
    throw BrokenRule(description: "the core allows \(kind) in \(state)")
  }
}
