import HotglueCore
import Testing

@Suite("What becomes of a job")
struct JobFactsTests {
  @Test("attempts in a row that never start wait longer each time, and end")
  func neverStartedInARow() throws {
    let now = Timestamp(milliseconds: 1_000_000)
    func after(_ count: Int, cancelled: Bool = false) throws -> JobTransition {
      var facts = JobFacts(id: 1, state: .running, attempt: 3, cancelRequested: cancelled)
      facts.neverStarted = count
      return try facts.after(.neverStarted, at: now)
    }
    func wait(_ count: Int) throws -> Int64? {
      try after(count).runAt.map { $0.milliseconds - now.milliseconds }
    }
    #expect(try wait(0) == 0 && wait(1) == 0)
    #expect(try wait(2) == 1000 && wait(3) == 2000 && wait(7) == 32_000)
    #expect(try wait(9) == 60_000 && wait(100) == 60_000)
    for count in [1, 50, 101] {
      let transition = try after(count)
      #expect(transition.attempt == 2 && transition.failures == 0 && transition.losses == 0)
    }
    #expect(try after(101).to == .failed && after(101).reason == .notExecutable)
    #expect(try after(101, cancelled: true).to == .cancelled)
  }

  let now = Timestamp(milliseconds: 1_000_000)

  private func running(
    attempt: Int = 1, failures: Int = 0, losses: Int = 0, snoozes: Int = 0,
    cancelRequested: Bool = false, startedAt: Timestamp? = nil,
    _ change: (inout JobPolicy) -> Void = { _ in }
  ) -> JobFacts {
    var policy = JobPolicy.bareCommand
    policy.jitter = .none
    policy.backoff = Backoff(kind: .fixed, base: .seconds(10), cap: .hours(1))
    change(&policy)
    return JobFacts(
      id: 7, state: .running, attempt: attempt, failures: failures, losses: losses,
      snoozes: snoozes, cancelRequested: cancelRequested, budgetsStartedAt: startedAt,
      policy: policy)
  }

  private func after(_ facts: JobFacts, _ event: JobEvent) throws -> JobTransition {
    try facts.after(event, at: now)
  }

  @Test("an enqueued job is pending, or blocked while it waits for others")
  func enqueue() throws {
    let new = JobFacts(id: 7, state: nil)
    let free = try after(new, .enqueue(waitsForOthers: false))
    #expect(free.to == .pending)
    #expect(free.runAt == now)
    let waiting = try after(new, .enqueue(waitsForOthers: true))
    #expect(waiting.to == .blocked)
    #expect(waiting.runAt == nil)
  }

  @Test("a blocked job goes on when the others ended well, and is cancelled when one did not")
  func dependencies() throws {
    let blocked = JobFacts(id: 7, state: .blocked)
    #expect(try after(blocked, .dependenciesEnded).to == .pending)
    let ended = try after(blocked, .dependencyFailed(runAnyway: false))
    #expect(ended.to == .cancelled)
    #expect(ended.reason == .dependency)
    #expect(try after(blocked, .dependencyFailed(runAnyway: true)).to == .pending)
  }

  @Test("a claim raises the attempt and touches no budget")
  func claim() throws {
    let pending = JobFacts(id: 7, state: .pending, attempt: 2, failures: 1, losses: 1, snoozes: 1)
    let claimed = try after(pending, .claim)
    #expect(claimed.to == .running)
    #expect(claimed.attempt == 3)
    #expect([claimed.failures, claimed.losses, claimed.snoozes] == [1, 1, 1])
  }

  @Test("renewing and adopting change nothing but who minds the attempt")
  func renewAndAdopt() throws {
    for event in [JobEvent.renew, .adopt, .cancel] {
      let next = try after(running(attempt: 3, failures: 1), event)
      #expect(next.to == .running)
      #expect(next.attempt == 3)
      #expect(next.failures == 1)
    }
  }

  @Test("a declared success and a declared failure are final, also after a cancel")
  func declared() throws {
    for cancelled in [false, true] {
      #expect(try after(running(cancelRequested: cancelled), .succeeded).to == .succeeded)
      #expect(try after(running(cancelRequested: cancelled), .failed(.declared)).to == .failed)
    }
  }

  @Test(
    "a failure that is final says why in the job's reason",
    arguments: [
      (JobEvent.Failure.declared, JobTransition.Reason.declared), (.exit, .exit),
      (.notExecutable, .notExecutable),
    ])
  func finalFailure(why: JobEvent.Failure, reason: JobTransition.Reason) throws {
    #expect(try after(running(), .failed(why)).reason == reason)
    #expect(reason.rawValue == (why == .notExecutable ? "not_executable" : "\(why)"))
  }

