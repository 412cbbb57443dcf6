import HotglueCore
import HotglueStore

extension SQLiteSyncSession {
  func stage(
    _ batch: RecordBatch, publishing publication: Publication?, at now: Timestamp
  ) throws(StoreError) -> StageResult {
    let statements = try VersionStatements(connection)
    var plan = StagePlan()
    if !batch.entries.isEmpty {
      try store.read { () throws(StoreError) in try compare(batch, statements, into: &plan) }
    }
    let outdating = try outdatingEntries(of: batch, plan)
    var result = StageResult(counts: plan.counts, heldMicroseconds: 0)
    guard
      !plan.writes.isEmpty || batch.hasRejects || !outdating.isEmpty || publication != nil
    else {
      count(plan)
      return result
    }
    try step(durable: publication != nil) { () throws(StoreError) in
      // As many versions go as come, so that their pages are used again at once: the file does not grow
      // by a second copy of what changes, and the run does not read it again at its end.
      try store.sweepUnread(run.source, limit: plan.writes.count)
      try write(plan.writes, of: batch, statements, at: now)
      try setAside(batch.rejects, before: outdating, of: batch)
      try settle(batch.retried)
      count(plan)
      if let publication { try publish(publication, at: now) }
    }
    result.heldMicroseconds = store.heldMicroseconds
    return result
  }

  private func count(_ plan: StagePlan) {
    for (stream, counts) in plan.counts {
      streams[stream].counts.added += counts.added
      streams[stream].counts.changed += counts.changed
      streams[stream].counts.unchanged += counts.unchanged
    }
    for (stream, growth) in plan.growth { streams[stream].growth += growth }
  }

  // MARK: Comparing

  /// Decides what each record of the batch is, on one snapshot and without the gate. Nobody else adds
  /// versions to the source meanwhile; what a sweep takes away is never the newest.
  private func compare(
    _ batch: RecordBatch, _ statements: VersionStatements, into plan: inout StagePlan
  ) throws(StoreError) {
    let order = BatchOrder(batch)
    var next = 0
    while next < batch.entries.count {
      let first = order[next]
      let entry = batch.entries[first]
      if case .content(let high, let low) = entry.key {
        try placeCopy(first, of: batch, ContentKey(high: high, low: low), &plan)
        next += 1
        continue
      }
      var end = next + 1
      while end < batch.entries.count, order.hasSameKey(next, end) { end += 1 }
      try withBoundKey(entry.key, of: batch) { (key) throws(StoreError) in
        try statements.newest(stream: streams[entry.stream].id, key: key, dead: dead) { found in
          place(order, next..<end, of: batch, over: found, &plan)
        }
      }
      next = end
    }
  }

  /// Records of one key, in the order in which they came: each is compared with the one before it.
  private func place(
    _ order: BatchOrder, _ group: Range<Int>, of batch: RecordBatch, over found: FoundVersion?,
    _ plan: inout StagePlan
  ) {
    let stream = batch.entries[order[group.lowerBound]].stream
    let ignored = streams[stream].ignored
    var last: Int?
    var current = found?.data
    var wasSent = false
    batch.bytes.withUnsafeBufferPointer { bytes in
      for place in group {
        let index = order[place]
        let entry = batch.entries[index]
        if entry.isPresenceOnly {
          wasSent = true
          continue
        }
        let data = UnsafeBufferPointer(rebasing: bytes[entry.data])
        guard let earlier = current else {
          plan.counts[stream, default: .init()].added += 1
          (current, last) = (data, index)
          continue
        }
        wasSent = true
        if RecordComparison.isSame(earlier, data, ignoring: ignored) {
          plan.counts[stream, default: .init()].unchanged += 1
        } else {
          plan.counts[stream, default: .init()].changed += 1
          (current, last) = (data, index)
        }
      }
    }
    if let last {
      plan.add(last, stream: stream, over: found, staged: published)
    }
    // A version that stays the newest, or that is overwritten in its place, was sent.
    if wasSent, let found, last == nil || found.id > published { noteSent(found.id, of: stream) }
  }

