/// When an automation fires: cron expressions in a zone, or every so often.
public enum Schedule: Hashable, Sendable {
  case cron([CronExpression])
  /// Counted from 1970-01-01T00:00:00Z, whatever the zone: daylight saving does not shift it.
  case every(Span)
}

/// One nominal time of a schedule.
public struct Occurrence: Hashable, Sendable {
  public enum Note: String, Equatable, Sendable {
    /// The clock never shows the nominal time: it fires when the clock has been set forward.
    case moved
    /// The clock shows the nominal time twice.
    case firstOfTwo = "first_of_two"
  }

  /// What the clock of the zone shows.
  public var nominal: CivilTime
  /// 1 for the second of two times that look the same, else 0. Nominal time and fold name an
  /// occurrence, also when machines have different time zone data.
  public var fold: Int
  /// When it is due, in seconds since 1970-01-01T00:00:00Z.
  public var second: Int64
  public var note: Note?

  public init(nominal: CivilTime, fold: Int, second: Int64, note: Note?) {
    self.nominal = nominal
    self.fold = fold
    self.second = second
    self.note = note
  }

  public var at: Timestamp { Timestamp(milliseconds: second * 1000) }
}

extension Schedule {
  /// The occurrences due in `range` (seconds since 1970-01-01T00:00:00Z), in the order of time, of
  /// which at most `limit` are computed.
  ///
  /// Daylight saving as in Debian's cron(8). An expression that names minute and hour fires once for
  /// each nominal time: at the gap's end where the clock never shows it, the first time where it shows
  /// it twice. All other expressions follow the clock literally.
  public func occurrences(
    zone: Zone, in range: Range<Int64>, limit: Int = Int.max
  ) -> [Occurrence] {
    switch self {
    case .every(let span):
      return Self.every(span, zone: zone, in: range, limit: limit)
    case .cron(let expressions):
      var all: [Occurrence] = []
      for expression in expressions {
        all +=
          expression.isTimeOfDay
          ? expression.timesOfDay(zone: zone, in: range, limit: limit)
          : expression.literalTimes(zone: zone, in: range, limit: limit)
      }
      guard expressions.count > 1 else { return all }
      return Array(Occurrence.merged(all).prefix(limit))
    }
  }

  /// The first occurrence after `second`, within 50 years.
  public func next(after second: Int64, zone: Zone) -> Occurrence? {
    let years = Int64(CronExpression.searchedYears) * 366 * 86_400
    let end = second.addingReportingOverflow(years)
    guard second < Int64.max, !end.overflow else { return nil }
    return occurrences(zone: zone, in: second + 1..<end.partialValue, limit: 1).first
  }

  private static func every(
    _ span: Span, zone: Zone, in range: Range<Int64>, limit: Int
  ) -> [Occurrence] {
    let step = span.milliseconds / 1000
    guard step >= 1, !range.isEmpty else { return [] }
    var second = (range.lowerBound + step - 1).flooredQuotient(by: step) * step
    var found: [Occurrence] = []
    while second < range.upperBound, found.count < limit {
      let nominal = zone.civil(second)
      var fold = 0
      if case .fold(_, second) = zone.meaning(of: nominal) { fold = 1 }
      found.append(Occurrence(nominal: nominal, fold: fold, second: second, note: nil))
      second += step
    }
    return found
  }
}

extension CronExpression {
  /// One occurrence for each nominal time.
  fileprivate func timesOfDay(zone: Zone, in range: Range<Int64>, limit: Int) -> [Occurrence] {
    guard !range.isEmpty else { return [] }
    var found: [Occurrence] = []
    // A nominal time may be due as much as the widest gap (a skipped day) after the clock would show it.
    var from = CivilTime(seconds: zone.civil(range.lowerBound).seconds - Zone.widestOffset)
    while let nominal = first(from: from) {
      from = CivilTime(seconds: nominal.seconds + 60)
      let occurrence: Occurrence
      switch zone.meaning(of: nominal) {
      case .once(let second):
        occurrence = Occurrence(nominal: nominal, fold: 0, second: second, note: nil)
      case .fold(let first, _):
        occurrence = Occurrence(nominal: nominal, fold: 0, second: first, note: .firstOfTwo)
      case .gap(let end):
        occurrence = Occurrence(nominal: nominal, fold: 0, second: end, note: .moved)
      }
      if occurrence.second >= range.upperBound { break }
      guard occurrence.second >= range.lowerBound else { continue }
      // Nominal times of one gap, and one at its very end, are one occurrence.
      if let last = found.last, last.second == occurrence.second {
        if last.note == .moved, occurrence.note == nil { found[found.count - 1] = occurrence }
        continue
      }
      if found.count == limit { break }
      found.append(occurrence)
    }
    return found
  }

  /// Each minute at which the clock shows a time that the fields take.
  fileprivate func literalTimes(zone: Zone, in range: Range<Int64>, limit: Int) -> [Occurrence] {
    guard !range.isEmpty else { return [] }
    var found: [Occurrence] = []
    var period = zone.period(at: range.lowerBound)
    var second = range.lowerBound
    while second < range.upperBound {
      let end = min(period.end, range.upperBound)
      var from = CivilTime(seconds: second + Int64(period.offset))
      let civilEnd = CivilTime(seconds: end + Int64(period.offset))
      while let nominal = first(from: from), nominal < civilEnd {
        if found.count == limit { return found }
        found.append(occurrence(nominal, zone: zone, offset: period.offset))
        from = CivilTime(seconds: nominal.seconds + 60)
      }
      guard period.end < range.upperBound else { break }
      second = period.end
      period = zone.period(at: second)
    }
    return found
  }

  private func occurrence(_ nominal: CivilTime, zone: Zone, offset: Int) -> Occurrence {
    let second = nominal.seconds - Int64(offset)
    guard case .fold(let first, _) = zone.meaning(of: nominal) else {
      return Occurrence(nominal: nominal, fold: 0, second: second, note: nil)
    }
    let isFirst = second == first
    return Occurrence(
      nominal: nominal, fold: isFirst ? 0 : 1, second: second, note: isFirst ? .firstOfTwo : nil)
  }
}

extension Occurrence {
  /// In the order of time; what several expressions name alike is one.
  fileprivate static func merged(_ all: [Occurrence]) -> [Occurrence] {
    var kept: [Occurrence] = []
    for next in all.sorted(by: { ($0.second, $0.nominal) < ($1.second, $1.nominal) }) {
      if let last = kept.last, last.second == next.second {
        if last.note == .moved, next.note != .moved { kept[kept.count - 1] = next }
        continue
      }
      kept.append(next)
    }
    return kept
  }
}
