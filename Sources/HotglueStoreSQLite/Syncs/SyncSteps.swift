public import HotglueCore
public import HotglueStore

extension SQLiteStore: SyncStore {
  public func beginSync(
    _ request: SyncRequest, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> any SyncSession {
    try write { () throws(StoreError) in
      try requireActive(request.workspace, for: actor)
      try requireSource(request.source, in: request.workspace)
      if let attempt = request.attempt { try requireLive(attempt) }
      let before = try position(of: request.source, in: request.workspace)
      if let before {
        try connection.run(
          SyncSQL.interruptRuns, [.integer(request.source), .integer(now.milliseconds)])
        try giveUp(staged: before.staged, above: before.published, of: request.source)
      }
      let id = try insertRun(request, from: before?.bookmark, at: now)
      try connection.run(
        SyncSQL.setPosition,
        [.text(request.workspace.text), .integer(request.source), .integer(id)])
      try logActivity(
        actor, in: request.workspace, subject: "source/\(try sourceName(request.source))", at: now)
      let dead = try deadRanges(of: request.source)
      let run = try syncRun(id, of: request.source, in: request.workspace)
      return SQLiteSyncSession(
        store: self, run: run, published: before?.published ?? 0, bookmark: before?.bookmark,
        dead: dead, retriesRejects: request.retriesRejects)
    }
  }

  public func resetBookmark(
    of source: SourceID, to run: SyncRunID?, in workspace: WorkspaceID, by actor: Actor,
    at now: Timestamp
  ) throws(StoreError) -> SyncPosition {
    try write { () throws(StoreError) in
      try requireActive(workspace, for: actor)
      try requireSource(source, in: workspace)
      try refuseLiveRun(of: source, in: workspace)
      var bookmark: Bookmark?
      if let run {
        let chosen = try syncRun(run, of: source, in: workspace)
        // What a target has confirmed says nothing of the store.
        guard chosen.target == nil else { throw StoreError.unknownSyncRun(run, source: source) }
        bookmark = chosen.bookmark
      }
      try connection.run(
        SyncSQL.resetBookmark, [.integer(source), .optional(bookmark?.text)])
      try connection.run(SyncSQL.resetBoundaries, [.integer(source), .optional(run)])
      try logActivity(
        actor, in: workspace, subject: "source/\(try sourceName(source))", at: now)
      return try syncPosition(of: source, in: workspace)
        ?? SyncPosition(source: source, bookmark: nil, publishedRun: nil, publishedAt: nil)
    }
  }

  /// Refuses while a run's process is known to be at it: the attempt that carries it out is the live
  /// one of its job. A run without a job, or whose attempt has ended, may be left over from a crash.
  func refuseLiveRun(of source: SourceID, in workspace: WorkspaceID) throws(StoreError) {
    let live = try connection.first(
      SyncQuerySQL.liveRun, [.text(workspace.text), .integer(source)],
      { (run: $0.integer(0), job: $0.optionalInteger(1)) })
    let delivering = try connection.first(
      DeliverySQL.liveRun, [.text(workspace.text), .integer(source)],
      { (run: $0.integer(0), job: $0.optionalInteger(1)) })
    if let live = live ?? delivering {
      throw StoreError.syncRuns(source: source, run: live.run, job: live.job)
    }
  }

  /// What was staged and never published is dead from now on; within a transaction.
  func giveUp(staged: Int64, above published: Int64, of source: SourceID) throws(StoreError) {
    guard staged > published else { return }
    let low = max(published, try deadRanges(of: source).ranges.map(\.high).max() ?? 0)
    if staged > low {
      try connection.run(
        SyncSQL.addDead, [.integer(source), .integer(low), .integer(staged)])
    }
    try connection.run(RejectSQL.forgetLater, [.integer(source), .integer(published)])
    try connection.run(SyncSQL.forgetStaged, [.integer(source)])
  }

  private func deadRanges(of source: SourceID) throws(StoreError) -> DeadRanges {
    DeadRanges(
      ranges: try connection.all(
        SyncSQL.deadRanges, [.integer(source)], { ($0.integer(0), $0.integer(1)) }))
  }

  struct Place {
    var staged: Int64
    var published: Int64
    var position: SyncPosition
    var bookmark: Bookmark? { position.bookmark }
  }

  func position(of source: SourceID, in workspace: WorkspaceID) throws(StoreError) -> Place? {
    try connection.first(SyncSQL.position, [.text(workspace.text), .integer(source)]) { row in
      Place(
        staged: row.integer(1), published: row.integer(2),
        position: SyncPosition(
          source: source, bookmark: row.optionalText(5).map { Bookmark(text: $0) },
          publishedRun: row.optionalInteger(3),
          publishedAt: row.optionalInteger(4).map { Timestamp(milliseconds: $0) }))
    }
  }
}

extension SQLiteStore {
  /// The row of a run that begins, which is given `bookmark` unless it takes everything anew; within a
  /// transaction.
  func insertRun(
    _ request: SyncRequest, from bookmark: Bookmark?, at now: Timestamp
  ) throws(StoreError) -> SyncRunID {
    let given = request.isFull ? nil : bookmark?.without(request.fullStreams)
    try connection.run(
      SyncSQL.insertRun,
      [
        .text(request.workspace.text), .integer(request.source),
        .optional(request.attempt?.job), .optional(request.attempt?.fence),
        .flag(request.isFull), .integer(now.milliseconds), .optional(given?.text),
      ])
    return connection.lastInsertedID
  }
}

extension SQLiteSyncSession {
  func declare(
    _ declaration: StreamDeclaration, mayChangeKey: Bool, at now: Timestamp
  ) throws(StoreError) -> DeclaredStream {
    let place: [SQLValue] = [
      .text(run.workspace.text), .integer(run.source), .text(declaration.name),
    ]
    let keyText = JSON.strings(declaration.key).text
    let known = try connection.first(SyncSQL.stream, place) { StreamRow($0) }
    let latest = try known.flatMap { (stream) throws(StoreError) in try latestSchema(of: stream) }
    // A stream without records has none under another key.
    let isEmpty = known.map { $0.records == 0 && !isDeclared($0) } ?? true
    var change: (from: [String], to: [String], token: String)?
    if let latest, let known, !isEmpty {
      change = try keyChange(of: known.id, from: latest, to: declaration)
    }
    if let change, !mayChangeKey {
      throw StoreError.streamKeyChanged(
        stream: declaration.name, from: change.from, to: change.to)
    }
    let schemaChanged = latest.map { $0.schema != declaration.schema } ?? true
    var row = known
    var view = (form: DeclaredStream.ViewForm.columns, notes: [String]())
    let isOther = schemaChanged || latest?.key != keyText
    if isOther || known?.hasColumns != true {
      row = try step(durable: false) { () throws(StoreError) in
        if known == nil { try connection.run(SyncSQL.addStream, place + [.text(keyText)]) }
        let stream = try connection.first(SyncSQL.stream, place) { StreamRow($0) }
        guard let stream else { return nil }
        if isOther {
          try keep(declaration, keyText, for: stream, isOtherKey: change != nil, at: now)
        }
        view = try makeView(of: declaration, stream.id)
        return stream
      }
    }
    guard let row else {
      throw StoreError.corrupt(path: store.path, detail: "a stream is not there")
    }
    var token = change?.token
    if token == nil { token = try unfinishedKeyToken(row, declaration) }
    let index = index(of: row, named: declaration.name)
    streams[index].ignored = declaration.ignored
    streams[index].isKeyless = declaration.key.isEmpty
    try loadRejectedKeys(of: index)
    return DeclaredStream(
      index: index, isNew: known == nil,
      schemaChanged: known != nil && schemaChanged, keyToken: token,
      view: view.form, notes: view.notes)
  }

