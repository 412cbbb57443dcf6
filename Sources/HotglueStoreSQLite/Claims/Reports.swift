public import HotglueCore
public import HotglueStore

extension SQLiteStore: ReportStore {
  public func recordProgress(
    _ reports: [(attempt: AttemptReference, progress: JobProgress)]
  ) throws(StoreError) {
    guard !reports.isEmpty else { return }
    try write { () throws(StoreError) in
      for (attempt, progress) in reports {
        try connection.run(
          ReportSQL.progress,
          [
            .integer(attempt.job), .text(attempt.workspace.text), .integer(attempt.fence),
            .text(progress.column),
          ])
      }
    }
  }

  public func keepLateReport(
    _ report: JSON, of attempt: AttemptReference, at now: Timestamp
  ) throws(StoreError) -> Bool {
    try write { () throws(StoreError) in
      guard let job = try record(of: attempt.job) else { throw StoreError.unknownJob(attempt.job) }
      guard job.workspace == attempt.workspace else {
        throw StoreError.otherWorkspace(attempt.job, owner: job.workspace)
      }
      let attempts = try connection.all(
        ClaimSQL.attemptOutcome, [.integer(attempt.job), .integer(attempt.fence)],
        { $0.optionalText(0) })
      guard !attempts.isEmpty else {
        throw StoreError.stale(attempt.job, fence: attempt.fence, current: job.fence)
      }
      let kept =
        try connection.first(
          ReportSQL.lateReports, [.integer(attempt.job), .integer(Int64(mostLateReports))],
          { $0.integer(0) }) ?? 0
      guard kept < mostLateReports else { return false }
      try connection.run(
        JobSQL.addLateReport,
        [
          .integer(attempt.job), .text(attempt.workspace.text), .integer(attempt.fence),
          .integer(now.milliseconds), .text(report.text),
        ])
      return true
    }
  }
}

extension JobProgress {
  /// The column `progress`.
  var column: String {
    JSON.object([
      JSON.Member("current", .optional(current)), JSON.Member("total", .optional(total)),
      JSON.Member("message", .text(message)),
    ]).text
  }
}

enum ReportSQL {
  /// The fence is the condition: only the current attempt speaks for its job.
  static let progress = SQL(
    "job.progress",
    """
    UPDATE job SET progress = ?4
    WHERE id = ?1 AND workspace = ?2 AND fence = ?3 AND state = 'running'
    """)
  static let lateReports = SQL(
    "late_report.count",
    "SELECT count(*) FROM (SELECT 1 FROM late_report WHERE job = ?1 LIMIT ?2)")
}
