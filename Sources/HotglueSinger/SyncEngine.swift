public import HotglueCore
public import HotglueStore

/// How a sync takes a tap's output.
public struct SyncOptions: Sendable {
  /// Which streams to take.
  public var resolver = StreamResolver()
  /// Record keys that replace those of the tap, by stream or pattern.
  public var keys: [String: [String]] = [:]
  /// Members that do not count when a record is compared with the stored one, by stream or pattern.
  public var ignored: [String: [String]] = [:]
  /// Whether records are checked against their schema.
  public var validates = true
  /// `nil`: the standard bound, and a run that rejects most records of a stream fails.
  public var rejects: RejectRule?
  /// Whether records of a stream stay that the tap sent whole and without them.
  public var missing = MissingRule()
  /// A bookmark within the run counts for nothing: only the one at its end does.
  public var resumesAtEnd = false
  /// A stream may come under another key than its records are stored under: only of a full sync, which
  /// then replaces them.
  public var mayChangeKeys = false
  /// The same of single streams, which come from their beginning.
  public var fullStreams: Set<String> = []
  /// Bytes of a line at the most.
  public var lineLimit = Self.standardLineLimit
  public static let standardLineLimit = 100 << 20
  /// At least so long between two publications; a bookmark that is followed by nothing is published
  /// by `pause`.
  public var publishInterval = Span(milliseconds: 100)
  /// How long a writing transaction should hold up others.
  public var holdTarget = Span(milliseconds: 12)

  public init() {}
}

/// How far a sync has come, for people who watch.
public struct SyncProgress: Hashable, Sendable {
  public var streams: [StreamReport]
  public var bytes: Int64
  public var lines: Int64
}

/// Takes a tap's output in, as it comes, and brings it into the store.
///
/// The caller feeds it bytes from wherever it has them and says how the tap ended. One thread uses it.
/// After an error only `fail` may follow.
public final class SyncEngine {
  let session: any SyncSession
  let options: SyncOptions
  private let now: () -> Timestamp
  var declarationTime: Timestamp { now() }
  private let observe: (SyncProgress) -> Void

  private var splitter: LineSplitter
  var tape = JSONTape()
  var check = RecordCheck()
  var batch = RecordBatch()
  var streams: [SingerStream] = []
  /// Where a stream stands in `streams`, by the name under which it is stored.
  var numbers: [String: Int] = [:]
  var intake: StreamIntake
  /// Versions that were activated before the schema of their stream came, by that name.
  var pendingVersions: [String: JSON] = [:]
  private static let mostPendingVersions = 10_000
  /// The stream of the last record: nearly always that of the next.
  private var latest = 0
  private var bytesTaken: Int64 = 0
  private var linesTaken: Int64 = 0

  /// What the tap said last, and whether nothing came after it.
  private var said: Bookmark?
  private(set) var saidValue: JSON?
  /// What the tap was given.
  let givenValue: JSON?
  private var isAtBookmark = false
  private var publishedAt: Timestamp?
  /// Which bookmarks count.
  var judge: BookmarkJudge
  /// The bookmark that the tap said last counts at the run's end alone.
  private(set) var isWithheld: Bool
  /// Something was staged or said that is not published.
  private var isBehind = false
  private var batchLimit = 1000

  /// Streams that are to be sent whole, and that the bookmark names a place in.
  var keptTables: [String] = []
  var rejectCount = 0
  /// A line could not be read that may have held a record, of a stream that is not known.
  var hasLostLine = false
  var notes = SyncNotes()

  public init(
    session: any SyncSession, options: SyncOptions, now: @escaping () -> Timestamp,
    observe: @escaping (SyncProgress) -> Void = { _ in }
  ) {
    self.session = session
    self.options = options
    self.now = now
    self.observe = observe
    splitter = LineSplitter(limit: options.lineLimit)
    intake = StreamIntake(options.resolver)
    said = session.run.given
    isWithheld = options.resumesAtEnd
    givenValue = session.run.given?.value
    saidValue = givenValue
    judge = BookmarkJudge(options.resolver, given: givenValue)
  }

  // MARK: Feeding

  /// Takes the next bytes of the tap's output, wherever they are cut.
  public func take(_ bytes: UnsafeBufferPointer<UInt8>) throws(SyncError) {
    bytesTaken += Int64(bytes.count)
    try splitter.add(bytes) { (line, number) throws(SyncError) in try self.take(line, number) }
    observe(progress)
  }

  /// There is nothing more to take at the moment: a bookmark that waits is published, and how far it
  /// is can be told, also of a tap that sends little and says no bookmark.
  public func pause() throws(SyncError) {
    if isAtBookmark, isBehind { try publish() }
    observe(progress)
  }

