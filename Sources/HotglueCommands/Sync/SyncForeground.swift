import HotglueCore
import HotglueRunner
import HotglueStore

/// Carries out a sync job here, or follows the worker that does.
struct SyncForeground {
  let session: WorkspaceSession
  let source: Source
  let host: WorkerHost
  let isVerbose: Bool

  /// Claims the job, or follows the worker that runs it and takes it up when that one dies; until it has
  /// ended.
  func follow(_ job: JobID, isOurs: Bool) throws -> WorkerSummary {
    var options = WorkerOptions(scope: .workspaces([session.workspace]))
    options.only = job
    options.cancelsOnSignal = isOurs
    options.startsNow = isOurs
    options.grace = .zero
    let story = WorkStory(session.output, isTold: isVerbose)
    let display = SyncDisplay(session, job: job, of: source)
    let worker = try host.worker(options) { event in
      if isVerbose { display.clear() }
      story.tell(event)
    }
    var failure: (any Error)?
    worker.eachTurn = {
      guard failure == nil else { return nil }
      do {
        try display.step()
        return display.interval
      } catch {
        failure = error
        return nil
      }
    }
    let summary = try worker.run()
    display.end()
    if let failure { throw failure }
    return summary
  }

  /// Follows the job, shows what it came to, and judges.
  func work(
    _ job: JobID, isOurs: Bool, show: (SyncStanding) throws -> Void
  ) throws -> ExitStatus {
    if isOurs { session.environment.output.stored = String(job) }
    session.output.detail("job \(job)")
    let summary = try follow(job, isOurs: isOurs)
    let ended = try session.store.job(job, in: session.workspace)
    try show(SyncStanding(of: ended, source, in: session))
    if summary.couldNotCancel { session.output.warning(.notCancelled(job)) }
    if let signal = summary.signal { return ExitStatus(rawValue: 128 + signal) }
    switch ended.state {
    case .succeeded: return .done
    case .uncertain: return .outcomeUnknown
    case .failed where ended.error?.code == "key_changed": return .refused
    case .failed, .cancelled: return .unsuccessful
    case .pending, .blocked, .running: return .tryLater
    }
  }
}
