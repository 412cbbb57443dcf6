extension Migration {
  /// Limits of queues.
  ///
  /// A queue needs no definition; it has a row when something was said of it. Running jobs of a queue
  /// that has a limit are marked as counted, by the claim or by the setting of the limit, and a partial
  /// index holds those alone: a queue without a limit costs its jobs no entry in any index. A mark that
  /// outlives the limit harms nothing, since it counts only while the job runs in that queue.
  static let queueLimits = Migration(
    version: 4,
    script: """
      CREATE TABLE queue (
        workspace TEXT NOT NULL REFERENCES workspace (id),
        name TEXT NOT NULL,
        running_limit INTEGER CHECK (running_limit >= 1),
        PRIMARY KEY (workspace, name)
      ) STRICT, WITHOUT ROWID;

      ALTER TABLE job ADD COLUMN counted_in_queue INTEGER CHECK (counted_in_queue = 1);
      CREATE INDEX job_queue_counted ON job (workspace, queue)
        WHERE state = 'running' AND counted_in_queue = 1;
      """)
}
