public import HotglueCore
public import HotglueStore

extension SQLiteStore {
  public func job(_ id: JobID, in workspace: WorkspaceID) throws(StoreError) -> Job {
    var known: [String: JobType?] = [:]
    return try job(id, in: workspace, &known)
  }

  /// `known` keeps types from one job to the next.
  func job(
    _ id: JobID, in workspace: WorkspaceID, _ known: inout [String: JobType?]
  ) throws(StoreError) -> Job {
    let values: [SQLValue] = [.integer(id), .text(workspace.text)]
    if let job = try connection.first(JobSQL.one, values, decodeJob) {
      return try resolved(job, &known)
    }
    throw try notHere(id)
  }

  public func owner(ofJob id: JobID) throws(StoreError) -> WorkspaceID? {
    try connection.first(JobSQL.owner, [.integer(id)]) { (row) throws(StoreError) in
      try decodeWorkspaceID(row.text(0))
    }
  }

  public func jobs(
    in workspace: WorkspaceID, matching filter: JobFilter, before: JobID?, limit: Int
  ) throws(StoreError) -> [Job] {
    let query = JobListQuery(workspace, filter, before: before, limit: limit)
    let found = try connection.all(text: query.text, query.values, decodeJob)
    var types: [String: JobType?] = [:]
    var jobs: [Job] = []
    jobs.reserveCapacity(found.count)
    for job in found {
      let job = try resolved(job, &types)
      jobs.append(filter.now.map { job.counted(at: $0) } ?? job)
    }
    return jobs
  }

  public func attempts(of id: JobID, in workspace: WorkspaceID) throws(StoreError) -> [Attempt] {
    try read { () throws(StoreError) in
      try requireJob(id, in: workspace)
      return try attempts(of: id)
    }
  }

  public func history(
    of id: JobID, in workspace: WorkspaceID
  ) throws(StoreError) -> [HistoryEntry] {
    try read { () throws(StoreError) in
      try requireJob(id, in: workspace)
      return try connection.all(JobSQL.history, [.integer(id)]) { (row) throws(StoreError) in
        HistoryEntry(
          at: Timestamp(milliseconds: row.integer(0)), event: row.text(1),
          from: try row.optionalText(2).map(decodeState), to: try decodeState(row.text(3)),
          by: row.text(4), reason: row.optionalText(5))
      }
    }
  }

  public func lateReports(
    of id: JobID, in workspace: WorkspaceID
  ) throws(StoreError) -> [LateReport] {
    try read { () throws(StoreError) in
      try requireJob(id, in: workspace)
      return try connection.all(JobSQL.lateReports, [.integer(id)]) { (row) throws(StoreError) in
        LateReport(
          at: Timestamp(milliseconds: row.integer(0)), fence: row.integer(1),
          report: try decodeJSON(row.text(2)) ?? .null)
      }
    }
  }
}

extension SQLiteStore {
  func requireJob(_ id: JobID, in workspace: WorkspaceID) throws(StoreError) {
    guard try owner(ofJob: id) == workspace else { throw try notHere(id) }
  }

  /// Why the job is not in the workspace that was asked.
  func notHere(_ id: JobID) throws(StoreError) -> StoreError {
    guard let owner = try owner(ofJob: id) else { return .unknownJob(id) }
    return .otherWorkspace(id, owner: owner)
  }

  func attempts(of job: JobID) throws(StoreError) -> [Attempt] {
    try connection.all(JobSQL.attempts, [.integer(job)]) { (row) throws(StoreError) in
      try decodeAttempt(row, of: job)
    }
  }

