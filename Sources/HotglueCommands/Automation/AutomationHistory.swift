import ArgumentParser
import HotglueCore
import HotglueStore

struct AutomationHistory: WorkspaceCommand {
  static let record = CommandRecord(
    "automation history", .readsWorkspace, requires: .role(.viewer))
  static let configuration = CommandConfiguration(
    commandName: "history", abstract: "Show the occurrences of an automation, newest first",
    discussion: """
      Each occurrence with its decision: fired, missed, skipped or paused, the job, and how the job \
      stands. Occurrences are kept for 90 days.
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup var pages: PageOptions

  @Argument(help: ArgumentHelp("The automation's name or link.", valueName: "automation"))
  var automation: String

  private static let page = 1000

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    let limit = try pages.most(session.output)
    let automation = try session.automation(automation)
    let list = PagedList(
      session.base, in: session.workspace, filters: ["automation=\(automation.id)"])
    var before = try list.start(at: pages.cursor)?.before
    let output = session.output
    let zone = try? session.environment.zone(named: automation.definition.zone)
    output.breadcrumb(session.workspace.text, "automations", automation.name, "history")
    var shown = 0
    while limit == 0 || shown < limit {
      let wanted = limit == 0 ? Self.page : min(Self.page, limit - shown)
      var records = try session.store.occurrences(
        of: automation.id, in: session.workspace, before: before, limit: wanted + 1)
      let hasMore = records.count > wanted
      if hasMore { records.removeLast() }
      show(records, of: automation, in: zone, output)
      shown += records.count
      before = records.last?.position
      if !hasMore || session.environment.output.isClosed { return .done }
    }
    if let before { try list.tellNext(before: before, since: nil) }
    return .done
  }

  private func show(
    _ records: [OccurrenceRecord], of automation: Automation, in zone: Zone?, _ output: Output
  ) {
    if output.isJSON {
      for record in records { output.jsonLine(AutomationJSON.record(record, of: automation)) }
    } else if output.isQuiet {
      for job in records.compactMap(\.job) { output.rawLine(String(job)) }
    } else {
      let shownZone = output.isTerminal && !global.utc ? zone : nil
      output.table(
        OccurrenceText.headings, records.map { OccurrenceText.cells($0, in: shownZone) })
    }
  }
}
