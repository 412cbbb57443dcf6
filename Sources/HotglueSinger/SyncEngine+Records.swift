import HotglueCore
import HotglueStore

extension SyncEngine {
  /// Checks one record and puts it into the batch, or sets it aside. The line is on the tape.
  func takeRecord(_ record: Int, of stream: SingerStream, line: Int64) throws(SyncError) {
    stream.tally.received += 1
    try noteOrder(record, of: stream)
    do throws(RecordFlaw) {
      try RecordEntry.check(
        record, on: tape, against: options.validates ? stream.schema : nil, &check)
      for (place, count) in check.oddFormats { notes.countFormat(stream.title, place, count) }
      for (place, count) in check.unchecked { notes.countUnchecked(stream.title, place, count) }
      let key = try key(of: record, in: stream)
      batch.append(
        stream: stream.index, key: key, data: RecordEntry.data(of: record, on: tape, in: &batch),
        repetition: stream.resumption?.repetition(of: record, on: tape) ?? .any)
    } catch {
      try setAside(record, of: stream, line: line, error)
    }
    try takeIfFull()
  }

  private func key(
    of record: Int, in stream: SingerStream
  ) throws(RecordFlaw) -> RecordBatch.Key {
    try RecordEntry.key(
      of: record, on: tape, properties: stream.key, ignoring: stream.ignored, in: &batch)
  }

  /// Keeps the record with the reason, and what is stored under its key as it is.
  private func setAside(
    _ record: Int, of stream: SingerStream, line: Int64, _ flaw: RecordFlaw
  ) throws(SyncError) {
    let raw = tape.raw(tape[record])
    let key = readableKey(of: record, in: stream)
    try setAside(
      RejectedRecord(
        stream: stream.index, line: line, path: flaw.place, reason: flaw.reason,
        data: String(decoding: raw.prefix(Self.keptOfReject), as: UTF8.self),
        isWhole: raw.count <= Self.keptOfReject, key: key.map(batch.recordKey)),
      of: stream, key: key)
  }

  func setAside(
    _ reject: RejectedRecord, of stream: SingerStream, key: RecordBatch.Key?
  ) throws(SyncError) {
    stream.tally.rejected += 1
    batch.append(reject)
    try countReject(
      line: reject.line,
      failure: .rejected(
        line: reject.line, stream: stream.title, path: reject.path, reason: reject.reason))
    // What is stored under its key was sent, however the record looks now.
    if let key, !stream.key.isEmpty {
      batch.append(stream: stream.index, key: key, data: 0..<0, isPresenceOnly: true)
    } else {
      stream.hasUnplacedReject = true
    }
  }

  private func readableKey(of record: Int, in stream: SingerStream) -> RecordBatch.Key? {
    do throws(RecordFlaw) {
      return try key(of: record, in: stream)
    } catch {
      return nil
    }
  }

  /// Bytes of a rejected record that are kept.
  static let keptOfReject = 16 << 10

  // MARK: Schemas

  func takeSchema(_ message: Message, _ line: Int64) throws(SyncError) {
    guard let streamNode = message.stream, let schemaNode = message.schema else { return }
    let name = tape.text(tape[streamNode])
    let selected = try intake.stream(named: name, of: .schema, line: line, &notes)
    guard let identity = selected else { return }
    let title = identity.title
    let told = message.keyProperties.map { tape.json(tape[$0]) }
    let key = key(said: told, of: identity)
    let raw = Array(tape.raw(tape[schemaNode]))
    let known = numbers[title]
    if let known, streams[known].declared == raw, streams[known].key == key { return }
    let json = tape.json(tape[schemaNode])
    let (schema, oddities) = SchemaNode.read(json)
    notes.addUnchecked(title, oddities)
    if let flaw = tape.repaired { notes.addRepaired(title, flaw, line: line) }
    let bookmarkProperties =
      message.bookmarkProperties.flatMap { tape.json(tape[$0]).stringArray } ?? []
    let declaration = StreamDeclaration(
      name: title, schema: json.canonical.text, key: key,
      bookmarkProperties: bookmarkProperties, line: line,
      ignored: options.ignored.setting(for: identity) ?? [], isChecked: options.validates)
    // What came under the earlier schema is staged under it.
    try flush(publishing: nil)
    let declared = try declare(declaration, of: identity)
    if declared.schemaChanged {
      notes.add("the schema of stream '\(title)' changed at line \(line)")
    }
    notes.countView(declared.view, of: title)
    for note in declared.notes { notes.add(note) }
    let property = bookmarkProperties.first ?? identity.replicationKey
    let monitor =
      known.map { streams[$0].monitor }
      ?? OrderMonitor(
        identity, property: property, keyProperties: key,
        given: judge.part(of: givenValue, for: identity))
    let stream = SingerStream(
      identity, name: Array(name.utf8), index: declared.index, key: key, schema: schema,
      declared: raw, replicationKey: property, monitor: monitor)
    stream.ignored = declaration.ignored
    if let known {
      monitor.declare(property: property)
      try withdraw(for: monitor)
      stream.carryOn(from: streams[known])
      stream.resumption =
        key.isEmpty ? streams[known].resumption ?? resumption(of: stream) : nil
      streams[known] = stream
    } else {
      judge.add(monitor)
      // A value outside of all entries was taken for that of the only stream.
      if let first = streams.first?.monitor { try withdraw(for: first) }
      stream.resumption = resumption(of: stream)
      numbers[title] = streams.count
      streams.append(stream)
      try replaceTable(stream)
    }
    if let token = declared.keyToken {
      notes.add("stream '\(title)' has another key from line \(line) on")
      try replace(stream, token: token)
    }
    if let version = pendingVersions.removeValue(forKey: title) {
      try activate(version, of: stream)
    }
  }

