/// The statements of claims and of what keeps them honest.
enum ClaimSQL {
  // MARK: Finding what is due

  /// The head of the next lane after (queue, type): one seek, however many jobs the lanes hold. The
  /// rank behind all ranks makes it so: a row value's `>` seeks to the first that is equal and steps
  /// over all of those.
  static let nextLane = SQL(
    "claim.next_lane",
    """
    SELECT queue, type, rank, run_at, id, limit_key, limit_max, iif(attempt = 0, expires_at, NULL)
    FROM job INDEXED BY job_ready
    WHERE workspace = ?1 AND parked = 0 AND state = 'pending' AND (queue, type, rank) > (?2, ?3, 9223372036854775807)
    ORDER BY queue, type, rank, run_at, id LIMIT 1
    """)
  /// The head of a lane's first rank from `?4` on.
  static let headFromRank = SQL(
    "claim.head_from_rank",
    """
    SELECT queue, type, rank, run_at, id, limit_key, limit_max, iif(attempt = 0, expires_at, NULL)
    FROM job INDEXED BY job_ready
    WHERE workspace = ?1 AND parked = 0 AND state = 'pending' AND queue = ?2 AND type = ?3
      AND rank >= ?4
    ORDER BY rank, run_at, id LIMIT 1
    """)
  /// The first of a rank that is due and has not expired.
  static let dueInRank = SQL(
    "claim.due_in_rank",
    """
    SELECT queue, type, rank, run_at, id, limit_key, limit_max, iif(attempt = 0, expires_at, NULL)
    FROM job INDEXED BY job_ready
    WHERE workspace = ?1 AND parked = 0 AND state = 'pending' AND queue = ?2 AND type = ?3
      AND rank = ?4 AND run_at <= ?5 AND (expires_at IS NULL OR expires_at > ?5 OR attempt > 0)
    ORDER BY run_at, id LIMIT 1
    """)
  /// One job by name, for `only`.
  static let named = SQL(
    "claim.named",
    """
    SELECT queue, type, rank, run_at, id, limit_key, limit_max, iif(attempt = 0, expires_at, NULL)
    FROM job WHERE id = ?1 AND workspace = ?2 AND state = 'pending'
    """)

  // MARK: Limits

  static let countRunning = SQL(
    "claim.count_running",
    """
    SELECT count(*) FROM (
      SELECT 1 FROM job INDEXED BY job_limit
      WHERE workspace = ?1 AND limit_key = ?2 AND state = 'running' LIMIT ?3)
    """)
  static let park = SQL(
    "claim.park",
    "UPDATE job SET parked = 1 WHERE id = ?1 AND state = 'pending' AND parked = 0")
  static let unpark = SQL(
    "claim.unpark",
    "UPDATE job SET parked = 0 WHERE id = ?1 AND state = 'pending' AND parked = 1")
  static let nextParkedLane = SQL(
    "claim.next_parked_lane",
    """
    SELECT queue, type FROM job INDEXED BY job_parked
    WHERE workspace = ?1 AND limit_key = ?2 AND state = 'pending' AND parked = 1
      AND (queue, type, rank) > (?3, ?4, 9223372036854775807)
    ORDER BY queue, type LIMIT 1
    """)
  static let parkedInLane = SQL(
    "claim.parked_in_lane",
    """
    SELECT id, limit_max, run_at FROM job INDEXED BY job_parked
    WHERE workspace = ?1 AND limit_key = ?2 AND queue = ?3 AND type = ?4 AND state = 'pending'
      AND parked = 1 AND limit_max > ?5
    ORDER BY rank, run_at, id LIMIT ?6
    """)

  // MARK: Taking and settling

