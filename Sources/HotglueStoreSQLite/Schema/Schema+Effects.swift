extension Schema {
  /// Effects and their recorded output.
  ///
  /// An effect of a job is removed with the job; one of the workspace stays. `job` and `fence` name the
  /// attempt that recorded the current intent. `doubt_since` is when the earliest intent was recorded
  /// whose outcome is unknown. `command` is that of the current intent; NULL where a handler carries
  /// the effect out itself. Effects with an unknown outcome are in no index for removal.
  static let effects = """
    CREATE TABLE effect (
      id INTEGER PRIMARY KEY,
      workspace TEXT NOT NULL REFERENCES workspace (id),
      scope_job INTEGER,
      key TEXT NOT NULL CHECK (length(CAST(key AS BLOB)) BETWEEN 1 AND 1024),
      state TEXT NOT NULL CHECK (state IN ('intended', 'confirmed', 'unknown', 'failed',
        'abandoned')),
      intent INTEGER NOT NULL CHECK (intent >= 1),
      job INTEGER,
      fence INTEGER,
      by_handler INTEGER NOT NULL CHECK (by_handler IN (0, 1)),
      command TEXT,
      started_at INTEGER NOT NULL,
      doubt_since INTEGER,
      finished_at INTEGER,
      exit_status INTEGER,
      signal INTEGER,
      reason TEXT,
      output_bytes INTEGER,
      keeps_output INTEGER NOT NULL DEFAULT 0 CHECK (keeps_output IN (0, 1)),
      UNIQUE (workspace, id),
      UNIQUE (workspace, scope_job, key),
      FOREIGN KEY (workspace, scope_job) REFERENCES job (workspace, id) ON DELETE CASCADE,
      CHECK ((job IS NULL) = (fence IS NULL)),
      CHECK (scope_job IS NULL OR job IS NULL OR scope_job = job),
      CHECK ((state = 'intended') = (finished_at IS NULL)),
      CHECK ((state = 'confirmed') = (output_bytes IS NOT NULL)),
      CHECK (keeps_output = 0 OR state = 'confirmed'),
      CHECK (doubt_since IS NULL OR state IN ('intended', 'unknown'))
    ) STRICT;

    -- NULLs are distinct in a unique constraint: keys of the workspace need their own.
    CREATE UNIQUE INDEX effect_of_workspace ON effect (workspace, key) WHERE scope_job IS NULL;
    CREATE INDEX effect_open ON effect (workspace, id)
      WHERE state IN ('intended', 'unknown');

    -- Outputs apart from the effects, whose rows are read in lists.
    CREATE TABLE effect_output (
      effect INTEGER PRIMARY KEY,
      workspace TEXT NOT NULL,
      output BLOB NOT NULL,
      FOREIGN KEY (workspace, effect) REFERENCES effect (workspace, id) ON DELETE CASCADE
    ) STRICT;

    CREATE INDEX effect_begun_in ON effect (workspace, job, id)
      WHERE scope_job IS NULL AND job IS NOT NULL;
    CREATE INDEX effect_settled ON effect (workspace, finished_at)
      WHERE scope_job IS NULL AND finished_at IS NOT NULL AND state <> 'unknown';
    """
}
