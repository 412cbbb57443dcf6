/// What a look at the whole store reads beside the rules of `CheckSQL`.
enum AuditSQL {
  static let workers = SQL(
    "audit.workers",
    """
    SELECT id, name, boot_id, pid_namespace, pid, start_time, lock_path FROM worker
    WHERE retired_at IS NULL ORDER BY id
    """)
  static let openSwitches = SQL(
    "audit.open_switches",
    """
    SELECT context_id, path, generation, workspace, previous, intent_generation, intent_workspace
    FROM context WHERE intent_generation IS NOT NULL ORDER BY path
    """)
  static let uncertain = SQL(
    "audit.uncertain",
    """
    SELECT workspace, count(*) FROM job INDEXED BY job_finished
    WHERE state = 'uncertain' AND finished_at IS NOT NULL GROUP BY workspace
    """)
  /// An intent of a handler that still runs is its own business.
  static let unknownEffects = SQL(
    "audit.unknown_effects",
    """
    SELECT workspace, count(*) FROM effect INDEXED BY effect_open
    WHERE state IN ('intended', 'unknown') AND NOT (state = 'intended' AND EXISTS (
      SELECT 1 FROM job WHERE job.id = effect.job AND job.fence = effect.fence
        AND job.state = 'running'))
    GROUP BY workspace
    """)
  static let archivedRunning = SQL(
    "audit.archived_running",
    """
    SELECT job.workspace, count(*) FROM job INDEXED BY job_running
    JOIN workspace ON workspace.id = job.workspace
    WHERE worker IS NOT NULL AND workspace.state = 'archived' GROUP BY job.workspace
    """)
  static let stoppedAutomations = SQL(
    "audit.stopped_automations",
    """
    SELECT workspace, name, state, reason FROM automation
    WHERE removed_at IS NULL AND (state = 'zone_missing' OR paused_by_failures = 1)
    ORDER BY workspace, name
    """)
  /// Of what was written last, the latest: with a clock that was set back that is not the very last.
  static let latest = SQL(
    "audit.latest",
    """
    SELECT max(coalesce((SELECT max(at) FROM (SELECT at FROM activity ORDER BY id DESC LIMIT 1000)), 0),
      coalesce((SELECT max(registered_at) FROM (
        SELECT registered_at FROM worker ORDER BY id DESC LIMIT 1000)), 0))
    """)
  static let attempt = SQL(
    "audit.attempt",
    """
    SELECT outcome IS NOT NULL, (SELECT policy FROM job WHERE job.id = attempt.job)
    FROM attempt WHERE job = ?1 AND fence = ?2
    """)
}
