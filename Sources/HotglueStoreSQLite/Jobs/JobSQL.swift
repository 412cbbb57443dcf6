/// The statements on jobs as people see and change them.
enum JobSQL {
  static let insert = SQL(
    "job.insert",
    """
    INSERT INTO job (workspace, type, queue, rank, state, parked, run_at, expires_at, created_at,
      created_by, limit_key, limit_max, key, key_held, key_hold, key_expires_at, policy, command,
      directory, umask, environment, payload, overrides, automation, occurrence)
    VALUES (?1, ?2, ?3, ?4, 'pending', ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
      ?18, ?19, ?20, ?21, ?22, ?23, ?24)
    """)
  static let insertPayload = SQL(
    "job.insert_payload", "INSERT INTO job_payload (job, workspace, payload) VALUES (?1, ?2, ?3)")

  static let keyHolder = SQL(
    "job.key_holder",
    """
    SELECT id, state, key_expires_at, command, coalesce(payload,
      (SELECT payload FROM job_payload WHERE job = id)), overrides, directory,
      iif(state IN ('pending', 'blocked') AND attempt = 0, expires_at, NULL)
    FROM job INDEXED BY job_key
    WHERE workspace = ?1 AND type = ?2 AND key = ?3 AND key_held = 1
    """)
  static let releaseKey = SQL(
    "job.release_key", "UPDATE job SET key_held = 0 WHERE id = ?1 AND key_held = 1")

  /// What `decodeJob` reads, in its order.
  static let columns: StaticString = """
    SELECT id, workspace, type, queue, rank, state, reason, parked, run_at, expires_at, created_at,
      started_at, finished_at, attempt, failures, losses, snoozes, fence, watch,
      (SELECT name FROM worker WHERE worker.id = job.worker),
      (SELECT boot_id FROM worker WHERE worker.id = job.worker), lease_ms, lease_wall_ms,
      cancel_requested_at, limit_key, limit_max, key, key_hold, error_code, error_message,
      error_kind, exit_status, signal, progress, result, policy, command, directory, umask,
      environment,
      coalesce(payload, (SELECT payload FROM job_payload WHERE job_payload.job = job.id)),
      overrides, type_revision, automation, occurrence
    """
  static let one = SQL(
    "job.one",
    """
    SELECT id, workspace, type, queue, rank, state, reason, parked, run_at, expires_at, created_at,
      started_at, finished_at, attempt, failures, losses, snoozes, fence, watch,
      (SELECT name FROM worker WHERE worker.id = job.worker),
      (SELECT boot_id FROM worker WHERE worker.id = job.worker), lease_ms, lease_wall_ms,
      cancel_requested_at, limit_key, limit_max, key, key_hold, error_code, error_message,
      error_kind, exit_status, signal, progress, result, policy, command, directory, umask,
      environment,
      coalesce(payload, (SELECT payload FROM job_payload WHERE job_payload.job = job.id)),
      overrides, type_revision, automation, occurrence
    FROM job WHERE id = ?1 AND workspace = ?2
    """)
  static let owner = SQL("job.owner", "SELECT workspace FROM job WHERE id = ?1")

  static let facts = SQL(
    "job.facts",
    """
    SELECT state, attempt, failures, losses, snoozes, cancel_requested_at,
      coalesce(budgets_started_at, started_at),
      policy, fence, limit_key, parked, key, key_held, key_hold, type, workspace,
      iif(attempt = 0, expires_at, NULL), automation
    FROM job WHERE id = ?1
    """)

  static let attempts = SQL(
    "attempt.all",
    """
    SELECT number, fence, worker_name, slot, claimed_at, finished_at, outcome, reason, exit_status,
      signal, user_ms, system_ms, peak_memory, log, warnings, type_revision
    FROM attempt WHERE job = ?1 ORDER BY fence
    """)
  static let history = SQL(
    "job.history",
    """
    SELECT at, event, from_state, to_state, by, reason
    FROM job_history WHERE job = ?1 ORDER BY fence, phase, seq
    """)
  static let lateReports = SQL(
    "late_report.all", "SELECT at, fence, report FROM late_report WHERE job = ?1 ORDER BY seq")

  static let addEvent = SQL(
    "job_event.insert",
    """
    INSERT INTO job_event (job, seq, workspace, fence, at, event, from_state, to_state, by, reason)
    VALUES (?1, (SELECT coalesce(max(seq), 0) + 1 FROM job_event WHERE job = ?1), ?2, ?3, ?4, ?5,
      ?6, ?7, ?8, ?9)
    """)
  static let addLateReport = SQL(
    "late_report.insert",
    """
    INSERT INTO late_report (job, seq, workspace, fence, at, report)
    VALUES (?1, (SELECT coalesce(max(seq), 0) + 1 FROM late_report WHERE job = ?1), ?2, ?3, ?4, ?5)
    """)
  /// The same for the end of an attempt, which may be brought more than once.
  static let addLateEnd = SQL(
    "late_report.insert_end",
    """
    INSERT INTO late_report (job, seq, workspace, fence, at, report)
    SELECT ?1, (SELECT coalesce(max(seq), 0) + 1 FROM late_report WHERE job = ?1), ?2, ?3, ?4, ?5
    WHERE NOT EXISTS (SELECT 1 FROM late_report WHERE job = ?1 AND fence = ?3 AND report = ?5)
    """)

  static let requestCancel = SQL(
    "job.request_cancel",
    """
    UPDATE job SET cancel_requested_at = ?3, cancel_by = ?4
    WHERE id = ?1 AND fence = ?2 AND state = 'running' AND cancel_requested_at IS NULL
    """)
  /// A change of a job that no attempt holds. The conditions repeat what the decision was made on.
  static let changeIdle = SQL(
    "job.change_idle",
    """
    UPDATE job SET state = ?4, reason = ?5, parked = 0, run_at = coalesce(?6, run_at),
      finished_at = ?7, failures = ?8, losses = ?9, snoozes = ?10, key_held = ?11,
      cancel_requested_at = NULL, cancel_by = NULL,
      budgets_started_at = iif(?12, 0, budgets_started_at),
      expires_at = iif(expires_at <= ?13, NULL, expires_at),
      error_code = iif(?4 = 'succeeded', NULL, error_code),
      error_message = iif(?4 = 'succeeded', NULL, error_message),
      error_kind = iif(?4 = 'succeeded', NULL, error_kind)
    WHERE id = ?1 AND fence = ?2 AND state = ?3
    """)
}
