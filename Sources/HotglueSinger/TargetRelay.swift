public import HotglueCore
public import HotglueStore

/// How a sync into a target takes what the tap writes.
public struct RelayOptions: Sendable {
  /// Which streams to pass on.
  public var resolver = StreamResolver()
  /// Record keys that replace those of the tap, by stream or pattern.
  public var keys: [String: [String]] = [:]
  /// A bookmark that is confirmed within the run counts for nothing: only the one at its end does.
  public var resumesAtEnd = false
  /// Bytes of a line at the most.
  public var lineLimit = SyncOptions.standardLineLimit
  /// Bounds the lines that may hold a record and cannot be given to a stream. A target judges records itself.
  public var rejects: RejectRule = .standard

  public init() {}
}

/// Stands between a tap and a target: looks at each line of the tap before the target gets it, counts
/// what it passes on, and keeps the bookmarks that the target says.
///
/// A bookmark is what the target has said, never what the tap has: only the target knows what it has
/// made durable. One thread uses it. After an error only `fail` may follow.
public final class TargetRelay {
  private struct Stream {
    var title: String
    /// As the messages name it, which the target reads.
    var name: String
    var sent: Int64 = 0
    var counted: Int64?
    /// The order of its records.
    let monitor: OrderMonitor
  }

  private let session: any DeliverySession
  private let options: RelayOptions
  private let now: () -> Timestamp
  private let send: (UnsafeBufferPointer<UInt8>) -> Void
  private let observe: (SyncProgress) -> Void

  private var fromTap: LineSplitter
  private var fromTarget: LineSplitter
  private var fromTargetLog: LineSplitter
  private var tape = JSONTape()
  private var streams: [Stream] = []
  private var numbers: [String: Int] = [:]
  private var latest = 0
  private var intake: StreamIntake
  /// ACTIVATE_VERSION lines that came before the schema of their stream, by its title.
  private var pendingVersions: [String: [UInt8]] = [:]
  private static let mostPendingVersions = 10_000
  /// What the tap was given.
  private let given: JSON?
  /// Which bookmarks count.
  private var judge: BookmarkJudge
  /// How many bookmarks of this run were taken.
  private var confirmations = 0
  private var bytes: Int64 = 0
  private var lines: Int64 = 0
  /// The last STATE line that was passed on, and the bookmark in it.
  private var lastState: (line: [UInt8], bookmark: JSON)?
  /// Whether anything but bookmarks was passed on, and whether it was since the last one.
  private var hasSent = false
  private var isBehindState = false
  /// What the target said last.
  private var said: JSON?
  /// It counts at the end of the run alone.
  private var isWithheld = false
  private var hasBatches = false
  private var uncounted: Int64?
  private var oddLines: Int64 = 0
  /// Lines of the tap that may hold a record of a stream that is not known.
  private var lostLines = 0
  private var notes = SyncNotes()

  /// `send` hands bytes to the target, in their order.
  public init(
    session: any DeliverySession, options: RelayOptions, now: @escaping () -> Timestamp,
    send: @escaping (UnsafeBufferPointer<UInt8>) -> Void,
    observe: @escaping (SyncProgress) -> Void = { _ in }
  ) {
    self.session = session
    given = session.run.given?.value
    judge = BookmarkJudge(options.resolver, given: given)
    self.options = options
    self.now = now
    self.send = send
    self.observe = observe
    intake = StreamIntake(options.resolver)
    fromTap = LineSplitter(limit: options.lineLimit)
    fromTarget = LineSplitter(limit: options.lineLimit)
    fromTargetLog = LineSplitter(limit: 1 << 20)
  }

  // MARK: What the tap says

  /// Takes the next bytes of the tap's output, wherever they are cut. The target gets whole lines only.
  public func take(ofTap piece: UnsafeBufferPointer<UInt8>) throws(SyncError) {
    bytes += Int64(piece.count)
    try fromTap.add(piece) { (line, number) throws(SyncError) in try self.pass(line, number) }
    observe(progress)
  }

  /// There is nothing more to take at the moment.
  public func pause() { observe(progress) }

  /// The tap has ended and said that all is well: a last line that is whole, but for its end, counts. One
  /// that is not is the result; the target has not got that.
  public func endOfTap() throws(SyncError) -> SyncError? {
    do throws(SyncError) {
      try fromTap.finish { (line, number) throws(SyncError) in
        try self.pass(line, number, isLast: true)
      }
      return nil
    } catch {
      if case .cutOff = error { return error }
      throw error
    }
  }

