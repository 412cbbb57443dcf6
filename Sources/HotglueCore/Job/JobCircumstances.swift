/// All that decides when a job runs next, at one moment: the job, what bounds it, and who is there.
public struct JobCircumstances: Hashable, Sendable {
  public var facts: JobFacts
  public var workspace: WorkspaceID
  public var type: String
  public var queue: String
  /// Why it is in its state, in a word.
  public var reason: String?
  /// What its last attempt failed with, for people.
  public var failure: String?
  public var runAt: Timestamp
  public var expiresAt: Timestamp?
  public var finishedAt: Timestamp?
  /// Its type is not defined.
  public var waitsForType = false
  public var typeLimit: Limit?
  public var queueLimit: Limit?
  public var keyLimit: Limit?
  /// Marked as waiting behind its limit key.
  public var waitsForKey = false
  /// Due jobs of its queue and type that are claimed before it; counted up to `mostAhead`.
  public var jobsAhead = 0
  public var workspaceIsArchived = false
  /// Ended attempts, oldest first.
  public var attempts: [PastAttempt] = []
  /// The attempt that runs.
  public var live: LiveAttempt?
  /// Workers that are alive on this machine; `nil`: nobody looked.
  public var liveWorkers: Int?

  public static let mostAhead = 1000

  /// A bound on how many run at once, and who fills it.
  public struct Limit: Hashable, Sendable {
    /// The queue, the type, or the limit key.
    public var name: String
    public var limit: Int
    /// Of them, those that run; some of the most. `nil`: nobody looked.
    public var running: [JobID]?

    public init(name: String, limit: Int, running: [JobID]? = nil) {
      self.name = name
      self.limit = limit
      self.running = running
    }
  }

  public struct PastAttempt: Hashable, Sendable {
    public var number: Int
    public var outcome: AttemptOutcome
    public var reason: String?
    public var endedAt: Timestamp
    public var exitStatus: Int?
    public var signal: Signal?

    public init(
      number: Int, outcome: AttemptOutcome, reason: String?, endedAt: Timestamp,
      exitStatus: Int? = nil, signal: Signal? = nil
    ) {
      self.number = number
      self.outcome = outcome
      self.reason = reason
      self.endedAt = endedAt
      self.exitStatus = exitStatus
      self.signal = signal
    }
  }

  public struct LiveAttempt: Hashable, Sendable {
    public var worker: String
    public var startedAt: Timestamp
    public var leaseExpiresAt: Timestamp?
    /// What can be seen of it; `nil`: that was not looked at.
    public var evidence: AttemptEvidence?

    public init(
      worker: String, startedAt: Timestamp, leaseExpiresAt: Timestamp?,
      evidence: AttemptEvidence? = nil
    ) {
      self.worker = worker
      self.startedAt = startedAt
      self.leaseExpiresAt = leaseExpiresAt
      self.evidence = evidence
    }
  }

  public init(
    facts: JobFacts, workspace: WorkspaceID, type: String, queue: String, runAt: Timestamp
  ) {
    self.facts = facts
    self.workspace = workspace
    self.type = type
    self.queue = queue
    self.runAt = runAt
  }
}

extension JobCircumstances.Limit {
  /// Whether nothing more may be claimed under it.
  var isFull: Bool { (running?.count ?? 0) >= limit }
}

extension JobFacts {
  /// The waits before each further attempt, if every attempt failed from now on, as it would be
  /// decided; at most `most` of them.
  public func waitsIfItFails(most: Int = 5) -> (waits: [Span], endsFailed: Bool) {
    var attempt = state == .running ? self.attempt : self.attempt + 1
    var failures = self.failures + 1
    var waits: [Span] = []
    while failures < policy.maxAttempts, waits.count < most {
      waits.append(policy.delay(afterFailure: failures, job: id, attempt: attempt))
      failures += 1
      attempt += 1
    }
    return (waits, failures >= policy.maxAttempts)
  }

  /// How many attempts there can be, those that were made included, if nothing but failures comes:
  /// fresh budgets and attempts that counted as no failure make it more than `--max-attempts`.
  public var mostAttempts: Int {
    switch state {
    case .pending, .blocked, nil: attempt - failures + policy.maxAttempts
    case .running: max(0, attempt - 1 - failures) + policy.maxAttempts
    case .succeeded, .failed, .uncertain, .cancelled:
      max(attempt, policy.maxAttempts)
    }
  }
}
