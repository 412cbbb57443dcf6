public import HotglueCore

/// A process that minds attempts, as it is recorded when it registers.
public struct WorkerIdentity: Hashable, Sendable {
  /// `host:pid`, for people.
  public var name: String
  public var bootID: String
  public var pidNamespace: String
  public var pid: Int32
  public var processStartTime: UInt64
  /// The worker's lock file, below the store's folder: free when the worker is gone.
  public var lockPath: String
  /// Which file its store is: a copy is another one. Empty: not recorded.
  public var storeFile: String

  public init(
    name: String, bootID: String, pidNamespace: String, pid: Int32, processStartTime: UInt64,
    lockPath: String, storeFile: String = ""
  ) {
    self.name = name
    self.bootID = bootID
    self.pidNamespace = pidNamespace
    self.pid = pid
    self.processStartTime = processStartTime
    self.lockPath = lockPath
    self.storeFile = storeFile
  }
}

/// Where an attempt's supervisor was made: what the worker that claimed it recorded of itself.
public struct AttemptOrigin: Hashable, Sendable {
  public var bootID: String
  public var pidNamespace: String
  /// Empty: not recorded.
  public var storeFile: String

  public init(bootID: String, pidNamespace: String, storeFile: String) {
    self.bootID = bootID
    self.pidNamespace = pidNamespace
    self.storeFile = storeFile
  }
}

public typealias WorkerID = Int64

/// Names an attempt and who may speak for it.
public struct AttemptReference: Hashable, Sendable {
  public var workspace: WorkspaceID
  public var job: JobID
  public var fence: Fence
  public init(workspace: WorkspaceID, job: JobID, fence: Fence) {
    self.workspace = workspace
    self.job = job
    self.fence = fence
  }
}

/// What a worker asks for when it claims.
public struct ClaimRequest: Hashable, Sendable {
  public var worker: WorkerID
  public var workspaces: [WorkspaceID]
  /// Empty: any.
  public var queues: [String]
  /// Empty: any.
  public var types: [String]
  /// The slots of idle supervisors: each takes one job, or becomes a stream.
  public var slots: [String]
  /// Open streams, which take jobs of their own kind before an idle supervisor does.
  public var streams: [StreamPlace] = []
  /// How many attempts may begin on idle supervisors and idle streams together; a stream that has a
  /// job takes more of them within its room.
  public var seats: Int
  /// Bounds the claimed jobs.
  public var mostJobs = Int.max
  /// Types of which nothing is claimed.
  public var closedTypes: Set<TypePlace> = []
  public var bootNow: BootTime
  /// Claim this job and no other, due or not (`job run` and `sync run`).
  public var only: JobID?

  public init(
    worker: WorkerID, workspaces: [WorkspaceID], queues: [String] = [], types: [String] = [],
    slots: [String], bootNow: BootTime, only: JobID? = nil
  ) {
    self.worker = worker
    self.workspaces = workspaces
    self.queues = queues
    self.types = types
    self.slots = slots
    seats = slots.count
    self.bootNow = bootNow
    self.only = only
  }
}

/// A job that was claimed: everything its attempt needs.
public struct ClaimedJob: Hashable, Sendable {
  public var job: Job
  public var slot: String
  /// The idempotency key of this job: the same for all of its attempts, also after a restore.
  public var idempotencyKey: String
  /// What the stream is started for whose slot this is; `nil`: the attempt has a process of its own.
  public var stream: StreamKey?
  public var reference: AttemptReference {
    AttemptReference(workspace: job.workspace, job: job.id, fence: job.fence)
  }
  public init(job: Job, slot: String, idempotencyKey: String, stream: StreamKey? = nil) {
    self.job = job
    self.slot = slot
    self.idempotencyKey = idempotencyKey
    self.stream = stream
  }
}

/// An attempt's end, to be recorded.
public struct Settlement: Hashable, Sendable {
  public var attempt: AttemptReference
  public var end: AttemptEnd
  public var verdict: Verdict
  public var verification: JobEvent.Verification?
  /// What the `--verify` command answered, in words for the job's history.
  public var verifyAnswer: String?
  public var usage: AttemptUsage
  public var warnings: [String]
  /// The last that the attempt said of its progress, if it said anything.
  public var progress: JobProgress?
  /// When the handler ended.
  public var endedAt: Timestamp
  /// Who records it: a worker's name, `supervisor`, or a user.
  public var by: String
  /// Set when a person's command records it: that leaves a row in the log, in the same step.
  public var actor: Actor?

  public init(
    attempt: AttemptReference, end: AttemptEnd, verdict: Verdict,
    verification: JobEvent.Verification? = nil, usage: AttemptUsage, warnings: [String] = [],
    progress: JobProgress? = nil, endedAt: Timestamp, by: String
  ) {
    self.attempt = attempt
    self.end = end
    self.verdict = verdict
    self.verification = verification
    self.usage = usage
    self.warnings = warnings
    self.progress = progress
    self.endedAt = endedAt
    self.by = by
  }
}

public enum SettlementResult: Hashable, Sendable {
  /// Recorded now; the job's new state, and when it may run next if it is pending.
  case recorded(JobState, runAt: Timestamp?)
  /// The same outcome was recorded before: no error, nothing changed.
  case alreadyRecorded(JobState)
  /// The fence is not current any more: kept as a late report, nothing changed.
  case late(current: Fence)
}

/// A job whose deadline has passed before an attempt of it started.
public struct ExpiredJob: Hashable, Sendable {
  public var id: JobID
  public var workspace: WorkspaceID
  public init(id: JobID, workspace: WorkspaceID) {
    self.id = id
    self.workspace = workspace
  }
}

