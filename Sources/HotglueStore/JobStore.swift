public import HotglueCore

/// Which jobs a list shows. Empty sets mean 'any'.
public struct JobFilter: Hashable, Sendable {
  public var states: Set<JobState>
  public var types: Set<String>
  public var queues: Set<String>
  /// Created at this moment or later.
  public var since: Timestamp?
  /// Jobs are listed as they count at this moment: one whose deadline has passed is cancelled. `nil`:
  /// as they are recorded.
  public var now: Timestamp?

  public init(
    states: Set<JobState> = [], types: Set<String> = [], queues: Set<String> = [],
    since: Timestamp? = nil
  ) {
    self.states = states
    self.types = types
    self.queues = queues
    self.since = since
  }
}

/// What a cancel came to.
public enum CancelResult: Hashable, Sendable {
  /// It was not running and is cancelled now.
  case cancelled
  /// It runs: the request is recorded, its attempt is to be stopped.
  case requested(RunningAttempt)
}

/// Jobs as people and scripts see and change them.
///
/// Every method is one atomic step: it has happened whole and is durable when it returns, or it has
/// not happened. Every change of state is decided by `JobFacts.after` on rows read in the same
/// transaction, and leaves a row in the job's history and in the log.
public protocol JobStore {
  /// Stores all requests or none. A key that names a job with the same request yields that job;
  /// with another request: `keyConflict`, and nothing of the call is stored.
  func enqueue(
    _ requests: [EnqueueRequest], in workspace: WorkspaceID, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> [Enqueued]

  /// The job; `otherWorkspace` or `unknownJob` otherwise.
  func job(_ id: JobID, in workspace: WorkspaceID) throws(StoreError) -> Job

  /// The workspace that a job belongs to, or `nil`: for the guard and for `open` only.
  func owner(ofJob id: JobID) throws(StoreError) -> WorkspaceID?

  /// At most `limit` jobs with IDs below `before`, newest first.
  func jobs(
    in workspace: WorkspaceID, matching filter: JobFilter, before: JobID?, limit: Int
  ) throws(StoreError) -> [Job]

  func attempts(of id: JobID, in workspace: WorkspaceID) throws(StoreError) -> [Attempt]
  func history(of id: JobID, in workspace: WorkspaceID) throws(StoreError) -> [HistoryEntry]
  func lateReports(of id: JobID, in workspace: WorkspaceID) throws(StoreError) -> [LateReport]

  func cancel(
    _ id: JobID, in workspace: WorkspaceID, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> CancelResult

  /// Gives a failed or cancelled job fresh budgets. A deadline that has passed is dropped,
  /// as the user wants the job to run; so does `resolve` as retry.
  func retryAgain(
    _ id: JobID, in workspace: WorkspaceID, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> Job

  /// A person's word on an uncertain job.
  func resolve(
    _ id: JobID, in workspace: WorkspaceID, as resolution: JobEvent.Resolution, reason: String,
    by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> Job

  /// Removes at most `limit` finished jobs of `workspace` (every one when `nil`) that the rule names,
  /// with attempts and history; and as many effects. Never removed are uncertain jobs, jobs with an
  /// effect whose end nobody knows, and such effects.
  /// Returns what was removed and the logs that nothing names any more. `dryRun` removes nothing.
  func prune(
    in workspace: WorkspaceID?, by rule: RetentionRule, limit: Int, dryRun: Bool, actor: Actor?,
    at now: Timestamp
  ) throws(StoreError) -> PruneResult

  /// When a worker last removed everything that the standard rule names; of a new store, when it was
  /// made.
  func prunedAt() throws(StoreError) -> Timestamp
  func recordPruned(at now: Timestamp) throws(StoreError)
}

/// How long finished jobs are kept.
public struct RetentionRule: Hashable, Sendable {
  /// Finished before these moments are removed; `nil` keeps that kind.
  public var endedWellBefore: Timestamp?
  public var endedBadlyBefore: Timestamp?
  /// Rows of the log before this moment are removed where every workspace is pruned; `nil` keeps them.
  public var loggedBefore: Timestamp?
  /// Only jobs in these states, of those that the moments name; `nil`: in all three.
  public var states: Set<JobState>?
  /// Effects whose keys belong to the workspace and whose end is known since before then are forgotten:
  /// with the same key they would be carried out again. `nil` keeps all.
  public var effectsSettledBefore: Timestamp?
  public init(
    endedWellBefore: Timestamp?, endedBadlyBefore: Timestamp?, loggedBefore: Timestamp? = nil,
    states: Set<JobState>? = nil, effectsSettledBefore: Timestamp? = nil
  ) {
    self.endedWellBefore = endedWellBefore
    self.endedBadlyBefore = endedBadlyBefore
    self.loggedBefore = loggedBefore
    self.states = states
    self.effectsSettledBefore = effectsSettledBefore
  }

  /// Drafts in the bin, and submitted ones, are kept for 14 days: the moment before which they go.
  public static func draftsClosedBefore(_ now: Timestamp) -> Timestamp {
    Timestamp(milliseconds: now.milliseconds - Span.days(14).milliseconds)
  }

  /// Succeeded and cancelled 14 days, failed and the audit log 90 days, effects
  /// of the workspace 366 days.
  public static func standard(at now: Timestamp) -> RetentionRule {
    func ago(_ span: Span) -> Timestamp {
      Timestamp(milliseconds: now.milliseconds - span.milliseconds)
    }
    return RetentionRule(
      endedWellBefore: ago(.days(14)), endedBadlyBefore: ago(.days(90)),
      loggedBefore: ago(.days(90)), effectsSettledBefore: ago(.days(366)))
  }
}

public struct PruneResult: Hashable, Sendable {
  public var jobs: [JobID]
  /// Paths below the store's folder.
  public var logs: [String]
  /// How many effects of workspaces were forgotten.
  public var effects: Int
  /// How many records that a sync set aside were forgotten.
  public var rejects: Int
  public init(jobs: [JobID], logs: [String], effects: Int = 0, rejects: Int = 0) {
    self.rejects = rejects
    self.jobs = jobs
    self.logs = logs
    self.effects = effects
  }
}
