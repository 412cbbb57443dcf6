import HotglueCore
import HotglueStore

/// Which bookmarks of a run count.
extension SyncEngine {
  /// To be called with each record that is received, before it is judged.
  func noteOrder(_ record: Int, of stream: SingerStream) throws(SyncError) {
    if !stream.monitor.isMoving {
      stream.monitor.isMoving = true
      moving.append(stream)
    }
    guard tape[record].kind == .object else { return }
    if stream.monitor.note(record, on: tape, published: session.mark) {
      try withdraw(for: stream)
    }
  }

  /// A bookmark says where the streams are of which records came since the one before.
  func judgeOrder(_ value: JSON) throws(SyncError) {
    for stream in moving {
      stream.monitor.isMoving = false
      switch stream.monitor.judge(value, after: hasSaid ? saidValue : nil, given: givenValue) {
      case .fine: break
      case .backwards: noteBackwards(stream)
      case .broken:
        noteBackwards(stream)
        try withdraw(for: stream)
      }
    }
    moving.removeAll(keepingCapacity: true)
    hasSaid = true
    if !isWithheld, streams.contains(where: { $0.monitor.isMisled(by: value) }) { withhold() }
  }

  private func noteBackwards(_ stream: SingerStream) {
    notes.add("the bookmark of stream '\(stream.title)' went backwards")
  }

  /// What was published of the stream's place since its first record is no place to resume from.
  private func withdraw(for stream: SingerStream) throws(SyncError) {
    guard let fallback = stream.monitor.fallback,
      stream.monitor.isMisled(by: session.bookmark?.value)
    else { return }
    let time = declarationTime
    try stored { () throws(StoreError) in try session.withdraw(to: fallback, at: time) }
    withhold()
  }
}