  /// A record without a key is one of those with its content that were there before and that this run
  /// has not sent yet; else it is new.
  private func placeCopy(
    _ index: Int, of batch: RecordBatch, _ content: ContentKey, _ plan: inout StagePlan
  ) throws(StoreError) {
    let stream = batch.entries[index].stream
    let repetition = batch.entries[index].repetition
    if let earlier = try repetition == .never
      ? nil : takeCopy(of: content, repetition, stream: stream)
    {
      plan.counts[stream, default: .init()].unchanged += 1
      noteSent(earlier, of: stream)
      streams[stream].repeats.noteReceived(earlier)
    } else {
      plan.counts[stream, default: .init()].added += 1
      plan.add(index, stream: stream, over: nil, staged: published)
    }
  }

  func noteSent(_ version: Int64, of stream: Int) {
    if version <= streams[stream].floor { streams[stream].seen.insert(version) }
  }

  // MARK: Writing

  private func write(
    _ writes: [StagePlan.Write], of batch: RecordBatch, _ statements: VersionStatements,
    at now: Timestamp
  ) throws(StoreError) {
    let first = try takeNumbers(writes.reduce(0) { $0 + ($1.overwritten == 0 ? 1 : 0) })
    var number = first
    for write in writes {
      let entry = batch.entries[write.entry]
      try batch.bytes.withUnsafeBufferPointer { (bytes) throws(StoreError) in
        let data = UnsafeBufferPointer(rebasing: bytes[entry.data])
        if write.overwritten != 0 {
          try statements.overwrite(write.overwritten, at: now.milliseconds, data: data)
          return
        }
        let key = BoundKey(entry.key, in: bytes, number: number)
        if case .content = entry.key { streams[entry.stream].repeats.noteReceived(number) }
        try statements.insert(
          number, stream: streams[entry.stream].id, key: key, at: now.milliseconds, data: data)
        number += 1
      }
    }
    try supersede(writes.lazy.map(\.replaced).filter { $0 != 0 }, by: first)
  }

  private func withBoundKey<T>(
    _ key: RecordBatch.Key, of batch: RecordBatch, _ body: (BoundKey) throws(StoreError) -> T
  ) throws(StoreError) -> T {
    try batch.bytes.withUnsafeBufferPointer { (bytes) throws(StoreError) in
      try body(BoundKey(key, in: bytes, number: 0))
    }
  }
}

/// What is to be written for a batch.
struct StagePlan {
  struct Write {
    var entry: Int
    /// The visible version that goes with the publication; 0: none.
    var replaced: Int64
    /// The version of this run, not visible yet, that takes the record in; 0: a new one does.
    var overwritten: Int64
  }

  var writes: [Write] = []
  var counts: [Int: StageResult.Counts] = [:]
  var growth: [Int: Int64] = [:]

  mutating func add(
    _ entry: Int, stream: Int, over found: FoundVersion?, staged published: Int64
  ) {
    let id = found?.id ?? 0
    let isStaged = id > published
    writes.append(
      Write(
        entry: entry, replaced: isStaged ? 0 : id, overwritten: isStaged ? id : 0))
    if found?.data == nil { growth[stream, default: 0] += 1 }
  }
}

struct ContentKey: Hashable {
  var high: UInt64
  var low: UInt64
}

extension BoundKey {
  init(_ key: RecordBatch.Key, in bytes: UnsafeBufferPointer<UInt8>, number: Int64) {
    switch key {
    case .integer(let number): self = .integer(number)
    case .text(let place): self = .text(UnsafeBufferPointer(rebasing: bytes[place]))
    case .bytes(let place): self = .bytes(UnsafeBufferPointer(rebasing: bytes[place]))
    case .content(let high, let low): self = .copy(number: number, high, low)
    }
  }
}
