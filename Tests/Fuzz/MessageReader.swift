import HotglueCore
import HotglueSinger
import HotglueStore

/// The reader of taps' messages, over a session that keeps nothing.
final class MessageReader {
  /// What came of lines: how many records were taken, and how many were set aside.
  struct Result: Equatable {
    var taken: [[UInt8]] = []
    var rejected = 0
    var error: String?
  }

  /// Gives lines to the reader, cut into pieces.
  func read(_ bytes: [UInt8], pieces: Int = .max) -> Result {
    let session = DroppingSession()
    var options = SyncOptions()
    options.lineLimit = 1 << 20
    let engine = SyncEngine(session: session, options: options, now: { Timestamp(milliseconds: 0) })
    var result = Result()
    do {
      var place = 0
      while place < bytes.count {
        let end = place + min(pieces, bytes.count - place)
        try bytes.withUnsafeBufferPointer { bytes throws(SyncError) in
          try engine.take(UnsafeBufferPointer(rebasing: bytes[place..<end]))
        }
        place = end
      }
      _ = try engine.succeed()
    } catch {
      result.error = "\(error)"
    }
    result.taken = session.records
    result.rejected = session.rejects
    return result
  }

  /// Whether a text can be a record's value, within a line.
  func accepts(record text: [UInt8]) -> Bool {
    let schema = #"{"type":"SCHEMA","stream":"s","schema":{},"key_properties":[]}"# + "\n"
    let line =
      Array(#"{"type":"RECORD","stream":"s","record":{"v":"#.utf8) + text + Array("}}\n".utf8)
    let result = read(Array(schema.utf8) + line)
    return result.error == nil && result.taken.count == 1
  }
}

/// A session that stores nothing but what a record was.
private final class DroppingSession: SyncSession {
  var run: SyncRun
  var bookmark: Bookmark?
  var records: [[UInt8]] = []
  var rejects = 0
  private var streams: [String: Int] = [:]

  init() {
    let workspace = WorkspaceID("w")
    guard let workspace else { preconditionFailure("'w' is a workspace") }
    run = SyncRun(
      id: 1, source: 1, workspace: workspace, job: nil, fence: nil, state: .running, isFull: false,
      startedAt: Timestamp(milliseconds: 0), finishedAt: nil, given: nil, bookmark: nil,
      publications: 0, error: nil, notes: [], streams: [], target: nil)
  }

  func declare(
    _ declaration: StreamDeclaration, mayChangeKey: Bool, at now: Timestamp
  ) throws(StoreError) -> DeclaredStream {
    let known = streams[declaration.name]
    let index = known ?? streams.count
    streams[declaration.name] = index
    return DeclaredStream(
      index: index, isNew: known == nil, schemaChanged: false, keyToken: nil)
  }

  func replace(
    stream: Int, token: String?, from start: ReplacementStart
  ) throws(StoreError) -> ReplacementState { .none }
  var mark: BookmarkMark { BookmarkMark(bookmark: bookmark, publications: 0) }
  func withdraw(to mark: BookmarkMark, at now: Timestamp) throws(StoreError) {}
  func markPlace(of stream: Int) {}

  func stage(
    _ batch: RecordBatch, publishing publication: Publication?, at now: Timestamp
  ) throws(StoreError) -> StageResult {
    var counts: [Int: StageResult.Counts] = [:]
    for entry in batch.entries where !entry.isPresenceOnly {
      records.append(Array(batch.bytes[entry.data]))
      counts[entry.stream, default: StageResult.Counts()].added += 1
    }
    rejects += batch.rejects.count
    return StageResult(counts: counts, heldMicroseconds: 0)
  }

  func stageRemovals(
    stream: Int, limit: Int, at now: Timestamp
  ) throws(StoreError) -> (removed: Int, isDone: Bool) { (0, true) }

  func stageRepetitions(
    stream: Int, limit: Int, at now: Timestamp
  ) throws(StoreError) -> (repeated: Int, isDone: Bool) { (0, true) }

  func finish(_ end: SyncEnd, at now: Timestamp) throws(StoreError) -> SyncRun { run }
}