  /// The tap came to its end and said that all is well. Takes the rest, removes what replaced streams
  /// did not send, and publishes. The last bookmark is what the tap said last, not its last line.
  /// `log`: the last line that the tap wrote to standard error.
  public func succeed(log: String? = nil) throws(SyncError) -> SyncRun {
    try splitter.finish { (line, number) throws(SyncError) in
      try self.take(line, number, isLast: true)
    }
    try intake.requireArrival(log: log ?? notes.strayLine)
    for stream in pendingVersions.keys.sorted() {
      notes.add("a version of stream '\(stream)' was activated, and its schema did not come")
    }
    try requireFewRejects()
    try flush(publishing: nil)
    try removeRepetitions()
    noteKeptTables()
    noteMethods()
    noteWithheld(hasFailed: false)
    try removeUnsent()
    for stream in streams where !stream.tally.addsUp {
      let tally = stream.tally
      throw .countsDiffer(
        stream: stream.title, received: tally.received,
        accounted: tally.added + tally.changed + tally.unchanged + tally.rejected)
    }
    let end = SyncEnd.succeeded(
      Publication(bookmark: said, tallies: tallies, places: movedPlaces()), notes: notes.texts)
    return try finish(end)
  }

  /// The run has failed. What came before the last bookmark is published if nothing came after it; the
  /// rest of what was staged is given up. The records that were set aside are kept with the run: they are
  /// what it failed with, perhaps.
  public func fail(_ failure: Job.Failure) throws(SyncError) -> SyncRun {
    if isAtBookmark, isBehind {
      do throws(SyncError) {
        try publish()
      } catch {
        guard case .mostlyRejected = error else { throw error }
      }
    }
    noteWithheld(hasFailed: true)
    batch.removeEntries()
    if !batch.isEmpty {
      _ = try stored { () throws(StoreError) in
        try session.stage(batch, publishing: nil, at: now())
      }
      batch.removeAll()
    }
    return try finish(.failed(failure, tallies: tallies, notes: notes.texts))
  }

  public var progress: SyncProgress {
    SyncProgress(
      streams: streams.map { StreamReport(stream: $0.title, tally: $0.tally) },
      bytes: bytesTaken, lines: linesTaken)
  }

  private func finish(_ end: SyncEnd) throws(SyncError) -> SyncRun {
    let run = try stored { () throws(StoreError) in try session.finish(end, at: now()) }
    observe(progress)
    return run
  }

  private func removeUnsent() throws(SyncError) {
    for stream in streams where stream.isReplaced && !options.missing.keeps(stream.identity.names) {
      guard !stream.hasUnplacedReject, !hasLostLine else {
        notes.add(
          "stream '\(stream.title)' keeps records that were not sent: "
            + (hasLostLine
              ? "a line that may hold a record of it cannot be read"
              : "one without a key was set aside"))
        continue
      }
      try removeUnsent(stream)
    }
  }

  private func removeUnsent(_ stream: SingerStream) throws(SyncError) {
    var isDone = false
    while !isDone {
      let step = try stored { () throws(StoreError) in
        try session.stageRemovals(stream: stream.index, limit: 500, at: now())
      }
      stream.tally.removed += Int64(step.removed)
      isDone = step.isDone
    }
  }

  // MARK: Lines

  /// `isLast`: the line has no end, so that it may be the first part of one.
  private func take(
    _ line: UnsafeBufferPointer<UInt8>, _ number: Int64, isLast: Bool = false
  ) throws(SyncError) {
    linesTaken = number
    let message: Message
    do throws(UnreadableLine) {
      guard let read = try Message.read(line, number, &tape) else { return }
      message = read
    } catch {
      if isLast, error.isCut { throw .cutOff(line: number) }
      return try takeUnreadable(error, line, number)
    }
    if message.kind != .state { isAtBookmark = false }
    switch message.kind {
    case .record:
      guard let stream = try stream(message, number), let record = message.record else { return }
      if let version = message.version { try activate(tape.json(tape[version]), of: stream) }
      try takeRecord(record, of: stream, line: number)
    case .state: try takeState(message)
    case .schema: try takeSchema(message, number)
    case .activateVersion: try takeVersion(message, number)
    case .batch:
      guard let stream = try stream(message, number) else { return }
      try takeBatch(message, of: stream, line: number)
    case .other: notes.countUnknown(message.typeText(tape))
    }
  }

  /// Something came that the last bookmark does not cover.
  func noteNoBookmark() { isAtBookmark = false }

  /// The stream of records that a message names; `nil` when it is not selected.
  private func stream(_ message: Message, _ line: Int64) throws(SyncError) -> SingerStream? {
    guard let node = message.stream else { return nil }
    if !tape[node].isEscaped, latest < streams.count,
      streams[latest].isNamed(tape.inner(tape[node]))
    {
      return streams[latest]
    }
    let name = tape.text(tape[node])
    let selected = try intake.stream(named: name, of: message.kind, line: line, &notes)
    guard let identity = selected else { return nil }
    guard let known = numbers[identity.title] else {
      throw .recordBeforeSchema(line: line, stream: name)
    }
    latest = known
    return streams[known]
  }

