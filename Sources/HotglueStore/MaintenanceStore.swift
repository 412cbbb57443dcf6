public import HotglueCore

public struct StoreInfo: Hashable, Sendable {
  public var path: String
  public var folder: String
  public var storeID: String
  public var incarnation: Int64
  public var schemaVersion: Int
  public var group: String?
  public var sizeBytes: Int64
  public var logBytes: Int64
  public var createdAt: Timestamp
  /// The SQLite that is linked in, and whether the writer gate is what protects it from the
  /// WAL-reset defect.
  public var sqliteVersion: String
  public var gateProtects: Bool
  public var jobsByState: [JobState: Int]
  public var workspaces: Int

  public init(
    path: String, folder: String, storeID: String, incarnation: Int64, schemaVersion: Int,
    group: String?, sizeBytes: Int64, logBytes: Int64, createdAt: Timestamp,
    sqliteVersion: String, gateProtects: Bool, jobsByState: [JobState: Int], workspaces: Int
  ) {
    self.path = path
    self.folder = folder
    self.storeID = storeID
    self.incarnation = incarnation
    self.schemaVersion = schemaVersion
    self.group = group
    self.sizeBytes = sizeBytes
    self.logBytes = logBytes
    self.createdAt = createdAt
    self.sqliteVersion = sqliteVersion
    self.gateProtects = gateProtects
    self.jobsByState = jobsByState
    self.workspaces = workspaces
  }
}

/// What a backup holds that a restore of it must be asked about.
public struct BackupContents: Hashable, Sendable {
  /// Waiting jobs that are not safe to run twice and may have run since the backup was taken.
  public var mayHaveRun: Int
  public init(mayHaveRun: Int) { self.mayHaveRun = mayHaveRun }
}

/// The store as a file. Every method but the reading ones is one atomic, durable step.
public protocol MaintenanceStore: AttemptRecords {
  /// The folder for locks and logs beside the store.
  var folder: String { get }
  /// The group that shares the store; `nil` for a private one.
  var group: String? { get }
  /// How long a write waits for its turn before it throws `busy`.
  var writeBound: Span { get set }
  func info() throws(StoreError) -> StoreInfo
  /// Leaves rows in the log for what a command did through steps that know no user, one a subject.
  func log(
    _ actor: Actor, in workspace: WorkspaceID?, subjects: [String], at now: Timestamp
  ) throws(StoreError)
  /// Everything that is wrong; empty when the store is sound. Integrity, foreign
  /// keys, and every rule between tables that the schema cannot say. Reads one snapshot.
  func violations() throws(StoreError) -> [StoreViolation]
  /// Writes a whole copy of one snapshot to `path`, which must not exist, and syncs it.
  func backup(to path: String) throws(StoreError)
}

extension MaintenanceStore {
  /// `violations` in words.
  public func check() throws(StoreError) -> [String] { try violations().map(\.message) }
}

/// All that commands and the runner need of a store.
public typealias Store = JobStore & ClaimStore & ReportStore & TypeStore & QueueStore
  & CircumstanceStore & EffectStore & DraftStore & SourceStore & SyncStore & DeliveryStore
  & WorkspaceStore & AutomationStore
  & MemberStore & ActivityStore & MaintenanceStore
