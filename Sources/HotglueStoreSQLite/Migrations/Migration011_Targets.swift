extension Migration {
  /// Targets of syncs: where records go that do not go into the store, and how far each has confirmed.
  ///
  /// A run that is in `sync_delivery` went into that target; any other went into the store.
  static let targets = Migration(
    version: 11,
    script: """
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
      """)
}
