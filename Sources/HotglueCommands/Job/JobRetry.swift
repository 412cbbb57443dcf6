import ArgumentParser
import HotglueCore

struct JobRetry: WorkspaceCommand {
  static let record = CommandRecord("job retry", .changesWorkspace, requires: .role(.operator))
  static let configuration = CommandConfiguration(
    commandName: "retry", abstract: "give failed or cancelled jobs fresh budgets",
    discussion: """
      Each is pending again, at once. Attempts, fence and history continue. A deadline that has
      passed is dropped. Refused while another live job holds its dedupe key.
      """)

  @OptionGroup var global: GlobalOptions

  @Argument(help: ArgumentHelp("IDs or links.", valueName: "job"))
  var jobs: [String]

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    try session.forEachJob(jobs) { id in
      let before = try session.store.job(id, in: session.workspace)
      let job = try session.store.retryAgain(
        id, in: session.workspace, by: session.actor, at: session.now)
      let deadline =
        before.request.expiresAt != nil && job.request.expiresAt == nil
        ? ", without its deadline, which has passed" : ""
      session.tellChange(
        of: job, "job \(id) of workspace '\(session.workspace)' is pending again\(deadline)")
      return .done
    }
  }
}
