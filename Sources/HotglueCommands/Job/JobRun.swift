import ArgumentParser
import HotglueCore
import HotglueRunner
import HotglueStore

struct JobRun: HotglueCommand {
  static let record = CommandRecord(
    "job run", .changesWorkspace, requires: .role(.operator), answersWithChange: false)
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "store a command as a job, run it here, and end as it ended",
    usage: "hotglue job run [flags] -- COMMAND…",
    discussion: """
      The job is as durable as any other: killed with this command or without it, it goes on under its
      supervisor. Its output goes to standard output as it comes, through back-offs and further
      attempts. Ends with the status of its last attempt, 128 + the number of a signal, 83 when nobody
      knows, 75 when it never got to run. INT or TERM cancels it by its stopSequence; a second one leaves it
      to its supervisor.
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup(title: "Policy") var policy: PolicyOptions
  @OptionGroup(title: "Job") var job: EnqueueOptions

  @Argument(parsing: .postTerminator, help: "The command and its arguments, behind '--'.")
  var command: [String] = []

  /// The fork server is made before the store is opened for work.
  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    guard !command.isEmpty else {
      throw CommandError.usage(
        "there is no command to run", hint: "hotglue job run [flags] -- COMMAND…")
    }
    let host = try WorkerHost.open(for: Self.record, global, in: environment)
    let session = try host.session.entering(host.session.requireWorkspace())
    return try session.telling { try run(in: session, at: host) }
  }

  private func run(in session: WorkspaceSession, at host: WorkerHost) throws -> ExitStatus {
    let bare = try BareJob(policy, job, in: session.environment)
    let request = try bare.request(
      command: command, payload: job.plain.payloadText(in: session.environment))
    let enqueued = try session.store.enqueue(
      [request], in: session.workspace, by: session.actor, at: bare.now)
    guard let id = enqueued.first?.id else { return .internalError }
    session.environment.output.stored = String(id)
    session.output.detail("job \(id)")
    var options = WorkerOptions(scope: .workspaces([session.workspace]))
    options.only = id
    options.cancelsOnSignal = true
    let story = WorkStory(session.output, isTold: global.verbose)
    let notes = JobRunNotes(session: session, id: id)
    let worker = try host.worker(options) { event in
      story.tell(event)
      notes.tell(event)
    }
    let log = LogFollower(try JobLogSource(session: session, job: id))
    let streams = !session.output.isJSON
    worker.wakesFor = log.fileDescriptor
    var failure: (any Error)?
    worker.eachTurn = { [unowned worker] in
      do {
        if streams, failure == nil, !session.environment.output.isClosed {
          return try log.step { _ in true }
        }
      } catch {
        failure = error
      }
      // Nobody reads what the job writes; it goes on.
      worker.wakesFor = -1
      return nil
    }
    let summary = try worker.run()
    if streams, failure == nil {
      do { _ = try log.step { _ in true } } catch { failure = error }
    }
    let ended = try session.store.job(id, in: session.workspace)
    if !streams { session.output.object(JobJSON.object(ended, at: session.now)) }
    if summary.couldNotCancel { session.output.warning(.notCancelled(id)) }
    notes.tellEnd(of: ended, summary)
    if let signal = summary.signal { return ExitStatus(rawValue: 128 + signal) }
    if let failure { throw failure }
    return Self.status(of: ended)
  }

  /// The status of the job's last attempt, as a shell would have seen it.
  static func status(of job: Job) -> ExitStatus {
    switch job.state {
    case .succeeded: return ExitStatus(rawValue: Int32(clamping: job.exitStatus ?? 0))
    case .uncertain: return .outcomeUnknown
    case .failed, .cancelled, .pending, .blocked, .running: break
    }
    if job.error?.kind == AttemptOutcome.unknown.rawValue { return .outcomeUnknown }
    if let signal = job.signal {
      return ExitStatus(rawValue: 128 + Int32(min(max(0, signal), 127)))
    }
    if let status = job.exitStatus {
      return status == 0 ? .unsuccessful : ExitStatus(rawValue: Int32(clamping: status))
    }
    return .tryLater
  }
}

extension CommandError {
  /// A signal asked for it, and the store is full or busy.
  static func notCancelled(_ job: JobID) -> CommandError {
    CommandError(
      "not_cancelled", .tryLater,
      "job \(job) could not be cancelled, and goes on without this command",
      hint: "when the store can be written to: 'hotglue job cancel \(job)'",
      facts: [JSON.Member("job", .integer(job))])
  }
}
