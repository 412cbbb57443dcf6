public import HotglueStore

extension SQLiteStore {
  public func check() throws(StoreError) -> [String] {
    try read(findings)
  }

  /// The findings within the snapshot or transaction that is open.
  func findings() throws(StoreError) -> [String] {
    var findings: [String] = []
    for rule in CheckSQL.rules { findings += try connection.all(rule, [], { $0.text(0) }) }
    return findings.filter { $0 != "ok" }
  }
}

/// Every rule between rows that the schema cannot say; each statement returns one text per finding.
enum CheckSQL {
  static let quick = SQL("check.quick", "PRAGMA quick_check(1)")

  static let rules = [
    SQL("check.integrity", "PRAGMA integrity_check"),
    SQL(
      "check.foreign_keys",
      """
      SELECT "table" || ': row ' || coalesce(rowid, '?') || ' refers to a row of ' || "parent"
        || ' that does not exist' FROM pragma_foreign_key_check
      """),
    SQL(
      "check.running_has_open_attempt",
      """
      SELECT 'job ' || id || ' is running, but its attempt with fence ' || fence || ' is not open'
      FROM job INDEXED BY job_running WHERE worker IS NOT NULL AND NOT EXISTS (SELECT 1
        FROM attempt WHERE attempt.job = job.id AND attempt.fence = job.fence AND outcome IS NULL)
      """),
    SQL(
      "check.open_attempt_is_running",
      """
      SELECT 'attempt ' || attempt.fence || ' of job ' || attempt.job
        || ' is open, but the job is not running it'
      FROM attempt JOIN job ON job.id = attempt.job
      WHERE outcome IS NULL AND (job.state <> 'running' OR job.fence <> attempt.fence)
      """),
    SQL(
      "check.fence_is_the_highest",
      """
      SELECT 'job ' || id || ' has fence ' || fence || ', but an attempt with a higher one'
      FROM job WHERE fence < (SELECT max(fence) FROM attempt WHERE attempt.job = job.id)
      """),
    SQL(
      "check.succeeded_has_no_error",
      """
      SELECT 'job ' || id || ' succeeded and has an error' FROM job
      WHERE state = 'succeeded' AND error_code IS NOT NULL
      """),
    SQL(
      "check.history_ends_in_state",
      """
      SELECT 'job ' || id || ' is ' || state || ', but its history ends in ' || last FROM (
        SELECT id, state, (SELECT to_state FROM job_history WHERE job_history.job = job.id
          ORDER BY fence DESC, phase DESC, seq DESC LIMIT 1) AS last FROM job)
      WHERE last <> state
      """),
    SQL(
      "check.long_payload_is_apart",
      """
      SELECT 'job ' || job || ' has two payloads' FROM job_payload
      WHERE (SELECT job.payload FROM job WHERE job.id = job_payload.job) IS NOT NULL
      """),
    SQL(
      "check.revision_exists",
      """
      SELECT 'attempt ' || fence || ' of job ' || job || ' ran a revision that is not recorded'
      FROM attempt WHERE type_revision IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM job_type_revision AS known
        WHERE known.workspace = attempt.workspace AND known.revision = attempt.type_revision
          AND known.name = (SELECT type FROM job WHERE job.id = attempt.job))
      """),
    SQL(
      "check.records_are_counted",
      """
      SELECT 'stream ' || name || ' of source ' || source || ' has ' || visible
        || ' records, but is said to have ' || records FROM (
        SELECT sync_stream.name, source, records, (SELECT count(*) FROM record_version AS version
          INDEXED BY record_of_stream
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
      "check.parked_waits_for_someone",
      """
      SELECT 'job ' || id || ' is parked, but nothing holds its limit key' FROM job AS parked
      WHERE state = 'pending' AND parked = 1 AND NOT EXISTS (
        SELECT 1 FROM job AS other
        WHERE other.workspace = parked.workspace AND other.limit_key = parked.limit_key
          AND (other.state = 'running' OR (other.state = 'pending' AND other.parked = 0)))
      """),
  ]
}
