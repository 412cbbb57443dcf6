public import HotglueCore

/// What a command may do to a workspace: judged where it starts, and again inside the transaction of
/// each of its changes.
public struct Authority: Hashable, Sendable {
  /// The least role that the command takes; `nil`: anybody.
  public var leastRole: Role?
  /// The command line says itself which workspace is meant.
  public var namesWorkspace: Bool
  public init(leastRole: Role?, namesWorkspace: Bool) {
    self.leastRole = leastRole
    self.namesWorkspace = namesWorkspace
  }
}

/// Who does something, for the log and for a job's history.
public struct Actor: Hashable, Sendable {
  /// The operating-system user.
  public var user: String
  /// The command, as `job enqueue`; never its arguments.
  public var command: String
  /// Where the workspace came from: `flag`, `context_file`, `argument`, ….
  public var workspaceOrigin: String
  /// The terminal the command ran on, if any.
  public var terminal: String?
  /// The job whose handler ran the command, if any.
  public var job: JobID?
  /// `nil`: what hotglue does by itself, which needs no permission.
  public var authority: Authority?
  /// The user who came by later and recorded what this one had begun; `nil` when nobody had to.
  public var repairedBy: String?

  public init(
    user: String, command: String, workspaceOrigin: String, terminal: String? = nil,
    job: JobID? = nil, authority: Authority? = nil
  ) {
    self.user = user
    self.command = command
    self.workspaceOrigin = workspaceOrigin
    self.terminal = terminal
    self.job = job
    self.authority = authority
  }
}

public struct Workspace: Hashable, Sendable {
  public enum State: String, Sendable { case active, archived }
  public var id: WorkspaceID
  public var name: String
  public var state: State
  public var isProtected: Bool
  public var createdAt: Timestamp

  public init(
    id: WorkspaceID, name: String, state: State, isProtected: Bool, createdAt: Timestamp
  ) {
    self.id = id
    self.name = name
    self.state = state
    self.isProtected = isProtected
    self.createdAt = createdAt
  }
}

/// How long an enqueue key is held.
public enum KeyHold: Hashable, Sendable {
  /// As long as the job is kept in the store.
  case whileKept
  case span(Span)
  /// Until the job has ended.
  case untilDone
}

/// What is asked for when a job is enqueued.
public struct EnqueueRequest: Hashable, Sendable {
  /// `exec` for a bare command.
  public var type: String
  /// Empty in a request for a job whose command is its type's.
  public var command: [String]
  /// The folder in which the handler runs.
  public var directory: String
  /// With which it runs there.
  public var umask = FileMask.standard
  /// Recorded variables, `NAME=VALUE` each.
  public var environment: [String]
  /// A JSON text, given to the handler on its standard input.
  public var payload: String?
  public var queue: String
  public var priority: Int
  /// `nil`: at once.
  public var runAt: Timestamp?
  public var expiresAt: Timestamp?
  public var key: String?
  public var keyHold: KeyHold
  public var limitKey: String?
  public var limitMax: Int
  public var policy: JobPolicy
  /// For a job whose command and policy are its type's: what the request says itself. The store fills
  /// in the rest from the type, where it waits at the enqueue, how it is run at each claim.
  public var overrides: TypeOverrides?
  /// The occurrence of an automation that it is enqueued for.
  public var occurrence: JobOccurrence?

  public init(
    type: String = "exec", command: [String], directory: String, environment: [String] = [],
    payload: String? = nil, queue: String = "default", priority: Int = 0,
    runAt: Timestamp? = nil, expiresAt: Timestamp? = nil, key: String? = nil,
    keyHold: KeyHold = .whileKept, limitKey: String? = nil, limitMax: Int = 1,
    policy: JobPolicy = .bareCommand, overrides: TypeOverrides? = nil
  ) {
    self.type = type
    self.command = command
    self.directory = directory
    self.environment = environment
    self.payload = payload
    self.queue = queue
    self.priority = priority
    self.runAt = runAt
    self.expiresAt = expiresAt
    self.key = key
    self.keyHold = keyHold
    self.limitKey = limitKey
    self.limitMax = limitMax
    self.policy = policy
    self.overrides = overrides
  }
}

