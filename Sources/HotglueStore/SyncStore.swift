public import HotglueCore

/// Syncs: runs that take a source's records in, and what they leave.
///
/// A run stages records in short transactions and shows them by *publishing*: one row of the source
/// says up to where its records are visible, and with which bookmark. So records and bookmark become
/// visible in one transaction, nothing is ever copied, and what a dead run staged is never seen.
public protocol SyncStore: AnyObject {
  /// Begins a run of the source and makes it the only one that may stage or publish: an earlier run
  /// that is still at it is refused from now on (`staleSync`), and what it staged is given up.
  ///
  /// With an attempt, only the live one of its job may begin. The run starts from the published
  /// bookmark, or from none when it is full.
  func beginSync(
    _ request: SyncRequest, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> any SyncSession

  /// The source's place: what is published, and by which run; `nil` before the first run.
  func syncPosition(of source: SourceID, in workspace: WorkspaceID) throws(StoreError)
    -> SyncPosition?
  /// Runs of the source, newest first, with numbers below `before`, each with what it did per stream.
  func syncRuns(
    of source: SourceID, in workspace: WorkspaceID, before: SyncRunID?, limit: Int
  ) throws(StoreError) -> [SyncRun]
  /// One run; `unknownSyncRun` when the source has none of this number.
  func syncRun(
    _ run: SyncRunID, of source: SourceID, in workspace: WorkspaceID
  ) throws(StoreError) -> SyncRun
  /// The workspace of the run of this number, and the name of its source; `nil` when there is no run of
  /// it, or its source was removed.
  func owner(ofRun run: SyncRunID) throws(StoreError) -> (workspace: WorkspaceID, source: String)?
  /// Every bookmark that a run published, oldest first; of more than a thousand the last thousand.
  func bookmarks(
    of run: SyncRunID, in workspace: WorkspaceID
  ) throws(StoreError) -> [PublishedBookmark]
  /// Records that were set aside, in the order of their lines, with numbers above `after`.
  func rejects(
    of run: SyncRunID, in workspace: WorkspaceID, after: Int64?, limit: Int
  ) throws(StoreError) -> [SetAsideRecord]
  /// Records that were set aside and are selected, with numbers above `after`, in the order in which they
  /// came; with `onlyPossible` those that can be taken again.
  func rejects(
    _ selection: RejectSelection, onlyPossible: Bool, after: Int64, limit: Int
  ) throws(StoreError) -> [SetAsideRecord]
  func rejectCounts(_ selection: RejectSelection) throws(StoreError) -> RejectCounts
  /// The last run of the source of which records are set aside still.
  func lastRunWithRejects(
    of source: SourceID, in workspace: WorkspaceID
  ) throws(StoreError) -> SyncRunID?
  /// Every schema that a stream of the source ever had, oldest first; of one stream or of all.
  func schemas(
    of source: SourceID, stream: String?, in workspace: WorkspaceID
  ) throws(StoreError) -> [RecordedSchema]

  /// Makes what `run` published last the bookmark from which the next run starts; `nil`: from the
  /// beginning. Records stay as they are. `syncRuns` while a sync of the source runs.
  func resetBookmark(
    of source: SourceID, to run: SyncRunID?, in workspace: WorkspaceID, by actor: Actor,
    at now: Timestamp
  ) throws(StoreError) -> SyncPosition

  /// Makes a bookmark from elsewhere the one from which the next run starts. It becomes a run of its own,
  /// which succeeded and received nothing, so that a reset finds it. `syncRuns` while a sync of the source
  /// runs.
  func importBookmark(
    _ bookmark: Bookmark, of source: SourceID, in workspace: WorkspaceID, by actor: Actor,
    at now: Timestamp
  ) throws(StoreError) -> SyncRun

  /// Streams that hold or held records, by name, with how many are visible.
  func recordStreams(
    of source: SourceID, in workspace: WorkspaceID
  ) throws(StoreError) -> [RecordStream]
  /// Visible records of a stream in the order of their keys, on one snapshot.
  func records(_ page: RecordPage) throws(StoreError) -> [StoredRecord]
  /// The present publication of a source, for pages that are to be of one moment. Until it is let go
  /// of nothing that it shows is swept, though the source may be synced or removed meanwhile; a
  /// process that dies lets go of it.
  func holdRecords(
    of source: SourceID, in workspace: WorkspaceID
  ) throws(StoreError) -> RecordMoment

  /// Gives back the room of what no reader can see any more: replaced and removed records, what dead
  /// runs staged, removed sources. One small step of at most `limit` rows; true while there is more.
  /// Another run may be at it meanwhile.
  func sweepSyncs(limit: Int) throws(StoreError) -> Bool
}

/// A run that is under way, for the one thread that feeds it.
///
/// Every method but `replace` is one atomic step. Each but `finish` may be followed by a crash:
/// readers then go on seeing what was published last.
public protocol SyncSession: AnyObject {
  var run: SyncRun { get }
  /// The bookmark that is published; a full run too keeps it until it publishes another.
  var bookmark: Bookmark? { get }

  /// Says which stream records are to follow, under which schema and key. A schema that differs from
  /// the last one is recorded. `streamKeyChanged` when the key differs, or the type of one of its
  /// properties, and `mayChangeKey` is false. Another key counts from the next publication on: a run that
  /// dies before it leaves the stream under the key of its records.
  func declare(
    _ declaration: StreamDeclaration, mayChangeKey: Bool, at now: Timestamp
  ) throws(StoreError) -> DeclaredStream

  /// This run sends the stream whole: what it has not sent at its end is removed by `stageRemovals`.
  /// What it sent before this call counts. A token that is the last completed one changes nothing;
  /// `nil` is that of this run alone.
  func replace(
    stream: Int, token: String?, from start: ReplacementStart
  ) throws(StoreError) -> ReplacementState

  /// What is published at present, to come back to by `withdraw`.
  var mark: BookmarkMark { get }

  /// Makes the bookmark of `mark` the published one again: those that the run published since are no
  /// places to resume from. Records stay as they are. Durable.
  func withdraw(to mark: BookmarkMark, at now: Timestamp) throws(StoreError)

  /// What is staged so far came before the place at which a bookmark now puts this stream without
  /// keys: a run that resumes there is not expected to send it again. The publication of that
  /// bookmark keeps it.
  func markPlace(of stream: Int)

  /// Compares each record with the newest of its key and stages what is new or differs. Nothing is
  /// written, and nobody waits, when there is nothing of the kind. With a publication, all that was
  /// staged so far becomes visible with the bookmark, in the same transaction; that one is durable.
  /// Staging alone is not: a power cut takes no more than what was never visible.
  func stage(
    _ batch: RecordBatch, publishing publication: Publication?, at now: Timestamp
  ) throws(StoreError) -> StageResult

  /// Stages the removal of records that a replaced stream did not send, some at a time.
  func stageRemovals(
    stream: Int, limit: Int, at now: Timestamp
  ) throws(StoreError) -> (removed: Int, isDone: Bool)

  /// Of a stream without keys whose bookmark did not move: stages the removal of records that this run
  /// added although a record of their content was there before and did not come, some at a time. They are
  /// repetitions, and count as unchanged.
  func stageRepetitions(
    stream: Int, limit: Int, at now: Timestamp
  ) throws(StoreError) -> (repeated: Int, isDone: Bool)

  /// Ends the run. `succeeded` publishes what is staged; anything else gives it up.
  func finish(_ end: SyncEnd, at now: Timestamp) throws(StoreError) -> SyncRun
}
