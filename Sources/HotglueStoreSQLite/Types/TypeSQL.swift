/// The statements on job types.
enum TypeSQL {
  /// What a claim must know of a type before it looks at the jobs of it: two seeks at the most.
  static let open = SQL(
    "type.open",
    """
    SELECT running_limit FROM job_type
    WHERE workspace = ?1 AND name = ?2 AND removed_at IS NULL
    """)
  static let countRunning = SQL(
    "type.count_running",
    """
    SELECT count(*) FROM (
      SELECT 1 FROM job INDEXED BY job_type_running
      WHERE workspace = ?1 AND type = ?2 AND state = 'running' AND type <> 'exec' LIMIT ?3)
    """)
  /// Jobs of a type that wait, in any queue. It goes through the pending jobs of the workspace.
  static let countWaiting = SQL(
    "type.count_waiting",
    """
    SELECT count(*) FROM job INDEXED BY job_ready
    WHERE workspace = ?1 AND state = 'pending' AND type = ?2
    """)

  static let current = SQL(
    "type.current",
    """
    SELECT name, revision, definition, set_at, set_by FROM job_type_revision
    WHERE workspace = ?1 AND name = ?2 AND revision = (SELECT revision FROM job_type
      WHERE job_type.workspace = ?1 AND job_type.name = ?2 AND removed_at IS NULL)
    """)
  static let all = SQL(
    "type.all",
    """
    SELECT r.name, r.revision, r.definition, r.set_at, r.set_by
    FROM job_type AS t JOIN job_type_revision AS r USING (workspace, name, revision)
    WHERE t.workspace = ?1 AND t.removed_at IS NULL ORDER BY r.name
    """)
  static let revisions = SQL(
    "type.revisions",
    """
    SELECT name, revision, definition, set_at, set_by FROM job_type_revision
    WHERE workspace = ?1 AND name = ?2 ORDER BY revision
    """)
  static let names = SQL(
    "type.names", "SELECT name FROM job_type WHERE workspace = ?1 AND removed_at IS NULL")

  static let lastRevision = SQL(
    "type.last_revision", "SELECT revision FROM job_type WHERE workspace = ?1 AND name = ?2")
  static let addRevision = SQL(
    "type.add_revision",
    """
    INSERT INTO job_type_revision (workspace, name, revision, definition, set_at, set_by)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    """)
  static let setCurrent = SQL(
    "type.set_current",
    """
    INSERT INTO job_type (workspace, name, revision, running_limit) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (workspace, name) DO UPDATE
      SET revision = excluded.revision, running_limit = excluded.running_limit, removed_at = NULL
      WHERE excluded.revision > job_type.revision
    """)
  static let remove = SQL(
    "type.remove",
    """
    UPDATE job_type SET removed_at = ?3
    WHERE workspace = ?1 AND name = ?2 AND removed_at IS NULL
    """)
}
