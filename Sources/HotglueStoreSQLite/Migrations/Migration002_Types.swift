extension Migration {
  /// Job types with their revisions, and jobs that run by them.
  ///
  /// `job_type` names the current revision of each type; a removed type keeps its row, so that its
  /// revisions go on counting. `overrides` of a job is set exactly when its command is its type's; what
  /// it runs by stands in the job's own columns from the claim on.
  static let types = Migration(
    version: 2,
    script: """
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

      ALTER TABLE job ADD COLUMN overrides TEXT;
      ALTER TABLE job ADD COLUMN type_revision INTEGER;
      ALTER TABLE attempt ADD COLUMN type_revision INTEGER;

      CREATE INDEX job_type_running ON job (workspace, type)
        WHERE state = 'running' AND type <> 'exec';

      -- The claim of a typed job says which revision the attempt runs.
      DROP VIEW job_history;
      CREATE VIEW job_history (workspace, job, fence, phase, seq, at, event, from_state, to_state,
        by, reason) AS
        SELECT workspace, id, -1, 0, 0, created_at, 'enqueue', NULL, 'pending', created_by, NULL
          FROM job
        UNION ALL
        SELECT workspace, job, fence, 0, 0, claimed_at, 'claim', 'pending', 'running', worker_name,
          'revision ' || type_revision FROM attempt
        UNION ALL
        SELECT workspace, job, fence, 2, 0, finished_at, outcome, 'running', to_state, recorded_by,
          reason FROM attempt WHERE outcome IS NOT NULL
        UNION ALL
        SELECT workspace, job, fence, CASE from_state WHEN 'running' THEN 1 ELSE 3 END, seq, at,
          event, from_state, to_state, by, reason FROM job_event;
      """)
}
