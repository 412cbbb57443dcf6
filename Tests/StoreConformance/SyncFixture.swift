import HotglueCore
import HotglueStore

/// The short forms in which the rules of syncs are written: a stream `s` of integers to words.
extension StoreFixture {
  func source(_ name: String = "crm", in workspace: WorkspaceID? = nil) throws -> Source {
    try store.setSource(
      name, to: SourceDefinition(command: ["tap"], directory: "/"), in: workspace ?? acme,
      expecting: .anything, by: alice, at: now)
  }

  func begin(
    _ source: Source, _ store: (any Store)? = nil, attempt: AttemptReference? = nil,
    isFull: Bool = false
  ) throws -> any SyncSession {
    try (store ?? self.store).beginSync(
      SyncRequest(
        workspace: source.workspace, source: source.id, attempt: attempt, isFull: isFull),
      by: alice, at: now)
  }

  func declare(
    _ session: any SyncSession, _ name: String = "s", key: [String] = ["id"],
    schema: String = "{}", mayChangeKey: Bool = false
  ) throws -> DeclaredStream {
    try session.declare(
      StreamDeclaration(name: name, schema: schema, key: key, bookmarkProperties: [], line: 1),
      mayChangeKey: mayChangeKey, at: now)
  }

  /// A session with the stream `s` declared as number 0.
  func session(_ source: Source, _ store: (any Store)? = nil) throws -> any SyncSession {
    let session = try begin(source, store)
    _ = try declare(session)
    return session
  }

  static func batch(_ records: [(Int64, String)], stream: Int = 0) -> RecordBatch {
    var batch = RecordBatch()
    for (id, word) in records {
      let data = batch.add(Array("{\"id\":\(id),\"w\":\"\(word)\"}".utf8))
      batch.append(stream: stream, key: .integer(id), data: data)
    }
    return batch
  }

  /// Records without a key: the word is the content.
  static func batch(words: [String]) -> RecordBatch {
    var batch = RecordBatch()
    for word in words {
      let data = batch.add(Array("\"\(word)\"".utf8))
      let hash = word.utf8.reduce(UInt64(7)) { $0 &* 31 &+ UInt64($1) }
      batch.append(stream: 0, key: .content(hash, ~hash), data: data)
    }
    return batch
  }

  @discardableResult
  func stage(
    _ session: any SyncSession, _ records: [(Int64, String)], bookmark: String? = nil
  ) throws -> StageResult.Counts {
    let publication = bookmark.map {
      Publication(bookmark: Bookmark(text: $0), tallies: [:])
    }
    let result = try session.stage(Self.batch(records), publishing: publication, at: now)
    return result.counts[0] ?? StageResult.Counts()
  }

  @discardableResult
  func stage(
    _ session: any SyncSession, words: [String], bookmark: String? = nil
  ) throws -> StageResult.Counts {
    let publication = bookmark.map {
      Publication(bookmark: Bookmark(text: $0), tallies: [:])
    }
    let result = try session.stage(
      Self.batch(words: words), publishing: publication, at: now)
    return result.counts[0] ?? StageResult.Counts()
  }

  @discardableResult
  func succeed(_ session: any SyncSession, bookmark: String? = nil) throws -> SyncRun {
    try session.finish(
      .succeeded(
        Publication(bookmark: bookmark.map { Bookmark(text: $0) }, tallies: [0: StreamTally()]),
        notes: []), at: now)
  }

  /// What a reader with a store of its own sees of the stream `s`.
  func visible(_ source: Source, stream: String = "s") throws -> [String] {
    let store = try openAgain()
    var words: [String] = []
    var after: RecordKey?
    while true {
      let page = try store.records(
        RecordPage(
          source: source.id, workspace: source.workspace, stream: stream, after: after, limit: 2))
      for record in page { words.append(record.data) }
      guard let last = page.last else { break }
      after = last.key
    }
    let counted = try store.recordStreams(of: source.id, in: source.workspace)
      .first { $0.name == stream }?.records
    try requireEqual(counted, Int64(words.count), "the number of records that is kept")
    return words.map { text in
      guard let json = try? JSON.parse(text) else { return text }
      guard let id = json["id"], let word = json["w"]?.stringValue else {
        return json.stringValue ?? text
      }
      return id.text + word
    }
  }

  func bookmark(_ source: Source) throws -> String? {
    try openAgain().syncPosition(of: source.id, in: source.workspace)?.bookmark?.text
  }

  /// Sweeps in the smallest steps, and what is visible never changes.
  func sweepAll(_ source: Source) throws {
    let before = try visible(source)
    var steps = 0
    while try store.sweepSyncs(limit: 1) {
      try requireEqual(try visible(source), before, "what is visible while it is swept")
      steps += 1
      try require(steps < 1000, "the sweep does not come to its end")
    }
    try requireSound()
  }
}
