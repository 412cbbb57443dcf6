/// The statements on automations and their occurrences.
enum AutomationSQL {
  static let one = SQL(
    "automation.one",
    """
    SELECT id, workspace, name, revision, definition, job, state, reason, paused_by_failures, cursor,
      next_tick, last_at, last_job, created_at, set_at, set_by
    FROM automation INDEXED BY automation_name
    WHERE workspace = ?1 AND name = ?2 AND removed_at IS NULL
    """)
  static let all = SQL(
    "automation.all",
    """
    SELECT id, workspace, name, revision, definition, job, state, reason, paused_by_failures, cursor,
      next_tick, last_at, last_job, created_at, set_at, set_by
    FROM automation INDEXED BY automation_name
    WHERE workspace = ?1 AND removed_at IS NULL ORDER BY name
    """)
  static let due = SQL(
    "automation.due",
    """
    SELECT id, workspace, name, revision, definition, job, state, reason, paused_by_failures, cursor,
      next_tick, last_at, last_job, created_at, set_at, set_by
    FROM automation INDEXED BY automation_due
    WHERE workspace = ?1 AND removed_at IS NULL AND next_tick <= ?2 ORDER BY next_tick LIMIT ?3
    """)
  /// Those that were decided by a clock which has been set back since.
  static let ahead = SQL(
    "automation.ahead",
    """
    SELECT id, workspace, name, revision, definition, job, state, reason, paused_by_failures, cursor,
      next_tick, last_at, last_job, created_at, set_at, set_by
    FROM automation INDEXED BY automation_cursor
    WHERE workspace = ?1 AND removed_at IS NULL AND cursor > ?2 ORDER BY cursor LIMIT ?3
    """)
  static let nextTick = SQL(
    "automation.next_tick",
    """
    SELECT next_tick FROM automation INDEXED BY automation_due
    WHERE workspace = ?1 AND removed_at IS NULL AND next_tick IS NOT NULL
    ORDER BY next_tick LIMIT 1
    """)
  static let latestCursor = SQL(
    "automation.latest_cursor",
    """
    SELECT cursor FROM automation INDEXED BY automation_cursor
    WHERE workspace = ?1 AND removed_at IS NULL ORDER BY cursor DESC LIMIT 1
    """)
  static let owner = SQL(
    "automation.owner",
    "SELECT workspace, name FROM automation WHERE id = ?1 AND removed_at IS NULL")

  static let insert = SQL(
    "automation.insert",
    """
    INSERT INTO automation (workspace, name, revision, definition, job, state, cursor, next_tick,
      pause_after, counts_from, created_at, set_at, set_by)
    VALUES (?1, ?2, 1, ?3, ?4, 'active', ?5, ?6, ?7, ?5, ?5, ?5, ?8)
    """)
  /// `?6` is NULL where the schedule stays as it was: then the cursor does, too.
  static let change = SQL(
    "automation.change",
    """
    UPDATE automation SET definition = ?2, job = ?3, set_at = ?4, set_by = ?5,
      revision = revision + 1, cursor = coalesce(?6, cursor),
      next_tick = iif(?6 IS NULL, next_tick, ?7), pause_after = ?8, counts_from = ?4,
      state = iif(state = 'zone_missing', 'active', state),
      reason = iif(state = 'zone_missing', NULL, reason)
    WHERE id = ?1 AND removed_at IS NULL
    """)
  static let remove = SQL(
    "automation.remove",
    "UPDATE automation SET removed_at = ?2 WHERE id = ?1 AND removed_at IS NULL")
  static let pause = SQL(
    "automation.pause",
    """
    UPDATE automation SET state = 'paused', reason = ?2, paused_by_failures = ?3, paused_at = ?4
    WHERE id = ?1 AND removed_at IS NULL AND state <> 'paused'
    """)
  static let resume = SQL(
    "automation.resume",
    """
    UPDATE automation SET state = 'active', reason = NULL, paused_by_failures = 0, paused_at = NULL,
      cursor = ?2, next_tick = ?3, counts_from = ?2
    WHERE id = ?1 AND removed_at IS NULL AND state <> 'active'
    """)
  static let pausedAt = SQL(
    "automation.paused_at", "SELECT paused_at FROM automation WHERE id = ?1")
  static let missZone = SQL(
    "automation.miss_zone",
    """
    UPDATE automation SET next_tick = ?3, state = iif(state = 'active', 'zone_missing', state),
      reason = iif(state = 'active', ?4, reason)
    WHERE id = ?1 AND removed_at IS NULL AND revision = ?2
    """)
  /// Repeats what the tick was decided on.
  static let moveCursor = SQL(
    "automation.move_cursor",
    """
    UPDATE automation SET cursor = ?5, next_tick = ?6, last_at = coalesce(?7, last_at),
      last_job = coalesce(?8, last_job),
      state = iif(state = 'zone_missing', 'active', state),
      reason = iif(state = 'zone_missing', NULL, reason)
    WHERE id = ?1 AND revision = ?2 AND state = ?3 AND cursor = ?4 AND removed_at IS NULL
    """)
  static let noteJob = SQL(
    "automation.note_job",
    "UPDATE automation SET last_at = max(coalesce(last_at, 0), ?2), last_job = ?3 WHERE id = ?1")