  private func decodeAttempt(_ row: Row, of job: JobID) throws(StoreError) -> Attempt {
    var columns = row.columns()
    let number = columns.count()
    let fence = columns.integer()
    let worker = columns.text()
    let slot = RowName.slot(columns.text())
    let startedAt = Timestamp(milliseconds: columns.integer())
    let finishedAt = columns.optionalInteger().map(Timestamp.init(milliseconds:))
    let outcome = columns.optionalText().flatMap(AttemptOutcome.init(rawValue:))
    let reason = columns.optionalText()
    let usage = AttemptUsage(
      exitStatus: columns.optionalCount(), signal: columns.optionalCount(),
      userMilliseconds: columns.optionalInteger(), systemMilliseconds: columns.optionalInteger(),
      peakMemoryBytes: columns.optionalInteger(),
      log: columns.optionalText().map { _ in LogPath.of(job: job, fence: fence) })
    let warnings = try columns.optionalText().map(decodeStrings) ?? []
    let typeRevision = columns.optionalCount()
    return Attempt(
      number: number, fence: fence, worker: worker, slot: slot, startedAt: startedAt,
      finishedAt: finishedAt, outcome: outcome, reason: reason, usage: usage, warnings: warnings,
      typeRevision: typeRevision)
  }
}

/// The statement behind `jobs(in:matching:before:limit:)`, put together from the filter.
///
/// A list goes down the workspace's IDs and stops at its limit. Few jobs run or ended badly, so a list
/// of those alone goes through their own index and sorts what it finds.
struct JobListQuery {
  private(set) var text: String
  private(set) var values: [SQLValue]

  init(_ workspace: WorkspaceID, _ filter: JobFilter, before: JobID?, limit: Int) {
    values = [.text(workspace.text)]
    text = "\(JobSQL.columns) FROM job \(Self.index(for: filter.states)) WHERE workspace = ?1"
    // Written out, not bound: a partial index is used only when the text implies its condition.
    let states = filter.states.map { "'\($0.rawValue)'" }.sorted().joined(separator: ", ")
    let stated =
      filter.states.count == 1 ? "state = \(states)" : "state IN (\(states))"
    let hasWaiting = !filter.states.isDisjoint(with: [.pending, .blocked])
    let hasCancelled = filter.states.contains(.cancelled)
    if let now = filter.now, hasWaiting || hasCancelled {
      // A passed deadline counts at once, also before it is recorded.
      values.append(.integer(now.milliseconds))
      let passed = "expires_at IS NOT NULL AND expires_at <= ?\(values.count) AND attempt = 0"
      text +=
        hasCancelled
        ? " AND (\(stated) OR (state IN ('pending', 'blocked') AND \(passed)))"
        : " AND \(stated) AND NOT (\(passed))"
    } else if !filter.states.isEmpty {
      text += " AND \(stated)"
    }
    if Self.index(for: filter.states).hasSuffix("job_finished") {
      text += " AND finished_at IS NOT NULL"
    }
    if Self.index(for: filter.states).hasSuffix("job_running") { text += " AND worker IS NOT NULL" }
    add(Array(filter.types), to: "type")
    add(Array(filter.queues), to: "queue")
    if let since = filter.since {
      values.append(.integer(since.milliseconds))
      text += " AND created_at >= ?\(values.count)"
    }
    if let before {
      values.append(.integer(before))
      text += " AND id < ?\(values.count)"
    }
    values.append(.integer(limit))
    text += " ORDER BY id DESC LIMIT ?\(values.count)"
  }

  private mutating func add(_ words: [String], to column: String) {
    guard !words.isEmpty else { return }
    let first = values.count + 1
    values += words.sorted().map(SQLValue.text)
    let places = (first...values.count).map { "?\($0)" }.joined(separator: ", ")
    text += " AND \(column) IN (\(places))"
  }

  private static func index(for states: Set<JobState>) -> String {
    let endedBadly: Set<JobState> = [.failed, .uncertain]
    if !states.isEmpty, states.isSubset(of: endedBadly) { return "INDEXED BY job_finished" }
    if states == [.running] { return "INDEXED BY job_running" }
    if states == [.pending] { return "INDEXED BY job_ready" }
    return "INDEXED BY sqlite_autoindex_job_1"
  }
}
