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

  /// Keeps what attempts said behind their end, all in one commit and bounded as other late reports
  /// are. The same words are kept once, since they may be brought again; those of an attempt that is
  /// not there any more are not kept.
  func keepAfterwords(_ words: [Afterword]) throws(StoreError)
}

/// What an attempt's handler said when its answer had been taken.
public struct Afterword: Hashable, Sendable {
  public var job: JobID
  public var fence: Fence
  public var words: JSON
  public var saidAt: Timestamp

  public init(job: JobID, fence: Fence, words: JSON, saidAt: Timestamp) {
    self.job = job
    self.fence = fence
    self.words = words
    self.saidAt = saidAt
  }
}

/// A late attempt may go on for ever: it must not fill the store.
public let mostLateReports = 100