  // MARK: Jobs

  static let unfinished = SQL(
    "automation.unfinished",
    """
    SELECT id, state, attempt FROM job INDEXED BY job_of_automation
    WHERE automation = ?1 AND finished_at IS NULL ORDER BY id
    """)
  static let failureBound = SQL(
    "automation.failure_bound",
    """
    SELECT pause_after, counts_from, name, workspace FROM automation
    WHERE id = ?1 AND state <> 'paused' AND removed_at IS NULL AND pause_after IS NOT NULL
    """)
  /// How the last jobs ended. A cancelled one says nothing.
  static let lastEnds = SQL(
    "automation.last_ends",
    """
    SELECT id, state FROM job INDEXED BY job_of_automation
    WHERE automation = ?1 AND finished_at > ?2 AND state <> 'cancelled'
    ORDER BY finished_at DESC, id DESC LIMIT ?3
    """)

  // MARK: Occurrences

  static let insertOccurrence = SQL(
    "occurrence.insert",
    """
    INSERT INTO occurrence (automation, nominal, fold, workspace, at, zone, note, decision, reason,
      job, catch_up, decided_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
    """)
  /// An occurrence that did not fire, or whose job is repeated, fires after all.
  static let fireAfterAll = SQL(
    "occurrence.fire_after_all",
    """
    UPDATE occurrence SET decision = 'fired', reason = ?4, job = ?5, catch_up = 1, decided_at = ?6
    WHERE automation = ?1 AND nominal = ?2 AND fold = ?3 AND job IS ?7
    """)
  static let decided = SQL(
    "occurrence.decided",
    "SELECT nominal, fold FROM occurrence WHERE automation = ?1 AND nominal BETWEEN ?2 AND ?3")
  static let forgetAhead = SQL(
    "occurrence.forget_ahead",
    "DELETE FROM occurrence WHERE automation = ?1 AND nominal >= ?2 AND at > ?3 AND job IS NULL")
  static let page = SQL(
    "occurrence.page",
    """
    SELECT nominal, fold, at, zone, note, decision, reason, job,
      (SELECT state FROM job WHERE job.id = occurrence.job AND job.workspace = occurrence.workspace),
      catch_up, decided_at
    FROM occurrence
    WHERE automation = ?1 AND workspace = ?2 AND (nominal, fold) < (?3, ?4)
    ORDER BY nominal DESC, fold DESC LIMIT ?5
    """)
  static let range = SQL(
    "occurrence.range",
    """
    SELECT nominal, fold, at, zone, note, decision, reason, job,
      (SELECT state FROM job WHERE job.id = occurrence.job AND job.workspace = occurrence.workspace),
      catch_up, decided_at
    FROM occurrence
    WHERE automation = ?1 AND workspace = ?2 AND nominal BETWEEN ?3 AND ?4
    ORDER BY nominal, fold
    """)
  /// What a pause let go, newest first.
  static let ofPause = SQL(
    "occurrence.of_pause",
    """
    SELECT nominal, fold, at, zone, note, decision, reason, job, NULL, catch_up, decided_at
    FROM occurrence
    WHERE automation = ?1 AND workspace = ?2 AND decision = 'paused' AND at >= ?3 AND nominal >= ?4
    ORDER BY nominal DESC, fold DESC LIMIT ?5
    """)
  static let everyID = SQL("automation.every_id", "SELECT id FROM automation")
  static let prune = SQL(
    "occurrence.prune",
    """
    DELETE FROM occurrence WHERE automation = ?1 AND (nominal, fold) IN (
      SELECT nominal, fold FROM occurrence WHERE automation = ?1 AND nominal < ?2
      ORDER BY nominal, fold LIMIT ?3)
    """)

  // MARK: Who ticks

  static let noteTicker = SQL(
    "automation.note_ticker",
    "INSERT OR REPLACE INTO store_meta VALUES ('ticked_at/' || ?1, ?2)")
  static let lastTicker = SQL(
    "automation.last_ticker", "SELECT value FROM store_meta WHERE key = 'ticked_at/' || ?1")
  static let workers = SQL(
    "automation.workers",
    """
    SELECT name, boot_id, pid_namespace, pid, start_time, lock_path, store_file FROM worker
    WHERE retired_at IS NULL AND (workspaces IS NULL
      OR EXISTS (SELECT 1 FROM json_each(workspaces) WHERE value = ?1))
    """)
}