  /// To be called behind the tap's last line. The bookmark that the tap said last is repeated when
  /// something came after it: it holds as it did, and many targets confirm only what the last line says.
  public func repeatBookmark() {
    guard isBehindState, let lastState else { return }
    forward(lastState.line)
  }

  private func forward(_ line: [UInt8]) {
    line.withUnsafeBufferPointer { send($0) }
    [UInt8(ascii: "\n")].withUnsafeBufferPointer { send($0) }
  }

  private func pass(
    _ line: UnsafeBufferPointer<UInt8>, _ number: Int64, isLast: Bool = false
  ) throws(SyncError) {
    lines = number
    let message: Message
    do throws(UnreadableLine) {
      guard let read = try Message.read(line, number, &tape) else { return }
      message = read
    } catch {
      if isLast, error.isCut { throw .cutOff(line: number) }
      return try passUnreadable(error, line, number)
    }
    switch message.kind {
    case .state:
      guard let value = message.value else { return }
      intake.noteArrival()
      let bookmark = tape.json(tape[value])
      _ = judge.note(said: bookmark)
      lastState = (Array(line), bookmark)
      isBehindState = false
      return forward(Array(line))
    case .other:
      notes.countUnknown(message.typeText(tape))
      return forward(Array(line))
    case .record, .schema, .activateVersion, .batch: break
    }
    guard let node = message.stream else { return }
    if message.kind == .record, !tape[node].isEscaped, latest < streams.count,
      tape.inner(tape[node]).elementsEqual(streams[latest].name.utf8)
    {
      return try pass(message, line, number, of: latest)
    }
    let name = tape.text(tape[node])
    let selected = try intake.stream(named: name, of: message.kind, line: number, &notes)
    guard let identity = selected else { return }
    if message.kind == .schema { return try passSchema(message, line, number, name, identity) }
    guard let index = numbers[identity.title] else {
      guard message.kind == .activateVersion else {
        throw .recordBeforeSchema(line: number, stream: name)
      }
      guard pendingVersions.count < Self.mostPendingVersions else {
        return notes.add(
          "versions of more than \(Self.mostPendingVersions) streams were activated before their "
            + "schemas: the others do not count")
      }
      pendingVersions[identity.title] = Array(line)
      return
    }
    latest = index
    try pass(message, line, number, of: index)
  }

  private func pass(
    _ message: Message, _ line: UnsafeBufferPointer<UInt8>, _ number: Int64, of index: Int
  ) throws(SyncError) {
    if message.kind == .batch {
      hasBatches = true
      streams[index].monitor.breakOff()
      try withdraw(for: streams[index].monitor)
    }
    if let record = message.record, message.kind == .record {
      streams[index].sent += 1
      try noteOrder(record, of: index)
    }
    hasSent = true
    isBehindState = true
    send(line)
    [UInt8(ascii: "\n")].withUnsafeBufferPointer { send($0) }
  }

  /// A record goes to the target as it came, which judges it. Another line that cannot be read is left out.
  private func passUnreadable(
    _ unreadable: UnreadableLine, _ line: UnsafeBufferPointer<UInt8>, _ number: Int64
  ) throws(SyncError) {
    switch unreadable.kind {
    case .record:
      guard let name = unreadable.stream else { break }
      let selected = try intake.stream(named: name, of: .record, line: number, &notes)
      guard let identity = selected else { return }
      guard let index = numbers[identity.title] else {
        throw .recordBeforeSchema(line: number, stream: name)
      }
      streams[index].sent += 1
      hasSent = true
      isBehindState = true
      return forward(Array(line))
    case .batch: throw unreadable.failure
    case .state: intake.noteArrival()
    case .schema, .activateVersion, .other, nil: break
    }
    notes.addUnreadable(unreadable, line: number)
    guard unreadable.mayHoldRecord else { return }
    lostLines += 1
    switch options.rejects {
    case .fail: throw unreadable.failure
    case .setAside(let limit):
      guard lostLines <= limit else { throw .tooManyRejects(line: number, limit: limit) }
    }
  }