  @Test(
    "a retry is pending until the failures reach --max-attempts",
    arguments: [(0, JobState.pending), (1, .pending), (2, .failed), (7, .failed)])
  func retryBudget(failures: Int, to state: JobState) throws {
    let next = try after(running(failures: failures) { $0.maxAttempts = 3 }, .retry(after: nil))
    #expect(next.to == state)
    #expect(next.failures == failures + 1)
    #expect(next.losses == 0)
    #expect(next.reason == (state == .failed ? .maxAttempts : nil))
    #expect(next.runAt == (state == .pending ? now.advanced(by: .seconds(10)) : nil))
  }

  @Test("a bare command is not retried by itself")
  func bareCommand() throws {
    let facts = JobFacts(id: 1, state: .running, attempt: 1)
    #expect(try facts.after(.retry(after: nil), at: now).to == .failed)
  }

  @Test("the delay that a handler asks for replaces the back-off")
  func wish() throws {
    let next = try after(running { $0.maxAttempts = 9 }, .retry(after: .seconds(3)))
    #expect(next.runAt == now.advanced(by: .seconds(3)))
  }

  @Test("--retry-for ends the retries when the next one could not begin within it")
  func retryFor() throws {
    func next(_ bound: Int64) throws -> JobTransition {
      let start = Timestamp(milliseconds: now.milliseconds - 50_000)
      let facts = running(startedAt: start) {
        $0.maxAttempts = 9
        $0.retryFor = .seconds(bound)
        $0.replay = .safe
      }
      return try after(facts, .retry(after: nil))
    }
    #expect(try next(60).to == .pending)
    #expect(try next(59).to == .failed)
    #expect(try next(59).reason == .retryFor)
  }

  @Test("--retry-for bounds losses as it bounds failures, verified or not")
  func retryForOfLosses() throws {
    for (replay, verification) in [
      (Replay.safe, nil), (.unsafe, JobEvent.Verification.didNotHappen),
    ] {
      let facts = running(startedAt: Timestamp(milliseconds: now.milliseconds - 50_000)) {
        $0.retryFor = .seconds(55)
        $0.replay = replay
      }
      let next = try after(facts, .unknown(verification: verification))
      #expect(next.to == .failed)
      #expect(next.reason == .retryFor)
    }
  }

  @Test("--retry-for bounds snoozes as it bounds retries", arguments: [Span.seconds(9), nil])
  func retryForOfSnoozes(wish: Span?) throws {
    func next(_ bound: Int64) throws -> JobTransition {
      let facts = running(startedAt: Timestamp(milliseconds: now.milliseconds - 50_000)) {
        $0.retryFor = .seconds(bound)
      }
      return try after(facts, .snooze(after: wish))
    }
    #expect(try next(60).to == .pending)
    #expect(try next(58).to == .failed)
    #expect(try next(58).reason == .retryFor)
    #expect(try next(58).snoozes == 1)
  }

  @Test("a job that a restore brings back, and that may have run since, is uncertain")
  func restored() throws {
    for state in [JobState.pending, .blocked] {
      let next = try after(JobFacts(id: 7, state: state, attempt: 2, losses: 1), .restored)
      #expect(next.to == .uncertain)
      #expect(next.reason == .restored)
      #expect([next.attempt, next.losses] == [2, 1])
    }
  }

