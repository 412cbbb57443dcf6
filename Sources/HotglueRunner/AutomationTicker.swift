public import HotglueCore
public import HotglueStore

/// Ticks automations: reads what is due, computes the occurrences in their zones, and has the store
/// decide them.
///
/// Any number of workers and commands do this at once. The step of the store is refused when another
/// one was faster; then the automation is read again, and mostly nothing is left to decide.
public struct AutomationTicker {
  /// Why a zone cannot be used, in words.
  public struct ZoneProblem: Error, Sendable {
    public var reason: String
    public init(reason: String) { self.reason = reason }
  }

  /// The zone of that name, from today's file.
  public typealias Zones = (String) throws(ZoneProblem) -> Zone

  let store: any Store
  let zones: Zones
  let actor: Actor

  public init(store: any Store, zones: @escaping Zones, actor: Actor) {
    self.store = store
    self.zones = zones
    self.actor = actor
  }

  /// How many automations one look takes.
  private static let mostAtOnce = 200
  /// When a zone that is missing is looked for again.
  static let zoneRetry = Span.minutes(10)

  /// Decides all that is due in the workspaces; the rows that were written, by automation.
  public func tickDue(
    in workspaces: [WorkspaceID], at now: Timestamp
  ) throws(StoreError) -> [(automation: Automation, records: [OccurrenceRecord])] {
    var ticked: [(automation: Automation, records: [OccurrenceRecord])] = []
    var seen: Set<AutomationID> = []
    while true {
      let due = try store.dueAutomations(in: workspaces, at: now, limit: Self.mostAtOnce)
      let fresh = due.filter { !seen.contains($0.id) }
      guard !fresh.isEmpty else { return ticked }
      for automation in fresh {
        seen.insert(automation.id)
        let records = try tick(automation, at: now)
        if !records.isEmpty { ticked.append((automation, records)) }
      }
    }
  }

  /// Decides what is due of one automation.
  @discardableResult
  public func tick(
    _ automation: Automation, at now: Timestamp
  ) throws(StoreError) -> [OccurrenceRecord] {
    var automation = automation
    // Another ticker, a pause or an edit may come in between, each of them once.
    for _ in 0..<20 {
      let zone: Zone
      do throws(ZoneProblem) {
        zone = try zones(automation.definition.zone)
      } catch {
        try store.noteMissingZone(
          automation, reason: error.reason, retry: now.advanced(by: Self.zoneRetry), by: actor,
          at: now)
        return []
      }
      let plan = TickPlan(automation, through: now, in: zone)
      if case .decided(let records) = try store.tick(plan, by: actor, at: now) { return records }
      do throws(StoreError) {
        automation = try store.automation(automation.name, in: automation.workspace)
      } catch {
        if case .unknownAutomation = error { return [] }
        throw error
      }
      guard automation.cursor < now || automation.cursor > now else { return [] }
    }
    return []
  }
}

extension TickPlan {
  /// What of the automation is due at `now`.
  public init(_ automation: Automation, through now: Timestamp, in zone: Zone) {
    let definition = automation.definition
    let occurrences = definition.occurrences(after: automation.cursor, through: now, in: zone)
    self.init(
      automation: automation, due: Self.due(occurrences, of: definition, in: zone),
      next: definition.next(after: now, in: zone).first?.at)
  }

  /// With what a handler is told of each.
  public static func due(
    _ occurrences: [Occurrence], of definition: AutomationDefinition, in zone: Zone
  ) -> [Due] {
    var previous = occurrences.first.flatMap { definition.previous(of: $0, in: zone) }
    return occurrences.map { occurrence in
      defer { previous = occurrence }
      return Due(
        occurrence: occurrence, local: zone.text(occurrence.at), previous: previous?.at)
    }
  }
}