  private func isDeclared(_ stream: StreamRow) -> Bool {
    streams.contains { $0.id == stream.id }
  }

  private func latestSchema(
    of stream: StreamRow
  ) throws(StoreError) -> (schema: String, key: String)? {
    let pending = streams.first { $0.id == stream.id }?.pendingSchema
    return try connection.first(
      SyncSQL.currentSchema,
      [.integer(stream.id), .integer(pending?.version ?? stream.schemaVersion)],
      { (schema: $0.text(0), key: $0.text(1)) })
  }

  /// How a key differs, in words; `nil`: it is the same.
  private func keyChange(
    of stream: Int64, from latest: (schema: String, key: String),
    to declaration: StreamDeclaration
  ) throws(StoreError) -> (from: [String], to: [String], token: String)? {
    let key = try store.decodeJSON(latest.key)?.stringArray ?? []
    if latest.schema == declaration.schema, key == declaration.key { return nil }
    let types = RecordKeyTypes(
      of: declaration.key, in: try store.decodeJSON(declaration.schema))
    if key != declaration.key { return (key, declaration.key, Self.keyToken(types)) }
    var before = RecordKeyTypes(of: key, in: try store.decodeJSON(latest.schema))
    if !before.isComplete {
      let earlier = try connection.all(
        SyncSQL.schemasOfKey, [.integer(stream), .text(latest.key)], { $0.text(0) })
      for schema in earlier where !before.isComplete {
        before.fill(from: RecordKeyTypes(of: key, in: try store.decodeJSON(schema)))
      }
    }
    guard types.differ(from: before) else { return nil }
    return (before.texts, types.texts, Self.keyToken(types))
  }

