/// When an automation fires, and what becomes of occurrences that come late or too close together.
/// What it enqueues is not part of it.
public struct AutomationDefinition: Hashable, Sendable {
  /// Where the name of the zone came from.
  public enum ZoneOrigin: String, Sendable {
    case flag
    /// The variable `TZ` at `add`.
    case environment
    /// `/etc/localtime` at `add`.
    case machine
    /// The line `CRON_TZ` or `TZ` of a crontab.
    case crontab
    /// A file or a draft names it.
    case file
    /// There is no zone file: `UTC`.
    case standard = "default"
  }

  public var schedule: Schedule
  public var zone: String
  public var zoneOrigin: ZoneOrigin
  /// No occurrence before it.
  public var from: Timestamp?
  /// No occurrence at it or later.
  public var until: Timestamp?
  public var missed = MissedRule.one
  /// Occurrences that are older do not fire.
  public var missedWithin: Span?
  public var overlap = OverlapRule.skip
  /// Jobs may run so much later than their occurrence.
  public var jitter = Span.zero
  /// Pauses after so many bad ends in a row.
  public var pauseAfter: Int?

  public init(schedule: Schedule, zone: String, zoneOrigin: ZoneOrigin) {
    self.schedule = schedule
    self.zone = zone
    self.zoneOrigin = zoneOrigin
  }
}

extension AutomationDefinition {
  /// Every setting, in the order in which people read them, as it is recorded and compared.
  public var settings: [JSON.Member] {
    var cron: JSON = .null
    var every: JSON = .null
    switch schedule {
    case .cron(let expressions): cron = .strings(expressions.map(\.text))
    case .every(let span): every = .string(span.text)
    }
    return [
      JSON.Member("cron", cron), JSON.Member("every", every),
      JSON.Member("timezone", .string(zone)),
      JSON.Member("from", .text(from?.rfc3339)), JSON.Member("until", .text(until?.rfc3339)),
      JSON.Member("missed", .string(missed.text)),
      JSON.Member("missed_within", .text(missedWithin?.text)),
      JSON.Member("overlap", .string(overlap.rawValue)),
      JSON.Member("jitter", .string(jitter.text)),
      JSON.Member("pause_after", .optional(pauseAfter)),
    ]
  }

  public var json: JSON {
    .object(settings + [JSON.Member("zone_origin", .string(zoneOrigin.rawValue))])
  }

  /// Reads what `json` wrote; `nil` where a value is not of its key's form.
  public init?(json: JSON) {
    let schedule: Schedule
    if let texts = json["cron"]?.stringArray {
      var expressions: [CronExpression] = []
      for text in texts {
        // It was resolved when it was recorded: there is nothing left to draw.
        guard let expression = try? CronExpression(text, seed: 0) else { return nil }
        expressions.append(expression)
      }
      guard !expressions.isEmpty else { return nil }
      schedule = .cron(expressions)
    } else {
      guard let span = json["every"]?.stringValue.flatMap({ Span($0) }) else { return nil }
      schedule = .every(span)
    }
    guard let zone = json["timezone"]?.stringValue,
      let origin = json["zone_origin"]?.stringValue.flatMap(ZoneOrigin.init(rawValue:)),
      let missed = json["missed"]?.stringValue.flatMap({ MissedRule($0) }),
      let overlap = json["overlap"]?.stringValue.flatMap(OverlapRule.init(rawValue:)),
      let jitter = json["jitter"]?.stringValue.flatMap({ Span($0) })
    else { return nil }
    self.init(schedule: schedule, zone: zone, zoneOrigin: origin)
    from = json["from"]?.stringValue.flatMap(Timestamp.init(rfc3339:))
    until = json["until"]?.stringValue.flatMap(Timestamp.init(rfc3339:))
    self.missed = missed
    missedWithin = json["missed_within"]?.stringValue.flatMap { Span($0) }
    self.overlap = overlap
    self.jitter = jitter
    pauseAfter = json["pause_after"]?.boundedInteger.map { Int($0) }
  }

  /// Whether occurrences fall at other times than those of `other`.
  public func schedulesOtherwise(than other: AutomationDefinition) -> Bool {
    schedule != other.schedule || zone != other.zone || from != other.from || until != other.until
  }
}

extension AutomationDefinition {
  /// The occurrences in (`cursor`, `now`], in the order of time: the newest `mostAtOnce` of them.
  ///
  /// Pure: `next`, `show`, `tick` and `backfill` all come here.
  public func occurrences(after cursor: Timestamp, through now: Timestamp, in zone: Zone)
    -> [Occurrence]
  {
    var low = cursor.milliseconds.flooredQuotient(by: 1000) + 1
    let high = now.milliseconds.flooredQuotient(by: 1000) + 1
    if case .every(let span) = schedule {
      // A machine that was off for years need not count each second of them.
      low = max(low, high - Int64(Self.mostAtOnce) * max(1, span.milliseconds / 1000))
    }
    guard let range = bounded(low..<max(low, high)) else { return [] }
    return Array(schedule.occurrences(zone: zone, in: range).suffix(Self.mostAtOnce))
  }

  /// The first `count` occurrences after `time`.
  public func next(_ count: Int = 1, after time: Timestamp, in zone: Zone) -> [Occurrence] {
    let low = time.milliseconds.flooredQuotient(by: 1000) + 1
    let years = Int64(CronExpression.searchedYears) * 366 * 86_400
    let sum = max(low, from.map(Self.second) ?? low).addingReportingOverflow(years)
    guard !sum.overflow, let range = bounded(low..<max(low, sum.partialValue)) else { return [] }
    return schedule.occurrences(zone: zone, in: range, limit: count)
  }

  /// The one before `occurrence`: where the interval began for which it stands.
  public func previous(of occurrence: Occurrence, in zone: Zone) -> Occurrence? {
    if case .every(let span) = schedule {
      let low = occurrence.second - max(1, span.milliseconds / 1000)
      return bounded(low..<occurrence.second).flatMap {
        schedule.occurrences(zone: zone, in: $0, limit: 1).last
      }
    }
    // Most lie near: the wide ranges are for schedules with few occurrences.
    for hours in [2, 24, 200, 1500, 20_000, 240_000] as [Int64] {
      let low = occurrence.second - hours * 3600
      guard let range = bounded(low..<occurrence.second) else { continue }
      if let last = schedule.occurrences(zone: zone, in: range).last { return last }
    }
    return nil
  }

  /// Most rows that one tick writes; what is older than the newest of so many is not recorded.
  public static let mostAtOnce = 100_000

  /// The part of a range of seconds in which it may fire.
  private func bounded(_ range: Range<Int64>) -> Range<Int64>? {
    let low = max(range.lowerBound, from.map(Self.second) ?? range.lowerBound)
    let high = min(range.upperBound, until.map(Self.second) ?? range.upperBound)
    return low < high ? low..<high : nil
  }

  /// The first whole second at or after a moment.
  private static func second(_ time: Timestamp) -> Int64 {
    (time.milliseconds + 999).flooredQuotient(by: 1000)
  }
}
