public import HotglueCore

/// A rule between rows that does not hold.
public struct StoreViolation: Hashable, Sendable {
  public var code: FindingCode
  public var message: String
  public var workspace: WorkspaceID?
  public var job: JobID?

  public init(
    _ code: FindingCode, _ message: String, workspace: WorkspaceID? = nil, job: JobID? = nil
  ) {
    self.code = code
    self.message = message
    self.workspace = workspace
    self.job = job
  }
}

/// What one snapshot of a store shows to somebody who compares it with the machine.
public struct StoreAudit: Sendable {
  public struct Worker: Hashable, Sendable {
    public var id: WorkerID
    public var identity: WorkerIdentity
    public init(id: WorkerID, identity: WorkerIdentity) {
      self.id = id
      self.identity = identity
    }
  }

  public struct Context: Hashable, Sendable {
    public var key: ContextKey
    public var record: ContextRecord
    public init(key: ContextKey, record: ContextRecord) {
      self.key = key
      self.record = record
    }
  }

  public struct Waiting: Hashable, Sendable {
    public var workspace: WorkspaceID
    public var count: Int
    public init(workspace: WorkspaceID, count: Int) {
      self.workspace = workspace
      self.count = count
    }
  }

  public struct StoppedAutomation: Hashable, Sendable {
    public var workspace: WorkspaceID
    public var name: String
    public var isWithoutZone: Bool
    public var reason: String
    public init(workspace: WorkspaceID, name: String, isWithoutZone: Bool, reason: String) {
      self.workspace = workspace
      self.name = name
      self.isWithoutZone = isWithoutZone
      self.reason = reason
    }
  }

  public var info: StoreInfo
  public var violations: [StoreViolation]
  public var running: [RunningAttempt]
  /// Workers that have not retired.
  public var workers: [Worker]
  /// Contexts with a switch that is neither confirmed nor rolled back.
  public var openSwitches: [Context]
  public var uncertainJobs: [Waiting]
  /// Effects that are unknown, or intended without a living attempt.
  public var unknownEffects: [Waiting]
  /// Running jobs of archived workspaces.
  public var archivedRunning: [Waiting]
  /// Automations that fire no more until somebody acts: without their zone, or paused by failures.
  public var stoppedAutomations: [StoppedAutomation] = []
  /// The latest moment that a command or worker recorded.
  public var latest: Timestamp?
  public var workspaces: [WorkspaceID]

  public init(
    info: StoreInfo, violations: [StoreViolation], running: [RunningAttempt], workers: [Worker],
    openSwitches: [Context], uncertainJobs: [Waiting], unknownEffects: [Waiting],
    archivedRunning: [Waiting], latest: Timestamp?, workspaces: [WorkspaceID]
  ) {
    self.info = info
    self.violations = violations
    self.running = running
    self.workers = workers
    self.openSwitches = openSwitches
    self.uncertainJobs = uncertainJobs
    self.unknownEffects = unknownEffects
    self.archivedRunning = archivedRunning
    self.latest = latest
    self.workspaces = workspaces
  }
}

/// How the store's rows know an attempt.
public enum AttemptRecord: Hashable, Sendable {
  /// The job was pruned, or came after the backup that was restored.
  case unknown
  case open
  case ended
  /// It has ended, and its policy leaves alone what its handler left running.
  case endedKeepingChildren
}

/// Tells what a store knows of an attempt.
public protocol AttemptRecords: AnyObject {
  func record(ofJob job: JobID, fence: Fence) throws(StoreError) -> AttemptRecord
}

/// A store that is only looked at: nothing is written, and no lock is taken that a writer waits for.
public protocol AuditStore: AttemptRecords {
  /// Everything that one snapshot shows. Takes as long as a check of the whole file does.
  func audit() throws(StoreError) -> StoreAudit
}

/// A store's file as it was found: what is wrong with it, and the store where it can be read.
public struct StoreExamination {
  /// The real path, or the one that was asked for when there is nothing.
  public var path: String
  public var problems: [StoreError]
  public var store: (any AuditStore)?

  public init(
    path: String, problems: [StoreError] = [], store: (any AuditStore)? = nil
  ) {
    self.path = path
    self.problems = problems
    self.store = store
  }
}