  private static func keyToken(_ types: RecordKeyTypes) -> String {
    "key:\(types.canonicalText)"
  }

  /// The token of a replacement that an interrupted run began because the key had changed.
  private func unfinishedKeyToken(
    _ row: StreamRow, _ declaration: StreamDeclaration
  ) throws(StoreError) -> String? {
    guard let token = row.nextVersion, token.hasPrefix("key:") else { return nil }
    let types = RecordKeyTypes(
      of: declaration.key, in: try store.decodeJSON(declaration.schema))
    return token == Self.keyToken(types) ? token : nil
  }

  /// Another key becomes that of the stream with the next publication.
  private func keep(
    _ declaration: StreamDeclaration, _ keyText: String, for stream: StreamRow, isOtherKey: Bool,
    at now: Timestamp
  ) throws(StoreError) {
    let latest = try connection.first(
      SyncSQL.latestSchema, [.integer(stream.id)], { $0.optionalInteger(0) })
    let version = Int(latest.flatMap { $0 } ?? 0) + 1
    try connection.run(
      SyncSQL.addSchema,
      [
        .integer(stream.id), .integer(version), .integer(run.id), .integer(now.milliseconds),
        .integer(declaration.line), .text(declaration.schema), .text(keyText),
      ])
    let known = streams.firstIndex { $0.id == stream.id }
    let isPending = known.map { streams[$0].pendingSchema != nil } ?? false
    if isOtherKey || isPending {
      let index = known ?? index(of: stream, named: declaration.name)
      streams[index].pendingSchema = (version, keyText)
    } else {
      try connection.run(
        SyncSQL.setSchema, [.integer(stream.id), .integer(version), .text(keyText)])
    }
  }

  private func makeView(
    of declaration: StreamDeclaration, _ stream: Int64
  ) throws(StoreError) -> (form: DeclaredStream.ViewForm, notes: [String]) {
    let schemas = try connection.all(
      SyncSQL.schemasOfStream, [.integer(stream)], { $0.text(0) })
    let columns = ViewColumns(of: declaration, after: schemas)
    let view = StreamView(
      workspace: run.workspace, source: try store.sourceName(run.source),
      stream: declaration.name, id: stream)
    let form = try view.make(columns, in: connection)
    guard form != .none else { return (form, []) }
    var notes = form == .columns ? columns.notes : []
    if let name = try view.name(in: connection), name != view.plainName {
      notes.insert("the SQL view of stream '\(declaration.name)' is '\(name)'", at: 0)
    }
    return (form, notes)
  }

  private func index(of row: StreamRow, named name: String) -> Int {
    if let known = streams.firstIndex(where: { $0.id == row.id }) { return known }
    let boundary = run.given == nil ? nil : row.boundary
    streams.append(
      SessionStream(
        id: row.id, name: name, floor: staged,
        repeats: RepeatedRecords(
          boundary: row.boundary, resumesAbove: boundary ?? 0, begun: staged),
        completed: row.completed))
    return streams.count - 1
  }
}

struct StreamRow {
  let id: Int64
  let key: String
  let schemaVersion: Int
  let completed: String?
  let nextVersion: String?
  let boundary: Int64?
  let records: Int64
  let hasColumns: Bool

  init(_ row: Row) {
    id = row.integer(0)
    key = row.text(1)
    schemaVersion = Int(row.integer(2))
    completed = row.optionalText(3)
    nextVersion = row.optionalText(4)
    boundary = row.optionalInteger(6)
    records = row.integer(7)
    hasColumns = row.integer(9) != 0
  }
}
