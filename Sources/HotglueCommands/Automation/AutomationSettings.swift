import HotglueCore
import HotglueStore

/// What can be set of an automation besides its job. The raw value is its key in files, its flag is
/// the same with dashes: both are read by the same code.
enum AutomationKey: String, CaseIterable, Sendable {
  case cron, every, timezone, from, until, missed
  case missedWithin = "missed_within"
  case overlap, jitter
  case pauseAfter = "pause_after"

  var flag: String { "--" + rawValue.replacing("_", with: "-") }
}

/// What was said about an automation, in words that are read as they come.
struct AutomationSettings {
  /// What the automation is called, for the values that are drawn from its name.
  let seed: UInt64
  let now: Timestamp
  let environment: CommandEnvironment
  private(set) var cron: [String] = []
  private(set) var every: Span?
  private(set) var timezone: String?
  private var origin = AutomationDefinition.ZoneOrigin.flag
  private var from: Timestamp??
  private var until: Timestamp??
  private var missed: MissedRule?
  private var missedWithin: Span??
  private var overlap: OverlapRule?
  private var jitter: Span?
  private var pauseAfter: Int??
  /// Times that were written without an offset, to be read in the automation's zone.
  private var localTimes: [AutomationKey: String] = [:]

  init(
    _ name: String, in workspace: WorkspaceID?, _ environment: CommandEnvironment,
    origin: AutomationDefinition.ZoneOrigin = .flag
  ) {
    seed = AutomationSeed.of(name, in: workspace?.text ?? "")
    now = environment.now()
    self.environment = environment
    self.origin = origin
  }

  mutating func set(_ setting: AutomationKey, to text: String) throws(CommandError) {
    func bad(_ accepted: String) -> CommandError {
      .usage("invalid value '\(text)' for '\(setting.flag)': expected \(accepted)")
    }
    func span(_ bounds: ClosedRange<Span>) throws(CommandError) -> Span {
      guard let span = Span(text), bounds.contains(span) else {
        throw bad("a duration from \(bounds.lowerBound.text) to \(bounds.upperBound.text)")
      }
      return span
    }
    switch setting {
    case .cron: cron.append(text)
    case .every:
      let span = try span(Span(milliseconds: 1)...Span.days(36_500))
      guard span.milliseconds % 1000 == 0 else {
        throw .badInput(
          "cannot use the schedule 'every \(text)': it is not in whole seconds",
          hint: "give whole seconds, such as --every 10s")
      }
      every = span
    case .timezone: timezone = text
    case .from, .until:
      if text == "none" {
        if setting == .from { from = .some(nil) } else { until = .some(nil) }
      } else {
        localTimes[setting] = text
      }
    case .missed:
      guard let rule = MissedRule(text) else { throw bad(MissedRule.accepted) }
      missed = rule
    case .missedWithin:
      missedWithin = text == "none" ? .some(nil) : try span(.seconds(60)...Span.days(36_500))
    case .overlap:
      guard let rule = OverlapRule(rawValue: text) else {
        throw bad(OverlapRule.allCases.map(\.rawValue).joined(separator: ", "))
      }
      overlap = rule
    case .jitter: jitter = text == "none" ? .zero : try span(.zero...Span.days(365))
    case .pauseAfter:
      guard text == "none" || Int(text).map({ (1...1_000_000).contains($0) }) == true else {
        throw bad("a whole number from 1 to 1000000, or none")
      }
      pauseAfter = .some(Int(text))
    }
  }

  /// Whether anything was said.
  var isEmpty: Bool {
    cron.isEmpty && every == nil && timezone == nil && from == nil && until == nil && missed == nil
      && missedWithin == nil && overlap == nil && jitter == nil && pauseAfter == nil
      && localTimes.isEmpty
  }

  /// The schedule and its zone alone, as `next --cron` needs them.
  func schedule() throws(CommandError) -> Schedule {
    if let every {
      guard cron.isEmpty else {
        throw .usage(
          "'--cron' and '--every' cannot both be given", hint: "leave one of them out")
      }
      return .every(every)
    }
    guard !cron.isEmpty else {
      throw .usage(
        "the automation has no schedule", hint: "give --cron '0 2 * * *' or --every 1h")
    }
    var expressions: [CronExpression] = []
    for text in cron { expressions.append(try expression(text)) }
    return .cron(expressions)
  }

  private func expression(_ text: String) throws(CommandError) -> CronExpression {
    do throws(CronError) {
      return try CronExpression(text, seed: seed)
    } catch {
      throw .badInput(
        "cannot use the schedule '\(text)': \(error.message)", hint: error.hint.map { Hint($0) },
        facts: [JSON.Member("cron", .string(text))])
    }
  }

  func zone(over before: AutomationDefinition? = nil) throws(CommandError) -> (
    zone: Zone, origin: AutomationDefinition.ZoneOrigin
  ) {
    if let timezone { return (try environment.zone(named: timezone), origin) }
    if let before { return (try environment.zone(named: before.zone), before.zoneOrigin) }
    return try environment.zoneOfMachine()
  }

  /// What was said, over what there was before; all of it is checked together.
  func definition(
    over before: AutomationDefinition? = nil
  ) throws(CommandError) -> (definition: AutomationDefinition, zone: Zone) {
    let (zone, origin) = try zone(over: before)
    let schedule =
      cron.isEmpty && every == nil && before != nil
      ? before?.schedule ?? .every(.days(1)) : try self.schedule()
    var definition = AutomationDefinition(
      schedule: schedule, zone: zone.name, zoneOrigin: origin)
    definition.from = try time(.from, in: zone) ?? from ?? before?.from
    definition.until = try time(.until, in: zone) ?? until ?? before?.until
    definition.missed = missed ?? before?.missed ?? .one
    definition.missedWithin = missedWithin ?? before?.missedWithin
    definition.overlap = overlap ?? before?.overlap ?? .skip
    definition.jitter = jitter ?? before?.jitter ?? .zero
    definition.pauseAfter = pauseAfter ?? before?.pauseAfter
    try check(definition, in: zone)
    return (definition, zone)
  }

  private func time(
    _ setting: AutomationKey, in zone: Zone
  ) throws(CommandError) -> Timestamp?? {
    guard let text = localTimes[setting] else { return nil }
    guard
      let time = TimeExpression.time(text, now: now, zone: zone, direction: .next)
    else {
      throw .usage(
        "invalid value '\(text)' for '\(setting.flag)': expected a time such as "
          + TimeExpression.examples)
    }
    return .some(time)
  }

  private func check(_ definition: AutomationDefinition, in zone: Zone) throws(CommandError) {
    if let from = definition.from, let until = definition.until, until <= from {
      throw .badInput(
        "'--until' is not after '--from'", hint: "give an end after \(from.rfc3339)")
    }
    guard definition.jitter > .zero else { return }
    let second = now.milliseconds / 1000
    if let shortest = definition.schedule.shortestInterval(zone: zone, from: second),
      definition.jitter.milliseconds > shortest.milliseconds / 2
    {
      throw .badInput(
        "'--jitter \(definition.jitter.text)' is more than half of the shortest interval of the "
          + "schedule (\(shortest.text))",
        hint: "give \(Span(milliseconds: shortest.milliseconds / 2).text) at most")
    }
  }
}
