import ArgumentParser
import HotglueCore
import HotglueStore

struct AutomationCheck: WorkspaceCommand {
  static let record = CommandRecord(
    "automation check", .readsWorkspace, requires: .role(.viewer))
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Check that automations fire, for monitoring",
    discussion: """
      Exit 1 when an automation is late, was paused by failures, or lacks its zone, or when no worker \
      ticks. An automation is late when an occurrence is older than '--late' and is not decided.
      """)

  @OptionGroup var global: GlobalOptions

  @Option(
    help: ArgumentHelp(
      "How old an undecided occurrence may be (default: 2m).", valueName: "duration"),
    transform: Arguments.value)
  var late: Span = .minutes(2)

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    let automations = try session.store.automations(in: session.workspace)
    var problems: [Problem] = []
    for automation in automations { problems += Problem.all(of: automation, late: late, session) }
    if automations.contains(where: { $0.state == .active }), try !session.isTicked() {
      problems.append(
        Problem(
          kind: "no_worker", automation: nil, message: "no worker ticks",
          command: "hotglue job work -w \(session.workspace)"))
    }
    let output = session.output
    for problem in problems {
      if output.isJSON {
        output.jsonLine(problem.json(in: session.workspace))
      } else if output.isQuiet {
        output.line(problem.automation ?? problem.kind)
      } else {
        output.line(problem.text)
        output.hint(Hint(command: problem.command))
      }
    }
    if problems.isEmpty, !output.isJSON, !output.isQuiet {
      output.note(
        "\(Count.of(automations.count, "automation")) of workspace '\(session.workspace)' in order")
    }
    return problems.isEmpty ? .done : .unsuccessful
  }

  private struct Problem {
    let kind: String
    let automation: String?
    let message: String
    let command: String

    var text: String { (automation.map { "automation '\($0)': " } ?? "") + message }

    func json(in workspace: WorkspaceID) -> JSON {
      .object([
        JSON.Member("kind", .string(kind)), JSON.Member("subject", .text(automation)),
        JSON.Member("workspace", .string(workspace.text)),
        JSON.Member("message", .string(message)), JSON.Member("command", .string(command)),
      ])
    }

    static func all(
      of automation: Automation, late: Span, _ session: WorkspaceSession
    ) -> [Problem] {
      let name = automation.name
      let show = "hotglue automation show \(Shell.quoted(name))"
      guard let zone = try? session.environment.zone(named: automation.definition.zone) else {
        return [
          Problem(
            kind: "zone_missing", automation: name,
            message: "its time zone '\(automation.definition.zone)' cannot be read", command: show)
        ]
      }
      switch automation.state {
      case .zoneMissing:
        return [
          Problem(
            kind: "zone_missing", automation: name,
            message: automation.reason ?? "its time zone was missing at the last tick",
            command: "hotglue automation resume \(Shell.quoted(name))")
        ]
      case .paused where automation.isPausedByFailures:
        return [
          Problem(
            kind: "automation_paused", automation: name,
            message: automation.reason ?? "paused by failures",
            command: "hotglue automation resume \(Shell.quoted(name))")
        ]
      case .paused: return []
      case .active: break
      }
      let first = automation.definition.next(after: automation.cursor, in: zone).first
      guard let first, session.now.milliseconds - first.at.milliseconds > late.milliseconds else {
        return []
      }
      return [
        Problem(
          kind: "automation_late", automation: name,
          message: "the occurrence of \(first.at.rfc3339) is not decided yet",
          command: "hotglue automation tick")
      ]
    }
  }
}
