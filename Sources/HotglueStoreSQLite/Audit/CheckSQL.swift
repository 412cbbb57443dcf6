import HotglueCore

/// Every rule between rows that the schema cannot say. Each statement returns a row per finding: its
/// text, the job, and the workspace.
enum CheckSQL {
  static let quick = SQL("check.quick", "PRAGMA quick_check(1)")
  static let schema = SQL(
    "check.schema",
    """
    SELECT type, name, sql FROM sqlite_schema
    WHERE name NOT LIKE 'sqlite~_%' ESCAPE '~' AND NOT (type = 'view' AND name LIKE '%/%/%')
    """)

  static let integrity = SQL(
    "check.integrity", "SELECT integrity_check, NULL, NULL FROM pragma_integrity_check")

  static let rules: [SQL] = [
    SQL(
      "check.foreign_keys",
      """
      SELECT "table" || ': row ' || coalesce(rowid, '?') || ' refers to a row of ' || "parent"
        || ' that does not exist', NULL, NULL FROM pragma_foreign_key_check
      """),
    SQL(
      "check.running_has_open_attempt",
      """
      SELECT 'job ' || id || ' is running, but its attempt with fence ' || fence || ' is not open',
        id, workspace
      FROM job INDEXED BY job_running WHERE worker IS NOT NULL AND NOT EXISTS (SELECT 1
        FROM attempt WHERE attempt.job = job.id AND attempt.fence = job.fence AND outcome IS NULL)
      """),
    SQL(
      "check.open_attempt_is_running",
      """
      SELECT 'attempt ' || attempt.fence || ' of job ' || attempt.job
        || ' is open, but the job is not running it', job.id, job.workspace
      FROM attempt JOIN job ON job.id = attempt.job
      WHERE outcome IS NULL AND (job.state <> 'running' OR job.fence <> attempt.fence)
      """),
    SQL(
      "check.fence_is_the_highest",
      """
      SELECT 'job ' || id || ' has fence ' || fence || ', but an attempt with a higher one',
        id, workspace
      FROM job WHERE fence < (SELECT max(fence) FROM attempt WHERE attempt.job = job.id)
      """),
    // An attempt that never started is taken back, and keeps its row.
    SQL(
      "check.attempts_are_counted",
      """
      SELECT 'job ' || id || ' counts ' || attempt || ' attempts, but ' || known || ' are recorded',
        id, workspace
      FROM (SELECT id, workspace, attempt, (SELECT count(*) FROM attempt AS one
          WHERE one.job = job.id AND one.outcome IS NOT 'never_started') AS known
        FROM job WHERE fence > 0)
      WHERE known <> attempt
      """),
    // A person's retry begins fresh budgets.
    SQL(
      "check.budgets_are_counted",
      """
      SELECT 'job ' || job || ' counts ' || failures || ' failures, ' || losses || ' losses and '
        || snoozes || ' snoozes, but ' || retried || ', ' || lost || ' and ' || snoozed
        || ' are recorded', job, workspace
      FROM (
        SELECT job.id AS job, job.workspace, failures, losses, snoozes,
          count(iif(outcome = 'retry', 1, NULL)) AS retried,
          count(iif(outcome = 'unknown', 1, NULL)) AS lost,
          count(iif(outcome = 'snooze', 1, NULL)) AS snoozed
        FROM job LEFT JOIN attempt ON attempt.job = job.id AND attempt.fence > coalesce((
          SELECT max(fence) FROM job_event
          WHERE job_event.job = job.id AND event = 'retry_again'), -1)
        WHERE job.fence > 0 GROUP BY job.id)
      WHERE failures <> retried OR losses <> lost OR snoozes <> snoozed
      """),
    SQL(
      "check.succeeded_has_no_error",
      """
      SELECT 'job ' || id || ' succeeded and has an error', id, workspace FROM job
      WHERE state = 'succeeded' AND error_code IS NOT NULL
      """),
    SQL(
      "check.history_has_no_gap",
      """
      SELECT 'job ' || job || ' was ' || before || ' before ''' || event || ''' took it from '
        || from_state, job, workspace
      FROM (
        SELECT job, workspace, event, from_state,
          lag(to_state) OVER (PARTITION BY job ORDER BY fence, phase, seq) AS before
        FROM job_history)
      WHERE before IS NOT NULL AND from_state IS NOT before
      """),
    SQL(
      "check.history_ends_in_state",
      """
      SELECT 'job ' || id || ' is ' || state || ', but its history ends in ' || last, id, workspace
      FROM (
        SELECT id, workspace, state, (SELECT to_state FROM job_history
          WHERE job_history.job = job.id ORDER BY fence DESC, phase DESC, seq DESC LIMIT 1) AS last
        FROM job)
      WHERE last <> state
      """),
    SQL(
      "check.long_payload_is_apart",
      """
      SELECT 'job ' || job || ' has two payloads', job, workspace FROM job_payload
      WHERE (SELECT job.payload FROM job WHERE job.id = job_payload.job) IS NOT NULL
      """),
    SQL(
      "check.revision_exists",
      """
      SELECT 'attempt ' || fence || ' of job ' || job || ' ran a revision that is not recorded',
        job, workspace
      FROM attempt WHERE type_revision IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM job_type_revision AS known
        WHERE known.workspace = attempt.workspace AND known.revision = attempt.type_revision
          AND known.name = (SELECT type FROM job WHERE job.id = attempt.job))
      """),
    SQL(
      "check.parked_waits_for_someone",
      """
      SELECT 'job ' || id || ' is parked, but nothing holds its limit key', id, workspace
      FROM job AS parked
      WHERE state = 'pending' AND parked = 1 AND NOT EXISTS (
        SELECT 1 FROM job AS other
        WHERE other.workspace = parked.workspace AND other.limit_key = parked.limit_key
          AND (other.state = 'running' OR (other.state = 'pending' AND other.parked = 0)))
      """),
    SQL(
      "check.running_counts_in_limited_queue",
      """
      SELECT 'job ' || job.id || ' runs in a queue with a limit and does not count against it',
        job.id, job.workspace
      FROM job INDEXED BY job_running JOIN queue
        ON queue.workspace = job.workspace AND queue.name = job.queue
      WHERE job.worker IS NOT NULL AND job.counted_in_queue IS NULL
        AND queue.running_limit IS NOT NULL
      """),
    SQL(
      "check.occurrence_has_its_job",
      """
      SELECT 'occurrence ' || occurrence.nominal || ' of automation ' || occurrence.automation
        || ' fired, but job ' || job.id || ' is not of that automation', job.id, job.workspace
      FROM occurrence JOIN job ON job.id = occurrence.job
      WHERE job.automation IS NOT occurrence.automation
        OR job.workspace IS NOT occurrence.workspace
      """),
    SQL(
      "check.occurrence_fires_once",
      """
      SELECT 'job ' || job || ' is of two occurrences of automation ' || automation, job, workspace
      FROM occurrence WHERE job IS NOT NULL GROUP BY job HAVING count(*) > 1
      """),
    SQL(
      "check.members_have_an_owner",
      """
      SELECT 'workspace ' || workspace || ' has members, but no owner', NULL, workspace FROM member
      GROUP BY workspace HAVING sum(role = 'owner') = 0
      """),
    SQL(
      "check.moved_draft_has_a_switch",
      """
      SELECT 'draft ' || id || ' was moved by a switch that is not open', NULL, workspace FROM draft
      WHERE moved_by IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM context WHERE context.context_id = draft.context_id
          AND context.path = draft.context_path AND intent_generation = moved_by)
      """),
    SQL(
      "check.records_are_counted",
      """
      SELECT 'stream ' || name || ' of source ' || source || ' has ' || visible
        || ' records, but is said to have ' || records, NULL, workspace FROM (
        SELECT sync_stream.name, source, sync_stream.workspace, records,
          (SELECT count(*) FROM record_version AS version INDEXED BY record_of_stream
          WHERE version.stream = sync_stream.id AND data IS NOT NULL AND id <= published
            AND NOT EXISTS (SELECT 1 FROM sync_dead WHERE sync_dead.source = sync_stream.source
              AND low < version.id AND high >= version.id)
            AND NOT EXISTS (SELECT 1 FROM record_version AS newer INDEXED BY record_of_stream
              WHERE newer.stream = sync_stream.id AND newer.key = version.key
                AND newer.id > version.id AND newer.id <= published
                AND NOT EXISTS (SELECT 1 FROM sync_dead
                  WHERE sync_dead.source = sync_stream.source
                    AND low < newer.id AND high >= newer.id))) AS visible
        FROM sync_stream JOIN sync_position USING (source)
        WHERE (SELECT removed_at FROM source AS whole WHERE whole.id = source) IS NULL)
      WHERE visible <> records
      """),
    SQL(
      "check.target_has_its_runs",
      """
      SELECT 'target ' || id || ' of source ' || source || ' has a run that did not go there', NULL,
        workspace FROM sync_target
      WHERE (run IS NOT NULL AND NOT EXISTS (SELECT 1 FROM sync_delivery AS sent
          WHERE sent.run = sync_target.run AND sent.target = sync_target.id))
        OR (confirmed_run IS NOT NULL AND NOT EXISTS (SELECT 1 FROM sync_delivery AS sent
          WHERE sent.run = confirmed_run AND sent.target = sync_target.id))
      """),
    SQL(
      "check.target_takes_one_run",
      """
      SELECT 'run ' || sync_run.id || ' goes into target ' || target || ', which takes another one',
        sync_run.job, sync_run.workspace
      FROM sync_delivery JOIN sync_run ON sync_run.id = sync_delivery.run
        JOIN sync_target ON sync_target.id = target
      WHERE state = 'running' AND sync_target.run IS NOT sync_run.id
      """),
    SQL(
      "check.delivery_publishes_nothing",
      """
      SELECT 'run ' || run || ' went into target ' || target || ', and the store says that it published',
        NULL, sync_position.workspace
      FROM sync_position JOIN sync_delivery USING (run)
      """),
    // Nobody knows whether an uncertain job has happened, so it keeps its key.
    SQL(
      "check.key_is_released",
      """
      SELECT 'job ' || id || ' is ' || state || ' and still holds its key', id, workspace FROM job
      WHERE key_held = 1 AND key_hold = 'done' AND finished_at IS NOT NULL AND state <> 'uncertain'
      """),
    SQL(
      "check.effect_has_its_output",
      """
      SELECT 'effect ' || id || ' says that it keeps ' || output_bytes || ' bytes of output, and has '
        || coalesce(length(output), 'none'), scope_job, effect.workspace
      FROM effect LEFT JOIN effect_output ON effect_output.effect = effect.id
      WHERE (keeps_output = 1 AND output_bytes > 0 AND length(output) IS NOT output_bytes)
        OR (keeps_output = 0 AND output IS NOT NULL)
      """),
    SQL(
      "check.effect_is_of_an_attempt",
      """
      SELECT 'effect ' || effect.id || ' was begun under fence ' || effect.fence
        || ', which job ' || job.id || ' never had', job.id, job.workspace
      FROM effect JOIN job ON job.id = effect.job
      WHERE effect.fence > job.fence
      """),
  ]

  static let kindsOfSteps = SQL(
    "check.kinds_of_steps", "SELECT DISTINCT from_state, event, to_state FROM job_history")
  static let stepsOfKind = SQL(
    "check.steps_of_kind",
    """
    SELECT job, workspace FROM job_history
    WHERE from_state IS ?1 AND event = ?2 AND to_state = ?3 LIMIT 100
    """)
  /// Waiting jobs that have used something up. A typed job's policy is its type's at each claim, and a
  /// person may give an uncertain one another try whatever its budgets say.
  static let usedBudgets = SQL(
    "check.used_budgets",
    """
    SELECT id, workspace, failures, losses, snoozes, policy FROM job INDEXED BY job_ready
    WHERE state = 'pending' AND overrides IS NULL AND failures + losses + snoozes > 0
      AND NOT EXISTS (SELECT 1 FROM job_event WHERE job_event.job = job.id AND event = 'resolve')
    """)
}
