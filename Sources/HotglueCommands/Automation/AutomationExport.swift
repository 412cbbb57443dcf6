import ArgumentParser
import HotglueCore
import HotglueStore

struct AutomationExport: WorkspaceCommand {
  static let record = CommandRecord(
    "automation export", .readsWorkspace, requires: .role(.viewer))
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write automations in the form that 'type apply' reads",
    discussion: "Values of recorded variables are part of the output.")

  @OptionGroup var global: GlobalOptions

  @Argument(help: ArgumentHelp("The automations (default: all).", valueName: "automation"))
  var names: [String] = []

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    let automations =
      try names.isEmpty
      ? session.store.automations(in: session.workspace)
      : names.map { try session.automation($0) }
    if session.output.isJSON {
      for automation in automations {
        session.output.jsonLine(
          AutomationJSON.whole(automation, next: session.nextOccurrences(of: automation, 1)))
      }
      return .done
    }
    let tables = try automations.map { try session.table(of: $0) }
    session.output.stored(tables.joined(separator: "\n").utf8)
    return .done
  }
}
