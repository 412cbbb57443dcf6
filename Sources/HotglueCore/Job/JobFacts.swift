/// What a decision about a job is made on. The store repeats all of it as the condition of the
/// write, so that a decision on stale facts changes nothing.
public struct JobFacts: Hashable, Sendable {
  public var id: JobID
  /// `nil`: the job does not exist yet.
  public var state: JobState?
  public var attempt: Int
  public var failures: Int
  public var losses: Int
  public var snoozes: Int
  /// Attempts in a row, with the one that ends now, that never started.
  public var neverStarted = 0
  public var cancelRequested: Bool
  /// When the first attempt since the last fresh budgets began; what `--retry-for` counts from.
  public var budgetsStartedAt: Timestamp?
  public var policy: JobPolicy

  public init(
    id: JobID, state: JobState?, attempt: Int = 0, failures: Int = 0, losses: Int = 0,
    snoozes: Int = 0, cancelRequested: Bool = false, budgetsStartedAt: Timestamp? = nil,
    policy: JobPolicy = .bareCommand
  ) {
    self.id = id
    self.state = state
    self.attempt = attempt
    self.failures = failures
    self.losses = losses
    self.snoozes = snoozes
    self.cancelRequested = cancelRequested
    self.budgetsStartedAt = budgetsStartedAt
    self.policy = policy
  }
}

/// The decided change of a job: what the store writes in one transaction, or not at all.
public struct JobTransition: Hashable, Sendable {
  public let from: JobState?
  public let event: JobEvent.Kind
  public let to: JobState
  public let attempt: Int
  public let failures: Int
  public let losses: Int
  public let snoozes: Int
  /// When it may run next; set exactly when `to` is `pending`.
  public let runAt: Timestamp?
  /// Why, in a word, where the event alone does not say it.
  public let reason: Reason?

  public enum Reason: String, Sendable {
    case dependency
    case expired
    case declared
    case exit
    case notExecutable = "not_executable"
    case maxAttempts = "max_attempts"
    case maxLosses = "max_losses"
    case maxSnoozes = "max_snoozes"
    case retryFor = "retry_for"
    case cancelled
    case outcomeUnknown = "outcome_unknown"
    case verified
    case resolved
    case restored
  }
}

extension JobFacts {
  /// What becomes of the job when `event` happens at `now`.
  ///
  /// Pure: it reads no clock and rolls no dice, so the next times can be previewed.
  public func after(_ event: JobEvent, at now: Timestamp) throws(InvalidTransition) -> JobTransition
  {
    guard let row = Lifecycle.row(from: state, event.kind) else {
      throw InvalidTransition(
        state: state, event: event.kind, allowedIn: Lifecycle.states(allowing: event.kind))
    }
    let transition = decide(event, at: now)
    precondition(row.to.contains(transition.to), "the decision left the transition table")
    return transition
  }

  private func decide(_ event: JobEvent, at now: Timestamp) -> JobTransition {
    switch event {
    case .enqueue(let waits): return change(event, to: waits ? .blocked : .pending, runAt: now)
    case .dependenciesEnded: return change(event, to: .pending, runAt: now)
    case .dependencyFailed(let runAnyway):
      return runAnyway
        ? change(event, to: .pending, runAt: now)
        : change(event, to: .cancelled, reason: .dependency)
    case .claim: return change(event, to: .running, attempt: attempt + 1)
    case .renew, .adopt: return change(event, to: .running)
    case .succeeded: return change(event, to: .succeeded)
    case .failed(let why):
      let reason: JobTransition.Reason =
        switch why {
        case .declared: .declared
        case .exit: .exit
        case .notExecutable: .notExecutable
        }
      return change(event, to: .failed, reason: reason)
    case .retry(let wish): return retry(event, after: wish, at: now)
    case .snooze(let wish): return snooze(event, after: wish, at: now)
    case .neverStarted: return neverStarted(event, at: now)
    case .unknown(let verification): return unknown(event, verification, at: now)
    case .cancel:
      return state == .running
        ? change(event, to: .running) : change(event, to: .cancelled, reason: .cancelled)
    case .stoppedByCancel: return change(event, to: .cancelled, reason: .cancelled)
    case .deadlinePassed: return change(event, to: .cancelled, reason: .expired)
    case .restored: return change(event, to: .uncertain, reason: .restored)
    case .resolve(let resolution):
      switch resolution {
      case .succeeded: return change(event, to: .succeeded, reason: .resolved)
      case .failed: return change(event, to: .failed, reason: .resolved)
      case .retry: return change(event, to: .pending, runAt: now, reason: .resolved)
      }
    case .retryAgain:
      return change(event, to: .pending, failures: 0, losses: 0, snoozes: 0, runAt: now)
    }
  }

