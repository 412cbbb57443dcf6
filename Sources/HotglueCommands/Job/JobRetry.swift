import ArgumentParser
import HotglueCore

struct JobRetry: WorkspaceCommand {
  static let kind = CommandKind.jobRetry
  static let configuration = CommandConfiguration(
    commandName: "retry", abstract: "give failed, exhausted or cancelled jobs fresh budgets",
    discussion: """
      Each is pending again, at once. Attempts, fence and history go on. Refused while another job
      that has not ended holds its key.
      """)

  @OptionGroup var global: GlobalOptions

  @Argument(help: ArgumentHelp("IDs or links.", valueName: "job"))
  var jobs: [String]

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    try session.forEachJob(jobs) { id in
      let job = try session.store.retryAgain(
        id, in: session.workspace, by: session.actor, at: session.now)
      session.tellChange(
        of: job, "job \(id) of workspace '\(session.workspace)' is pending again")
      return .done
    }
  }
}
