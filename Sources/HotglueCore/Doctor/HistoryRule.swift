extension Lifecycle {
  /// What the `--verify` command answered: recorded beside the outcome that it decided, without a
  /// change of its own.
  public static let verifyEvent = "verify"

  /// Whether the transition table has this step, named as a job's history names it.
  public static func allows(from: String?, event: String, to: String) -> Bool {
    if event == verifyEvent { return from == JobState.running.rawValue && to == from }
    return rows.contains { row in
      row.from?.rawValue == from && row.event.rawValue == event
        && row.to.contains { $0.rawValue == to }
    }
  }
}

/// The budgets of a job: what its row says and what its history shows.
public struct BudgetCount: Hashable, Sendable {
  public var failures: Int
  public var losses: Int
  public var snoozes: Int

  public init(failures: Int, losses: Int, snoozes: Int) {
    self.failures = failures
    self.losses = losses
    self.snoozes = snoozes
  }

  /// What a waiting job has used up of its policy although it is to be tried again, in words;
  /// `nil` when it may be.
  public func excess(over policy: JobPolicy) -> String? {
    if failures >= policy.maxAttempts {
      return "\(failures) failures of at most \(policy.maxAttempts)"
    }
    if losses > policy.maxLosses { return "\(losses) losses of at most \(policy.maxLosses)" }
    if snoozes > policy.maxSnoozes { return "\(snoozes) snoozes of at most \(policy.maxSnoozes)" }
    return nil
  }
}