  /// How many attempts in a row may fail to start: a job that nothing can start ends.
  public static let mostNeverStarted = 100

  /// Once costs nothing. In a row each waits longer, up to a minute, and they end.
  private func neverStarted(_ event: JobEvent, at now: Timestamp) -> JobTransition {
    if cancelRequested {
      return change(event, to: .cancelled, attempt: attempt - 1, reason: .cancelled)
    }
    if neverStarted > Self.mostNeverStarted {
      return change(event, to: .failed, attempt: attempt - 1, reason: .notExecutable)
    }
    let wait: Int64 =
      neverStarted < 2 ? 0 : min(60_000, 1000 << Int64(min(neverStarted - 2, 6)))
    return change(
      event, to: .pending, attempt: attempt - 1,
      runAt: now.advanced(by: Span(milliseconds: wait)))
  }

  private func retry(_ event: JobEvent, after wish: Span?, at now: Timestamp) -> JobTransition {
    let count = failures + 1
    if cancelRequested {
      return change(event, to: .cancelled, failures: count, reason: .cancelled)
    }
    if count >= policy.maxAttempts {
      return change(event, to: .failed, failures: count, reason: .maxAttempts)
    }
    let next = now.advanced(
      by: wish ?? policy.delay(afterFailure: count, job: id, attempt: attempt))
    if isPastRetryFor(next, now) {
      return change(event, to: .failed, failures: count, reason: .retryFor)
    }
    return change(event, to: .pending, failures: count, runAt: next)
  }

  private func snooze(_ event: JobEvent, after wish: Span?, at now: Timestamp) -> JobTransition {
    let count = snoozes + 1
    if cancelRequested {
      return change(event, to: .cancelled, snoozes: count, reason: .cancelled)
    }
    if count > policy.maxSnoozes {
      return change(event, to: .failed, snoozes: count, reason: .maxSnoozes)
    }
    let next = now.advanced(by: wish ?? policy.backoff.base)
    if isPastRetryFor(next, now) {
      return change(event, to: .failed, snoozes: count, reason: .retryFor)
    }
    return change(event, to: .pending, snoozes: count, runAt: next)
  }

  private func unknown(
    _ event: JobEvent, _ verification: JobEvent.Verification?, at now: Timestamp
  ) -> JobTransition {
    let count = losses + 1
    if policy.replay.allowsRerunAfterUnknown {
      if cancelRequested {
        return change(event, to: .cancelled, losses: count, reason: .cancelled)
      }
      if count > policy.maxLosses {
        return change(event, to: .failed, losses: count, reason: .maxLosses)
      }
      let next = now.advanced(by: policy.delay(afterFailure: count, job: id, attempt: attempt))
      if isPastRetryFor(next, now) {
        return change(event, to: .failed, losses: count, reason: .retryFor)
      }
      return change(event, to: .pending, losses: count, runAt: next)
    }
    switch verification {
    case .happened: return change(event, to: .succeeded, losses: count, reason: .verified)
    case .didNotHappen where cancelRequested:
      return change(event, to: .cancelled, losses: count, reason: .cancelled)
    case .didNotHappen:
      if count > policy.maxLosses {
        return change(event, to: .failed, losses: count, reason: .maxLosses)
      }
      let next = now.advanced(by: policy.delay(afterFailure: count, job: id, attempt: attempt))
      if isPastRetryFor(next, now) {
        return change(event, to: .failed, losses: count, reason: .retryFor)
      }
      return change(event, to: .pending, losses: count, runAt: next, reason: .verified)
    case .undecided, nil:
      return change(event, to: .uncertain, losses: count, reason: .outcomeUnknown)
    }
  }

  /// `--retry-for` is over when the next attempt could not begin within it.
  private func isPastRetryFor(_ next: Timestamp, _ now: Timestamp) -> Bool {
    guard let bound = policy.retryFor else { return false }
    return next > (budgetsStartedAt ?? now).advanced(by: bound)
  }

  private func change(
    _ event: JobEvent, to: JobState, attempt: Int? = nil, failures: Int? = nil,
    losses: Int? = nil, snoozes: Int? = nil, runAt: Timestamp? = nil,
    reason: JobTransition.Reason? = nil
  ) -> JobTransition {
    JobTransition(
      from: state, event: event.kind, to: to, attempt: attempt ?? self.attempt,
      failures: failures ?? self.failures, losses: losses ?? self.losses,
      snoozes: snoozes ?? self.snoozes, runAt: to == .pending ? runAt : nil, reason: reason)
  }
}
