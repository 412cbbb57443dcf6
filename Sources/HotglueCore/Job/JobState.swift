/// Where a job stands. The raw value is the word in the store, on the command line and in JSON.
public enum JobState: String, CaseIterable, Sendable {
  /// Waits for other jobs. Their end moves it on; a crash leaves it as it is.
  case blocked
  /// May be claimed once `run_at` has come and its limits allow. 'Scheduled' and 'retrying' are
  /// this state with a future `run_at`.
  case pending
  /// An attempt holds the claim. Its outcome, whoever records it, moves the job on; after a crash
  /// the next worker or `job reclaim` finds out what became of the attempt.
  case running
  /// Ended well.
  case succeeded
  /// Ended without success, and without a question: a declared failure, a command that cannot be
  /// executed, or a budget (failures, losses, snoozes, `--retry-for`) that is used up. The job's
  /// reason says which.
  case failed
  /// The last attempt's outcome is not known and the job is not safe to run twice. Only a person
  /// moves it on (`job resolve`).
  case uncertain
  /// Called off, expired, or a job it waited for ended badly.
  case cancelled

  /// Whether nothing happens to the job any more by itself.
  public var isFinished: Bool {
    switch self {
    case .blocked, .pending, .running: false
    case .succeeded, .failed, .uncertain, .cancelled: true
    }
  }
}

/// What an attempt came to: one vocabulary for handlers, exit rules, history and JSON.
public enum AttemptOutcome: String, CaseIterable, Sendable {
  case succeeded
  case retry
  case failed
  case snooze
  /// Nobody knows: lost, killed on time-out, or died by a signal.
  case unknown
  /// Stopped by the order of a cancel.
  case cancelled
  /// The handler was not started, and that is certain.
  case neverStarted = "never_started"
}

/// What is safe to run twice.
public enum Replay: String, CaseIterable, Sendable {
  /// Running it again is harmless.
  case safe
  /// Safe as long as the same idempotency key reaches the other side.
  case keyed
  /// After an outcome that is not known it is not run again without a person or a check.
  case unsafe

  public var allowsRerunAfterUnknown: Bool { self != .unsafe }
}
