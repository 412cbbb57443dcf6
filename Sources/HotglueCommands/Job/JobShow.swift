import ArgumentParser
import HotglueCore
import HotglueRunner
import HotglueStore

struct JobShow: WorkspaceCommand {
  static let record = CommandRecord("job show", .readsWorkspace, requires: .role(.viewer))
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "tell the whole story of a job: policy, attempts, history, and what comes next",
    discussion: """
      With --watch it is shown anew whenever it changes, until the job has ended: drawn over on a \
      terminal, else one below the other. Where another process switches the context meanwhile, the \
      watch ends (80); with -w it goes on.
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup var watching: WatchOptions

  @Argument(help: ArgumentHelp("The job's ID or link.", valueName: "job"))
  var job: String

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    let id = try session.jobNumber(job)
    guard watching.watch else { return try session.show(job: id) }
    var last: Job?
    try Watch(session).run {
      let job = try session.store.job(id, in: session.workspace).counted(at: session.now)
      let output = session.output
      if output.drawsOver || job.isChanged(from: last) {
        if last != nil, !output.drawsOver, !output.isJSON, !output.isQuiet { output.rawLine("") }
        _ = try session.show(job: id, isOneOfMany: true)
      }
      last = job
      return !job.state.isFinished
    }
    return .done
  }
}

extension Job {
  /// Whether people would want to see it again: a lease that was renewed is no news.
  func isChanged(from other: Job?) -> Bool {
    guard let other else { return true }
    return withoutLease != other.withoutLease
  }

  private var withoutLease: Job {
    var job = self
    job.lease = nil
    job.leaseExpiresAt = nil
    return job
  }
}

extension WorkspaceSession {
  /// `isOneOfMany`: with `--json` a line of JSON Lines.
  func show(job id: JobID, isOneOfMany: Bool = false) throws -> ExitStatus {
    var story = try JobStory(of: id, in: workspace, from: store, at: now)
    if story.job.state == .running, let held = try heldNote(of: id) {
      if let last = story.attempts.indices.last { story.attempts[last].warnings.append(held) }
    }
    if output.isJSON {
      let json = JobJSON.story(story, at: now)
      if isOneOfMany { output.jsonLine(json) } else { output.object(json) }
    } else if output.isQuiet {
      output.rawLine(String(id))
    } else {
      output.breadcrumb(workspace.text, "jobs", String(id))
      JobStoryText(story: story, output: output, now: now).print()
    }
    return .done
  }

  /// What a running attempt waits for whose main process has ended.
  private func heldNote(of id: JobID) throws -> String? {
    guard let attempt = try store.runningAttempt(of: id, in: workspace) else { return nil }
    let info = try store.info()
    let observer = try AttemptObserver(folder: info.folder, storePath: info.path)
    guard case .held(let processes) = observer.evidence(of: attempt).judgement else { return nil }
    return "waits for processes that could not be stopped: \(LeftoverProcess.text(processes))"
  }
}
