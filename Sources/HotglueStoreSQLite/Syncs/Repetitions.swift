import HotglueCore
import HotglueStore

extension SQLiteSyncSession {
  /// A bookmark that stays where it was is no place: the tap sent everything, and what it sent is compared
  /// with all that was there.
  func stageRepetitions(
    stream index: Int, limit: Int, at now: Timestamp
  ) throws(StoreError) -> (repeated: Int, isDone: Bool) {
    let begun = streams[index].repeats.begun
    let after =
      streams[index].repetitionsAfter
      ?? .bytes(withUnsafeBytes(of: (begun + 1).bigEndian) { Array($0) })
    let page = try versions(of: index, after: after, limit: limit)
    var found: [(id: Int64, key: RecordKey)] = []
    for version in page where !version.isRemoval && version.id > begun {
      guard let content = ContentKey(of: version.key) else { continue }
      guard let earlier = try takeCopy(of: content, .any, stream: index) else { continue }
      noteSent(earlier, of: index)
      streams[index].repeats.noteReceived(earlier)
      found.append((version.id, version.key))
    }
    if !found.isEmpty {
      try step(durable: false) { () throws(StoreError) in
        try remove(found, stream: index, at: now)
      }
      streams[index].growth -= Int64(found.count)
      streams[index].counts.added -= Int64(found.count)
      streams[index].counts.unchanged += Int64(found.count)
    }
    streams[index].repetitionsAfter = page.last?.key ?? after
    return (found.count, page.count < limit)
  }
}

extension ContentKey {
  /// The content in the key of a record without one; `nil`: it has a key.
  init?(of key: RecordKey) {
    guard case .bytes(let bytes) = key, bytes.count == 24 else { return nil }
    func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
    self.init(high: number(bytes[8..<16]), low: number(bytes[16..<24]))
  }
}
