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
      """)
}
