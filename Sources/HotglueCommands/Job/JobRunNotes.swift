import HotglueCore
import HotglueRunner
import HotglueStore

/// What `job run` says on standard error: when the job is tried again, and why it ended as it did
/// where the status alone would not tell. A command that ends with a status of its own stays silent,
/// as in a shell.
struct JobRunNotes {
  let session: WorkspaceSession
  let id: JobID

  /// A further attempt comes: why, and when.
  func tell(_ event: WorkerEvent) {
    switch event {
    case .ended(id, _, let verdict, .pending): retry(after: verdict.message)
    case .rescued(id, _, let why, .pending): retry(after: why)
    default: break
    }
  }

  private func retry(after why: String) {
    // Only the words depend on it: a store that cannot be read now is told by the worker.
    guard let job = try? session.store.job(id, in: session.workspace) else { return }
    let wait = job.runAt.milliseconds - session.now.milliseconds
    note(": \(why); it runs again" + (wait > 0 ? " in \(approximate(wait))" : ""))
  }

  private func approximate(_ milliseconds: Int64) -> String {
    Span(milliseconds: milliseconds).approximateText
  }

  /// The job as it is when this command ends.
  func tellEnd(of job: Job, _ summary: WorkerSummary) {
    if let signal = summary.signal, !summary.couldNotCancel {
      return tellInterruption(of: job, by: "SIG\(Signal(number: signal).name)")
    }
    switch job.state {
    case .succeeded: break
    case .uncertain:
      note(
        " has an unknown outcome: \(failure(of: job))",
        hint: resolving)
    case .failed:
      guard !isPlainExit(job) else { return }
      note(" failed: \(failure(of: job))\(attempts(of: job))")
    case .cancelled:
      note(
        job.reason == "expired"
          ? " was cancelled: its deadline passed before it could start" : " was cancelled")
    case .pending, .blocked, .running:
      note(" has not ended", hint: "hotglue job explain \(id)")
    }
  }

  private func tellInterruption(of job: Job, by signal: String) {
    switch job.state {
    case .cancelled: note(" was cancelled by \(signal)")
    case .running, .pending, .blocked:
      note(
        " continues under its supervisor (\(signal))",
        hint: "hotglue job wait \(id)")
    case .uncertain:
      note(
        " was stopped by \(signal), and its outcome is unknown: \(failure(of: job))",
        hint: resolving)
    case .succeeded, .failed:
      note(" ended before \(signal) could stop it: \(job.state.rawValue)")
    }
  }

  /// Whether the status says it all: one attempt, and a status that no other thing ends with.
  private func isPlainExit(_ job: Job) -> Bool {
    guard job.attempt == 1, job.error?.code == "exit", let status = job.exitStatus else {
      return false
    }
    return ![75, 83, 126, 127].contains(status)
  }

  private func failure(of job: Job) -> String {
    guard let error = job.error else { return job.reason ?? "no reason is recorded" }
    if ["not_executable", "command_not_found"].contains(error.code),
      let name = job.request.command.first
    {
      return "\(name): \(error.message)"
    }
    return error.message.isEmpty ? error.code : error.message
  }

  private func attempts(of job: Job) -> String {
    guard job.attempt > 1 || ["retry_for", "max_losses", "max_snoozes"].contains(job.reason) else {
      return ""
    }
    let reason = job.reason.map { " (\($0))" } ?? ""
    return ", after \(Count.of(job.attempt, "attempt"))\(reason)"
  }

  private var resolving: Hint {
    "look what it did, then 'hotglue job resolve \(id) --as succeeded|failed|retry --reason TEXT'"
  }

  private func note(_ text: String, hint: Hint? = nil) {
    guard !session.output.isJSON else { return }
    session.output.note("hotglue: job \(id)\(text)")
    if let hint { session.output.hint(hint) }
  }
}
