/// What is worth knowing about a schedule before it fires.
extension CronExpression {
  /// How the two day fields go together, where both are restricted; else `nil`.
  public var dayRule: String? {
    let fields = text.split(separator: " ")
    guard fields.count == 5, fields[2] != "*", fields[4] != "*" else { return nil }
    return takesEitherDay
      ? "'\(text)' fires on days that match the day of month '\(fields[2])' or the day of week "
        + "'\(fields[4])'"
      : "'\(text)' fires on days that match both the day of month '\(fields[2])' and the day of "
        + "week '\(fields[4])', because one of them begins with '*'"
  }

  /// Whether its fields take some minute of a day.
  func takesMinute(of date: CalendarDate) -> Bool {
    guard takes(date) else { return false }
    let start = CivilTime(seconds: date.daysSinceEpoch * 86_400)
    return first(from: start, within: 0).map { $0.day == start.day } ?? false
  }
}

extension Schedule {
  /// The days of the two years after `second` on which the schedule has times and the clock shows none
  /// of them.
  public func silentDays(zone: Zone, after second: Int64) -> [CalendarDate] {
    guard case .cron(let expressions) = self else { return [] }
    let end = second + 2 * 366 * 86_400
    var days: [CalendarDate] = []
    var period = zone.period(at: second)
    while period.end < end {
      let next = zone.period(at: period.end)
      defer { period = next }
      guard next.offset > period.offset else { continue }
      // The clock is set forward over these seconds.
      let first = CivilTime(seconds: period.end + Int64(period.offset)).day
      let last = CivilTime(seconds: period.end + Int64(next.offset) - 1).day
      for day in first...last {
        let date = CalendarDate(daysSinceEpoch: day)
        guard expressions.contains(where: { $0.takesMinute(of: date) }) else { continue }
        let near = (day - 2) * 86_400..<(day + 3) * 86_400
        let found = occurrences(zone: zone, in: near)
        if !found.contains(where: { $0.nominal.day == day }) { days.append(date) }
      }
    }
    return days
  }
}

extension Occurrence {
  /// What the clock shows: to the minute, or to the second.
  public func nominalText(seconds: Bool) -> String {
    let date =
      nominal.date.text + "T" + Calendar.padded(nominal.hour, 2) + ":"
      + Calendar.padded(nominal.minute, 2)
    return seconds ? date + ":" + Calendar.padded(nominal.secondOfDay % 60, 2) : date
  }

  /// `moved from 02:30 (does not exist)`, `first of two`.
  public var noteText: String? {
    switch note {
    case .moved:
      "moved from " + Calendar.padded(nominal.hour, 2) + ":" + Calendar.padded(nominal.minute, 2)
        + " (does not exist)"
    case .firstOfTwo: "first of two"
    case nil: nil
    }
  }
}
