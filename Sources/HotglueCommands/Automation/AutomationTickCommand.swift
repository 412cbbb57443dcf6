import ArgumentParser
import HotglueCore
import HotglueStore

struct AutomationTickCommand: WorkspaceCommand {
  static let record = CommandRecord(
    "automation tick", .changesWorkspace, requires: .role(.operator))
  static let configuration = CommandConfiguration(
    commandName: "tick", abstract: "Decide the occurrences that are due, once, as workers do",
    discussion: """
      For a machine where cron starts the workers: '* * * * * hotglue -w acme automation tick'. Any \
      number of ticks and workers decide an occurrence once.
      """)

  @OptionGroup var global: GlobalOptions

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    let output = session.output
    try session.store.noteTicker(
      in: session.workspace, by: session.actor, at: session.now)
    let ticked = try session.ticker.tickDue(in: [session.workspace], at: session.now)
    for (automation, records) in ticked {
      for record in records {
        if output.isJSON {
          output.jsonLine(AutomationJSON.record(record, of: automation))
        } else if output.isQuiet {
          if let job = record.job { output.rawLine(String(job)) }
        } else {
          output.line(OccurrenceText.line(record, of: automation.name))
        }
      }
    }
    return .done
  }
}

/// A decided occurrence in one line.
enum OccurrenceText {
  static func line(_ record: OccurrenceRecord, of name: String) -> String {
    "\(name) \(record.occurrence.at.rfc3339): \(record.decision.rawValue)"
      + (record.job.map { ", job \($0)" } ?? "") + (record.reason.map { " (\($0))" } ?? "")
  }

  static func cells(_ record: OccurrenceRecord, in zone: Zone?) -> [Cell] {
    [
      Cell(zone?.text(record.occurrence.at) ?? record.occurrence.at.rfc3339),
      Cell(record.decision), Cell(record.job.map { String($0) }), Cell(record.jobState?.rawValue),
      Cell(record.isCatchUp ? "yes" : "no"), Cell(record.reason ?? record.occurrence.noteText),
    ]
  }

  static let headings = ["occurrence", "decision", "job", "outcome", "caught up", "reason"]
}

extension Cell {
  init(_ decision: OccurrenceDecision) {
    let style: Style? =
      switch decision {
      case .fired: .good
      case .missed: .bad
      case .skipped: .doubtful
      case .paused: .faint
      }
    self.init(decision.rawValue, style)
  }
}

struct AutomationTrigger: WorkspaceCommand {
  static let record = CommandRecord(
    "automation trigger", .changesWorkspace, requires: .role(.operator))
  static let configuration = CommandConfiguration(
    commandName: "trigger", abstract: "Enqueue the job of an automation now",
    discussion: """
      Also while it is paused. The overlap rule holds: while it keeps the job from starting, the command \
      is refused (81). No occurrence is decided by it. Prints the job's ID.
      """)

  @OptionGroup var global: GlobalOptions

  @Argument(help: ArgumentHelp("The automation's name or link.", valueName: "automation"))
  var automation: String

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    let automation = try session.automation(automation)
    let definition = automation.definition
    let now = session.now
    let zone = try session.environment.zone(named: definition.zone)
    let second = now.milliseconds / 1000
    let occurrence = Occurrence(
      nominal: zone.civil(second), fold: 0, second: second, note: nil)
    let due = TickPlan.Due(
      occurrence: occurrence, local: zone.text(now),
      previous: definition.previous(of: occurrence, in: zone)?.at)
    let result = try session.store.trigger(
      automation.name, as: due, in: session.workspace, by: session.actor, at: now)
    switch result {
    case .held(let job):
      throw CommandError(
        "overlap", .refused,
        "automation '\(automation.name)' was not triggered: job \(job.id) is \(job.state.rawValue)",
        hint: "wait for it: 'hotglue job wait \(job.id)'",
        facts: [
          JSON.Member("automation", .string(automation.name)), JSON.Member("job", .integer(job.id)),
          JSON.Member("state", .string(job.state.rawValue)),
          JSON.Member("overlap", .string(definition.overlap.rawValue)),
        ])
    case .enqueued(let id):
      if session.output.isJSON {
        session.output.object(
          JobJSON.object(try session.store.job(id, in: session.workspace), at: now))
      } else {
        session.output.rawLine(String(id))
      }
      return .done
    }
  }
}
