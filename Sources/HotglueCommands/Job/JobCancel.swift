import ArgumentParser
import HotglueCore
import HotglueStore

struct JobCancel: WorkspaceCommand {
  static let record = CommandRecord("job cancel", .changesWorkspace, requires: .role(.operator))
  static let configuration = CommandConfiguration(
    commandName: "cancel", abstract: "call jobs off",
    discussion: """
      A job that does not run is cancelled at once. For one that runs the request is recorded, its \
      attempt is told to stop, and the command returns; with --wait it returns when the attempt has \
      stopped.
      """)

  @OptionGroup var global: GlobalOptions

  @Flag(help: "Return when what ran has stopped; 83 if nobody knows what it did.")
  var wait = false

  @Option(
    help: ArgumentHelp("With --wait: wait no longer than this.", valueName: "duration"),
    transform: Arguments.value)
  var timeout: Span?

  @Argument(help: ArgumentHelp("IDs or links.", valueName: "job"))
  var jobs: [String]

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    guard wait || timeout == nil else {
      throw CommandError.usage("'--timeout' is for '--wait'", hint: "give --wait too")
    }
    var stopping: [JobID] = []
    let status = try session.forEachJob(jobs) { id in
      try CancelOrder.resolveIfUnminded(id, session)
      let result = try session.store.cancel(
        id, in: session.workspace, by: session.actor, at: session.now)
      switch result {
      case .cancelled:
        try tell(id, "is cancelled", session)
      case .requested(let attempt):
        let sent = try CancelOrder.send(to: attempt, session)
        if wait {
          stopping.append(id)
        } else {
          try tell(id, sent ? "is told to stop" : "is to stop: its cancel is recorded", session)
        }
        if !sent {
          session.output.note(
            naming:
              "the attempt of job \(id) did not answer; the next worker or 'hotglue job reclaim' "
              + "sees to it")
        }
      }
      return .done
    }
    return try waitForEnd(of: stopping, session, status)
  }

  private func tell(_ id: JobID, _ what: String, _ session: WorkspaceSession) throws {
    let job = try session.store.job(id, in: session.workspace)
    session.tellChange(of: job, "job \(id) of workspace '\(session.workspace)' \(what)")
  }

  private func waitForEnd(
    of ids: [JobID], _ session: WorkspaceSession, _ status: ExitStatus
  ) throws -> ExitStatus {
    guard !ids.isEmpty else { return status }
    try session.environment.output.flush()
    var worst = status
    let hasStopped: (JobState) -> Bool = { $0 != .running }
    try JobWaiting(session: session, timeout: timeout).wait(for: ids, until: hasStopped) { job in
      session.tellChange(of: job, "job \(job.id): \(job.state.rawValue)")
      let ended: ExitStatus = job.state == .uncertain ? .outcomeUnknown : .done
      if ended.rawValue > worst.rawValue { worst = ended }
    }
    return worst
  }
}
