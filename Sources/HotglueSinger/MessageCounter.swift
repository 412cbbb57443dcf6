public import HotglueCore

/// Reads a tap's output and counts what is in it, without a store: for a dry run, and to know how fast
/// lines can be read at all. Which streams count is judged as in a sync.
public struct MessageCounter: ~Copyable {
  private struct Counts: ~Copyable {
    var tape = JSONTape()
    var types: [String: Int64] = [:]
    var records: Int64 = 0
    var intake: StreamIntake
    var notes = SyncNotes()
    /// Streams whose schema came.
    var declared: Set<String> = []
    var latest: [UInt8] = []

    init(_ resolver: StreamResolver) { intake = StreamIntake(resolver) }

    mutating func add(
      _ line: UnsafeBufferPointer<UInt8>, _ number: Int64, isLast: Bool = false
    ) throws(SyncError) {
      let message: Message
      do throws(UnreadableLine) {
        guard let read = try Message.read(line, number, &tape) else { return }
        message = read
      } catch {
        if isLast, error.isCut { throw .cutOff(line: number) }
        return try add(error, number)
      }
      switch message.kind {
      case .record:
        if try isSelected(message, number) { records += 1 }
        return
      case .schema, .activateVersion, .batch: _ = try isSelected(message, number)
      case .state: intake.noteArrival()
      case .other: break
      }
      types[message.typeText(tape), default: 0] += 1
    }

    /// A line that cannot be read is noted, also one that a sync counts as a rejected record.
    private mutating func add(_ line: UnreadableLine, _ number: Int64) throws(SyncError) {
      switch line.kind {
      case .record:
        guard let name = line.stream else { break }
        let found = try intake.stream(named: name, of: .record, line: number, &notes)
        guard let stream = found else { return }
        guard declared.contains(stream.id) else {
          throw .recordBeforeSchema(line: number, stream: name)
        }
        return notes.addUnreadable(line, line: number)
      case .batch: throw line.failure
      case .state: intake.noteArrival()
      case .schema, .activateVersion, .other, nil: break
      }
      notes.addUnreadable(line, line: number)
    }

    private mutating func isSelected(_ message: Message, _ number: Int64) throws(SyncError) -> Bool
    {
      guard let node = message.stream else { return false }
      if message.kind == .record, !latest.isEmpty, !tape[node].isEscaped,
        tape.inner(tape[node]).elementsEqual(latest)
      {
        return true
      }
      let name = tape.text(tape[node])
      let found = try intake.stream(named: name, of: message.kind, line: number, &notes)
      guard let stream = found else { return false }
      switch message.kind {
      case .schema: declared.insert(stream.id)
      case .record, .batch:
        guard declared.contains(stream.id) else {
          throw .recordBeforeSchema(line: number, stream: name)
        }
        latest = Array(name.utf8)
      default: break
      }
      return true
    }
  }

  private var splitter: LineSplitter
  private var counts: Counts
  /// Messages by type, as the tap spells it.
  public var types: [String: Int64] { counts.types }
  public var records: Int64 { counts.records }

  /// What was noticed, in sentences.
  public var notes: [String] { counts.notes.texts }

  public init(
    _ resolver: StreamResolver = StreamResolver(), lineLimit: Int = SyncOptions.standardLineLimit
  ) {
    splitter = LineSplitter(limit: lineLimit)
    counts = Counts(resolver)
  }

  public mutating func take(_ bytes: UnsafeBufferPointer<UInt8>) throws(SyncError) {
    try splitter.add(bytes) { (line, number) throws(SyncError) in try counts.add(line, number) }
  }

  /// The output has ended: a last line that is whole, but for its end, counts.
  /// `log`: the last line that the tap wrote to standard error.
  public mutating func finish(log: String? = nil) throws(SyncError) {
    try splitter.finish { (line, number) throws(SyncError) in
      try counts.add(line, number, isLast: true)
    }
    try counts.intake.requireArrival(log: log ?? counts.notes.strayLine)
  }
}