public struct Enqueued: Hashable, Sendable {
  public var id: JobID
  /// False when the key already named this very job.
  public var isNew: Bool
  /// Its type is not defined yet.
  public var waitsForType: Bool
  public init(id: JobID, isNew: Bool, waitsForType: Bool = false) {
    self.id = id
    self.isNew = isNew
    self.waitsForType = waitsForType
  }
}

/// A job as the store knows it at one moment.
public struct Job: Hashable, Sendable {
  public var id: JobID
  public var workspace: WorkspaceID
  public var request: EnqueueRequest
  public var state: JobState
  /// Why it is in its state, in a stable word, where the state alone does not say it.
  public var reason: String?
  public var attempt: Int
  public var failures: Int
  public var losses: Int
  public var snoozes: Int
  public var fence: Fence
  public var watch: Watch
  /// Who minds the running attempt, as people read it (`host:pid`); `nil` when not running.
  public var worker: String?
  public var lease: BootTime?
  /// When the lease runs out by the wall clock; derived, for people.
  public var leaseExpiresAt: Timestamp?
  /// Waits behind its limit key.
  public var waitsForLimit: Bool
  /// Its type is not defined: it waits until it is.
  public var waitsForType = false
  /// The revision of its type that it runs by: the current one while it waits, else that of its last
  /// attempt; `nil` for a bare command and while the type is not defined.
  public var typeRevision: Int?
  /// How many jobs of its type run at once, of a job that waits; `nil`: no limit.
  public var typeLimit: Int?
  /// Its type feeds many jobs to one process, of a job that waits.
  public var isStreamed = false
  public var cancelRequestedAt: Timestamp?
  public var runAt: Timestamp
  public var createdAt: Timestamp
  /// Start of the first attempt.
  public var startedAt: Timestamp?
  public var finishedAt: Timestamp?
  public var progress: Progress?
  public var result: JSON?
  public var error: Failure?
  /// Of the last attempt.
  public var exitStatus: Int?
  public var signal: Int?

  public typealias Progress = JobProgress

  public struct Failure: Hashable, Sendable {
    public var code: String
    public var message: String
    /// The outcome it came from: `retry`, `failed`, `unknown`, ….
    public var kind: String
    public init(code: String, message: String, kind: String) {
      self.code = code
      self.message = message
      self.kind = kind
    }
  }

  public init(
    id: JobID, workspace: WorkspaceID, request: EnqueueRequest, state: JobState, reason: String?,
    attempt: Int, failures: Int, losses: Int, snoozes: Int, fence: Fence, watch: Watch,
    worker: String?, lease: BootTime?, leaseExpiresAt: Timestamp?, waitsForLimit: Bool,
    cancelRequestedAt: Timestamp?, runAt: Timestamp, createdAt: Timestamp, startedAt: Timestamp?,
    finishedAt: Timestamp?, progress: Progress?, result: JSON?, error: Failure?, exitStatus: Int?,
    signal: Int?
  ) {
    self.id = id
    self.workspace = workspace
    self.request = request
    self.state = state
    self.reason = reason
    self.attempt = attempt
    self.failures = failures
    self.losses = losses
    self.snoozes = snoozes
    self.fence = fence
    self.watch = watch
    self.worker = worker
    self.lease = lease
    self.leaseExpiresAt = leaseExpiresAt
    self.waitsForLimit = waitsForLimit
    self.cancelRequestedAt = cancelRequestedAt
    self.runAt = runAt
    self.createdAt = createdAt
    self.startedAt = startedAt
    self.finishedAt = finishedAt
    self.progress = progress
    self.result = result
    self.error = error
    self.exitStatus = exitStatus
    self.signal = signal
  }
}

