/// What can happen to a job.
public enum JobEvent: Hashable, Sendable {
  case enqueue(waitsForOthers: Bool)
  case dependenciesEnded
  /// A job it waited for ended badly; `runAnyway` is its `--after-any`.
  case dependencyFailed(runAnyway: Bool)
  case claim
  case renew
  case adopt
  case succeeded
  /// A declared failure that may be tried again; `after` is what the handler asked for.
  case retry(after: Span?)
  case failed(Failure)
  case snooze(after: Span?)
  case neverStarted
  /// Nobody knows what became of the attempt; what a check found out, if one was asked.
  case unknown(verification: Verification?)
  case cancel
  case stoppedByCancel
  case deadlinePassed
  /// A restore brought the job back as it was in a backup: what became of it since is unknown.
  case restored
  case resolve(as: Resolution)
  /// A person gives the job another try.
  case retryAgain

  /// What makes an attempt's failure final.
  public enum Failure: Sendable {
    /// The handler reported it.
    case declared
    /// An exit rule maps the status or signal to it.
    case exit
    /// Nothing was run: neither command nor directory could be used.
    case notExecutable
  }

  /// What a job's `--verify` command found out about an unknown outcome.
  public enum Verification: String, Sendable {
    case happened
    case didNotHappen = "did_not_happen"
    /// The answer does not tell.
    case undecided
  }

  /// What a person says about an uncertain job.
  public enum Resolution: String, CaseIterable, Sendable {
    case succeeded, failed, retry
  }

  /// The event without its details: the word in the table and in a job's history.
  public enum Kind: String, CaseIterable, Sendable {
    case enqueue
    case dependenciesEnded = "dependencies_ended"
    case dependencyFailed = "dependency_failed"
    case claim, renew, adopt, succeeded, retry, failed, snooze
    case neverStarted = "never_started"
    case unknown
    case cancel
    case stoppedByCancel = "cancelled"
    case deadlinePassed = "expire"
    case restored
    case resolve
    case retryAgain = "retry_again"
  }

  public var kind: Kind {
    switch self {
    case .enqueue: .enqueue
    case .dependenciesEnded: .dependenciesEnded
    case .dependencyFailed: .dependencyFailed
    case .claim: .claim
    case .renew: .renew
    case .adopt: .adopt
    case .succeeded: .succeeded
    case .retry: .retry
    case .failed: .failed
    case .snooze: .snooze
    case .neverStarted: .neverStarted
    case .unknown: .unknown
    case .cancel: .cancel
    case .stoppedByCancel: .stoppedByCancel
    case .deadlinePassed: .deadlinePassed
    case .restored: .restored
    case .resolve: .resolve
    case .retryAgain: .retryAgain
    }
  }
}

/// An event that the table does not allow in this state, and the states that would allow it.
public struct InvalidTransition: Error, Equatable, Sendable {
  public let state: JobState?
  public let event: JobEvent.Kind
  public let allowedIn: [JobState]
}
