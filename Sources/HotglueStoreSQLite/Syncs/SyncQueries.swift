public import HotglueCore
public import HotglueStore

extension SQLiteStore {
  public func syncPosition(
    of source: SourceID, in workspace: WorkspaceID
  ) throws(StoreError) -> SyncPosition? {
    try position(of: source, in: workspace)?.position
  }

  public func syncRuns(
    of source: SourceID, in workspace: WorkspaceID, before: SyncRunID?, limit: Int
  ) throws(StoreError) -> [SyncRun] {
    let found = try connection.all(
      SyncQuerySQL.runs,
      [
        .text(workspace.text), .integer(source), .integer(before ?? .max), .integer(limit),
      ]
    ) { (row) throws(StoreError) in try decodeRun(row, of: source, in: workspace) }
    var runs: [SyncRun] = []
    for run in found { runs.append(try withStreams(run)) }
    return runs
  }

  public func syncRun(
    _ run: SyncRunID, of source: SourceID, in workspace: WorkspaceID
  ) throws(StoreError) -> SyncRun {
    let found = try connection.first(
      SyncQuerySQL.run, [.text(workspace.text), .integer(source), .integer(run)]
    ) { (row) throws(StoreError) in try decodeRun(row, of: source, in: workspace) }
    guard let found else { throw .unknownSyncRun(run, source: source) }
    return try withStreams(found)
  }

  public func owner(
    ofRun run: SyncRunID
  ) throws(StoreError) -> (workspace: WorkspaceID, source: String)? {
    try connection.first(SyncQuerySQL.owner, [.integer(run)]) { (row) throws(StoreError) in
      (try decodeWorkspaceID(row.text(0)), row.text(1))
    }
  }

  public func bookmarks(
    of run: SyncRunID, in workspace: WorkspaceID
  ) throws(StoreError) -> [PublishedBookmark] {
    try connection.all(SyncQuerySQL.bookmarks, [.text(workspace.text), .integer(run)]) { row in
      PublishedBookmark(
        at: Timestamp(milliseconds: row.integer(0)), bookmark: Bookmark(text: row.text(1)))
    }
  }

  public func schemas(
    of source: SourceID, stream: String?, in workspace: WorkspaceID
  ) throws(StoreError) -> [RecordedSchema] {
    try connection.all(
      SyncQuerySQL.schemas, [.text(workspace.text), .integer(source), .optional(stream)]
    ) { (row) throws(StoreError) in
      RecordedSchema(
        stream: row.text(0), version: Int(row.integer(1)), run: row.integer(2),
        at: Timestamp(milliseconds: row.integer(3)), line: row.integer(4), schema: row.text(5),
        key: try decodeJSON(row.text(6))?.stringArray ?? [])
    }
  }

  public func recordStreams(
    of source: SourceID, in workspace: WorkspaceID
  ) throws(StoreError) -> [RecordStream] {
    try connection.all(
      SyncQuerySQL.streams, [.text(workspace.text), .integer(source)]
    ) { (row) throws(StoreError) in
      RecordStream(
        name: row.text(0), key: try decodeJSON(row.text(1))?.stringArray ?? [],
        records: row.integer(2), schemaVersion: Int(row.integer(3)))
    }
  }

  public func records(_ page: RecordPage) throws(StoreError) -> [StoredRecord] {
    try read { () throws(StoreError) in
      let stream = try connection.first(
        SyncSQL.stream,
        [.text(page.workspace.text), .integer(page.source), .text(page.stream)],
        { $0.integer(0) })
      guard let stream else {
        let names = try recordStreams(of: page.source, in: page.workspace).map(\.name)
        throw StoreError.unknownStream(
          page.stream, source: page.source, near: NearMatch.among(names, to: page.stream))
      }
      let statement =
        page.only != nil
        ? SyncQuerySQL.recordOfKey
        : page.after == nil ? SyncQuerySQL.firstRecords : SyncQuerySQL.nextRecords
      let values: [SQLValue] = [
        .integer(stream), .integer(page.source), .integer(page.limit),
        (page.only ?? page.after)?.value ?? .null, .optional(page.publication),
      ]
      return try connection.all(statement, values) { row in
        StoredRecord(
          key: row.recordKey(0), data: row.text(1),
          updatedAt: Timestamp(milliseconds: row.integer(2)))
      }
    }
  }

