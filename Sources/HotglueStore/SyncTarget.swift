public import HotglueCore

public typealias SyncTargetID = Int64

/// Where records of a source go, if not into the store: a program with a bookmark of its own.
public struct SyncTarget: Hashable, Sendable {
  /// Unique across the store and never reused.
  public var id: SyncTargetID
  public var source: SourceID
  public var workspace: WorkspaceID
  /// What it is known by: other words are another target.
  public var command: [String]
  /// What it has confirmed last.
  public var bookmark: Bookmark?
  public var confirmedRun: SyncRunID?
  public var confirmedAt: Timestamp?

  public init(
    id: SyncTargetID, source: SourceID, workspace: WorkspaceID, command: [String],
    bookmark: Bookmark?, confirmedRun: SyncRunID?, confirmedAt: Timestamp?
  ) {
    self.id = id
    self.source = source
    self.workspace = workspace
    self.command = command
    self.bookmark = bookmark
    self.confirmedRun = confirmedRun
    self.confirmedAt = confirmedAt
  }
}

/// A run into a target that is under way, for the one thread that minds it. Each method is one atomic
/// step, refused (`staleSync`) once another run into the same target has begun.
public protocol DeliverySession: AnyObject {
  var run: SyncRun { get }
  /// What the target has confirmed last, in this run or before it.
  var bookmark: Bookmark? { get }

  /// Keeps what the target said, with what was sent until then. Durable.
  func confirm(
    _ bookmark: Bookmark, _ streams: [StreamReport], at now: Timestamp
  ) throws(StoreError)

  /// Makes `bookmark` the confirmed one again, which was it before the run or, if `isOwn`, in the run:
  /// those that were confirmed since are no places to resume from. Durable.
  func withdraw(to bookmark: Bookmark?, isOwn: Bool, at now: Timestamp) throws(StoreError)

  /// Ends the run; `nil`: it has succeeded. What was confirmed stays.
  func finish(
    _ failure: Job.Failure?, _ streams: [StreamReport], notes: [String], at now: Timestamp
  ) throws(StoreError) -> SyncRun
}

/// Syncs into targets. The position of each target is its own, and apart from that of the store.
public protocol DeliveryStore: AnyObject {
  /// Begins a run into the target of these words and makes it the only one that may confirm. It starts
  /// from what the target has confirmed, or from nothing when it is full.
  func beginDelivery(
    _ request: SyncRequest, into command: [String], by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> any DeliverySession

  /// The targets of a source, oldest first.
  func syncTargets(of source: SourceID, in workspace: WorkspaceID) throws(StoreError)
    -> [SyncTarget]

  /// The workspace of the target of this number, and the name of its source; `nil` when there is no
  /// target of it, or its source was removed.
  func owner(ofTarget target: SyncTargetID) throws(StoreError) -> (
    workspace: WorkspaceID, source: String
  )?

  /// Makes what the target confirmed last in `run` its bookmark; `nil`: none. `syncRuns` while a sync of
  /// the source runs, `unknownSyncRun` when the run did not go into this target.
  func resetTarget(
    _ target: SyncTargetID, of source: SourceID, to run: SyncRunID?, in workspace: WorkspaceID,
    by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> SyncTarget
}
