public import HotglueCore
public import HotglueStore

/// A stream whose records that were set aside are checked again.
public struct RetriedStream: Sendable {
  public var name: String
  /// The present schema, and the present key.
  public var schema: JSON
  public var key: [String]
  /// Members that do not count when a record is compared with the stored one.
  public var ignored: [String]

  public init(name: String, schema: JSON, key: [String], ignored: [String]) {
    self.name = name
    self.schema = schema
    self.key = key
    self.ignored = ignored
  }
}

/// Checks records again that were set aside, and stores those that pass.
///
/// The caller feeds it pages of them in the order in which they came. Each page is one step of the store:
/// its records become visible, and cease to be set aside, in one transaction. So a crash leaves whole pages
/// done and the others as they were, and no record is taken twice. The bookmark stays.
public final class RejectRetry {
  /// `nil`: nothing is stored, only judged.
  private let session: (any SyncSession)?
  private let validates: Bool
  private let now: () -> Timestamp
  private let observe: (SyncProgress) -> Void
  private let known: [String: RetriedStream]

  private struct Stream {
    var index: Int
    var stream: RetriedStream
    var schema: SchemaNode?
    var tally = StreamTally()
  }

  private var streams: [Stream] = []
  private var numbers: [String: Int] = [:]
  private var tape = JSONTape()
  private var check = RecordCheck()
  private var batch = RecordBatch()
  private var bytesTaken: Int64 = 0
  /// What the pages that are stored came to.
  private var publishedTallies: [Int: StreamTally] = [:]

  static let keyReason = "its key is another than when it was set aside"
  static let note = "the records are those that were set aside before"

  public init(
    session: (any SyncSession)?, streams: [RetriedStream], validates: Bool,
    now: @escaping () -> Timestamp, observe: @escaping (SyncProgress) -> Void = { _ in }
  ) {
    self.session = session
    self.validates = validates
    self.now = now
    self.observe = observe
    known = Dictionary(streams.map { ($0.name, $0) }) { first, _ in first }
  }

  public func take(_ rejects: [SetAsideRecord]) throws(SyncError) {
    for reject in rejects { try take(reject) }
    if let session {
      // The counts are those of the session; with what this page comes to they are published.
      let received = tallies
      let result = try stored { () throws(StoreError) in
        try session.stage(
          batch, publishing: Publication(bookmark: nil, tallies: received), at: now())
      }
      for place in streams.indices {
        guard let counts = result.counts[streams[place].index] else { continue }
        streams[place].tally.added += counts.added
        streams[place].tally.changed += counts.changed
        streams[place].tally.unchanged += counts.unchanged
      }
      publishedTallies = tallies
    }
    batch.removeAll()
    observe(progress)
  }

  /// What was received and rejected so far; of a mere check the rest would be accepted.
  public var reports: [StreamReport] {
    streams.map { StreamReport(stream: $0.stream.name, tally: $0.tally) }
  }

  public func succeed() throws(SyncError) -> SyncRun? {
    for stream in streams where session != nil && !stream.tally.addsUp {
      let tally = stream.tally
      throw .countsDiffer(
        stream: stream.stream.name, received: tally.received,
        accounted: tally.added + tally.changed + tally.unchanged + tally.rejected)
    }
    return try finish(
      .succeeded(Publication(bookmark: nil, tallies: tallies), notes: [Self.note]))
  }

  public func fail(_ failure: Job.Failure) throws(SyncError) {
    _ = try finish(.failed(failure, tallies: publishedTallies, notes: [Self.note]))
  }

  // MARK: One record

  private func take(_ reject: SetAsideRecord) throws(SyncError) {
    // A record comes after the schema of its stream; one whose stream was removed since goes with it.
    guard let retried = known[reject.stream] else { return }
    let place = try declare(retried)
    streams[place].tally.received += 1
    var text = reject.data
    bytesTaken += Int64(text.utf8.count)
    let stream = streams[place]
    let flaw = text.withUTF8 { bytes in self.judge(reject, bytes, in: stream) }
    guard let flaw else {
      return batch.append(RetriedReject(id: reject.id, .taken(isKeyed: !retried.key.isEmpty)))
    }
    streams[place].tally.rejected += 1
    batch.append(
      RetriedReject(id: reject.id, .rejected(path: flaw.place, reason: flaw.reason)))
  }

  /// Puts the record into the batch, or says why not.
  private func judge(
    _ reject: SetAsideRecord, _ bytes: UnsafeBufferPointer<UInt8>, in stream: Stream
  ) -> RecordFlaw? {
    do throws(LineFlaw) {
      try tape.scan(bytes)
    } catch {
      return RecordFlaw("what was kept of it is not JSON: \(error.reason)")
    }
    do throws(RecordFlaw) {
      try RecordEntry.check(0, on: tape, against: stream.schema, &check)
      let properties = stream.stream.key
      let key = try RecordEntry.key(
        of: 0, on: tape, properties: properties, ignoring: stream.stream.ignored, in: &batch)
      guard properties.isEmpty ? reject.key != nil : reject.key == batch.recordKey(key) else {
        throw RecordFlaw(Self.keyReason)
      }
      batch.append(
        stream: stream.index, key: key, data: RecordEntry.data(of: 0, on: tape, in: &batch),
        repetition: .never)
      return nil
    } catch {
      return error
    }
  }

  private func declare(_ stream: RetriedStream) throws(SyncError) -> Int {
    if let place = numbers[stream.name] { return place }
    var index = streams.count
    if let session {
      let declaration = StreamDeclaration(
        name: stream.name, schema: stream.schema.canonical.text, key: stream.key,
        bookmarkProperties: [], line: 0, ignored: stream.ignored, isChecked: validates)
      index = try stored { () throws(StoreError) in
        try session.declare(declaration, mayChangeKey: false, at: now())
      }.index
    }
    let schema = validates ? SchemaNode.read(stream.schema).node : nil
    numbers[stream.name] = streams.count
    streams.append(Stream(index: index, stream: stream, schema: schema))
    return streams.count - 1
  }

  // MARK: Counts

  private var tallies: [Int: StreamTally] {
    Dictionary(uniqueKeysWithValues: streams.map { ($0.index, $0.tally) })
  }

  private var progress: SyncProgress {
    SyncProgress(
      streams: reports, bytes: bytesTaken, lines: streams.reduce(0) { $0 + $1.tally.received })
  }

  private func finish(_ end: SyncEnd) throws(SyncError) -> SyncRun? {
    guard let session else { return nil }
    return try stored { () throws(StoreError) in try session.finish(end, at: now()) }
  }

  private func stored<T>(_ body: () throws(StoreError) -> T) throws(SyncError) -> T {
    do throws(StoreError) {
      return try body()
    } catch {
      throw .store(error)
    }
  }
}
