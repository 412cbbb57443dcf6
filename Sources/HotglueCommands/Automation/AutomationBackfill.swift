import ArgumentParser
import HotglueCore
import HotglueRunner
import HotglueStore

struct AutomationBackfill: WorkspaceCommand {
  static let record = CommandRecord(
    "automation backfill", .changesWorkspace, requires: .role(.operator))
  static let configuration = CommandConfiguration(
    commandName: "backfill", abstract: "Run the job of an automation for occurrences of the past",
    discussion: """
      One job for each occurrence from '--since' up to '--until', oldest first, one at a time, with \
      priority -10. Occurrences that have a job are left out, unless '--redo' names them. More than \
      10000 occurrences are refused (65).
      """)

  @OptionGroup var global: GlobalOptions

  @Option(help: ArgumentHelp("The first time.", valueName: "time"))
  var since: String

  @Option(help: ArgumentHelp("Occurrences before this time.", valueName: "time"))
  var until: String

  @Option(
    help: ArgumentHelp(
      "Which occurrences run again although they have a job (default: none).",
      valueName: "none|failed|all"), transform: Self.redo)
  var redo = BackfillRedo.none

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The priority of the jobs (default: -10).", valueName: "n"))
  var priority = -10

  @Flag(help: "Only show the occurrences that would run.")
  var dryRun = false

  @Argument(help: ArgumentHelp("The automation's name or link.", valueName: "automation"))
  var automation: String

  static let most = 10_000

  private static func redo(_ text: String) throws -> BackfillRedo {
    guard let redo = BackfillRedo(rawValue: text) else {
      throw ValidationError("invalid value '\(text)' for '--redo': expected none, failed or all")
    }
    return redo
  }

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    var settings = JobSettings()
    do throws(BadSetting) {
      try settings.set(.priority, to: String(priority), SettingClock(now: session.now))
    } catch {
      throw CommandError(error)
    }
    let automation = try session.automation(automation)
    let definition = automation.definition
    let zone = try session.environment.zone(named: definition.zone)
    let now = session.now
    let from = try time(since, "--since", zone, now)
    let to = try time(until, "--until", zone, now)
    guard from < to else {
      throw CommandError.badInput(
        "'--until' is not after '--since'", hint: "give an end after \(from.rfc3339)")
    }
    guard to.milliseconds <= now.milliseconds + 1000 else {
      throw CommandError.badInput(
        "'--until' is in the future: occurrences that are still to come fire by themselves",
        hint: "give \(now.rfc3339) or an earlier time")
    }
    let found = definition.next(
      Self.most + 1, after: Timestamp(milliseconds: from.milliseconds - 1000), in: zone
    ).prefix { $0.at < to }
    guard found.count <= Self.most else {
      throw CommandError.badInput(
        "more than \(Self.most) occurrences lie between \(from.rfc3339) and \(to.rfc3339)",
        hint: "backfill a part of them at a time")
    }
    let records = try session.store.backfill(
      automation.name, TickPlan.due(Array(found), of: definition, in: zone), redo: redo,
      priority: priority, dryRun: dryRun, in: session.workspace, by: session.actor, at: now)
    show(records, of: automation, session)
    return .done
  }

  private func time(
    _ text: String, _ flag: String, _ zone: Zone, _ now: Timestamp
  ) throws(CommandError) -> Timestamp {
    guard let time = TimeExpression.time(text, now: now, zone: zone, direction: .last) else {
      throw .usage(
        "invalid value '\(text)' for '\(flag)': expected a time such as "
          + TimeExpression.examples)
    }
    return time
  }

  private func show(
    _ records: [OccurrenceRecord], of automation: Automation, _ session: WorkspaceSession
  ) {
    let output = session.output
    if output.isJSON {
      for record in records { output.jsonLine(AutomationJSON.record(record, of: automation)) }
    } else if output.isQuiet {
      for job in records.compactMap(\.job) { output.rawLine(String(job)) }
    } else {
      for record in records { output.line(OccurrenceText.line(record, of: automation.name)) }
      output.note(
        "\(Count.of(records.count, "occurrence")) of automation '\(automation.name)' in workspace "
          + "'\(session.workspace)' \(dryRun ? "would run" : "enqueued")")
    }
  }
}
