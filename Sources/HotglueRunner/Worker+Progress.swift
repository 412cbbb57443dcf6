import HotglueCore
import HotglueProcess
import HotglueStore

/// What attempts say while they run, on its way into the store.
extension Worker {
  /// How often the attempts are looked at: each look that finds something costs one commit, for all
  /// of them together.
  private static let progressEvery = Span(milliseconds: 500)

  /// Records how far attempts are. What is said between two looks and is not the last is nobody's
  /// loss; what is said last is recorded with the end.
  func recordProgress() throws(RunnerError) {
    let now = place.bootNow()
    guard progressAt.hasPassed(at: now) else { return }
    progressAt = now.advanced(by: Self.progressEvery)
    var reports: [(attempt: AttemptReference, progress: JobProgress)] = []
    for seat in seats {
      guard let (reference, said) = seat.newProgress() else { continue }
      reports.append((reference, said))
    }
    guard !reports.isEmpty else { return }
    try storeStep { () throws(StoreError) in try store.recordProgress(reports) }
    for seat in seats { seat.progressIsRecorded() }
    for (attempt, said) in reports {
      observe(.progress(attempt.job, attempt.workspace, said))
    }
  }
}
