import HotglueCore
import HotglueStore

/// Lines that cannot be taken as messages.
///
/// A record is set aside. What is no record costs a note, and leaves the store as it is: without a STATE
/// the bookmark stays, without a version no record is removed. So no bookmark covers a record that was
/// lost and not counted against the bound of rejected records.
extension SyncEngine {
  func takeUnreadable(
    _ unreadable: UnreadableLine, _ line: UnsafeBufferPointer<UInt8>, _ number: Int64
  ) throws(SyncError) {
    switch unreadable.kind {
    case .record where unreadable.stream != nil:
      try takeUnreadableRecord(unreadable, line, number)
    case .batch: throw unreadable.failure
    case .state:
      intake.noteArrival()
      notes.addUnreadable(unreadable, line: number)
    default:
      notes.addUnreadable(unreadable, line: number)
      if unreadable.mayHoldRecord { try loseLine(unreadable, number) }
    }
  }

  private func takeUnreadableRecord(
    _ unreadable: UnreadableLine, _ line: UnsafeBufferPointer<UInt8>, _ number: Int64
  ) throws(SyncError) {
    noteNoBookmark()
    let name = unreadable.stream ?? ""
    let selected = try intake.stream(named: name, of: .record, line: number, &notes)
    guard let identity = selected else { return }
    guard let known = numbers[identity.title] else {
      throw .recordBeforeSchema(line: number, stream: name)
    }
    let raw = unreadable.record.map { UnsafeBufferPointer(rebasing: line[$0]) } ?? line
    try setAsideUnread(
      raw, isRecord: unreadable.record != nil && !unreadable.isCut, of: streams[known],
      line: number, unreadable.reason)
  }

  /// Sets a record aside that is not on the tape. `isRecord`: the bytes are those of the record alone.
  func setAsideUnread(
    _ raw: UnsafeBufferPointer<UInt8>, isRecord: Bool, of stream: SingerStream, line: Int64,
    _ reason: String
  ) throws(SyncError) {
    stream.tally.received += 1
    try setAside(
      RejectedRecord(
        stream: stream.index, line: line, path: "", reason: reason,
        data: String(decoding: raw.prefix(Self.keptOfReject), as: UTF8.self),
        isWhole: isRecord && raw.count <= Self.keptOfReject && UTF8Check.accepts(raw), key: nil),
      of: stream, key: nil)
    try takeIfFull()
  }

  /// A record may be lost, of whatever stream: it counts as rejected, and nothing is removed for not having
  /// been sent.
  private func loseLine(
    _ unreadable: UnreadableLine, _ number: Int64
  ) throws(SyncError) {
    noteNoBookmark()
    hasLostLine = true
    try countReject(line: number, failure: unreadable.failure)
  }

  /// Holds the run to its bound. `failure`: of a run that takes none.
  func countReject(line: Int64, failure: SyncError) throws(SyncError) {
    rejectCount += 1
    switch options.rejects ?? .standard {
    case .fail: throw failure
    case .setAside(let limit):
      guard rejectCount <= limit else { throw .tooManyRejects(line: line, limit: limit) }
    }
  }
}