extension Job {
  /// Whether its deadline has passed before any attempt started. It counts as cancelled from that
  /// moment on, whoever records that.
  public func isExpired(at now: Timestamp) -> Bool {
    guard state == .pending || state == .blocked, attempt == 0, let end = request.expiresAt
    else { return false }
    return end <= now
  }

  /// The job as it counts at `now`, whether or not that is recorded yet.
  public func counted(at now: Timestamp) -> Job {
    guard isExpired(at: now) else { return self }
    var job = self
    job.state = .cancelled
    job.reason = JobTransition.Reason.expired.rawValue
    job.finishedAt = request.expiresAt
    job.waitsForLimit = false
    job.waitsForType = false
    return job
  }
}

/// One attempt of a job.
public struct Attempt: Hashable, Sendable {
  public var number: Int
  public var fence: Fence
  public var worker: String
  /// The supervisor's slot, by name; what becomes of the attempt can be asked or read there.
  public var slot: String
  public var startedAt: Timestamp
  public var finishedAt: Timestamp?
  public var outcome: AttemptOutcome?
  public var reason: String?
  public var usage: AttemptUsage
  public var warnings: [String]
  /// The revision of the job's type that it ran; `nil` for a bare command.
  public var typeRevision: Int?

  public init(
    number: Int, fence: Fence, worker: String, slot: String, startedAt: Timestamp,
    finishedAt: Timestamp?, outcome: AttemptOutcome?, reason: String?, usage: AttemptUsage,
    warnings: [String], typeRevision: Int? = nil
  ) {
    self.number = number
    self.fence = fence
    self.worker = worker
    self.slot = slot
    self.startedAt = startedAt
    self.finishedAt = finishedAt
    self.outcome = outcome
    self.reason = reason
    self.usage = usage
    self.warnings = warnings
    self.typeRevision = typeRevision
  }
}

/// What an attempt used and left, as its supervisor measured it; absent values are not known.
public struct AttemptUsage: Hashable, Sendable {
  public var exitStatus: Int?
  public var signal: Int?
  public var userMilliseconds: Int64?
  public var systemMilliseconds: Int64?
  public var peakMemoryBytes: Int64?
  /// Path below the store's folder; `nil` when nothing was written.
  public var log: String?

  public init(
    exitStatus: Int? = nil, signal: Int? = nil, userMilliseconds: Int64? = nil,
    systemMilliseconds: Int64? = nil, peakMemoryBytes: Int64? = nil, log: String? = nil
  ) {
    self.exitStatus = exitStatus
    self.signal = signal
    self.userMilliseconds = userMilliseconds
    self.systemMilliseconds = systemMilliseconds
    self.peakMemoryBytes = peakMemoryBytes
    self.log = log
  }
}

/// One line of a job's history, oldest first.
public struct HistoryEntry: Hashable, Sendable {
  public var at: Timestamp
  public var event: String
  public var from: JobState?
  public var to: JobState
  /// A user or a worker.
  public var by: String
  public var reason: String?

  public init(
    at: Timestamp, event: String, from: JobState?, to: JobState, by: String, reason: String?
  ) {
    self.at = at
    self.event = event
    self.from = from
    self.to = to
    self.by = by
    self.reason = reason
  }
}

/// What a late attempt wanted to say: kept for people, without effect on the job.
public struct LateReport: Hashable, Sendable {
  public var at: Timestamp
  public var fence: Fence
  public var report: JSON
  public init(at: Timestamp, fence: Fence, report: JSON) {
    self.at = at
    self.fence = fence
    self.report = report
  }
}

/// One row of the log of mutations.
public struct ActivityEntry: Hashable, Sendable {
  public var id: ActivityID
  public var at: Timestamp
  public var workspace: WorkspaceID?
  public var actor: Actor
  /// What was acted on, as `job/42` or `3 jobs`.
  public var subject: String?
  public init(
    id: ActivityID, at: Timestamp, workspace: WorkspaceID?, actor: Actor, subject: String?
  ) {
    self.id = id
    self.at = at
    self.workspace = workspace
    self.actor = actor
    self.subject = subject
  }
}