  private func passSchema(
    _ message: Message, _ line: UnsafeBufferPointer<UInt8>, _ number: Int64, _ name: String,
    _ identity: StreamResolver.Stream
  ) throws(SyncError) {
    if let flaw = tape.repaired { notes.addRepaired(identity.title, flaw, line: number) }
    let told = message.bookmarkProperties.flatMap { tape.json(tape[$0]).stringArray }
    let property = told?.first ?? identity.replicationKey
    if let known = numbers[identity.title] {
      streams[known].monitor.declare(property: property)
      try withdraw(for: streams[known].monitor)
    } else {
      let key = message.keyProperties.flatMap { tape.json(tape[$0]).stringArray }
      let monitor = OrderMonitor(
        identity, property: property,
        keyProperties: options.keys.setting(for: identity) ?? key ?? [],
        given: judge.part(of: given, for: identity))
      judge.add(monitor)
      // A value outside of all entries was taken for that of the only stream.
      if let first = streams.first?.monitor { try withdraw(for: first) }
      numbers[identity.title] = streams.count
      streams.append(Stream(title: identity.title, name: name, monitor: monitor))
    }
    if let key = options.keys.setting(for: identity) {
      var members = (tape.json(tape[0]).members ?? []).filter { $0.key != "key_properties" }
      members.append(JSON.Member("key_properties", .strings(key)))
      forward(Array(JSON.object(members).text.utf8))
    } else {
      forward(Array(tape.repaired == nil ? line : tape.raw(tape[0])))
    }
    if let version = pendingVersions.removeValue(forKey: identity.title) { forward(version) }
  }

  /// The stream that the target calls by this name.
  private func index(of name: String) -> Int? {
    streams.firstIndex { $0.name == name } ?? numbers[name]
  }

  // MARK: What the target says

  /// Takes the next bytes of the target's output. Of bookmarks that come at once the last one is kept,
  /// durably, before this returns.
  public func take(ofTarget piece: UnsafeBufferPointer<UInt8>) throws(SyncError) {
    var last: JSON?
    try fromTarget.add(piece) { (line, _) throws(SyncError) in
      if let bookmark = self.bookmark(line) { last = bookmark }
    }
    if let last { try confirm(last) }
  }

  /// The target has written its last: a whole bookmark counts also without an end of its line.
  public func endOfTarget() throws(SyncError) {
    var last: JSON?
    try fromTarget.finish { (line, _) throws(SyncError) in last = self.bookmark(line) }
    if let last { try confirm(last) }
    try fromTargetLog.finish { (line, _) throws(SyncError) in self.readMetric(line) }
  }

  /// A line that is no bookmark is counted and passed over: a target that writes its log to standard
  /// output confirms nothing by it.
  private func bookmark(_ line: UnsafeBufferPointer<UInt8>) -> JSON? {
    if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { return nil }
    do throws(JSONError) {
      let value = try JSON.parse(Array(line))
      if case .object = value { return value }
    } catch {
      // Told with the others.
    }
    oddLines += 1
    return nil
  }

  /// A bookmark that the target has confirmed counts by the same rule as one of a sync into the store.
  private func confirm(_ value: JSON) throws(SyncError) {
    said = value
    isWithheld = options.resumesAtEnd || !judge.isProven(value)
    guard !isWithheld else { return }
    judge.count(value)
    try keep(value)
  }

  private func keep(_ value: JSON) throws(SyncError) {
    guard let next = Bookmark.after(value, current: session.bookmark) else { return }
    guard next != session.bookmark || session.run.bookmark == nil else { return }
    do throws(StoreError) {
      try session.confirm(next, reports, at: now())
    } catch {
      throw .store(error)
    }
    confirmations += 1
  }

  /// Reads what the target logs: how many records it has counted.
  public func take(ofTargetLog piece: UnsafeBufferPointer<UInt8>) throws(SyncError) {
    do throws(SyncError) {
      try fromTargetLog.add(piece) { (line, _) throws(SyncError) in self.readMetric(line) }
    } catch {
      // Only counts are read here: a line too long for that is no metric.
      fromTargetLog = LineSplitter(limit: 1 << 20)
    }
  }