  /// ACTIVATE_VERSION; one before the schema of its stream is kept until that comes.
  private func takeVersion(_ message: Message, _ line: Int64) throws(SyncError) {
    guard let streamNode = message.stream, let node = message.version else { return }
    let name = tape.text(tape[streamNode])
    let selected = try intake.stream(named: name, of: .activateVersion, line: line, &notes)
    guard let identity = selected else { return }
    let version = tape.json(tape[node])
    if let known = numbers[identity.title] {
      return try activate(version, of: streams[known])
    }
    guard pendingVersions.count < Self.mostPendingVersions else {
      return notes.add(
        "versions of more than \(Self.mostPendingVersions) streams were activated before their "
          + "schemas: the others do not count")
    }
    pendingVersions[identity.title] = version
  }

  func activate(_ version: JSON, of stream: SingerStream) throws(SyncError) {
    guard version != stream.version, version != .null else { return }
    stream.version = version
    try replace(stream, token: "version:\(version.text)", version: version)
  }

  private func takeState(_ message: Message) throws(SyncError) {
    guard let node = message.value else { return }
    intake.noteArrival()
    let value = tape.json(tape[node])
    let next = Bookmark.after(value, current: said ?? session.bookmark)
    isAtBookmark = true
    if next != said {
      // An empty one leaves the one before.
      saidValue = Bookmark.isEmpty(value) ? next?.value : value
      if let saidValue { try movePlaces(to: saidValue) }
    }
    judgeOrder(saidValue)
    guard next != said || isBehind || !batch.isEmpty else { return }
    said = next
    isBehind = true
    let time = now()
    let isDue =
      publishedAt.map {
        time.milliseconds - $0.milliseconds >= options.publishInterval.milliseconds
          || time < $0
      } ?? true
    if isDue { try publish() }
  }

  // MARK: Staging

  /// Records that were set aside and are not stored yet, however many may be.
  private static let mostRejects = 500

  func takeIfFull() throws(SyncError) {
    if batch.entries.count >= batchLimit || batch.bytes.count >= 2 << 20
      || batch.rejects.count >= Self.mostRejects || batch.rejectBytes >= 2 << 20
    {
      try flush(publishing: nil)
    }
  }

  /// A bookmark that does not count shows no records either: they come again from the one before it.
  private func publish() throws(SyncError) {
    try requireFewRejects()
    guard !isWithheld else { return }
    try flush(
      publishing: Publication(bookmark: said, tallies: tallies, places: movedPlaces()))
    isBehind = false
    publishedAt = now()
  }

  /// Most records of a stream are rejected when its schema is wrong or its tap is broken: then a bookmark
  /// that goes on would lose them. A user who named a bound has decided that.
  private func requireFewRejects() throws(SyncError) {
    guard options.rejects == nil else { return }
    for stream in streams
    where stream.tally.rejected >= 10 && stream.tally.rejected * 2 > stream.tally.received {
      throw .mostlyRejected(
        stream: stream.title, rejected: stream.tally.rejected, received: stream.tally.received)
    }
  }

  func flush(publishing publication: Publication?) throws(SyncError) {
    guard !batch.isEmpty || publication != nil else { return }
    let result = try stored { () throws(StoreError) in
      try session.stage(batch, publishing: publication, at: now())
    }
    for stream in streams {
      guard let counts = result.counts[stream.index] else { continue }
      stream.tally.added += counts.added
      stream.tally.changed += counts.changed
      stream.tally.unchanged += counts.unchanged
    }
    adapt(to: result.heldMicroseconds)
    batch.removeAll()
    isBehind = true
    observe(progress)
  }

  /// Keeps the time that others wait near the target, whatever the machine and the records are like.
  private func adapt(to held: Int64) {
    let target = options.holdTarget.milliseconds * 1000
    if held > target {
      batchLimit = max(100, batchLimit * 2 / 3)
    } else if held > 0, held < target / 2, batch.entries.count >= batchLimit {
      batchLimit = min(8000, batchLimit * 5 / 4)
    }
  }

  func withhold(_ isWithheld: Bool) { self.isWithheld = isWithheld }

  private var tallies: [Int: StreamTally] {
    var all: [Int: StreamTally] = [:]
    for stream in streams { all[stream.index] = stream.tally }
    return all
  }

  func stored<T>(_ body: () throws(StoreError) -> T) throws(SyncError) -> T {
    do throws(StoreError) {
      return try body()
    } catch {
      throw .store(error)
    }
  }
}
