import ArgumentParser
import HotglueCore
import HotglueStore

struct AutomationList: WorkspaceCommand {
  static let record = CommandRecord(
    "automation list", .readsWorkspace, requires: .role(.viewer))
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the automations of the workspace, by name")

  @OptionGroup var global: GlobalOptions

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    let output = session.output
    let automations = try session.store.automations(in: session.workspace)
    output.breadcrumb(session.workspace.text, "automations")
    var rows: [[Cell]] = []
    for automation in automations {
      if output.isQuiet, !output.isJSON {
        output.line(automation.name)
        continue
      }
      let next = session.nextOccurrences(of: automation, 1).first
      if output.isJSON {
        output.jsonLine(AutomationJSON.object(automation, next: next))
        continue
      }
      rows.append([
        Cell(automation.name), Cell(automation.state),
        Cell(automation.state == .active ? next?.at : nil), Cell(automation.lastAt),
        Cell(automation.lastJob.map { String($0) }),
        Cell(automation.definition.schedule.words), Cell(automation.definition.zone),
      ])
    }
    if !rows.isEmpty {
      output.table(["name", "state", "next", "last", "job", "schedule", "zone"], rows)
    }
    if !automations.isEmpty { try session.noteWithoutTicker() }
    return .done
  }
}

struct AutomationShow: WorkspaceCommand {
  static let record = CommandRecord(
    "automation show", .readsWorkspace, requires: .role(.viewer))
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show what an automation is set to, and its next occurrences")

  @OptionGroup var global: GlobalOptions

  @Argument(help: ArgumentHelp("The automation's name or link.", valueName: "automation"))
  var automation: String

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    try session.show(session.automation(automation))
    return .done
  }
}

extension WorkspaceSession {
  /// None where its zone cannot be read.
  func nextOccurrences(of automation: Automation, _ count: Int) -> [Occurrence] {
    guard let zone = try? environment.zone(named: automation.definition.zone) else { return [] }
    return automation.definition.next(count, after: now, in: zone)
  }

  func show(_ automation: Automation) throws {
    let next = nextOccurrences(of: automation, 5)
    if output.isJSON {
      output.object(AutomationJSON.whole(automation, next: next))
      return
    }
    if output.isQuiet {
      output.line(automation.name)
      return
    }
    output.breadcrumb(workspace.text, "automations", automation.name)
    let definition = automation.definition
    var fields: [(name: String, cell: Cell)] = [
      ("automation", Cell(automation.name)), ("id", Cell(automation.id)),
      ("link", Cell(EntityLink.automation(automation.id, in: automation.workspace).text)),
      ("workspace", Cell(automation.workspace.text)), ("state", Cell(automation.state)),
    ]
    if let reason = automation.reason { fields.append(("reason", Cell(reason))) }
    fields += [
      ("revision", Cell(automation.revision)), ("schedule", Cell(definition.schedule.words)),
      ("zone", Cell("\(definition.zone) (from \(definition.zoneOrigin.words))")),
    ]
    if let from = definition.from { fields.append(("from", Cell(from))) }
    if let until = definition.until { fields.append(("until", Cell(until))) }
    fields.append(("missed", Cell(definition.missed.text)))
    if let within = definition.missedWithin { fields.append(("missed within", Cell(within.text))) }
    fields.append(("overlap", Cell(definition.overlap.rawValue)))
    if definition.jitter > .zero {
      let seed = AutomationSeed.of(automation.name, in: automation.workspace.text)
      let offset = AutomationSeed.offset(definition.jitter, seed: seed)
      fields.append(("jitter", Cell("\(definition.jitter.text) (starts \(offset.text) later)")))
    }
    if let bound = definition.pauseAfter { fields.append(("pause after", Cell(bound))) }
    let job = automation.contract.job
    fields.append(
      job.overrides == nil
        ? ("command", Cell(ShellWords.joined(job.command))) : ("type", Cell(job.type)))
    fields += [
      ("last", Cell(automation.lastAt)), ("last job", Cell(automation.lastJob.map { String($0) })),
      ("set at", Cell(automation.setAt)), ("set by", Cell(automation.setBy)),
    ]
    if automation.state == .active, let zone = try? environment.zone(named: definition.zone) {
      for occurrence in next {
        fields.append(("next", Cell(AutomationWords.moment(occurrence, in: zone))))
      }
    }
    output.fields(fields)
  }
}

extension Cell {
  init(_ state: Automation.State) {
    let style: Style? =
      switch state {
      case .active: nil
      case .paused: .doubtful
      case .zoneMissing: .bad
      }
    self.init(state.rawValue, style)
  }
}

extension Schedule {
  /// As it is written on the command line.
  var words: String {
    switch self {
    case .cron(let expressions): expressions.map(\.text).joined(separator: "; ")
    case .every(let span): "every \(span.text)"
    }
  }
}