/// A running attempt as a rescuer or a cancel finds it.
public struct RunningAttempt: Hashable, Sendable {
  public var reference: AttemptReference
  public var number: Int
  public var watch: Watch
  public var slot: String
  public var workerID: WorkerID
  public var worker: WorkerIdentity
  /// The worker has left, and said so.
  public var workerIsRetired: Bool
  public var origin: AttemptOrigin
  public var lease: BootTime
  public var leaseLength: Span
  /// When the attempt's supervisor first left a question unanswered.
  public var unansweredSince: BootTime?
  public var cancelRequested: Bool
  public var policy: JobPolicy
  /// The job's folder, umask, variables, type and idempotency key, for its `--verify` command.
  public var directory: String
  public var umask = FileMask.standard
  public var environment: [String]
  public var type: String
  public var idempotencyKey: String

  public init(
    reference: AttemptReference, number: Int, watch: Watch, slot: String, workerID: WorkerID,
    worker: WorkerIdentity, workerIsRetired: Bool, origin: AttemptOrigin, lease: BootTime,
    leaseLength: Span, unansweredSince: BootTime?,
    cancelRequested: Bool, policy: JobPolicy, directory: String, environment: [String],
    type: String, idempotencyKey: String
  ) {
    self.reference = reference
    self.number = number
    self.watch = watch
    self.slot = slot
    self.workerID = workerID
    self.worker = worker
    self.workerIsRetired = workerIsRetired
    self.origin = origin
    self.lease = lease
    self.leaseLength = leaseLength
    self.unansweredSince = unansweredSince
    self.cancelRequested = cancelRequested
    self.policy = policy
    self.directory = directory
    self.environment = environment
    self.type = type
    self.idempotencyKey = idempotencyKey
  }
}

/// Claims and what keeps them honest. Every method is one atomic, durable step.
public protocol ClaimStore {
  /// `workspaces`: where it works; none for all of them.
  func register(
    _ worker: WorkerIdentity, in workspaces: [WorkspaceID], by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> WorkerID
  func retire(_ worker: WorkerID) throws(StoreError)
  /// Retires workers that are known to be dead, by their lock files.
  func retireWorkers(withLocks lockPaths: [String]) throws(StoreError)

  /// Records the settlements, each under its own fence, and claims as many jobs as the request has
  /// places for, all in one commit: the completion of attempts and the claim of the next cost one
  /// sync. The first job that has no place ends the claim: none that comes after it overtakes it.
  func settle(_ settlements: [Settlement], thenClaim claim: ClaimRequest?, at now: Timestamp)
    throws(StoreError) -> (results: [SettlementResult], claimed: [ClaimedJob])

  /// Extends leases, measured from `bootNow` when the renewal was sent, and clears what was noted of
  /// unanswered questions: who renews has heard of the attempt. Returns the references whose
  /// fence and watch no longer match: somebody else minds them.
  func renew(
    _ attempts: [(reference: AttemptReference, watch: Watch)], worker: WorkerID, bootNow: BootTime
  ) throws(StoreError) -> [AttemptReference]

  /// Makes `worker` the one who minds the attempt: watch + 1, new lease. Compare-and-set on the watch
  /// it was found with; `stale` when someone was faster.
  func adopt(
    _ attempt: AttemptReference, watch: Watch, by worker: WorkerID, name: String,
    bootNow: BootTime, at now: Timestamp
  ) throws(StoreError) -> Watch

  /// Running attempts, oldest lease first; of one worker, or of all but one, or all.
  func runningAttempts(in workspaces: [WorkspaceID], notMindedBy worker: WorkerID?)
    throws(StoreError) -> [RunningAttempt]
  func runningAttempt(of job: JobID, in workspace: WorkspaceID) throws(StoreError)
    -> RunningAttempt?

  /// Notes that the attempt's supervisor left a question unanswered at `moment`, if none is noted
  /// yet; returns the moment that counts. `nil` clears the note.
  func noteUnanswered(_ attempt: AttemptReference, watch: Watch, at moment: BootTime?)
    throws(StoreError) -> BootTime?

  /// Cancels pending and blocked jobs whose deadline has passed before an attempt started, a bounded
  /// number of each workspace, those first whose deadline is longest ago.
  func expire(in workspaces: [WorkspaceID], at now: Timestamp) throws(StoreError) -> [ExpiredJob]

  /// What `expire` would cancel.
  func expired(in workspaces: [WorkspaceID], at now: Timestamp) throws(StoreError) -> [ExpiredJob]

  /// When a claim may find something: `now` when a job is due, else the next `run_at`, `nil` when no
  /// job waits for a time. Jobs parked behind a saturated limit do not count: what frees the limit
  /// changes the store, and then this is asked again.
  func nextDue(
    in workspaces: [WorkspaceID], queues: [String], types: [String], except closed: Set<TypePlace>,
    at now: Timestamp
  ) throws(StoreError) -> Timestamp?

  /// A number that changes when another connection has changed the store; cheap.
  func changeCounter() throws(StoreError) -> Int64
}

extension ClaimStore {
  public func nextDue(
    in workspaces: [WorkspaceID], queues: [String], types: [String], at now: Timestamp
  ) throws(StoreError) -> Timestamp? {
    try nextDue(in: workspaces, queues: queues, types: types, except: [], at: now)
  }

  /// A worker of every workspace.
  public func register(
    _ worker: WorkerIdentity, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> WorkerID {
    try register(worker, in: [], by: actor, at: now)
  }
}