  /// `INFO METRIC: {"type": "counter", "metric": "record_count", "value": 5, "tags": {…}}`
  private func readMetric(_ line: UnsafeBufferPointer<UInt8>) {
    let text = String(decoding: line, as: UTF8.self)
    guard let mark = text.firstRange(of: "METRIC"),
      let start = text[mark.upperBound...].firstIndex(of: "{")
    else { return }
    do throws(JSONError) {
      let metric = try JSON.parse(Array(text[start...].utf8))
      guard metric["type"]?.stringValue == "counter",
        metric["metric"]?.stringValue == "record_count",
        let count = metric["value"]?.boundedInteger, count >= 0
      else { return }
      let tags = metric["tags"]
      let name = tags?["stream"]?.stringValue ?? tags?["endpoint"]?.stringValue
      if let name, let index = index(of: name) {
        // However many of them a target prints, their sum does not overflow.
        streams[index].counted = min((streams[index].counted ?? 0) + count, 1 << 52)
      } else {
        uncounted = min((uncounted ?? 0) + count, 1 << 52)
      }
    } catch {
      // A line that only looks like a metric.
    }
  }

  // MARK: The end

  /// Whether the target has written a bookmark in this run.
  public var hasTargetAnswered: Bool { said != nil }

  /// Whether the target has confirmed all that it was given.
  public var isAllConfirmed: Bool {
    guard hasSent else { return true }
    return !isBehindState && said != nil && said?.canonical == lastState?.bookmark.canonical
  }

  /// `log`: the last line that the tap wrote to standard error.
  public func succeed(log: String? = nil) throws(SyncError) -> SyncRun {
    try intake.requireArrival(log: log ?? notes.strayLine)
    try compareCounts()
    if isWithheld, let said, isLastConfirmed { try keep(said) }
    if hasSent, said == nil || !isLastConfirmed {
      notes.add(
        said == nil
          ? "the target has confirmed nothing: the next sync starts where this one did"
          : "the target has not confirmed the last bookmark: the next sync starts from the one "
            + "that it confirmed")
    }
    return try finish(nil)
  }

  private var isLastConfirmed: Bool {
    lastState == nil || said?.canonical == lastState?.bookmark.canonical
  }

  public func fail(_ failure: Job.Failure) throws(SyncError) -> SyncRun { try finish(failure) }

  private func finish(_ failure: Job.Failure?) throws(SyncError) -> SyncRun {
    for monitor in judge.withholding(lastState?.bookmark) {
      notes.addWithheld(monitor, hasFailed: failure != nil)
    }
    if oddLines > 0 {
      notes.add(
        "lines of the target's output that are no bookmark, and were passed over: \(oddLines)")
    }
    do throws(StoreError) {
      return try session.finish(failure, reports, notes: notes.texts, at: now())
    } catch {
      throw .store(error)
    }
  }

  /// Batches hold records that are not counted here.
  private func compareCounts() throws(SyncError) {
    guard !hasBatches else { return }
    for stream in streams {
      if let counted = stream.counted, counted != stream.sent {
        throw .deliveryDiffers(stream: stream.title, sent: stream.sent, counted: counted)
      }
    }
    let rest = streams.filter { $0.counted == nil }.reduce(Int64(0)) { $0 + $1.sent }
    if let uncounted, uncounted != rest {
      throw .deliveryDiffers(stream: nil, sent: rest, counted: uncounted)
    }
  }

  private var reports: [StreamReport] {
    streams.map {
      StreamReport(
        stream: $0.title, tally: StreamTally(received: $0.sent), counted: $0.counted)
    }
  }

  public var progress: SyncProgress {
    SyncProgress(streams: reports, bytes: bytes, lines: lines)
  }
}

// MARK: Order

extension TargetRelay {
  private func noteOrder(_ record: Int, of index: Int) throws(SyncError) {
    guard tape[record].kind == .object else { return }
    let isBroken = streams[index].monitor.note(
      record, on: tape,
      published: BookmarkMark(bookmark: session.bookmark, publications: confirmations))
    if isBroken { try withdraw(for: streams[index].monitor) }
  }

  /// What the target confirmed of the stream's place since its first record is no place to resume from.
  private func withdraw(for monitor: OrderMonitor) throws(SyncError) {
    guard let fallback = monitor.fallback, judge.isMisled(monitor) else { return }
    do throws(StoreError) {
      try session.withdraw(
        to: fallback.bookmark, isOwn: fallback.publications > 0, at: now())
    } catch {
      throw .store(error)
    }
    judge.count(session.bookmark?.value)
  }
}
