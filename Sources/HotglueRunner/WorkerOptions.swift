public import HotglueCore

/// What a worker takes, and when it goes.
public struct WorkerOptions: Sendable {
  public enum Scope: Sendable, Equatable {
    case workspaces([WorkspaceID])
    /// Every workspace that is not archived, those made later included.
    case all
  }

  public var scope: Scope
  public var queues: [String] = []
  public var types: [String] = []
  public var concurrency = 1
  /// Work this job and no other, through its back-offs, and end when it has ended.
  public var only: JobID?
  /// With `only`: claim it at once, also when it waits for its time.
  public var startsNow = false
  /// End when nothing it may claim is due and no attempt runs.
  public var drain = false
  /// With `drain`: how long a back-off of a job of its own may still be waited for.
  public var drainWait: Span = .seconds(60)
  /// Bounds the claims.
  public var maxJobs: Int?
  /// One claim, or none if nothing is due.
  public var once = false {
    didSet { if once { maxJobs = 1 } }
  }
  public var maxTime: Span?
  /// After a first signal: how long attempts may go on before the worker leaves.
  public var grace: Span = .seconds(30)
  /// At the end of the grace, stop the attempts instead of leaving them to their supervisors.
  public var stopRunning = false
  /// The worker's end is that of every process around it, as of a container's: attempts are stopped and
  /// recorded instead of left to their supervisors, which would be killed.
  public var endsAll = false
  /// With `only`: the first signal cancels the job instead of beginning the grace.
  public var cancelsOnSignal = false
  /// Free bytes on the store's file system below which nothing is claimed.
  public var freeSpaceFloor: Int64 = 64 << 20

  public init(scope: Scope) { self.scope = scope }
}

/// What a worker tells those who watch it; the command decides what is printed.
public enum WorkerEvent: Sendable {
  case ready(worker: String)
  case claimed(JobID, WorkspaceID, attempt: Int)
  case adopted(JobID, WorkspaceID)
  /// How far a running attempt says it is; told at most a few times a second.
  case progress(JobID, WorkspaceID, JobProgress)
  case rescued(JobID, WorkspaceID, why: String, became: JobState)
  case ended(JobID, WorkspaceID, Verdict, JobState)
  /// Recorded by someone else, or too late to count.
  case superseded(JobID, WorkspaceID)
  /// Occurrences of an automation were decided, and so many of them fired.
  case ticked(String, WorkspaceID, fired: Int)
  /// A signal came: it claims nothing more.
  case finishing
  /// Left to their supervisors at the worker's end.
  case left([JobID])
  /// Something is wrong that the worker waits out; said once until it is over.
  case problem(RunnerError)
}

/// What a worker did.
public struct WorkerSummary: Sendable, Equatable {
  public var claimed = 0
  public var adopted = 0
  public var ended = 0
  public var endedBadly = 0
  public var left: [JobID] = []
  /// A drain ended although jobs may be due: it could not claim.
  public var couldNotClaim = false
  /// A signal asked for the cancel of its one job, and the store did not take it.
  public var couldNotCancel = false
  /// The signal that ended it, if one did.
  public var signal: Int32?
}
