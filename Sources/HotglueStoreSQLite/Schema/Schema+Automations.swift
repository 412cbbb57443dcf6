extension Schema {
  /// Automations, and what was decided about each of their occurrences.
  ///
  /// Every occurrence at or before `cursor` is decided. `next_tick` is when there is something to decide
  /// after that; it is derived from the definition and the zone's file of that moment. Bad ends of jobs
  /// count from `counts_from`. A removed automation keeps its row: jobs refer to it.
  ///
  /// An occurrence is named by what the clock shows and by which of two it is, so that processes with
  /// different time zone data cannot fire it twice. `job` outlives its job, which retention may remove
  /// first; that both are of one workspace is checked by `store check`.
  static let automations = """
    CREATE TABLE automation (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      workspace TEXT NOT NULL REFERENCES workspace (id),
      name TEXT NOT NULL CHECK (name <> ''),
      revision INTEGER NOT NULL CHECK (revision >= 1),
      definition TEXT NOT NULL,
      job TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state = 'active' OR state = 'paused' OR state = 'zone_missing'),
      reason TEXT,
      -- It was paused by bad ends, and after which.
      paused_by_failures INTEGER NOT NULL DEFAULT 0 CHECK (paused_by_failures IN (0, 1)),
      paused_at INTEGER,
      cursor INTEGER NOT NULL,
      next_tick INTEGER,
      last_at INTEGER,
      last_job INTEGER,
      pause_after INTEGER CHECK (pause_after >= 1),
      counts_from INTEGER NOT NULL,
      created_at INTEGER NOT NULL,
      set_at INTEGER NOT NULL,
      set_by TEXT NOT NULL,
      removed_at INTEGER,
      UNIQUE (workspace, id),
      CHECK ((state = 'paused') = (paused_at IS NOT NULL)),
      CHECK (paused_by_failures = 0 OR state = 'paused')
    ) STRICT;
    CREATE UNIQUE INDEX automation_name ON automation (workspace, name) WHERE removed_at IS NULL;
    CREATE INDEX automation_due ON automation (workspace, next_tick) WHERE removed_at IS NULL;
    CREATE INDEX automation_cursor ON automation (workspace, cursor) WHERE removed_at IS NULL;

    CREATE TABLE occurrence (
      automation INTEGER NOT NULL,
      -- Seconds that the clock of the zone has shown since 1970-01-01T00:00:00.
      nominal INTEGER NOT NULL,
      fold INTEGER NOT NULL CHECK (fold IN (0, 1)),
      workspace TEXT NOT NULL,
      at INTEGER NOT NULL,
      zone TEXT NOT NULL,
      note TEXT CHECK (note = 'moved' OR note = 'first_of_two'),
      decision TEXT NOT NULL CHECK (decision = 'fired' OR decision = 'missed'
        OR decision = 'skipped' OR decision = 'paused'),
      reason TEXT,
      job INTEGER,
      catch_up INTEGER NOT NULL CHECK (catch_up IN (0, 1)),
      decided_at INTEGER NOT NULL,
      PRIMARY KEY (automation, nominal, fold),
      FOREIGN KEY (workspace, automation) REFERENCES automation (workspace, id),
      CHECK ((decision = 'fired') = (job IS NOT NULL))
    ) STRICT, WITHOUT ROWID;
    """
}
