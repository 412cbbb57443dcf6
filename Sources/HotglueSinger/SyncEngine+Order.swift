import HotglueCore
import HotglueStore

/// Which bookmarks of a run count; see `BookmarkJudge`.
extension SyncEngine {
  /// To be called with each record that is received, before it is judged.
  func noteOrder(_ record: Int, of stream: SingerStream) throws(SyncError) {
    guard tape[record].kind == .object else { return }
    if stream.monitor.note(record, on: tape, published: session.mark) {
      try withdraw(for: stream.monitor)
    }
  }

  /// The tap said a bookmark: whether it counts at once.
  func judgeOrder(_ value: JSON?) {
    guard let value else { return }
    for monitor in judge.note(said: value) {
      notes.add("the bookmark of stream '\(monitor.title)' went backwards")
    }
    withhold(options.resumesAtEnd || hasKeylessPosition || !judge.isProven(value))
    if !isWithheld { judge.count(value) }
  }

  /// A stream without keys that resumes from a place in the tap's own terms: whether the tap heeds it is
  /// known at its end. Records that it sent all the same must not be seen twice until then.
  private var hasKeylessPosition: Bool {
    streams.contains { stream in
      guard stream.monitor.hasRecords, let resumption = stream.resumption else { return false }
      return resumption.given.isPosition || resumption.place.isPosition
    }
  }

  /// What was published of the stream's place since its first record is no place to resume from.
  func withdraw(for monitor: OrderMonitor) throws(SyncError) {
    guard let fallback = monitor.fallback, judge.isMisled(monitor) else { return }
    let time = declarationTime
    try stored { () throws(StoreError) in try session.withdraw(to: fallback, at: time) }
    judge.count(session.bookmark?.value)
    withhold(true)
  }

  /// Notes why the last bookmark did not count before the end.
  func noteWithheld(hasFailed: Bool) {
    for monitor in judge.withholding(saidValue) { notes.addWithheld(monitor, hasFailed: hasFailed) }
  }
}

extension ReplicationPlace {
  var isPosition: Bool {
    if case .position = self { return true }
    return false
  }
}
