import HotglueCore
import HotglueProcess
import HotglueRunner
import HotglueStore

/// What commands say of automations.
enum AutomationWords {
  static func check(_ name: String) throws(CommandError) {
    guard TypeName.isValid(name) else {
      throw .usage("'\(name)' is not a name of an automation", hint: "use \(TypeName.rule)")
    }
  }

  /// Jobs that run one at a time do so by a limit key; one that lets several run contradicts that.
  static func checkTurns(_ contract: AutomationContract) throws(CommandError) {
    let overlap = contract.definition.overlap
    guard overlap.runsOneAtATime else { return }
    let overrides = contract.job.overrides
    let key = overrides.map { $0.limitKey ?? nil } ?? contract.job.limitKey
    let most = overrides?.limitMax ?? contract.job.limitMax
    guard key != nil, most > 1 else { return }
    throw .badInput(
      "'--overlap \(overlap.rawValue)' runs one job at a time, but '--limit-max' lets \(most) run",
      hint: "leave '--limit-max' out, or give --overlap allow")
  }

  /// A moment as people read it: in the zone of the automation.
  static func moment(_ occurrence: Occurrence, in zone: Zone) -> String {
    zone.text(occurrence.at) + (occurrence.noteText.map { " (\($0))" } ?? "")
  }

  /// What is worth knowing before it fires.
  static func note(_ definition: AutomationDefinition, in zone: Zone, _ session: WorkspaceSession) {
    let output = session.output
    if case .cron(let expressions) = definition.schedule {
      for rule in expressions.compactMap(\.dayRule) { output.note("note: \(rule)") }
    }
    let silent = definition.schedule.silentDays(
      zone: zone, after: session.now.milliseconds / 1000)
    if !silent.isEmpty {
      let days = silent.map(\.text).joined(separator: ", ")
      output.note(
        "warning: the schedule does not fire on \(days): the clock in \(zone.name) never shows its "
          + "times then")
    }
    if definition.zoneOrigin != .flag, definition.zoneOrigin != .file {
      output.note("note: the time zone is \(zone.name) (from \(definition.zoneOrigin.words))")
    }
  }
}

extension AutomationDefinition.ZoneOrigin {
  var words: String {
    switch self {
    case .flag: "--timezone"
    case .environment: "TZ"
    case .machine: "/etc/localtime"
    case .crontab: "the crontab"
    case .file: "its file"
    case .standard: "the default: there is no /etc/localtime"
    }
  }
}

extension WorkspaceSession {
  /// The automation that an argument names: its name, or a link with its number.
  func automation(_ text: String) throws -> Automation {
    guard EntityLink.isMeant(by: text) else { return try store.automation(text, in: workspace) }
    let id = try number(text, of: .automation)
    guard let found = try store.owner(ofAutomation: id) else {
      throw StoreError.unknownAutomation(String(id), workspace, near: [])
    }
    guard found.workspace == workspace else {
      let meant = EntityLink(
        workspace: found.workspace, kind: .automation, id: String(id))
      throw CommandError.mismatch(
        of: "automation", meant.text, owner: found.workspace, in: self,
        changes: [.argument(text, meant.text)])
    }
    return try store.automation(found.name, in: workspace)
  }

  /// Ticks as this command's user.
  var ticker: AutomationTicker {
    AutomationTicker(store: store, zones: AutomationZones.lookup(in: environment), actor: actor)
  }

  /// How long ago 'automation tick' may have run to count.
  static var tickerPatience: Span { .minutes(5) }

  /// Whether a worker lives that ticks here, or 'automation tick' ran lately.
  func isTicked() throws -> Bool {
    if let last = try store.lastTicker(in: workspace),
      abs(now.milliseconds - last.milliseconds) <= Self.tickerPatience.milliseconds
    {
      return true
    }
    let folder = try store.info().folder
    return try store.workers(covering: workspace).contains { worker in
      WorkerPresence.isAlive(worker, storeFolder: folder)
    }
  }

  /// Says that nothing would fire, where that is so.
  func noteWithoutTicker() throws {
    guard try !isTicked() else { return }
    output.note(
      naming: "warning: no worker has ticked lately, so nothing fires: start one with 'hotglue job "
        + "work', or run 'hotglue automation tick' from cron each minute")
  }
}
