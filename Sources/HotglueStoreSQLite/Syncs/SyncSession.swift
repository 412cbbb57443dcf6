import HotglueCore
import HotglueStore

/// A run under way on SQLite. What it keeps between its steps is only what can be read again or is of
/// no use after its death: which rows it has seen, and how far it has staged.
final class SQLiteSyncSession: SyncSession {
  let store: SQLiteStore
  var run: SyncRun
  var streams: [SessionStream] = []
  /// The highest number this run staged, and the highest that is visible.
  var staged: Int64
  var published: Int64
  /// Ranges of numbers that dead runs staged. Somebody may sweep them meanwhile.
  let dead: DeadRanges
  var bookmark: Bookmark?
  var publishedBookmarks = 0

  var connection: Connection { store.connection }

  init(
    store: SQLiteStore, run: SyncRun, published: Int64, bookmark: Bookmark?, dead: DeadRanges
  ) {
    self.store = store
    self.run = run
    staged = published
    self.published = published
    self.bookmark = bookmark
    self.dead = dead
  }

  /// Runs a step that only this run may do: another one that began since makes it stale. All the
  /// numbers it staged are within what its position says, so that its death leaves nothing unknown.
  func step<T>(
    durable: Bool, _ body: () throws(StoreError) -> T
  ) throws(StoreError) -> T {
    let before = (staged, published, streams, bookmark, publishedBookmarks)
    do throws(StoreError) {
      return try store.write(durable: durable) { () throws(StoreError) in
        try requireHold()
        let result = try body()
        try connection.run(
          SyncSQL.setMarks,
          [.integer(run.source), .integer(run.id), .integer(staged), .integer(published)])
        return result
      }
    } catch {
      (staged, published, streams, bookmark, publishedBookmarks) = before
      throw error
    }
  }

  private func requireHold() throws(StoreError) {
    let holder = try connection.first(
      SyncSQL.holder, [.integer(run.source)],
      { (run: $0.integer(0), isRunning: $0.text(1) == "running") })
    guard let holder, holder.run == run.id, holder.isRunning else {
      throw StoreError.staleSync(run: run.id, current: holder?.run)
    }
  }

  /// Numbers for `count` new versions, the first one; within a step.
  func takeNumbers(_ count: Int) throws(StoreError) -> Int64 {
    guard count > 0 else { return staged }
    let last = try connection.first(
      SyncSQL.takeNumbers, [.integer(count)], { $0.integer(0) })
    guard let last else {
      throw StoreError.corrupt(path: store.path, detail: "the counter of records is not there")
    }
    staged = last
    return last - Int64(count) + 1
  }
}

/// A stream as a session knows it.
struct SessionStream {
  let id: Int64
  let name: String
  /// Set while it is sent whole: versions above `floor`, or in `seen`, were sent.
  var replacement: Replacement?
  /// Versions from before the run that were sent again; kept for replacements and for streams
  /// without keys.
  var seen = RowSet()
  /// Versions above are this run's own.
  var floor: Int64
  /// Whether there are records of before the run to be told apart by their content; `nil`: not known.
  var listsCopies: Bool?
  /// What became of the records so far.
  var counts = StageResult.Counts()
  /// Change of the number of visible records since the last publication.
  var growth: Int64 = 0
  /// The token of the last replacement that was completed.
  var completed: String?
  /// How far the search for what was not sent has come, and whether it is at its end.
  var removalsAfter: RecordKey?
  var isComplete = false

  struct Replacement {
    var token: String
    /// What an interrupted run had published under the same token is in the store already.
    var isStored: Bool
  }

  func wasSent(_ version: Int64) -> Bool { version > floor || seen.contains(version) }
}

/// What dead runs of a source staged: to be seen by nobody.
struct DeadRanges {
  let ranges: [(low: Int64, high: Int64)]

  func contains(_ version: Int64) -> Bool {
    ranges.contains { $0.low < version && version <= $0.high }
  }
}
