import ArgumentParser
import Glibc
import HotglueCore
import HotglueStore

struct StorePrune: StoreCommand {
  static let configuration = CommandConfiguration(
    commandName: "prune", abstract: "remove jobs that ended long ago, their logs, and old drafts",
    discussion: """
      Of every workspace. Succeeded and cancelled jobs are kept for 14 days, failed and exhausted ones
      for 90, uncertain ones until they are resolved; drafts in the bin and submitted ones for 14.
      """)
  static let kind = CommandKind.storePrune

  @OptionGroup var global: GlobalOptions

  @Option(
    name: .customLong("older-than"),
    help: ArgumentHelp("Remove what ended longer ago than this.", valueName: "duration"),
    transform: Arguments.span)
  var olderThan: Span?

  @Flag(name: .customLong("dry-run"), help: "Print what would be removed, and remove nothing.")
  var dryRun = false

  func run(in session: StoreSession) throws -> ExitStatus {
    let pruning = Pruning(session: session, workspace: nil, dryRun: dryRun)
    let removed = try pruning.run(by: rule(at: session.now))
    let drafts = try pruning.drafts(
      before: olderThan.map { Timestamp(milliseconds: session.now.milliseconds - $0.milliseconds) }
        ?? RetentionRule.draftsClosedBefore(session.now))
    pruning.tell(
      removed, drafts: drafts, of: JSON.Member("store", .string(session.context.store)),
      named: "'\(session.context.store)'")
    return .done
  }

  private func rule(at now: Timestamp) -> RetentionRule {
    guard let olderThan else { return .standard(at: now) }
    let bound = Timestamp(milliseconds: now.milliseconds - olderThan.milliseconds)
    return RetentionRule(endedWellBefore: bound, endedBadlyBefore: bound)
  }
}

/// Removes finished jobs in small steps, and the logs that nothing names any more.
struct Pruning {
  let session: StoreSession
  /// `nil`: of every workspace.
  let workspace: WorkspaceID?
  let dryRun: Bool
  /// Jobs removed in one transaction.
  private static let step = 500

  /// Prints what was removed, of the store or of a workspace. Only a store's drafts are pruned.
  func tell(
    _ removed: PruneResult, drafts: [DraftID]? = nil, of subject: JSON.Member, named name: String
  ) {
    let output = session.output
    if output.isJSON {
      output.object(
        .object(
          [
            subject, JSON.Member("jobs", .integer(removed.jobs.count)),
            JSON.Member("logs", .integer(removed.logs.count)),
          ] + (drafts.map { [JSON.Member("drafts", .integer($0.count))] } ?? [])
            + [JSON.Member("dry_run", .bool(dryRun))]))
    } else if output.isQuiet {
      for job in removed.jobs { output.rawLine(String(job)) }
    } else {
      output.line(
        "\(dryRun ? "would remove" : "removed") \(removed.jobs.count) jobs and "
          + "\(removed.logs.count) logs of \(name)")
      if let drafts, !drafts.isEmpty {
        output.line(
          "\(dryRun ? "would remove" : "removed") \(drafts.count) drafts that were put aside")
      }
    }
  }

  /// Drafts that were put aside, or submitted, before the moment; of every workspace.
  func drafts(before moment: Timestamp) throws -> [DraftID] {
    var all: [DraftID] = []
    while true {
      let removed = try session.store.pruneDrafts(
        before: moment, limit: dryRun ? Int.max : Self.step, dryRun: dryRun)
      all += removed
      if dryRun || removed.count < Self.step { break }
    }
    if !dryRun, !all.isEmpty {
      try session.store.log(
        session.actor, in: nil, subjects: ["\(all.count) drafts"], at: session.now)
    }
    return all
  }

  /// A crash between a step and its logs leaves logs that nothing names; a later check finds them.
  func run(by rule: RetentionRule) throws -> PruneResult {
    var all = PruneResult(jobs: [], logs: [])
    let folder = dryRun ? "" : try session.store.info().folder
    while true {
      let removed = try session.store.prune(
        in: workspace, by: rule, limit: dryRun ? Int.max : Self.step, dryRun: dryRun,
        actor: session.actor, at: session.now)
      all.jobs += removed.jobs
      all.logs += removed.logs
      if dryRun { return all }
      for log in removed.logs {
        let path = Path.joined(folder, log)
        guard unlink(path) == 0 || errno == ENOENT else { throw SystemError("remove", path) }
      }
      if removed.jobs.count < Self.step { return all }
    }
  }
}
