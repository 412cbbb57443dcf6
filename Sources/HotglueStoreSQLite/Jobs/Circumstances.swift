public import HotglueCore
public import HotglueStore

extension SQLiteStore: CircumstanceStore {
  public func circumstances(
    of id: JobID, in workspace: WorkspaceID, at now: Timestamp
  ) throws(StoreError) -> JobCircumstances {
    try read { () throws(StoreError) in
      let job = try self.job(id, in: workspace).counted(at: now)
      var known = job.circumstances
      known.workspaceIsArchived = try !isActive(workspace)
      let attempts = try attempts(of: id)
      known.attempts = attempts.compactMap(\.past)
      if job.state == .running, let worker = job.worker, let last = attempts.last {
        known.live = JobCircumstances.LiveAttempt(
          worker: worker, startedAt: last.startedAt, leaseExpiresAt: job.leaseExpiresAt)
      }
      guard job.state == .pending else { return known }
      let place: [SQLValue] = [.text(workspace.text), .text(job.request.queue)]
      if let limit = try limit(ofQueue: job.request.queue, in: workspace) {
        known.queueLimit = JobCircumstances.Limit(
          name: job.request.queue, limit: limit,
          running: try ids(CircumstanceSQL.runningInQueue, place))
      }
      if known.typeLimit != nil {
        known.typeLimit?.running = try ids(
          CircumstanceSQL.runningOfType, [.text(workspace.text), .text(job.request.type)])
      }
      if let key = job.request.limitKey {
        known.keyLimit?.running = try ids(
          CircumstanceSQL.runningOfKey, [.text(workspace.text), .text(key)])
      }
      if job.runAt <= now {
        known.jobsAhead =
          try connection.first(
            CircumstanceSQL.ahead,
            place + [
              .text(job.request.type), .integer(-Int64(job.request.priority)),
              .integer(job.runAt.milliseconds), .integer(id), .integer(now.milliseconds),
              .integer(Int64(JobCircumstances.mostAhead)),
            ], { Int($0.integer(0)) }) ?? 0
      }
      return known
    }
  }

  /// Each queue and type is looked at once, however many of the jobs wait for it.
  public func jobsWithoutRoom(
    among jobs: [Job], in workspace: WorkspaceID, at now: Timestamp
  ) throws(StoreError) -> Set<JobID> {
    let due = jobs.filter { $0.state == .pending && !$0.waitsForType && $0.runAt <= now }
    guard !due.isEmpty else { return [] }
    return try read { () throws(StoreError) in
      var full: Set<JobID> = []
      var queues: [String: Bool] = [:]
      var types: [String: Bool] = [:]
      for job in due {
        let queue = job.request.queue
        let type = job.request.type
        if queues[queue] == nil {
          queues[queue] = try room(inQueue: queue, in: workspace) <= 0
        }
        if job.typeLimit != nil, types[type] == nil {
          types[type] = try room(ofType: type, in: workspace) <= 0
        }
        if queues[queue] == true || types[type] == true { full.insert(job.id) }
      }
      return full
    }
  }

  public func registeredWorkers() throws(StoreError) -> [WorkerIdentity] {
    try connection.all(CircumstanceSQL.workers, []) { row in
      WorkerIdentity(
        name: row.text(0), bootID: row.text(1), pidNamespace: row.text(2),
        pid: Int32(truncatingIfNeeded: row.integer(3)),
        processStartTime: UInt64(bitPattern: row.exactInteger(4)),
        lockPath: RowName.path(row.text(5)))
    }
  }

  private func ids(_ sql: SQL, _ values: [SQLValue]) throws(StoreError) -> [JobID] {
    try connection.all(sql, values, { $0.integer(0) })
  }
}

extension Attempt {
  fileprivate var past: JobCircumstances.PastAttempt? {
    guard let outcome, let finishedAt else { return nil }
    return JobCircumstances.PastAttempt(
      number: number, outcome: outcome, reason: reason, endedAt: finishedAt,
      exitStatus: usage.exitStatus, signal: usage.signal.map { Signal(stored: $0) })
  }
}

enum CircumstanceSQL {
  static let runningInQueue = SQL(
    "circumstance.running_in_queue",
    """
    SELECT id FROM job INDEXED BY job_queue_counted
    WHERE workspace = ?1 AND queue = ?2 AND state = 'running' AND counted_in_queue = 1
    """)
  static let runningOfType = SQL(
    "circumstance.running_of_type",
    """
    SELECT id FROM job INDEXED BY job_type_running
    WHERE workspace = ?1 AND type = ?2 AND state = 'running' AND type <> 'exec'
    """)
  static let runningOfKey = SQL(
    "circumstance.running_of_key",
    """
    SELECT id FROM job INDEXED BY job_limit
    WHERE workspace = ?1 AND limit_key = ?2 AND state = 'running'
    """)
  /// Due jobs of the same lane that are claimed earlier, counted up to a bound.
  static let ahead = SQL(
    "circumstance.ahead",
    """
    SELECT count(*) FROM (
      SELECT 1 FROM job INDEXED BY job_ready
      WHERE workspace = ?1 AND parked = 0 AND state = 'pending' AND queue = ?2 AND type = ?3
        AND (rank, run_at, id) < (?4, ?5, ?6) AND run_at <= ?7 LIMIT ?8)
    """)
  static let workers = SQL(
    "worker.registered",
    """
    SELECT name, boot_id, pid_namespace, pid, start_time, lock_path FROM worker
    WHERE retired_at IS NULL
    """)
}
