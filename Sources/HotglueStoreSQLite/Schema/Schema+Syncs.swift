extension Schema {
  /// Sources, their runs, the records they take in, and the targets they deliver to.
  ///
  /// `record_version` holds every version of every record, staged or not; its numbers grow with time.
  /// `sync_position` says up to which number a source's versions are visible: the one row that shows
  /// records and bookmark together. What a dead run staged lies above that number when it dies, and in a
  /// range of `sync_dead` from then on, until it is swept. A run that is in `sync_delivery` went into that
  /// target; any other went into the store.
  static let syncs = """
    CREATE TABLE source (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      workspace TEXT NOT NULL REFERENCES workspace (id),
      name TEXT NOT NULL CHECK (name <> ''),
      revision INTEGER NOT NULL CHECK (revision >= 1),
      definition TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      set_at INTEGER NOT NULL,
      set_by TEXT NOT NULL,
      removed_at INTEGER,
      UNIQUE (workspace, id)
    ) STRICT;
    CREATE UNIQUE INDEX source_name ON source (workspace, name) WHERE removed_at IS NULL;
    CREATE INDEX source_removed ON source (id) WHERE removed_at IS NOT NULL;

    CREATE TABLE sync_run (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      workspace TEXT NOT NULL,
      source INTEGER NOT NULL,
      job INTEGER,
      fence INTEGER,
      state TEXT NOT NULL CHECK (state IN ('running', 'succeeded', 'failed', 'interrupted')),
      is_full INTEGER NOT NULL CHECK (is_full IN (0, 1)),
      started_at INTEGER NOT NULL,
      finished_at INTEGER,
      given TEXT,
      bookmark TEXT,
      publications INTEGER NOT NULL DEFAULT 0,
      error_code TEXT,
      error_message TEXT,
      error_kind TEXT,
      notes TEXT,
      UNIQUE (workspace, source, id),
      FOREIGN KEY (workspace, source) REFERENCES source (workspace, id),
      CHECK ((job IS NULL) = (fence IS NULL)),
      CHECK ((state = 'running') = (finished_at IS NULL))
    ) STRICT;
    CREATE INDEX sync_run_of_source ON sync_run (source, id);

    -- `run` alone may stage and publish. `staged` is its highest number, `published` what is visible.
    CREATE TABLE sync_position (
      source INTEGER PRIMARY KEY,
      workspace TEXT NOT NULL,
      run INTEGER NOT NULL,
      staged INTEGER NOT NULL DEFAULT 0,
      published INTEGER NOT NULL DEFAULT 0,
      published_run INTEGER,
      published_at INTEGER,
      bookmark TEXT,
      UNIQUE (workspace, source),
      FOREIGN KEY (workspace, source) REFERENCES source (workspace, id),
      FOREIGN KEY (workspace, source, run) REFERENCES sync_run (workspace, source, id),
      CHECK (staged >= published)
    ) STRICT;

    -- `version` is the token of the last replacement that was completed, `next_version` of one that
    -- was published under and not completed; its versions start above `next_floor`, and `next_run` began
    -- it. `whole` is the run that began the last one that was completed: records that were set aside before
    -- it were sent again by it, or the source no longer has them.
    CREATE TABLE sync_stream (
      id INTEGER PRIMARY KEY,
      workspace TEXT NOT NULL,
      source INTEGER NOT NULL,
      name TEXT NOT NULL,
      key TEXT NOT NULL,
      schema_version INTEGER NOT NULL DEFAULT 0,
      records INTEGER NOT NULL DEFAULT 0 CHECK (records >= 0),
      version TEXT,
      next_version TEXT,
      next_floor INTEGER,
      next_run INTEGER,
      whole INTEGER,
      -- Of the versions above it a tap that is given the published bookmark may send some again, where
      -- the stream has no keys; NULL: of all.
      boundary INTEGER,
      -- The name of its SQL view, which no other stream has in SQLite's eyes.
      view TEXT,
      -- Whether that view has a column for each property.
      has_columns INTEGER NOT NULL DEFAULT 0 CHECK (has_columns IN (0, 1)),
      UNIQUE (workspace, source, name),
      UNIQUE (source, name),
      FOREIGN KEY (workspace, source) REFERENCES source (workspace, id),
      CHECK ((next_version IS NULL) = (next_floor IS NULL)),
      CHECK ((next_version IS NULL) = (next_run IS NULL))
    ) STRICT;
    CREATE UNIQUE INDEX sync_stream_view ON sync_stream (view COLLATE NOCASE)
      WHERE view IS NOT NULL;

    CREATE TABLE sync_schema (
      stream INTEGER NOT NULL REFERENCES sync_stream (id) ON DELETE CASCADE,
      version INTEGER NOT NULL CHECK (version >= 1),
      run INTEGER NOT NULL,
      at INTEGER NOT NULL,
      line INTEGER NOT NULL,
      schema TEXT NOT NULL,
      key TEXT NOT NULL,
      PRIMARY KEY (stream, version)
    ) STRICT, WITHOUT ROWID;

    -- A version belongs to its stream, and by it to one source and workspace. `data` is NULL where
    -- the record was removed. A whole number and a text are keys as they are; else a BLOB.
    CREATE TABLE record_version (
      id INTEGER PRIMARY KEY,
      stream INTEGER NOT NULL REFERENCES sync_stream (id),
      key ANY NOT NULL,
      at INTEGER NOT NULL,
      data TEXT
    ) STRICT;
    CREATE INDEX record_of_stream ON record_version (stream, key);

    -- The step that begins with version `by` replaces all versions from `low` to `high`: no reader needs
    -- them once `by` is visible. Versions that a sync wrote together are mostly replaced together, so a
    -- row stands for many.
    CREATE TABLE sync_superseded (
      source INTEGER NOT NULL,
      by INTEGER NOT NULL,
      low INTEGER NOT NULL,
      high INTEGER NOT NULL CHECK (high >= low),
      PRIMARY KEY (source, by, low)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE sync_dead (
      source INTEGER NOT NULL REFERENCES source (id),
      low INTEGER NOT NULL,
      high INTEGER NOT NULL CHECK (high > low),
      PRIMARY KEY (source, low)
    ) STRICT, WITHOUT ROWID;

    -- Which versions from before a replacement were sent again by it, a bit each: 65,536 a row.
    CREATE TABLE sync_seen (
      stream INTEGER NOT NULL REFERENCES sync_stream (id) ON DELETE CASCADE,
      chunk INTEGER NOT NULL,
      bits BLOB NOT NULL,
      PRIMARY KEY (stream, chunk)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE sync_tally (
      run INTEGER NOT NULL REFERENCES sync_run (id) ON DELETE CASCADE,
      stream INTEGER NOT NULL REFERENCES sync_stream (id) ON DELETE CASCADE,
      received INTEGER NOT NULL,
      added INTEGER NOT NULL,
      changed INTEGER NOT NULL,
      unchanged INTEGER NOT NULL,
      rejected INTEGER NOT NULL,
      removed INTEGER NOT NULL,
      -- The stream's boundary at the bookmark that the run published last.
      boundary INTEGER,
      PRIMARY KEY (run, stream)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX sync_tally_of_stream ON sync_tally (stream);

    CREATE TABLE sync_bookmark (
      run INTEGER NOT NULL REFERENCES sync_run (id) ON DELETE CASCADE,
      seq INTEGER NOT NULL,
      at INTEGER NOT NULL,
      bookmark TEXT NOT NULL,
      PRIMARY KEY (run, seq)
    ) STRICT, WITHOUT ROWID;

    -- `key` as in `record_version`, of a stream without one the hash of the content; NULL: it has none.
    -- `later` is the version up to which the source had come when a record of that key, or that record
    -- itself, was received after it: then it is out of date. `is_whole`: all of the record was kept.
    CREATE TABLE sync_reject (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      run INTEGER NOT NULL REFERENCES sync_run (id) ON DELETE CASCADE,
      stream INTEGER NOT NULL REFERENCES sync_stream (id) ON DELETE CASCADE,
      line INTEGER NOT NULL,
      key ANY,
      later INTEGER,
      is_whole INTEGER NOT NULL CHECK (is_whole IN (0, 1)),
      path TEXT NOT NULL,
      reason TEXT NOT NULL,
      data TEXT NOT NULL
    ) STRICT;
    CREATE INDEX sync_reject_of_run ON sync_reject (run, id);
    CREATE INDEX sync_reject_of_stream ON sync_reject (stream, later);
    CREATE INDEX sync_reject_of_key ON sync_reject (stream, key, id)
      WHERE later IS NULL AND key IS NOT NULL;

    -- The highest number of `record_version` that was ever given out: none is given out twice.
    CREATE TABLE record_counter (last INTEGER NOT NULL) STRICT;
    INSERT INTO record_counter VALUES (0);

    -- `run` alone may confirm. `command` is a list of words in JSON.
    CREATE TABLE sync_target (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      workspace TEXT NOT NULL,
      source INTEGER NOT NULL,
      command TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      run INTEGER,
      bookmark TEXT,
      confirmed_run INTEGER,
      confirmed_at INTEGER,
      UNIQUE (workspace, source, id),
      UNIQUE (source, command),
      FOREIGN KEY (workspace, source) REFERENCES source (workspace, id),
      FOREIGN KEY (workspace, source, run) REFERENCES sync_run (workspace, source, id)
    ) STRICT;

    CREATE TABLE sync_delivery (
      run INTEGER PRIMARY KEY,
      workspace TEXT NOT NULL,
      source INTEGER NOT NULL,
      target INTEGER NOT NULL,
      FOREIGN KEY (workspace, source, run) REFERENCES sync_run (workspace, source, id),
      FOREIGN KEY (workspace, source, target) REFERENCES sync_target (workspace, source, id)
    ) STRICT;

    -- What was sent, and how much of it the target says that it took.
    CREATE TABLE sync_delivery_count (
      run INTEGER NOT NULL REFERENCES sync_delivery (run),
      stream TEXT NOT NULL,
      sent INTEGER NOT NULL,
      counted INTEGER,
      PRIMARY KEY (run, stream)
    ) STRICT, WITHOUT ROWID;

    -- For readers: the visible records of all sources, one row each. DuckDB reads this statement: `at` is
    -- a keyword there, and names of columns count only where they are given.
    CREATE VIEW record AS
      SELECT source.workspace AS workspace, source.name AS source, sync_stream.name AS stream,
        version.key AS key, version.data AS data,
        strftime('%Y-%m-%dT%H:%M:%S', version."at" / 1000, 'unixepoch')
          || printf('.%03dZ', version."at" % 1000) AS updated_at
      FROM source JOIN sync_position ON sync_position.source = source.id
        JOIN sync_stream ON sync_stream.source = source.id
        JOIN record_version AS version ON version.stream = sync_stream.id
      WHERE source.removed_at IS NULL AND version.data IS NOT NULL
        AND version.id <= sync_position.published
        AND NOT EXISTS (SELECT 1 FROM sync_dead
          WHERE sync_dead.source = source.id AND low < version.id AND high >= version.id)
        AND NOT EXISTS (SELECT 1 FROM record_version AS newer
          WHERE newer.stream = version.stream AND newer.key = version.key
            AND newer.id > version.id AND newer.id <= sync_position.published
            AND NOT EXISTS (SELECT 1 FROM sync_dead
              WHERE sync_dead.source = source.id AND low < newer.id AND high >= newer.id));
    """
}
