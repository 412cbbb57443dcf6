/// The statements on queues.
enum QueueSQL {
  /// The limit of a queue; no row for the many that have none.
  static let limit = SQL(
    "queue.limit", "SELECT running_limit FROM queue WHERE workspace = ?1 AND name = ?2")
  static let countRunning = SQL(
    "queue.count_running",
    """
    SELECT count(*) FROM (
      SELECT 1 FROM job INDEXED BY job_queue_counted
      WHERE workspace = ?1 AND queue = ?2 AND state = 'running' AND counted_in_queue = 1 LIMIT ?3)
    """)
  /// A job that was just claimed counts against its queue's limit.
  static let count = SQL(
    "queue.count",
    """
    UPDATE job SET counted_in_queue = 1
    WHERE id = ?1 AND state = 'running' AND counted_in_queue IS NULL
    """)

  static let setLimit = SQL(
    "queue.set_limit",
    """
    INSERT INTO queue (workspace, name, running_limit) VALUES (?1, ?2, ?3)
    ON CONFLICT (workspace, name) DO UPDATE SET running_limit = excluded.running_limit
    """)
  static let removeLimit = SQL(
    "queue.remove_limit", "DELETE FROM queue WHERE workspace = ?1 AND name = ?2")
  /// What runs when a limit is set counts against it. The few running jobs are gone through.
  static let countThoseThatRun = SQL(
    "queue.count_those_that_run",
    """
    UPDATE job INDEXED BY job_running SET counted_in_queue = 1
    WHERE worker IS NOT NULL AND workspace = ?1 AND queue = ?2 AND state = 'running'
      AND counted_in_queue IS NULL
    """)

  /// Every queue that has a limit, or jobs that wait or run. It goes through the pending jobs.
  static let all = SQL(
    "queue.all",
    """
    SELECT name, max(running_limit), sum(running), sum(pending) FROM (
      SELECT name, running_limit, 0 AS running, 0 AS pending FROM queue WHERE workspace = ?1
      UNION ALL
      SELECT queue, NULL, 0, count(*) FROM job INDEXED BY job_ready
        WHERE workspace = ?1 AND state = 'pending' GROUP BY queue
      UNION ALL
      SELECT queue, NULL, count(*), 0 FROM job INDEXED BY job_running
        WHERE worker IS NOT NULL AND workspace = ?1 AND state = 'running' GROUP BY queue)
    GROUP BY name ORDER BY name
    """)
}