  public func holdRecords(
    of source: SourceID, in workspace: WorkspaceID
  ) throws(StoreError) -> RecordMoment {
    // The lock comes first: what is published after it is not swept.
    let reader = try recordReaders.hold(source)
    let published = try position(of: source, in: workspace)?.published ?? 0
    return RecordMoment(publication: published, hold: reader)
  }

  var recordReaders: RecordReaders { RecordReaders(folder: folder, isShared: group != nil) }

  private func withStreams(_ run: SyncRun) throws(StoreError) -> SyncRun {
    var run = run
    run.target = try connection.first(
      DeliverySQL.targetOfRun, [.integer(run.id)], { $0.integer(0) })
    if run.target != nil {
      run.streams = try connection.all(DeliverySQL.counts, [.integer(run.id)]) { row in
        StreamReport(
          stream: row.text(0), tally: StreamTally(received: row.integer(1)),
          counted: row.optionalInteger(2))
      }
      return run
    }
    run.streams = try connection.all(SyncQuerySQL.tallies, [.integer(run.id)]) { row in
      var columns = row.columns()
      let name = columns.text()
      return StreamReport(
        stream: name,
        tally: StreamTally(
          received: columns.integer(), added: columns.integer(), changed: columns.integer(),
          unchanged: columns.integer(), rejected: columns.integer(), removed: columns.integer()))
    }
    return run
  }

  private func decodeRun(
    _ row: Row, of source: SourceID, in workspace: WorkspaceID
  ) throws(StoreError) -> SyncRun {
    var columns = row.columns()
    let id = columns.integer()
    let job = columns.optionalInteger()
    let fence = columns.optionalInteger()
    guard let state = SyncRun.State(rawValue: columns.text()) else {
      throw StoreError.corrupt(path: path, detail: "run \(id) has an unknown state")
    }
    let isFull = columns.flag()
    let startedAt = Timestamp(milliseconds: columns.integer())
    let finishedAt = columns.optionalInteger().map { Timestamp(milliseconds: $0) }
    let given = columns.optionalText().map { Bookmark(text: $0) }
    let bookmark = columns.optionalText().map { Bookmark(text: $0) }
    let publications = columns.count()
    var error: Job.Failure?
    let code = columns.optionalText()
    let message = columns.optionalText()
    let kind = columns.optionalText()
    if let code, let message, let kind {
      error = Job.Failure(code: code, message: message, kind: kind)
    }
    return SyncRun(
      id: id, source: source, workspace: workspace, job: job, fence: fence, state: state,
      isFull: isFull, startedAt: startedAt, finishedAt: finishedAt, given: given,
      bookmark: bookmark, publications: publications, error: error,
      notes: try decodeJSON(columns.optionalText())?.stringArray ?? [], streams: [])
  }
}

enum SyncQuerySQL {
  static let runs = SQL(
    "sync.runs",
    """
    SELECT id, job, fence, state, is_full, started_at, finished_at, given, bookmark, publications,
      error_code, error_message, error_kind, notes
    FROM sync_run INDEXED BY sync_run_of_source
    WHERE workspace = ?1 AND source = ?2 AND id < ?3 ORDER BY id DESC LIMIT ?4
    """)
  static let run = SQL(
    "sync.run",
    """
    SELECT id, job, fence, state, is_full, started_at, finished_at, given, bookmark, publications,
      error_code, error_message, error_kind, notes
    FROM sync_run WHERE workspace = ?1 AND source = ?2 AND id = ?3
    """)
  static let owner = SQL(
    "sync.owner",
    """
    SELECT source.workspace, source.name FROM sync_run JOIN source ON source.id = sync_run.source
    WHERE sync_run.id = ?1 AND source.removed_at IS NULL
    """)
  static let liveRun = SQL(
    "sync.live_run",
    """
    SELECT sync_run.id, job FROM sync_position JOIN sync_run ON sync_run.id = sync_position.run
    WHERE sync_position.workspace = ?1 AND sync_position.source = ?2
      AND sync_run.state = 'running' AND EXISTS (SELECT 1 FROM job
        WHERE job.id = sync_run.job AND job.state = 'running' AND job.fence = sync_run.fence)
    """)
  static let tallies = SQL(
    "sync.tallies",
    """
    SELECT name, received, added, changed, unchanged, rejected, removed
    FROM sync_tally JOIN sync_stream ON sync_stream.id = stream WHERE run = ?1 ORDER BY name
    """)
  static let bookmarks = SQL(
    "sync.bookmarks",
    """
    SELECT at, sync_bookmark.bookmark FROM sync_bookmark JOIN sync_run ON sync_run.id = run
    WHERE workspace = ?1 AND run = ?2 ORDER BY seq
    """)
  static let schemas = SQL(
    "sync.schemas",
    """
    SELECT name, version_of.version, run, at, line, schema, version_of.key
    FROM sync_stream JOIN sync_schema AS version_of ON version_of.stream = sync_stream.id
    WHERE workspace = ?1 AND source = ?2 AND (?3 IS NULL OR name = ?3)
    ORDER BY name, version_of.version
    """)
  static let streams = SQL(
    "sync.streams",
    """
    SELECT name, key, records, schema_version FROM sync_stream
    WHERE workspace = ?1 AND source = ?2 ORDER BY name
    """)