  /// Repeats every condition that the job was found by.
  static let take = SQL(
    "claim.take",
    """
    UPDATE job SET state = 'running', reason = NULL, attempt = attempt + 1, fence = fence + 1,
      watch = 1, worker = ?3, lease_ms = ?4, lease_wall_ms = ?5, parked = 0, progress = NULL,
      started_at = coalesce(started_at, ?6),
      budgets_started_at = iif(budgets_started_at = 0, ?6, budgets_started_at)
    WHERE id = ?1 AND workspace = ?2 AND state = 'pending' AND run_at <= ?7
      AND (expires_at IS NULL OR expires_at > ?6 OR attempt > 0)
    """)
  /// The same for a job that runs by its type: what the attempt runs by is written into the job's own
  /// row, where whoever renews, adopts or settles it reads it, whatever becomes of the type meanwhile.
  static let takeTyped = SQL(
    "claim.take_typed",
    """
    UPDATE job SET state = 'running', reason = NULL, attempt = attempt + 1, fence = fence + 1,
      watch = 1, worker = ?3, lease_ms = ?4, lease_wall_ms = ?5, parked = 0, progress = NULL,
      started_at = coalesce(started_at, ?6),
      budgets_started_at = iif(budgets_started_at = 0, ?6, budgets_started_at),
      command = ?8, directory = ?9, policy = ?10, type_revision = ?11, umask = ?12
    WHERE id = ?1 AND workspace = ?2 AND state = 'pending' AND run_at <= ?7
      AND (expires_at IS NULL OR expires_at > ?6 OR attempt > 0) AND overrides IS NOT NULL
    """)
  static let addAttempt = SQL(
    "attempt.insert",
    """
    INSERT INTO attempt (job, fence, workspace, number, worker, worker_name, slot, claimed_at,
      type_revision)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
    """)
  static let settle = SQL(
    "job.settle",
    """
    UPDATE job SET state = ?3, reason = ?4, attempt = ?5, failures = ?6, losses = ?7, snoozes = ?8,
      run_at = coalesce(?9, run_at), finished_at = ?10, key_held = ?11, error_code = ?12,
      error_message = ?13, error_kind = ?14, exit_status = ?15, signal = ?16, result = ?17,
      progress = coalesce(?18, progress),
      worker = NULL, lease_ms = NULL, lease_wall_ms = NULL,
      unanswered_boot = NULL, unanswered_ms = NULL
    WHERE id = ?1 AND fence = ?2 AND state = 'running'
    """)
  static let endAttempt = SQL(
    "attempt.end",
    """
    UPDATE attempt SET finished_at = ?3, outcome = ?4, reason = ?5, to_state = ?6,
      recorded_by = ?7, exit_status = ?8, signal = ?9, user_ms = ?10, system_ms = ?11,
      peak_memory = ?12, log = ?13, warnings = ?14
    WHERE job = ?1 AND fence = ?2 AND outcome IS NULL
    """)
  /// Since the last attempt that was started, and since a user gave the job fresh budgets.
  static let neverStartedInARow = SQL(
    "attempt.never_started_in_a_row",
    """
    SELECT count(*) FROM attempt
    WHERE job = ?1 AND outcome = 'never_started' AND reason IS NOT 'given_back'
      AND fence > coalesce((SELECT max(fence) FROM attempt WHERE job = ?1
        AND outcome <> 'never_started'), 0)
      AND fence > coalesce((SELECT max(fence) FROM job_event WHERE job = ?1
        AND event IN ('retry_again', 'resolve')), 0)
    """)
  static let attemptOutcome = SQL(
    "attempt.outcome", "SELECT outcome FROM attempt WHERE job = ?1 AND fence = ?2")

  // MARK: Workers and running attempts

