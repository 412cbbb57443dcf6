/// The statements of runs and their records.
enum SyncSQL {
  // MARK: Records

  static let versionsOfKey = SQL(
    "sync.versions_of_key",
    """
    SELECT id, data FROM record_version INDEXED BY record_of_stream
    WHERE stream = ?1 AND key = ?2 ORDER BY id DESC
    """)
  static let insertVersion = SQL(
    "sync.insert_version",
    "INSERT INTO record_version (id, stream, key, at, data) VALUES (?1, ?2, ?3, ?4, ?5)")
  /// Only of a version that is not visible yet.
  static let overwriteVersion = SQL(
    "sync.overwrite_version", "UPDATE record_version SET at = ?2, data = ?3 WHERE id = ?1")
  static let supersede = SQL(
    "sync.supersede",
    "INSERT INTO sync_superseded (source, by, low, high) VALUES (?1, ?2, ?3, ?4)")
  static let takeNumbers = SQL(
    "sync.take_numbers", "UPDATE record_counter SET last = last + ?1 RETURNING last")
  /// Versions of a stream in the order of keys, the newest of each key first, without those of dead
  /// runs.
  static let firstVersions = SQL(
    "sync.first_versions",
    """
    SELECT id, key, data IS NULL FROM record_version INDEXED BY record_of_stream
    WHERE stream = ?1 AND NOT EXISTS (SELECT 1 FROM sync_dead
      WHERE source = ?2 AND low < record_version.id AND high >= record_version.id)
    ORDER BY key, id DESC LIMIT ?3
    """)
  static let nextVersions = SQL(
    "sync.next_versions",
    """
    SELECT id, key, data IS NULL FROM record_version INDEXED BY record_of_stream
    WHERE stream = ?1 AND NOT EXISTS (SELECT 1 FROM sync_dead
      WHERE source = ?2 AND low < record_version.id AND high >= record_version.id)
      AND key > ?4
    ORDER BY key, id DESC LIMIT ?3
    """)

  // MARK: Position

  static let holder = SQL(
    "sync.holder",
    """
    SELECT sync_position.run, sync_run.state FROM sync_position
      JOIN sync_run ON sync_run.id = sync_position.run WHERE sync_position.source = ?1
    """)
  static let setMarks = SQL(
    "sync.set_marks",
    "UPDATE sync_position SET staged = ?3, published = ?4 WHERE source = ?1 AND run = ?2")
  static let position = SQL(
    "sync.position",
    """
    SELECT run, staged, published, published_run, published_at, bookmark
    FROM sync_position WHERE workspace = ?1 AND source = ?2
    """)
  static let setPosition = SQL(
    "sync.set_position",
    """
    INSERT INTO sync_position (source, workspace, run) VALUES (?2, ?1, ?3)
    ON CONFLICT (source) DO UPDATE SET run = ?3
    """)
  static let publish = SQL(
    "sync.publish",
    """
    UPDATE sync_position SET published_run = ?2, published_at = ?3, bookmark = ?4
    WHERE source = ?1
    """)
  static let withdraw = SQL(
    "sync.withdraw", "UPDATE sync_position SET bookmark = ?2 WHERE source = ?1")
  static let withdrawFromRun = SQL(
    "sync.withdraw_from_run", "UPDATE sync_run SET bookmark = ?2 WHERE id = ?1")
  static let resetBookmark = SQL(
    "sync.reset_bookmark", "UPDATE sync_position SET bookmark = ?2 WHERE source = ?1")
  /// To those of the run that the bookmark goes back to; without one nothing is known.
  static let resetBoundaries = SQL(
    "sync.reset_boundaries",
    """
    UPDATE sync_stream SET boundary = (SELECT boundary FROM sync_tally
      INDEXED BY sync_tally_of_stream WHERE stream = sync_stream.id AND run <= ?2
      ORDER BY run DESC LIMIT 1)
    WHERE source = ?1
    """)
  static let setBoundary = SQL(
    "sync.set_boundary", "UPDATE sync_stream SET boundary = ?2 WHERE id = ?1")
  static let forgetStaged = SQL(
    "sync.forget_staged", "UPDATE sync_position SET staged = published WHERE source = ?1")
  static let deadRanges = SQL(
    "sync.dead_ranges", "SELECT low, high FROM sync_dead WHERE source = ?1 ORDER BY low")
  static let addDead = SQL(
    "sync.add_dead", "INSERT INTO sync_dead (source, low, high) VALUES (?1, ?2, ?3)")

  // MARK: Runs