  @Test("a snooze counts as nothing else, until --max-snoozes is passed")
  func snooze() throws {
    let facts = running(failures: 1, losses: 1, snoozes: 1) { $0.maxSnoozes = 2 }
    let next = try after(facts, .snooze(after: .seconds(5)))
    #expect(next.to == .pending)
    #expect([next.failures, next.losses, next.snoozes] == [1, 1, 2])
    #expect(next.runAt == now.advanced(by: .seconds(5)))
    let over = try after(running(snoozes: 2) { $0.maxSnoozes = 2 }, .snooze(after: nil))
    #expect(over.to == .failed)
    #expect(over.reason == .maxSnoozes)
    #expect(
      try after(running(), .snooze(after: nil)).runAt == now.advanced(by: .seconds(10)))
  }

  @Test("an attempt that never started costs nothing and is due at once")
  func neverStarted() throws {
    let next = try after(running(attempt: 3, failures: 2, losses: 1, snoozes: 1), .neverStarted)
    #expect(next.to == .pending)
    #expect(next.attempt == 2)
    #expect([next.failures, next.losses, next.snoozes] == [2, 1, 1])
    #expect(next.runAt == now)
    let cancelled = try after(running(attempt: 3, cancelRequested: true), .neverStarted)
    #expect(cancelled.to == .cancelled)
    #expect(cancelled.attempt == 2)
  }

  @Test(
    "an unknown outcome of a job that is safe to run again is pending until --max-losses is passed",
    arguments: [Replay.safe, .keyed])
  func unknownSafe(replay: Replay) throws {
    for losses in 0..<4 {
      let facts = running(failures: 1, losses: losses) {
        $0.replay = replay
        $0.maxLosses = 3
      }
      let next = try after(facts, .unknown(verification: nil))
      #expect(next.to == (losses < 3 ? .pending : .failed))
      #expect(next.reason == (losses < 3 ? nil : .maxLosses))
      #expect(next.losses == losses + 1)
      #expect(next.failures == 1)
      #expect(next.runAt == (losses < 3 ? now.advanced(by: .seconds(10)) : nil))
    }
  }

  @Test(
    "an unknown outcome of an unsafe job is what its check found out, else uncertain",
    arguments: [
      (nil, JobState.uncertain, JobTransition.Reason.outcomeUnknown),
      (.undecided, .uncertain, .outcomeUnknown), (.happened, .succeeded, .verified),
      (.didNotHappen, .pending, .verified),
    ] as [(JobEvent.Verification?, JobState, JobTransition.Reason)])
  func unknownUnsafe(
    found: JobEvent.Verification?, to state: JobState, reason: JobTransition.Reason
  ) throws {
    let next = try after(running(), .unknown(verification: found))
    #expect(next.to == state)
    #expect(next.reason == reason)
    #expect(next.losses == 1)
  }

  @Test("an unsafe job that did not happen is not tried for ever")
  func verifiedLosses() throws {
    let facts = running(losses: 3) { $0.maxLosses = 3 }
    let next = try after(facts, .unknown(verification: .didNotHappen))
    #expect(next.to == .failed)
    #expect(next.reason == .maxLosses)
  }

  @Test("once a cancel is recorded nothing is run again")
  func cancelRequested() throws {
    let retrying = running(cancelRequested: true) { $0.maxAttempts = 9 }
    #expect(try after(retrying, .retry(after: nil)).to == .cancelled)
    #expect(try after(retrying, .snooze(after: nil)).to == .cancelled)
    #expect(try after(retrying, .stoppedByCancel).to == .cancelled)
    let safe = running(cancelRequested: true) { $0.replay = .safe }
    #expect(try after(safe, .unknown(verification: nil)).to == .cancelled)
    let unsafe = running(cancelRequested: true)
    #expect(try after(unsafe, .unknown(verification: nil)).to == .uncertain)
    #expect(try after(unsafe, .unknown(verification: .didNotHappen)).to == .cancelled)
    #expect(try after(unsafe, .unknown(verification: .happened)).to == .succeeded)
  }

  @Test("a job that waits is cancelled at once, or when its deadline passes")
  func waiting() throws {
    for state in [JobState.pending, .blocked] {
      let facts = JobFacts(id: 7, state: state)
      #expect(try after(facts, .cancel).reason == .cancelled)
      #expect(try after(facts, .cancel).to == .cancelled)
      #expect(try after(facts, .deadlinePassed).to == .cancelled)
      #expect(try after(facts, .deadlinePassed).reason == .expired)
    }
  }

  @Test(
    "an uncertain job becomes what a person says",
    arguments: [
      (JobEvent.Resolution.succeeded, JobState.succeeded), (.failed, .failed),
      (.retry, .pending),
    ])
  func resolve(resolution: JobEvent.Resolution, to state: JobState) throws {
    let facts = JobFacts(id: 7, state: .uncertain, attempt: 2, losses: 1)
    let next = try after(facts, .resolve(as: resolution))
    #expect(next.to == state)
    #expect(next.reason == .resolved)
    #expect(next.runAt == (state == .pending ? now : nil))
  }

  @Test(
    "a retry by a person gives fresh budgets, and the attempts go on",
    arguments: [JobState.failed, .cancelled])
  func retryAgain(state: JobState) throws {
    let facts = JobFacts(
      id: 7, state: state, attempt: 5, failures: 3, losses: 2, snoozes: 9)
    let next = try after(facts, .retryAgain)
    #expect(next.to == .pending)
    #expect(next.attempt == 5)
    #expect([next.failures, next.losses, next.snoozes] == [0, 0, 0])
    #expect(next.runAt == now)
  }

  @Test("the time of the next attempt is the previewed one")
  func preview() throws {
    var policy = JobPolicy.bareCommand
    policy.maxAttempts = 20
    for failures in 0..<12 {
      let facts = JobFacts(
        id: 42, state: .running, attempt: failures + 1, failures: failures, policy: policy)
      let decided = try facts.after(.retry(after: nil), at: now)
      let previewed = policy.delay(
        afterFailure: failures + 1, job: 42, attempt: failures + 1)
      #expect(decided.runAt == now.advanced(by: previewed))
    }
  }
}
