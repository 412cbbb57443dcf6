/// The statements on workspaces, contexts and the log of mutations.
enum WorkspaceSQL {
  static let insert = SQL(
    "workspace.insert", "INSERT INTO workspace (id, name, created_at) VALUES (?1, ?2, ?3)")
  static let one = SQL(
    "workspace.one", "SELECT id, name, state, protected, created_at FROM workspace WHERE id = ?1")
  static let all = SQL(
    "workspace.all", "SELECT id, name, state, protected, created_at FROM workspace ORDER BY id")
  static let state = SQL("workspace.state", "SELECT state FROM workspace WHERE id = ?1")
  static let names = SQL("workspace.names", "SELECT id FROM workspace")
  static let archive = SQL(
    "workspace.archive",
    "UPDATE workspace SET state = 'archived', archived_at = ?2 WHERE id = ?1 AND state = 'active'")
  static let unarchive = SQL(
    "workspace.unarchive",
    "UPDATE workspace SET state = 'active', archived_at = NULL WHERE id = ?1 AND state = 'archived'"
  )
  static let rename = SQL(
    "workspace.rename", "UPDATE workspace SET name = ?2 WHERE id = ?1 AND name <> ?2")

  static let context = SQL(
    "context.one",
    """
    SELECT generation, workspace, previous, intent_generation, intent_workspace
    FROM context WHERE context_id = ?1 AND path = ?2
    """)
  static let setContext = SQL(
    "context.set",
    """
    INSERT INTO context
      (context_id, path, generation, workspace, previous, intent_generation, intent_workspace,
        intent_by)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
    ON CONFLICT (context_id, path) DO UPDATE SET generation = ?3, workspace = ?4, previous = ?5,
      intent_generation = ?6, intent_workspace = ?7, intent_by = ?8
    """)
  static let intentBy = SQL(
    "context.intent_by", "SELECT intent_by FROM context WHERE context_id = ?1 AND path = ?2")

  static let logActivity = SQL(
    "activity.insert",
    """
    INSERT INTO activity
      (at, workspace, user, command, origin, terminal, job, subject, repaired_by)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
    """)

  static let countPending = SQL(
    "workspace.count_pending",
    "SELECT count(*) FROM job INDEXED BY job_ready WHERE workspace = ?1 AND state = 'pending'")
  static let countRunning = SQL(
    "workspace.count_running",
    """
    SELECT count(*) FROM job INDEXED BY job_running WHERE worker IS NOT NULL AND workspace = ?1
    """)
  static let countFinished = SQL(
    "workspace.count_finished",
    """
    SELECT state, count(*) FROM job INDEXED BY job_finished
    WHERE finished_at IS NOT NULL AND workspace = ?1 GROUP BY state
    """)
  static let countAll = SQL(
    "workspace.count_all", "SELECT count(*) FROM job WHERE workspace = ?1")
}