  static let insertRun = SQL(
    "sync.insert_run",
    """
    INSERT INTO sync_run (workspace, source, job, fence, state, is_full, started_at, given)
    VALUES (?1, ?2, ?3, ?4, 'running', ?5, ?6, ?7)
    """)
  static let interruptRuns = SQL(
    "sync.interrupt_runs",
    """
    UPDATE sync_run SET state = 'interrupted', finished_at = ?2
    WHERE id = (SELECT run FROM sync_position WHERE source = ?1) AND state = 'running'
    """)
  static let notePublication = SQL(
    "sync.note_publication",
    "UPDATE sync_run SET publications = publications + 1, bookmark = ?2 WHERE id = ?1")
  static let addBookmark = SQL(
    "sync.add_bookmark",
    "INSERT INTO sync_bookmark (run, seq, at, bookmark) VALUES (?1, ?2, ?3, ?4)")
  static let thinBookmarks = SQL(
    "sync.thin_bookmarks", "DELETE FROM sync_bookmark WHERE run = ?1 AND seq <= ?2")
  static let endRun = SQL(
    "sync.end_run",
    """
    UPDATE sync_run SET state = ?2, finished_at = ?3, error_code = ?4, error_message = ?5,
      error_kind = ?6, notes = ?7 WHERE id = ?1 AND state = 'running'
    """)
  static let setTally = SQL(
    "sync.set_tally",
    """
    INSERT INTO sync_tally
      (run, stream, received, added, changed, unchanged, rejected, removed, boundary)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
    ON CONFLICT (run, stream) DO UPDATE SET received = ?3, added = ?4, changed = ?5,
      unchanged = ?6, rejected = ?7, removed = ?8, boundary = ?9
    """)
  // MARK: Streams

  static let stream = SQL(
    "sync.stream",
    """
    SELECT id, key, schema_version, version, next_version, next_floor, boundary, records, next_run,
      has_columns
    FROM sync_stream
    WHERE workspace = ?1 AND source = ?2 AND name = ?3
    """)
  static let addStream = SQL(
    "sync.add_stream",
    "INSERT INTO sync_stream (workspace, source, name, key) VALUES (?1, ?2, ?3, ?4)")
  static let currentSchema = SQL(
    "sync.current_schema",
    "SELECT schema, key FROM sync_schema WHERE stream = ?1 AND version = ?2")
  static let schemasOfStream = SQL(
    "sync.schemas_of_stream", "SELECT schema FROM sync_schema WHERE stream = ?1")
  static let schemasOfKey = SQL(
    "sync.schemas_of_key",
    """
    SELECT schema FROM sync_schema WHERE stream = ?1 AND key = ?2
      AND version > coalesce((SELECT max(version) FROM sync_schema WHERE stream = ?1 AND key <> ?2), 0)
    ORDER BY version DESC
    """)
  static let latestSchema = SQL(
    "sync.latest_schema", "SELECT max(version) FROM sync_schema WHERE stream = ?1")
  static let addSchema = SQL(
    "sync.add_schema",
    """
    INSERT INTO sync_schema (stream, version, run, at, line, schema, key)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
    """)
  static let setSchema = SQL(
    "sync.set_schema", "UPDATE sync_stream SET schema_version = ?2, key = ?3 WHERE id = ?1")
  static let grow = SQL(
    "sync.grow", "UPDATE sync_stream SET records = records + ?2 WHERE id = ?1")
  static let setReplacement = SQL(
    "sync.set_replacement",
    "UPDATE sync_stream SET next_version = ?2, next_floor = ?3, next_run = ?4 WHERE id = ?1")
  static let completeReplacement = SQL(
    "sync.complete_replacement",
    """
    UPDATE sync_stream SET version = ifnull(?2, version), next_version = NULL, next_floor = NULL,
      next_run = NULL, whole = ?3
    WHERE id = ?1
    """)
  static let forgetReplacement = SQL(
    "sync.forget_replacement",
    """
    UPDATE sync_stream SET next_version = NULL, next_floor = NULL, next_run = NULL WHERE id = ?1
    """)
  static let seen = SQL("sync.seen", "SELECT chunk, bits FROM sync_seen WHERE stream = ?1")
  static let setSeen = SQL(
    "sync.set_seen",
    "INSERT OR REPLACE INTO sync_seen (stream, chunk, bits) VALUES (?1, ?2, ?3)")
  static let forgetSeen = SQL("sync.forget_seen", "DELETE FROM sync_seen WHERE stream = ?1")
}
