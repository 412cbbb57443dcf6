import ArgumentParser
import HotglueCore
import HotglueStore

struct JobPrune: WorkspaceCommand {
  static let record = CommandRecord("job prune", .changesWorkspace, requires: .role(.owner))
  static let configuration = CommandConfiguration(
    commandName: "prune",
    abstract: "remove the workspace's jobs that ended long ago, and their logs",
    discussion: """
      Succeeded and cancelled jobs are kept for 14 days, failed ones for 90, uncertain \
      ones until they are resolved, and any job as long as the end of one of its effects is unknown. \
      Records that a sync set aside are kept as long as the job of that sync would be.
      """)

  @OptionGroup var global: GlobalOptions

  @Option(
    name: .customLong("older-than"),
    help: ArgumentHelp("Remove what ended longer ago than this.", valueName: "duration"),
    transform: Arguments.value)
  var olderThan: Span?

  @Option(
    help: ArgumentHelp(
      "Only jobs in this state; repeat it or separate states by commas.", valueName: "state"))
  var state: [String] = []

  @Flag(name: .customLong("dry-run"), help: "Print what would be removed, and remove nothing.")
  var dryRun = false

  private static let states: [JobState] = [.succeeded, .cancelled, .failed]

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    var rule = RetentionRule.standard(at: session.now)
    rule.effectsSettledBefore = nil
    if let olderThan {
      let bound = Timestamp(milliseconds: session.now.milliseconds - olderThan.milliseconds)
      rule = RetentionRule(endedWellBefore: bound, endedBadlyBefore: bound)
    }
    let states = try JobStateWords.parse(state, allowed: Self.states)
    if !states.isEmpty { rule.states = states }
    let pruning = Pruning(session: session.base, workspace: session.workspace, dryRun: dryRun)
    let removed = try pruning.run(by: rule)
    pruning.tell(
      removed, of: JSON.Member("workspace", .string(session.workspace.text)),
      named: "workspace '\(session.workspace)'")
    return .done
  }
}
