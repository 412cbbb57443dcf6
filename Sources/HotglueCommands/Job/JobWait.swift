import ArgumentParser
import HotglueCore
import HotglueStore

struct JobWait: WorkspaceCommand {
  static let record = CommandRecord("job wait", .readsWorkspace, requires: .role(.viewer))
  static let configuration = CommandConfiguration(
    commandName: "wait", abstract: "wait until jobs have ended",
    discussion: """
      Ends with 0 if all succeeded, 1 if one did not, 83 if one is uncertain, 66 at once if one does \
      not exist, and 75 when the time is over.
      """)

  @OptionGroup var global: GlobalOptions

  @Option(
    help: ArgumentHelp("Wait no longer than this.", valueName: "duration"),
    transform: Arguments.value)
  var timeout: Span?

  @Argument(help: ArgumentHelp("IDs or links.", valueName: "job"))
  var jobs: [String]

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    var ids: [JobID] = []
    for argument in jobs {
      let id = try session.jobID(argument)
      if !ids.contains(id) { ids.append(id) }
    }
    let entry = session.registerWatch(nil, follows: false)
    defer { _ = entry }
    var worst = ExitStatus.done
    try JobWaiting(session: session, timeout: timeout).wait(for: ids, until: \.isFinished) { job in
      session.tellChange(
        of: job, "job \(job.id): \(job.state.rawValue)\(job.reason.map { " (\($0))" } ?? "")")
      try session.environment.output.flush()
      let status = Self.status(of: job.state)
      if status.rawValue > worst.rawValue { worst = status }
    }
    return worst
  }

  static func status(of state: JobState) -> ExitStatus {
    switch state {
    case .succeeded: .done
    case .uncertain: .outcomeUnknown
    case .failed, .cancelled, .blocked, .pending, .running: .unsuccessful
    }
  }
}

/// Waits for jobs to come into a state.
struct JobWaiting {
  let session: WorkspaceSession
  /// `nil`: for as long as it takes.
  let timeout: Span?

  /// Calls `body` with each job once, in the order in which they get there. Past the time-out it
  /// throws, naming the jobs that are not there yet.
  func wait(
    for ids: [JobID], until isThere: (JobState) -> Bool, _ body: (Job) throws -> Void
  ) throws {
    let deadline = timeout.map { SteadyMoment(in: $0) }
    let changes = try StoreChanges(of: session.store, at: session.context.store)
    var waiting = ids
    var said: [JobID: JobProgress] = [:]
    while true {
      try session.base.requireStanding(in: session.workspace)
      var still: [JobID] = []
      var nextExpiry: Timestamp?
      for id in waiting {
        var job = try session.store.job(id, in: session.workspace)
        if job.isExpired(at: session.now) { job = try expire(job) }
        if isThere(job.state) {
          try body(job)
          continue
        }
        still.append(id)
        if job.attempt == 0, let end = job.request.expiresAt {
          nextExpiry = min(nextExpiry ?? end, end)
        }
        if let progress = job.progress, said.updateValue(progress, forKey: id) != progress {
          tell(progress, of: id)
        }
      }
      waiting = still
      // A reader that is gone ends nothing: the exit status is the result.
      if waiting.isEmpty { return }
      let expiry = nextExpiry.map { end in
        SteadyMoment(in: Span(milliseconds: end.milliseconds - session.now.milliseconds))
      }
      let wake = [deadline, expiry].compactMap { $0 }.min {
        $0.millisecondsLeft < $1.millisecondsLeft
      }
      if try !changes.wait(until: wake), let deadline, deadline.millisecondsLeft <= 0 {
        throw Self.timedOut(waiting, of: ids, timeout)
      }
    }
  }

  /// Records that the job's deadline has passed. Where the store takes nothing at the moment, the job
  /// counts as cancelled all the same, and the next worker records it.
  private func expire(_ job: Job) throws(StoreError) -> Job {
    do throws(StoreError) {
      _ = try session.store.expire(in: [session.workspace], at: session.now)
      return try session.store.job(job.id, in: session.workspace).counted(at: session.now)
    } catch {
      switch error {
      case .busy, .diskFull, .inputOutput, .readOnly: return job.counted(at: session.now)
      default: throw error
      }
    }
  }

  /// Whoever waits at a terminal sees how far it is.
  private func tell(_ progress: JobProgress, of id: JobID) {
    guard session.environment.isTerminal(.error), !session.output.isJSON else { return }
    session.output.note("job \(id): \(ProgressText.of(progress))")
  }

  private static func timedOut(_ ids: [JobID], of all: [JobID], _ timeout: Span?) -> CommandError {
    let some = ids.prefix(5).map(String.init).joined(separator: ", ")
    let which = ids.count > 5 ? "\(some), …" : some
    return CommandError(
      "timed_out", .tryLater,
      "timed out after \(timeout?.text ?? "0s"): \(ids.count) of \(Count.of(all.count, "job")) "
        + "\(ids.count == 1 ? "has" : "have") not ended (\(which))",
      hint: "see 'hotglue job show \(ids[0])'; the jobs go on",
      facts: [JSON.Member("jobs", .array(ids.map { .integer($0) }))])
  }
}
