import ArgumentParser
import HotglueCore
import HotglueRunner
import HotglueStore

struct AutomationPause: WorkspaceCommand {
  static let record = CommandRecord(
    "automation pause", .changesWorkspace, requires: .role(.operator))
  static let configuration = CommandConfiguration(
    commandName: "pause", abstract: "Let an automation fire no more until it is resumed",
    discussion: """
      When the command has returned, no occurrence fires. Occurrences are recorded as paused. Jobs that \
      were enqueued before still run.
      """)

  @OptionGroup var global: GlobalOptions

  @Option(help: ArgumentHelp("Why, for 'automation show' and 'history'.", valueName: "text"))
  var reason: String?

  @Argument(help: ArgumentHelp("The automation's name or link.", valueName: "automation"))
  var automation: String

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    let automation = try session.automation(automation)
    let after = try session.store.pauseAutomation(
      automation.name, reason: reason, in: session.workspace, by: session.actor, at: session.now)
    let next = session.nextOccurrences(of: after, 1).first
    session.output.result(json: AutomationJSON.object(after, next: next), id: after.name) {
      "automation '\(after.name)' of workspace '\(session.workspace)' is paused"
        + (automation.state == .paused ? " already" : "")
    }
    return .done
  }
}

struct AutomationResume: WorkspaceCommand {
  static let record = CommandRecord(
    "automation resume", .changesWorkspace, requires: .role(.operator))
  static let configuration = CommandConfiguration(
    commandName: "resume", abstract: "Let a paused automation fire again, from now on",
    discussion: """
      Occurrences of the pause do not fire, unless '--catch-up' asks for the newest one or for all of \
      them. Bad ends count anew.
      """)

  @OptionGroup var global: GlobalOptions

  @Option(
    help: ArgumentHelp(
      "Fire the newest occurrence of the pause, or all, oldest first (default: none).",
      valueName: "none|one|all"), transform: Self.catchUp)
  var catchUp = CatchUp.none

  @Argument(help: ArgumentHelp("The automation's name or link.", valueName: "automation"))
  var automation: String

  private static func catchUp(_ text: String) throws -> CatchUp {
    guard let catchUp = CatchUp(rawValue: text) else {
      throw ValidationError("invalid value '\(text)' for '--catch-up': expected none, one or all")
    }
    return catchUp
  }

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    let automation = try session.automation(automation)
    let definition = automation.definition
    let zone = try session.environment.zone(named: definition.zone)
    // What came due since the last tick belongs to the pause.
    if automation.state == .paused { _ = try session.ticker.tick(automation, at: session.now) }
    let (after, fired) = try session.store.resumeAutomation(
      automation.name, next: definition.next(after: session.now, in: zone).first?.at,
      catchUp: catchUp,
      local: { occurrence in
        TickPlan.Due(
          occurrence: occurrence, local: zone.text(occurrence.at),
          previous: definition.previous(of: occurrence, in: zone)?.at)
      }, in: session.workspace, by: session.actor, at: session.now)
    let next = session.nextOccurrences(of: after, 1).first
    session.output.result(json: AutomationJSON.object(after, next: next), id: after.name) {
      "automation '\(after.name)' of workspace '\(session.workspace)' is active"
        + (next.map { ": next at \(AutomationWords.moment($0, in: zone))" } ?? "")
        + (fired.isEmpty ? "" : "; \(Count.of(fired.count, "occurrence")) caught up")
    }
    try session.noteWithoutTicker()
    return .done
  }
}