  /// The key that the user names, else that of the message.
  private func key(said: JSON?, of stream: StreamResolver.Stream) -> [String] {
    if let key = options.keys.setting(for: stream) { return key }
    if let key = said?.stringArray ?? said?.stringValue.map({ [$0] }) { return key }
    if let said, said != .null {
      notes.add(
        "the key_properties of stream '\(stream.title)' are not a list of names: it has no record key"
      )
    }
    return []
  }

  private func declare(
    _ declaration: StreamDeclaration, of stream: StreamResolver.Stream
  ) throws(SyncError) -> DeclaredStream {
    // A part of a stream does not replace what is stored under another key.
    let mayChangeKey =
      (options.mayChangeKeys || stream.names.contains(where: options.fullStreams.contains))
      && judge.part(of: givenValue, for: stream)?.namesPlace != true
    do throws(StoreError) {
      return try session.declare(declaration, mayChangeKey: mayChangeKey, at: declarationTime)
    } catch {
      guard case .streamKeyChanged(let stream, let from, let to) = error else {
        throw .store(error)
      }
      throw .keyChanged(line: declaration.line, stream: stream, from: from, to: to)
    }
  }

  // MARK: Batches

  /// Files of bare records, a line each.
  func takeBatch(
    _ message: Message, of stream: SingerStream, line: Int64
  ) throws(SyncError) {
    let encoding = message.encoding.map { tape.json(tape[$0]) }
    let format = encoding?["format"]?.stringValue ?? "jsonl"
    let compression = encoding?["compression"]?.stringValue ?? "none"
    guard format == "jsonl", ["none", "gzip"].contains(compression) else {
      throw .notAMessage(
        line: line, reason: "BATCH files of format '\(format)', compression '\(compression)'")
    }
    // Without its files the records of a batch would be lost, however many they are.
    guard let manifest = message.manifest, let files = tape.json(tape[manifest]).stringArray else {
      throw .notAMessage(line: line, reason: "BATCH without a list as 'manifest'")
    }
    for file in files { try takeFile(file, of: stream, line: line) }
  }

  private func takeFile(
    _ url: String, of stream: SingerStream, line: Int64
  ) throws(SyncError) {
    func failed(_ reason: String) -> SyncError {
      .batchFile(line: line, path: url, reason: reason)
    }
    let file: BatchFile
    do throws(BatchFile.Failure) {
      file = try BatchFile(url: url)
    } catch {
      throw failed(error.reason)
    }
    var splitter = LineSplitter(limit: options.lineLimit)
    func takeLine(_ text: UnsafeBufferPointer<UInt8>, _ number: Int64) throws(SyncError) {
      if text.isEmpty { return }
      do throws(LineFlaw) {
        try tape.scan(text)
      } catch {
        return try setAsideUnread(
          text, isRecord: true, of: stream, line: line,
          "line \(number) of '\(url)' is not JSON: \(error.reason) at byte \(error.column)")
      }
      try takeRecord(0, of: stream, line: line)
    }
    var isMore = true
    while isMore {
      do throws(BatchFile.PieceError<SyncError>) {
        isMore = try file.next { (bytes) throws(SyncError) in
          try splitter.add(bytes, takeLine)
        }
      } catch {
        switch error {
        case .file(let failure): throw failed(failure.reason)
        case .body(.tooLong(let number, let limit)):
          throw failed("line \(number) is longer than \(SyncError.size(limit))")
        case .body(let error): throw error
        }
      }
    }
    try splitter.finish(takeLine)
  }
}
