public import HotglueCore

/// What attempts say of themselves while they run. Every method is one atomic, durable step.
public protocol ReportStore {
  /// Records how far attempts are, all in one commit. One whose fence is not its job's current one, or
  /// whose job does not run, changes nothing.
  func recordProgress(_ reports: [(attempt: AttemptReference, progress: JobProgress)])
    throws(StoreError)

  /// Keeps what an attempt wanted to say when it was over: for people to read, without effect on its
  /// job. At most `mostLateReports` are kept of a job; returns whether this one was. `stale` when the
  /// job never had such an attempt.
  func keepLateReport(_ report: JSON, of attempt: AttemptReference, at now: Timestamp)
    throws(StoreError) -> Bool
}

/// A late attempt may go on for ever: it must not fill the store.
public let mostLateReports = 100
