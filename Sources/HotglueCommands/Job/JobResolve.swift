import ArgumentParser
import HotglueCore

struct JobResolve: WorkspaceCommand {
  static let record = CommandRecord("job resolve", .settlesWorkspace, requires: .role(.operator))
  static let configuration = CommandConfiguration(
    commandName: "resolve", abstract: "say what became of uncertain jobs",
    discussion: """
      An uncertain job is not safe to run twice, and nobody knows what its last attempt did. Look, \
      then say so: 'succeeded' and 'failed' end it, 'retry' runs it again.
      """)

  @OptionGroup var global: GlobalOptions

  @Option(
    name: .customLong("as"),
    help: ArgumentHelp("What became of it.", valueName: "succeeded|failed|retry"))
  var resolution: String

  @Option(help: ArgumentHelp("Why, for the job's history.", valueName: "text"))
  var reason: String

  @Argument(help: ArgumentHelp("IDs or links.", valueName: "job"))
  var jobs: [String]

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    guard let resolution = JobEvent.Resolution(rawValue: resolution) else {
      throw CommandError.usage(
        "'--as' cannot be '\(resolution)'", hint: "give succeeded, failed or retry")
    }
    try Reason.check(reason, kept: "the job's history")
    return try session.forEachJob(jobs) { id in
      let job = try session.store.resolve(
        id, in: session.workspace, as: resolution, reason: reason, by: session.actor,
        at: session.now)
      session.tellChange(
        of: job,
        "job \(id) of workspace '\(session.workspace)' is resolved: \(job.state.rawValue)")
      return .done
    }
  }
}
