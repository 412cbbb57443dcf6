import ArgumentParser
import HotglueCore
import HotglueRunner
import HotglueStore

struct JobReclaim: HotglueCommand {
  static let configuration = CommandConfiguration(
    commandName: "reclaim", abstract: "resolve running attempts that nobody minds",
    discussion: """
      Does at once what every worker does on every turn: an attempt whose worker is gone, or whose
      lease is over, is asked. What has ended is recorded, what never started goes back, what is lost
      is judged by the job's --replay. What lives goes on and is printed as 'unattended'.
      """)
  static let record = CommandRecord(
    "job reclaim", .settlesWorkspace, requires: .role(.operator))

  @OptionGroup var global: GlobalOptions

  @Flag(name: .customLong("dry-run"), help: "Print what would happen, and change nothing.")
  var dryRun = false

  @Flag(help: "Stop attempts that live and that nobody minds.")
  var stop = false

  @Flag(name: .customLong("all-workspaces"), help: "Look at every workspace.")
  var allWorkspaces = false

  @Argument(help: ArgumentHelp("Only this job.", valueName: "job"))
  var job: String?

  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    let session = try StoreSession.open(for: Self.record, global, in: environment)
    let place = try WorkerHost.place(of: session.store, in: environment)
    let workspaces: [WorkspaceID]
    var only: JobID?
    if allWorkspaces {
      let (allowed, others) = try session.allowedWorkspaces()
      workspaces = allowed.map(\.id)
      if others > 0 {
        session.output.note(
          "note: left out: \(others) of \(allowed.count + others) workspaces, where this user may "
            + "not work")
      }
      if job != nil { throw CommandError.usage("a job and --all-workspaces exclude each other") }
    } else {
      let workspace = try session.entering(session.requireWorkspace())
      workspaces = [workspace.workspace]
      do {
        only = try job.map { try workspace.jobID($0) }
      } catch let error as StoreError {
        throw CommandError(error, in: workspace)
      }
    }
    let result = try Reclaim(
      store: session.store, place: place, user: session.actor.user, actor: session.actor
    )
    .run(in: workspaces, only: only, dryRun: dryRun, stops: stop)
    if !dryRun { try log(result.lines, session) }
    show(result.lines, session.output)
    if let trouble = result.troubles.first { throw trouble }
    return .done
  }

  /// What was recorded has left its row in the audit log in the same step; what was told to stop, and
  /// what has expired, leaves it here.
  private func log(_ lines: [Reclaim.Line], _ session: StoreSession) throws {
    for (workspace, lines) in Dictionary(
      grouping: lines.filter { $0.became == .stopping || $0.became == .expired },
      by: \.workspace)
    {
      try session.store.log(
        session.actor, in: workspace, subjects: lines.map { "job/\($0.job)" }, at: session.now)
    }
  }

  private func show(_ lines: [Reclaim.Line], _ output: Output) {
    if output.isJSON {
      for line in lines { output.jsonLine(line.json) }
    } else if output.isQuiet {
      for line in lines { output.line(String(line.job)) }
    } else {
      output.table(
        ["id", "workspace", "became", "why"],
        lines.map { line in
          [
            Cell(line.job), Cell(line.workspace.text), Cell(line.became.words), Cell(line.why),
          ]
        })
    }
  }
}

extension Reclaim.Became {
  var words: String {
    switch self {
    case .recorded(let state): state.rawValue
    case .expired: JobState.cancelled.rawValue
    case .unattended: "unattended"
    case .stopping: "stopping"
    case .waiting: "waiting"
    case .elsewhere: "elsewhere"
    case .held(let processes): "waits for \(LeftoverProcess.text(processes))"
    case .resolving(let pid): "being resolved by pid \(pid)"
    case .taken: "taken"
    case .would(let outcome): "would be \(outcome.rawValue)"
    }
  }
}

extension Reclaim.Line {
  var json: JSON {
    .object([
      JSON.Member("job", .integer(job)), JSON.Member("workspace", .string(workspace.text)),
      JSON.Member("link", .string(EntityLink.job(job, in: workspace).text)),
      JSON.Member("became", .string(became.words)), JSON.Member("why", .string(why)),
    ])
  }
}
