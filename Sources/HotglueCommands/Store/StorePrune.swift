import ArgumentParser
import Glibc
import HotglueCore
import HotglueProcess
import HotglueRunner
import HotglueStore

struct StorePrune: StoreCommand {
  static let configuration = CommandConfiguration(
    commandName: "prune", abstract: "remove jobs that ended long ago, their logs, and old drafts",
    discussion: """
      Of every workspace. Succeeded and cancelled jobs are kept for 14 days, failed ones for 90
      days, uncertain ones until they are resolved, and any job as long as the end of one of its \
      effects is unknown. Effects of a workspace are kept for 366 days after their end became known: \
      once forgotten, the same key is carried out again. Drafts in the bin and submitted ones are \
      kept for 14 days, rows of the log for 90, and its newest one for ever. Logs of jobs that \
      nothing in the store names any more go, too. Records that a sync set aside are kept as long as \
      the job of that sync would be.
      """)
  static let record = CommandRecord(
    "store prune", .changesStore, requires: .everywhere(.owner))

  @OptionGroup var global: GlobalOptions

  @Option(
    name: .customLong("older-than"),
    help: ArgumentHelp("Remove what ended longer ago than this.", valueName: "duration"),
    transform: Arguments.value)
  var olderThan: Span?

  @Option(
    name: .customLong("effects-older-than"),
    help: ArgumentHelp(
      "Forget effects of a workspace whose end became known longer ago than this (default: 366d).",
      valueName: "duration"),
    transform: Arguments.value)
  var effectsOlderThan: Span?

  @Flag(name: .customLong("dry-run"), help: "Print what would be removed, and remove nothing.")
  var dryRun = false

  func run(in session: StoreSession) throws -> ExitStatus {
    let pruning = Pruning(session: session, workspace: nil, dryRun: dryRun)
    let removed = try pruning.run(by: rule(at: session.now))
    if !dryRun {
      try EffectLock.removeAbandoned(storeFolder: session.store.folder, olderThanMs: 600_000)
    }
    let drafts = try pruning.drafts(
      before: olderThan.map { Timestamp(milliseconds: session.now.milliseconds - $0.milliseconds) }
        ?? RetentionRule.draftsClosedBefore(session.now))
    pruning.tell(
      removed, drafts: drafts, of: JSON.Member("store", .string(session.context.store)),
      named: "'\(session.context.store)'")
    return .done
  }

  private func rule(at now: Timestamp) -> RetentionRule {
    func ago(_ span: Span) -> Timestamp {
      Timestamp(milliseconds: now.milliseconds - span.milliseconds)
    }
    var rule = RetentionRule.standard(at: now)
    if let olderThan {
      rule.endedWellBefore = ago(olderThan)
      rule.endedBadlyBefore = ago(olderThan)
    }
    if let effectsOlderThan { rule.effectsSettledBefore = ago(effectsOlderThan) }
    return rule
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
          ]
            + (workspace == nil ? [JSON.Member("effects", .integer(removed.effects))] : [])
            + [JSON.Member("rejects", .integer(removed.rejects))]
            + (drafts.map { [JSON.Member("drafts", .integer($0.count))] } ?? [])
            + [JSON.Member("dry_run", .bool(dryRun))]))
    } else if output.isQuiet {
      for job in removed.jobs { output.rawLine(String(job)) }
    } else {
      output.line(
        "\(dryRun ? "would remove" : "removed") \(Count.of(removed.jobs.count, "job")) and "
          + Count.of(removed.logs.count, "log")
          + (removed.effects == 0 ? "" : " and \(Count.of(removed.effects, "effect"))")
          + (removed.rejects == 0
            ? "" : " and \(Count.of(removed.rejects, "rejected record"))")
          + " of \(name)")
      if let drafts, !drafts.isEmpty {
        output.line(
          "\(dryRun ? "would remove" : "removed") \(Count.of(drafts.count, "draft")) that "
            + (drafts.count == 1 ? "was put aside" : "were put aside"))
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
        session.actor, in: nil, subjects: [Count.of(all.count, "draft")], at: session.now)
    }
    return all
  }

  /// A crash between a step and its logs leaves logs that nothing names; pruning the store again
  /// removes them.
  func run(by rule: RetentionRule) throws -> PruneResult {
    let folder = try session.store.info().folder
    var all = try removed(by: rule, folder: folder)
    if workspace == nil {
      let forgotten = try ForgottenLogs(store: session.store, folder: folder).paths()
      all.logs += forgotten
      if !dryRun { for path in forgotten { try remove(path) } }
    }
    return all
  }

  private func removed(by rule: RetentionRule, folder: String) throws -> PruneResult {
    var all = PruneResult(jobs: [], logs: [])
    while true {
      let removed = try session.store.prune(
        in: workspace, by: rule, limit: dryRun ? Int.max : Self.step, dryRun: dryRun,
        actor: session.actor, at: session.now)
      all.jobs += removed.jobs
      all.logs += removed.logs
      all.effects += removed.effects
      all.rejects += removed.rejects
      if dryRun { return all }
      for log in removed.logs { try remove(Path.joined(folder, log)) }
      if max(removed.jobs.count, removed.effects, removed.rejects) < Self.step { break }
    }
    // What a killed shell, external command or watch left beside the store goes as well.
    if workspace == nil {
      WatchRegister(session.store).sweep()
      PrivateContext.sweep(
        store: String(folder.dropLast(2)), user: session.environment.user.id)
    }
    return all
  }

  private func remove(_ path: String) throws { try LogReader.remove(path: path) }
}
