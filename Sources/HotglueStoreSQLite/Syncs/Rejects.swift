import HotglueCore
import HotglueStore

/// Records that are set aside, and the records that a run receives after them.
///
/// A record that was set aside may be taken again as long as the stream has not sent another of its key
/// after it. A later record is noted with the batch that holds it; a filter of the keys keeps streams with
/// nothing set aside, and nearly all records of the others, free of it.
extension SQLiteSyncSession {
  func loadRejectedKeys(of index: Int) throws(StoreError) {
    guard !retriesRejects, streams[index].rejectedKeys == nil else { return }
    var filter: KeyFilter?
    // Of nothing but their number: the rows are not collected.
    _ = try connection.all(RejectSQL.keys, [.integer(streams[index].id)]) { row in
      if filter == nil { filter = KeyFilter() }
      filter?.insert(row.recordKey(0).filterHash)
    }
    streams[index].rejectedKeys = filter
  }

  /// Records of the batch that were stored, or were there already, and under whose key others are set
  /// aside: in the store, or in the batch itself. Without a key only one that is new counts.
  func outdatingEntries(of batch: RecordBatch, _ plan: StagePlan) throws(StoreError) -> [Int] {
    guard !retriesRejects else { return [] }
    for reject in batch.rejects {
      guard let key = reject.key else { continue }
      if streams[reject.stream].rejectedKeys == nil {
        streams[reject.stream].rejectedKeys = KeyFilter()
      }
      streams[reject.stream].rejectedKeys?.insert(key.filterHash)
    }
    guard streams.contains(where: { $0.rejectedKeys != nil }) else { return [] }
    var added: Set<Int>?
    var found: [Int] = []
    for (index, entry) in batch.entries.enumerated() where !entry.isPresenceOnly {
      guard let filter = streams[entry.stream].rejectedKeys else { continue }
      let hash = batch.bytes.withUnsafeBufferPointer { entry.key.filterHash(in: $0) }
      guard filter.mayContain(hash) else { continue }
      if case .content = entry.key {
        if added == nil { added = Set(plan.writes.map(\.entry)) }
        guard added?.contains(index) == true else { continue }
      }
      found.append(index)
    }
    guard batch.rejects.isEmpty, !found.isEmpty else { return found }
    return try store.read { () throws(StoreError) in
      var confirmed: [Int] = []
      for index in found where try isRejected(batch.entries[index], of: batch) {
        confirmed.append(index)
      }
      return confirmed
    }
  }

  private func isRejected(
    _ entry: RecordBatch.Entry, of batch: RecordBatch
  ) throws(StoreError) -> Bool {
    let place: [SQLValue] = [
      .integer(streams[entry.stream].id), batch.recordKey(entry.key).value,
    ]
    return try connection.first(RejectSQL.hasKey, place, { _ in true }) ?? false
  }

  /// Keeps the records that were set aside, and notes the entries that make others out of date, in the
  /// order in which they came; within a step, after the batch was written.
  func setAside(
    _ rejects: [RejectedRecord], before outdating: [Int], of batch: RecordBatch
  ) throws(StoreError) {
    var next = 0
    for index in outdating {
      while next < rejects.count, rejects[next].comes(before: index) {
        try setAside(rejects[next])
        next += 1
      }
      let entry = batch.entries[index]
      try outdate(batch.recordKey(entry.key), of: entry.stream, by: staged, isCopy: entry.isCopy)
    }
    for reject in rejects[next...] { try setAside(reject) }
  }

  private func setAside(_ reject: RejectedRecord) throws(StoreError) {
    let stream = streams[reject.stream]
    // Sent again without a key and set aside again: the earlier one gives way for good.
    if let key = reject.key, stream.isKeyless {
      try outdate(key, of: reject.stream, by: 0, isCopy: true)
    }
    try connection.run(
      RejectSQL.add,
      [
        .integer(run.id), .integer(stream.id), .integer(reject.line),
        reject.key?.value ?? .null, .flag(reject.isWhole), .text(reject.path),
        .text(reject.reason), .text(reject.data),
      ])
  }

  private func outdate(
    _ key: RecordKey, of stream: Int, by version: Int64, isCopy: Bool
  ) throws(StoreError) {
    let place: [SQLValue] = [.integer(streams[stream].id), key.value, .integer(version)]
    if isCopy {
      try connection.run(RejectSQL.outdateCopy, place + [.integer(run.id)])
    } else {
      try connection.run(RejectSQL.outdate, place)
    }
  }

  /// What became of records that were set aside by earlier runs; within a step, after they were written.
  func settle(_ retried: [RetriedReject]) throws(StoreError) {
    for reject in retried {
      switch reject.outcome {
      case .taken(let isKeyed):
        if isKeyed {
          try connection.run(RejectSQL.outdateEarlier, [.integer(reject.id), .integer(staged)])
        }
        try connection.run(RejectSQL.take, [.integer(reject.id)])
      case .rejected(let path, let reason):
        try connection.run(
          RejectSQL.reject, [.integer(reject.id), .text(path), .text(reason)])
      }
    }
  }
}

extension RecordBatch.Entry {
  /// It has no key.
  fileprivate var isCopy: Bool {
    if case .content = key { return true }
    return false
  }
}