  /// Of each key the newest visible version that is not a removal, in the order of keys.
  static let firstRecords = SQL(
    "record.first",
    """
    SELECT key, data, at FROM record_version AS version INDEXED BY record_of_stream
    WHERE stream = ?1 AND data IS NOT NULL
      AND id <= ifnull(?5, (SELECT published FROM sync_position WHERE source = ?2))
      AND NOT EXISTS (SELECT 1 FROM sync_dead
        WHERE source = ?2 AND low < version.id AND high >= version.id)
      AND NOT EXISTS (SELECT 1 FROM record_version AS newer INDEXED BY record_of_stream
        WHERE newer.stream = ?1 AND newer.key = version.key AND newer.id > version.id
          AND newer.id <= ifnull(?5, (SELECT published FROM sync_position WHERE source = ?2))
          AND NOT EXISTS (SELECT 1 FROM sync_dead
            WHERE source = ?2 AND low < newer.id AND high >= newer.id))
    ORDER BY key LIMIT ?3
    """)
  static let nextRecords = SQL(
    "record.next",
    """
    SELECT key, data, at FROM record_version AS version INDEXED BY record_of_stream
    WHERE stream = ?1 AND key > ?4 AND data IS NOT NULL
      AND id <= ifnull(?5, (SELECT published FROM sync_position WHERE source = ?2))
      AND NOT EXISTS (SELECT 1 FROM sync_dead
        WHERE source = ?2 AND low < version.id AND high >= version.id)
      AND NOT EXISTS (SELECT 1 FROM record_version AS newer INDEXED BY record_of_stream
        WHERE newer.stream = ?1 AND newer.key = version.key AND newer.id > version.id
          AND newer.id <= ifnull(?5, (SELECT published FROM sync_position WHERE source = ?2))
          AND NOT EXISTS (SELECT 1 FROM sync_dead
            WHERE source = ?2 AND low < newer.id AND high >= newer.id))
    ORDER BY key LIMIT ?3
    """)
  static let recordOfKey = SQL(
    "record.of_key",
    """
    SELECT key, data, at FROM record_version AS version INDEXED BY record_of_stream
    WHERE stream = ?1 AND key = ?4 AND data IS NOT NULL
      AND id <= ifnull(?5, (SELECT published FROM sync_position WHERE source = ?2))
      AND NOT EXISTS (SELECT 1 FROM sync_dead
        WHERE source = ?2 AND low < version.id AND high >= version.id)
      AND NOT EXISTS (SELECT 1 FROM record_version AS newer INDEXED BY record_of_stream
        WHERE newer.stream = ?1 AND newer.key = version.key AND newer.id > version.id
          AND newer.id <= ifnull(?5, (SELECT published FROM sync_position WHERE source = ?2))
          AND NOT EXISTS (SELECT 1 FROM sync_dead
            WHERE source = ?2 AND low < newer.id AND high >= newer.id))
    ORDER BY key LIMIT ?3
    """)
}
