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
  /// It takes records again that were set aside: what it receives is not later than they are.
  let retriesRejects: Bool
  var bookmark: Bookmark?
  /// What was published before the run.
  let bookmarkBefore: Bookmark?
  var publishedBookmarks = 0
  /// The publication that moved the boundary of a stream without keys last.
  var boundaryMovedAt = 0

  var connection: Connection { store.connection }

  init(
    store: SQLiteStore, run: SyncRun, published: Int64, bookmark: Bookmark?, dead: DeadRanges,
    retriesRejects: Bool
  ) {
    self.retriesRejects = retriesRejects
    self.store = store
    self.run = run
    staged = published
    self.published = published
    self.bookmark = bookmark
    bookmarkBefore = bookmark
    self.dead = dead
  }

  /// Runs a step that only this run may do: another one that began since makes it stale. All the
  /// numbers it staged are within what its position says, so that its death leaves nothing unknown.
  func step<T>(
    durable: Bool, _ body: () throws(StoreError) -> T
  ) throws(StoreError) -> T {
    let before = (staged, published, streams, bookmark, publishedBookmarks, boundaryMovedAt)
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
      (staged, published, streams, bookmark, publishedBookmarks, boundaryMovedAt) = before
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
  var isKeyless = false
  /// Members that do not count when records are compared.
  var ignored: [String] = []
  /// Set while it is sent whole: versions above `floor`, or in `seen`, were sent.
  var replacement: Replacement?
  /// Versions from before the run that were sent again; kept for replacements and for streams
  /// without keys.
  var seen = RowSet()
  /// Versions above are this run's own.
  var floor: Int64
  /// Of a stream without keys: which records of before may come again.
  var repeats: RepeatedRecords
  /// What became of the records so far.
  var counts = StageResult.Counts()
  /// Change of the number of visible records since the last publication.
  var growth: Int64 = 0
  /// The token of the last replacement that was completed.
  var completed: String?
  /// The number of a schema with another key, which counts from the next publication on.
  var pendingSchema: (version: Int, key: String)?
  /// Keys of records that are set aside; `nil`: there are none.
  var rejectedKeys: KeyFilter?
  /// How far the search for repetitions has come.
  var repetitionsAfter: RecordKey?
  /// How far the search for what was not sent has come, and whether it is at its end.
  var removalsAfter: RecordKey?
  var isComplete = false

  struct Replacement {
    /// `nil`: no other run can go on with it.
    var token: String?
    /// The run that began it.
    var begunBy: SyncRunID
    /// What was seen is in the store: another run may go on from there.
    var isStored: Bool
    /// The publication of this run that stored it first; 0: an interrupted run had.
    var storedAt = 0
  }

  func wasSent(_ version: Int64) -> Bool { version > floor || seen.contains(version) }
}

/// What a session knows of the records of a stream without keys that may come again.
struct RepeatedRecords {
  /// Versions above were received since the published bookmark; `nil`: all were.
  var boundary: Int64?
  /// Those above this, of before the run, are expected from the bookmark it resumes from.
  let resumesAbove: Int64
  /// The boundary before the run.
  let before: Int64?
  /// Versions above are this run's own.
  let begun: Int64
  /// How many of those of before are listed by their content.
  var listed = Listed.none
  enum Listed { case none, recent, all }

  /// Those that are expected and have not come yet.
  private var expected = RowSet()
  /// The least of them is not below.
  private var least: Int64 = 0
  /// The least version that was received since the place moved, as a new or a repeated record.
  private var received: Int64?
  /// The least that was in the whole run.
  private var receivedInRun: Int64?
  /// Where `markPlace` was called, and what was expected still.
  private var mark: (staged: Int64, expected: Int64?)?
  /// The boundary as it was set last in this run, without what was expected then and did not come.
  private var base: Int64?

  init(boundary: Int64?, resumesAbove: Int64, begun: Int64) {
    self.boundary = boundary
    before = boundary
    self.resumesAbove = resumesAbove
    self.begun = begun
  }

  mutating func expect(_ version: Int64) {
    if version > resumesAbove { expected.insert(version) }
  }

  mutating func noteReceived(_ version: Int64) {
    received = min(received ?? version, version)
    receivedInRun = min(receivedInRun ?? version, version)
    expected.remove(version)
  }

  mutating func markPlace(staged: Int64) {
    mark = (staged, leastExpected(staged: staged))
    received = nil
  }

  /// A bookmark with another place for the stream is published.
  mutating func publish(_ place: Publication.PlaceKind, staged: Int64) {
    let bound: Int64
    var open: Int64?
    switch place {
    case .beginning:
      (boundary, base, received, mark) = (nil, nil, nil, nil)
      return
    case .value:
      // Records of the bookmark's value were received since the place moved away from the one before.
      bound = min(staged, (received ?? .max) - 1)
      open = leastExpected(staged: staged)
      received = nil
    case .position:
      bound = mark?.staged ?? staged
      open = mark?.expected ?? leastExpected(staged: staged)
    case .unordered:
      bound = min(staged, (receivedInRun ?? .max) - 1)
      (open, received) = (leastExpected(staged: staged), receivedInRun)
    }
    mark = nil
    base = bound
    boundary = min(bound, (open ?? .max) - 1)
  }

  /// The tap came to its end: what was expected and did not come will not.
  mutating func end() {
    if let base { boundary = min(base, (received ?? .max) - 1) }
  }

  /// The bookmark of before the run is the published one again.
  mutating func withdraw() {
    boundary = before
    (base, mark) = (nil, nil)
  }

  mutating func startOver() {
    listed = .none
    expected.removeAll()
    least = 0
  }

  private mutating func leastExpected(staged: Int64) -> Int64? {
    // Nothing of the stream came yet: all that is expected is still to come.
    guard listed != .none else { return resumesAbove < begun ? resumesAbove + 1 : nil }
    let found = expected.first(from: least)
    least = found ?? least
    return found
  }
}

/// What dead runs of a source staged: to be seen by nobody.
struct DeadRanges {
  let ranges: [(low: Int64, high: Int64)]

  func contains(_ version: Int64) -> Bool {
    ranges.contains { $0.low < version && version <= $0.high }
  }
}
