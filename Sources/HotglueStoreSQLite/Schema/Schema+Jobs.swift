extension Schema {
  /// Workers, job types with their revisions, queues, jobs, attempts and history.
  ///
  /// Every row of a job's tables names the workspace and refers to the job by both, so that no row can
  /// point across workspaces. The CHECKs repeat the invariants that one row can show. Times are
  /// milliseconds UTC, leases milliseconds of the boot clock with the boot ID. `job_type` names the
  /// current revision of each type; a removed type keeps its row, so that its revisions go on counting.
  /// A queue has a row once a setting of it was changed.
  static let jobs = """
    CREATE TABLE job_type_revision (
      workspace TEXT NOT NULL REFERENCES workspace (id),
      name TEXT NOT NULL,
      revision INTEGER NOT NULL CHECK (revision >= 1),
      definition TEXT NOT NULL,
      set_at INTEGER NOT NULL,
      set_by TEXT NOT NULL,
      PRIMARY KEY (workspace, name, revision)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE job_type (
      workspace TEXT NOT NULL,
      name TEXT NOT NULL,
      revision INTEGER NOT NULL,
      running_limit INTEGER CHECK (running_limit >= 1),
      removed_at INTEGER,
      PRIMARY KEY (workspace, name),
      FOREIGN KEY (workspace, name, revision)
        REFERENCES job_type_revision (workspace, name, revision)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE queue (
      workspace TEXT NOT NULL REFERENCES workspace (id),
      name TEXT NOT NULL,
      running_limit INTEGER CHECK (running_limit >= 1),
      PRIMARY KEY (workspace, name)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE worker (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT NOT NULL,
      boot_id TEXT NOT NULL,
      pid_namespace TEXT NOT NULL,
      pid INTEGER NOT NULL,
      start_time INTEGER NOT NULL,
      lock_path TEXT NOT NULL,
      -- Which file the store is: the rows of a copy are of the original's processes.
      store_file TEXT NOT NULL DEFAULT '',
      -- A list in JSON; NULL: all of them.
      workspaces TEXT,
      registered_at INTEGER NOT NULL,
      retired_at INTEGER
    ) STRICT;

    -- `rank` is the negated priority, so that one ascending index gives the order of claims.
    -- A lease is of the boot that its worker runs under; its slot stands in the attempt's row. Rows
    -- grow little when they are claimed, so that full pages need not be split.
    -- `parked` jobs wait behind a saturated limit key, out of the claim's way.
    CREATE TABLE job (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      workspace TEXT NOT NULL REFERENCES workspace (id),
      type TEXT NOT NULL,
      queue TEXT NOT NULL,
      rank INTEGER NOT NULL,
      -- Spelled out: SQLite builds a temporary tree for a longer IN at every change of a row, which
      -- costs as much as the change.
      state TEXT NOT NULL CHECK (state = 'running' OR state = 'succeeded' OR state = 'pending'
        OR state = 'failed' OR state = 'uncertain' OR state = 'cancelled' OR state = 'blocked'),
      reason TEXT,
      parked INTEGER NOT NULL DEFAULT 0,
      run_at INTEGER NOT NULL,
      expires_at INTEGER,
      created_at INTEGER NOT NULL,
      created_by TEXT NOT NULL,
      started_at INTEGER,
      -- What --retry-for counts from, where it is not the first start; 0: the next start.
      budgets_started_at INTEGER,
      finished_at INTEGER,
      attempt INTEGER NOT NULL DEFAULT 0 CHECK (attempt >= 0),
      failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
      losses INTEGER NOT NULL DEFAULT 0 CHECK (losses >= 0),
      snoozes INTEGER NOT NULL DEFAULT 0 CHECK (snoozes >= 0),
      fence INTEGER NOT NULL DEFAULT 0 CHECK (fence >= attempt),
      watch INTEGER NOT NULL DEFAULT 0 CHECK (watch >= 0),
      worker INTEGER REFERENCES worker (id),
      lease_ms INTEGER,
      lease_wall_ms INTEGER,
      unanswered_boot TEXT,
      unanswered_ms INTEGER,
      cancel_requested_at INTEGER,
      cancel_by TEXT,
      limit_key TEXT,
      limit_max INTEGER NOT NULL DEFAULT 1 CHECK (limit_max >= 1),
      key TEXT,
      key_held INTEGER NOT NULL DEFAULT 0,
      key_hold TEXT,
      key_expires_at INTEGER,
      error_code TEXT,
      error_message TEXT,
      error_kind TEXT,
      exit_status INTEGER,
      signal INTEGER,
      progress TEXT,
      result TEXT,
      policy TEXT,
      command TEXT NOT NULL,
      directory TEXT NOT NULL,
      umask INTEGER NOT NULL DEFAULT 18,
      environment TEXT,
      payload TEXT,
      -- Set exactly when the job's command is its type's; what it runs by stands in the columns above
      -- from the claim on.
      overrides TEXT,
      type_revision INTEGER,
      -- Marks a running job of a queue that has a limit, so that a queue without one costs no index entry.
      -- A mark that outlives the limit harms nothing: it counts only while the job runs in that queue.
      counted_in_queue INTEGER CHECK (counted_in_queue = 1),
      -- Set exactly for jobs of an automation. `occurrence` is what the handler is told of the one that
      -- it runs for, so that a claim reads no other table.
      automation INTEGER,
      occurrence TEXT,
      UNIQUE (workspace, id),
      FOREIGN KEY (workspace, automation) REFERENCES automation (workspace, id),
      CHECK ((automation IS NULL) = (occurrence IS NULL)),
      CHECK ((state = 'running') = (worker IS NOT NULL)),
      CHECK ((state = 'running') = (lease_ms IS NOT NULL)),
      CHECK (unanswered_ms IS NULL OR state = 'running'),
      CHECK ((finished_at IS NOT NULL)
        = (state <> 'pending' AND state <> 'running' AND state <> 'blocked')),
      CHECK (parked = 0 OR (parked = 1 AND state = 'pending' AND limit_key IS NOT NULL)),
      CHECK (key_held = 0 OR (key_held = 1 AND key IS NOT NULL))
    ) STRICT;

    CREATE INDEX job_ready ON job (workspace, parked, queue, type, rank, run_at, id)
      WHERE state = 'pending';
    CREATE INDEX job_parked ON job (workspace, limit_key, queue, type, rank, run_at, id)
      WHERE state = 'pending' AND parked = 1;
    CREATE INDEX job_running ON job (worker, lease_ms, id) WHERE worker IS NOT NULL;
    CREATE INDEX job_limit ON job (workspace, limit_key)
      WHERE state = 'running' AND limit_key IS NOT NULL;
    CREATE UNIQUE INDEX job_key ON job (workspace, type, key) WHERE key_held = 1;
    CREATE INDEX job_type_running ON job (workspace, type)
      WHERE state = 'running' AND type <> 'exec';
    CREATE INDEX job_queue_counted ON job (workspace, queue)
      WHERE state = 'running' AND counted_in_queue = 1;
    -- A deadline is about the first start alone.
    CREATE INDEX job_expiry ON job (expires_at)
      WHERE expires_at IS NOT NULL AND state IN ('pending', 'blocked') AND attempt = 0;
    CREATE INDEX job_finished ON job (workspace, state, finished_at)
      WHERE finished_at IS NOT NULL;

    -- Which jobs of an automation have not ended, and how the last ones ended. Other jobs are not in it.
    CREATE INDEX job_of_automation ON job (automation, finished_at, id)
      WHERE automation IS NOT NULL;

    -- Payloads too long for the job's own row, which is written anew at every change.
    CREATE TABLE job_payload (
      job INTEGER PRIMARY KEY,
      workspace TEXT NOT NULL,
      payload TEXT NOT NULL,
      FOREIGN KEY (workspace, job) REFERENCES job (workspace, id) ON DELETE CASCADE
    ) STRICT;

    CREATE TABLE attempt (
      job INTEGER NOT NULL,
      fence INTEGER NOT NULL,
      workspace TEXT NOT NULL,
      number INTEGER NOT NULL,
      worker INTEGER NOT NULL,
      worker_name TEXT NOT NULL,
      slot TEXT NOT NULL,
      claimed_at INTEGER NOT NULL,
      finished_at INTEGER,
      outcome TEXT CHECK (outcome = 'succeeded' OR outcome = 'retry' OR outcome = 'failed'
        OR outcome = 'unknown' OR outcome = 'snooze' OR outcome = 'cancelled'
        OR outcome = 'never_started'),
      reason TEXT,
      to_state TEXT,
      recorded_by TEXT,
      exit_status INTEGER,
      signal INTEGER,
      user_ms INTEGER,
      system_ms INTEGER,
      peak_memory INTEGER,
      log TEXT,
      warnings TEXT,
      type_revision INTEGER,
      PRIMARY KEY (job, fence),
      FOREIGN KEY (workspace, job) REFERENCES job (workspace, id) ON DELETE CASCADE,
      CHECK ((outcome IS NULL) = (finished_at IS NULL)),
      CHECK ((outcome IS NULL) = (to_state IS NULL))
    ) STRICT, WITHOUT ROWID;

    -- Changes of a job that neither the job's row (enqueue) nor an attempt's row (claim, outcome)
    -- records. `fence` is the job's fence at that time: it orders the history, clocks do not.
    CREATE TABLE job_event (
      job INTEGER NOT NULL,
      seq INTEGER NOT NULL,
      workspace TEXT NOT NULL,
      fence INTEGER NOT NULL,
      at INTEGER NOT NULL,
      event TEXT NOT NULL,
      from_state TEXT NOT NULL,
      to_state TEXT NOT NULL,
      by TEXT NOT NULL,
      reason TEXT,
      PRIMARY KEY (job, seq),
      FOREIGN KEY (workspace, job) REFERENCES job (workspace, id) ON DELETE CASCADE
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE late_report (
      job INTEGER NOT NULL,
      seq INTEGER NOT NULL,
      workspace TEXT NOT NULL,
      fence INTEGER NOT NULL,
      at INTEGER NOT NULL,
      report TEXT NOT NULL,
      PRIMARY KEY (job, seq),
      FOREIGN KEY (workspace, job) REFERENCES job (workspace, id) ON DELETE CASCADE
    ) STRICT, WITHOUT ROWID;

    -- A job's whole history, to be read in the order of (fence, phase, seq).
    CREATE VIEW job_history (workspace, job, fence, phase, seq, "at", event, from_state, to_state,
      "by", reason) AS
      SELECT workspace, id, -1, 0, 0, created_at, 'enqueue', NULL, 'pending', created_by, NULL
        FROM job
      UNION ALL
      SELECT workspace, job, fence, 0, 0, claimed_at, 'claim', 'pending', 'running', worker_name,
        'revision ' || type_revision FROM attempt
      UNION ALL
      SELECT workspace, job, fence, 2, 0, finished_at, outcome, 'running', to_state, recorded_by,
        reason FROM attempt WHERE outcome IS NOT NULL
      UNION ALL
      SELECT workspace, job, fence, CASE from_state WHEN 'running' THEN 1 ELSE 3 END, seq, "at",
        event, from_state, to_state, "by", reason FROM job_event;
    """
}