  static let register = SQL(
    "worker.insert",
    """
    INSERT INTO worker (name, boot_id, pid_namespace, pid, start_time, lock_path, registered_at,
      store_file, workspaces)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
    """)
  static let workerName = SQL("worker.name", "SELECT name FROM worker WHERE id = ?1")
  static let retire = SQL(
    "worker.retire",
    """
    UPDATE worker SET retired_at = max(registered_at, CAST(strftime('%s', 'now') AS INTEGER) * 1000)
    WHERE id = ?1 AND retired_at IS NULL
    """)
  static let retireByLock = SQL(
    "worker.retire_by_lock",
    """
    UPDATE worker SET retired_at = max(registered_at, CAST(strftime('%s', 'now') AS INTEGER) * 1000)
    WHERE retired_at IS NULL AND lock_path IN (SELECT value FROM json_each(?1))
    """)
  static let leaseToRenew = SQL(
    "lease.read",
    """
    SELECT policy FROM job
    WHERE id = ?1 AND workspace = ?2 AND fence = ?3 AND watch = ?4 AND worker = ?5
      AND state = 'running'
    """)
  static let renew = SQL(
    "lease.renew",
    """
    UPDATE job SET lease_wall_ms = lease_wall_ms + (?6 - lease_ms), lease_ms = ?6,
      unanswered_boot = NULL, unanswered_ms = NULL
    WHERE id = ?1 AND workspace = ?2 AND fence = ?3 AND watch = ?4 AND worker = ?5
      AND state = 'running'
    """)
  static let adopt = SQL(
    "lease.adopt",
    """
    UPDATE job SET watch = watch + 1, worker = ?5, lease_ms = ?6, lease_wall_ms = ?7,
      unanswered_boot = NULL, unanswered_ms = NULL
    WHERE id = ?1 AND workspace = ?2 AND fence = ?3 AND watch = ?4 AND state = 'running'
    """)
  static let running = SQL(
    "attempt.running",
    """
    SELECT job.id, job.workspace, job.fence, job.attempt, job.watch, attempt.slot,
      job.worker, worker.boot_id, job.lease_ms, job.unanswered_boot, job.unanswered_ms,
      job.cancel_requested_at, job.policy, job.directory, job.umask, job.environment,
      worker.name, worker.boot_id, worker.pid_namespace, worker.pid, worker.start_time,
      worker.lock_path, worker.store_file, worker.retired_at,
      coalesce(claimant.boot_id, worker.boot_id),
      coalesce(claimant.pid_namespace, worker.pid_namespace),
      coalesce(claimant.store_file, worker.store_file), job.type,
      (SELECT value FROM store_meta WHERE key = 'incarnations')
    FROM job INDEXED BY job_running JOIN worker ON worker.id = job.worker
      JOIN attempt ON attempt.job = job.id AND attempt.fence = job.fence
      LEFT JOIN worker AS claimant ON claimant.id = attempt.worker
    WHERE job.worker IS NOT NULL AND job.workspace IN (SELECT value FROM json_each(?1))
      AND job.worker IS NOT ?2
    ORDER BY job.lease_ms, job.id
    """)
  static let runningOne = SQL(
    "attempt.running_one",
    """
    SELECT job.id, job.workspace, job.fence, job.attempt, job.watch, attempt.slot,
      job.worker, worker.boot_id, job.lease_ms, job.unanswered_boot, job.unanswered_ms,
      job.cancel_requested_at, job.policy, job.directory, job.umask, job.environment,
      worker.name, worker.boot_id, worker.pid_namespace, worker.pid, worker.start_time,
      worker.lock_path, worker.store_file, worker.retired_at,
      coalesce(claimant.boot_id, worker.boot_id),
      coalesce(claimant.pid_namespace, worker.pid_namespace),
      coalesce(claimant.store_file, worker.store_file), job.type,
      (SELECT value FROM store_meta WHERE key = 'incarnations')
    FROM job JOIN worker ON worker.id = job.worker
      JOIN attempt ON attempt.job = job.id AND attempt.fence = job.fence
      LEFT JOIN worker AS claimant ON claimant.id = attempt.worker
    WHERE job.id = ?1 AND job.workspace = ?2
    """)
  static let setUnanswered = SQL(
    "lease.set_unanswered",
    """
    UPDATE job SET unanswered_boot = ?5, unanswered_ms = ?6
    WHERE id = ?1 AND workspace = ?2 AND fence = ?3 AND watch = ?4 AND state = 'running'
    """)
  static let unanswered = SQL(
    "lease.unanswered",
    """
    SELECT unanswered_boot, unanswered_ms, fence FROM job
    WHERE id = ?1 AND workspace = ?2 AND fence = ?3 AND watch = ?4 AND state = 'running'
    """)
  static let expired = SQL(
    "job.expired",
    """
    SELECT id FROM job INDEXED BY job_expiry
    WHERE expires_at IS NOT NULL AND state IN ('pending', 'blocked') AND attempt = 0
      AND expires_at <= ?1 AND workspace = ?2
    ORDER BY expires_at LIMIT 1000
    """)
  static let dataVersion = SQL("store.data_version", "PRAGMA data_version")
}
