/// The statements on effects.
enum EffectSQL {
  /// What `decodeEffect` reads, in its order. Whether the attempt of the intent is the live one of
  /// its job is the last column.
  static let columns: StaticString = """
    SELECT id, workspace, scope_job, key, state, intent, job, fence, by_handler, started_at,
      doubt_since, finished_at, exit_status, signal, reason, output_bytes, keeps_output, command,
      EXISTS (SELECT 1 FROM job WHERE job.id = effect.job AND job.fence = effect.fence
        AND job.state = 'running')
    """
  /// Effects in the scope of the job, and those of the workspace whose intent it recorded last.
  static let belongsToJob: StaticString = """
    id IN (
      SELECT id FROM effect INDEXED BY sqlite_autoindex_effect_2
      WHERE workspace = ?1 AND scope_job = ?2
      UNION ALL
      SELECT id FROM effect INDEXED BY effect_begun_in
      WHERE workspace = ?1 AND job = ?2 AND scope_job IS NULL AND job IS NOT NULL)
    """
  static let ofJob = SQL(
    "effect.of_job",
    """
    SELECT id, workspace, scope_job, key, state, intent, job, fence, by_handler, started_at,
      doubt_since, finished_at, exit_status, signal, reason, output_bytes, keeps_output, command,
      EXISTS (SELECT 1 FROM job WHERE job.id = effect.job AND job.fence = effect.fence
        AND job.state = 'running')
    FROM effect WHERE workspace = ?1 AND scope_job = ?2 AND key = ?3
    """)
  static let ofWorkspace = SQL(
    "effect.of_workspace",
    """
    SELECT id, workspace, scope_job, key, state, intent, job, fence, by_handler, started_at,
      doubt_since, finished_at, exit_status, signal, reason, output_bytes, keeps_output, command,
      EXISTS (SELECT 1 FROM job WHERE job.id = effect.job AND job.fence = effect.fence
        AND job.state = 'running')
    FROM effect INDEXED BY effect_of_workspace
    WHERE workspace = ?1 AND scope_job IS NULL AND key = ?2
    """)
  static let output = SQL(
    "effect.output", "SELECT output FROM effect_output WHERE effect = ?1 AND workspace = ?2")

  static let liveFence = SQL(
    "effect.live_fence",
    "SELECT workspace, fence, state FROM job WHERE id = ?1")

  static let insert = SQL(
    "effect.insert",
    """
    INSERT INTO effect (workspace, scope_job, key, state, intent, job, fence, by_handler, started_at,
      command)
    VALUES (?1, ?2, ?3, 'intended', 1, ?4, ?5, ?6, ?7, ?8)
    """)
  /// A further intent. The conditions repeat what the decision was made on.
  static let intendAgain = SQL(
    "effect.intend_again",
    """
    UPDATE effect SET state = 'intended', intent = intent + 1, job = ?4, fence = ?5,
      by_handler = ?6, started_at = ?7, doubt_since = ?8, finished_at = NULL, exit_status = NULL,
      signal = NULL, reason = NULL, command = ?9
    WHERE id = ?1 AND intent = ?2 AND state = ?3
    """)
  static let end = SQL(
    "effect.end",
    """
    UPDATE effect SET state = ?4, finished_at = ?5, exit_status = ?6, signal = ?7, reason = ?8,
      output_bytes = ?9, keeps_output = ?10,
      doubt_since = iif(?4 = 'unknown', doubt_since, NULL)
    WHERE id = ?1 AND intent = ?2 AND state = ?3
    """)
  static let keepOutput = SQL(
    "effect.keep_output",
    "INSERT OR REPLACE INTO effect_output (effect, workspace, output) VALUES (?1, ?2, ?3)")
}
