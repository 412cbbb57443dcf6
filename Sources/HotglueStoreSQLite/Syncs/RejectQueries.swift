public import HotglueCore
public import HotglueStore

extension SQLiteStore {
  public func rejects(
    of run: SyncRunID, in workspace: WorkspaceID, after: Int64?, limit: Int
  ) throws(StoreError) -> [SetAsideRecord] {
    try connection.all(
      RejectSQL.ofRun,
      [.text(workspace.text), .integer(run), .integer(after ?? 0), .integer(limit)], Self.reject)
  }

  public func rejects(
    _ selection: RejectSelection, onlyPossible: Bool, after: Int64, limit: Int
  ) throws(StoreError) -> [SetAsideRecord] {
    try connection.all(
      RejectSQL.page,
      Self.values(selection) + [.integer(after), .flag(onlyPossible), .integer(limit)], Self.reject)
  }

  public func rejectCounts(_ selection: RejectSelection) throws(StoreError) -> RejectCounts {
    try connection.first(RejectSQL.counts, Self.values(selection)) { row in
      RejectCounts(
        possible: row.integer(0), truncated: row.integer(1), outdated: row.integer(2),
        last: row.integer(3))
    } ?? RejectCounts(possible: 0, truncated: 0, outdated: 0, last: 0)
  }

  public func lastRunWithRejects(
    of source: SourceID, in workspace: WorkspaceID
  ) throws(StoreError) -> SyncRunID? {
    try connection.first(
      RejectSQL.lastRun, [.text(workspace.text), .integer(source)], { $0.integer(0) })
  }

  private static func values(_ selection: RejectSelection) -> [SQLValue] {
    [
      .text(selection.workspace.text), .integer(selection.source), .optional(selection.run),
      .optional(selection.streams.map { JSON.strings($0).text }),
    ]
  }

  private static func reject(_ row: Row) -> SetAsideRecord {
    SetAsideRecord(
      id: row.integer(0), run: row.integer(1), stream: row.text(2), line: row.integer(3),
      path: row.text(4), reason: row.text(5), data: row.text(6),
      key: row.isNull(7) ? nil : row.recordKey(7),
      retry: row.integer(8) != 0 ? .outdated : row.integer(9) != 0 ? .possible : .truncated)
  }
}

enum RejectSQL {
  static let ofRun = SQL(
    "reject.of_run",
    """
    SELECT sync_reject.id, run, name, line, path, reason, data, sync_reject.key,
      later IS NOT NULL OR run < ifnull(whole, 0), is_whole
    FROM sync_reject INDEXED BY sync_reject_of_run JOIN sync_stream ON sync_stream.id = stream
    WHERE workspace = ?1 AND run = ?2 AND sync_reject.id > ?3 ORDER BY sync_reject.id LIMIT ?4
    """)
  static let page = SQL(
    "reject.page",
    """
    SELECT sync_reject.id, run, name, line, path, reason, data, sync_reject.key,
      later IS NOT NULL OR run < ifnull(whole, 0), is_whole
    FROM sync_reject CROSS JOIN sync_stream ON sync_stream.id = stream
    WHERE workspace = ?1 AND source = ?2 AND (?3 IS NULL OR run = ?3)
      AND (?4 IS NULL OR name IN (SELECT value FROM json_each(?4)))
      AND sync_reject.id > ?5
      AND (NOT ?6 OR (is_whole AND later IS NULL AND run >= ifnull(whole, 0)))
    ORDER BY sync_reject.id LIMIT ?7
    """)
  static let counts = SQL(
    "reject.counts",
    """
    SELECT count(*) FILTER (WHERE is_whole AND later IS NULL AND run >= ifnull(whole, 0)),
      count(*) FILTER (WHERE NOT is_whole AND later IS NULL AND run >= ifnull(whole, 0)),
      count(*) FILTER (WHERE later IS NOT NULL OR run < ifnull(whole, 0)),
      ifnull(max(sync_reject.id), 0)
    FROM sync_stream CROSS JOIN sync_reject ON sync_reject.stream = sync_stream.id
    WHERE workspace = ?1 AND source = ?2 AND (?3 IS NULL OR run = ?3)
      AND (?4 IS NULL OR name IN (SELECT value FROM json_each(?4)))
    """)
  static let lastRun = SQL(
    "reject.last_run",
    """
    SELECT id FROM sync_run INDEXED BY sync_run_of_source
    WHERE workspace = ?1 AND source = ?2
      AND EXISTS (SELECT 1 FROM sync_reject WHERE run = sync_run.id)
    ORDER BY id DESC LIMIT 1
    """)

  // MARK: Of a session

  static let add = SQL(
    "reject.add",
    """
    INSERT INTO sync_reject (run, stream, line, key, is_whole, path, reason, data)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
    """)
  static let keys = SQL(
    "reject.keys",
    """
    SELECT key FROM sync_reject INDEXED BY sync_reject_of_key
    WHERE stream = ?1 AND later IS NULL AND key IS NOT NULL
    """)
  static let hasKey = SQL(
    "reject.has_key",
    """
    SELECT 1 FROM sync_reject INDEXED BY sync_reject_of_key
    WHERE stream = ?1 AND key = ?2 AND later IS NULL AND key IS NOT NULL LIMIT 1
    """)
  static let outdate = SQL(
    "reject.outdate",
    """
    UPDATE sync_reject SET later = ?3
    WHERE stream = ?1 AND key = ?2 AND later IS NULL AND key IS NOT NULL
    """)
  /// Of a stream without a key a record stands for one of its content, which an earlier run received.
  static let outdateCopy = SQL(
    "reject.outdate_copy",
    """
    UPDATE sync_reject SET later = ?3 WHERE id = (SELECT id FROM sync_reject
      INDEXED BY sync_reject_of_key
      WHERE stream = ?1 AND key = ?2 AND later IS NULL AND key IS NOT NULL AND run <> ?4
      ORDER BY id LIMIT 1)
    """)
  /// What was set aside under the key of one that is taken, and before it.
  static let outdateEarlier = SQL(
    "reject.outdate_earlier",
    """
    UPDATE sync_reject SET later = ?2
    WHERE id IN (SELECT earlier.id FROM sync_reject AS taken
      CROSS JOIN sync_reject AS earlier INDEXED BY sync_reject_of_key
        ON earlier.stream = taken.stream AND earlier.key = taken.key AND earlier.id < taken.id
      WHERE taken.id = ?1 AND earlier.later IS NULL AND earlier.key IS NOT NULL)
    """)
  static let take = SQL("reject.take", "DELETE FROM sync_reject WHERE id = ?1")
  static let reject = SQL(
    "reject.reject", "UPDATE sync_reject SET path = ?2, reason = ?3 WHERE id = ?1")
  /// What a run received and never published was not received.
  static let forgetLater = SQL(
    "reject.forget_later",
    """
    UPDATE sync_reject SET later = NULL
    WHERE stream IN (SELECT id FROM sync_stream WHERE source = ?1) AND later > ?2
    """)
}
