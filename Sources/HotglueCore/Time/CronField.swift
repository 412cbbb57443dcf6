/// The values that one field of a cron expression names.
struct CronFieldValues {
  var mask: UInt64 = 0
  var hasLast = false
  var lastWeekdays: UInt64 = 0
  var nthWeekdays: [UInt64] = Array(repeating: 0, count: 7)
}

/// One of the five fields: its range and its names, and how it is read.
struct CronField: Sendable {
  enum Kind: Sendable { case minute, hour, day, month, weekday }

  let kind: Kind
  let name: String
  let range: ClosedRange<Int>
  let names: [String]

  static let all = [
    CronField(kind: .minute, name: "minute", range: 0...59, names: []),
    CronField(kind: .hour, name: "hour", range: 0...23, names: []),
    CronField(kind: .day, name: "day of month", range: 1...31, names: []),
    CronField(
      kind: .month, name: "month", range: 1...12,
      names: [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
      ]),
    CronField(
      kind: .weekday, name: "day of week", range: 0...7,
      names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
  ]

  /// The field with `~` and `a~b` replaced by a value of their range that depends on `seed` alone.
  func drawing(_ field: String, seed: UInt64) throws(CronError) -> String {
    guard field.contains("~") else { return field }
    var drawn: [String] = []
    for (index, item) in field.split(separator: ",", omittingEmptySubsequences: false).enumerated()
    {
      guard item.contains("~") else {
        drawn.append(String(item))
        continue
      }
      let ends = item.split(separator: "~", omittingEmptySubsequences: false).map(String.init)
      guard ends.count == 2 else { throw .badField(name, String(item)) }
      let top = kind == .weekday ? 6 : range.upperBound
      let low = ends[0].isEmpty ? range.lowerBound : try value(ends[0])
      let high = ends[1].isEmpty ? top : try value(ends[1])
      guard low <= high else { throw .backwards(name, String(item)) }
      let salt = UInt64(range.upperBound) << 32 | UInt64(index)
      let width = UInt64(high - low + 1)
      drawn.append(String(low + Int(Jitter.hash(seed, salt) % width)))
    }
    return drawn.joined(separator: ",")
  }

  func parse(_ field: String) throws(CronError) -> CronFieldValues {
    var values = CronFieldValues()
    for item in field.split(separator: ",", omittingEmptySubsequences: false).map(String.init) {
      try add(item, to: &values)
    }
    // Sunday is 0 and 7.
    if kind == .weekday, values.mask & (1 << 7) != 0 {
      values.mask = values.mask & ~(1 << 7) | 1
    }
    return values
  }

  private func add(_ item: String, to values: inout CronFieldValues) throws(CronError) {
    if item.contains("?") { throw .questionMark(name) }
    let upper = item.uppercased()
    if kind == .day {
      if upper == "L" {
        values.hasLast = true
        return
      }
      if upper.hasSuffix("W") { throw .nearestWeekday(item) }
    }
    if kind == .weekday {
      if upper.hasSuffix("L"), let day = try? value(String(item.dropLast())) {
        values.lastWeekdays |= 1 << UInt64(day % 7)
        return
      }
      if let hash = item.firstIndex(of: "#") {
        let day = try value(String(item[..<hash]))
        guard let nth = Int(item[item.index(after: hash)...]), (1...5).contains(nth) else {
          throw .badField(name, item)
        }
        values.nthWeekdays[day % 7] |= 1 << UInt64(nth)
        return
      }
    }
    let parts = item.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count <= 2 else { throw .badField(name, item) }
    var step = 1
    if parts.count == 2 {
      guard parts[1].utf8.allSatisfy(\.isDigit), let given = Int(parts[1]), given >= 1 else {
        throw .badField(name, item)
      }
      step = given
    }
    let (low, high) = try ends(of: parts[0], isStepped: parts.count == 2, item)
    for number in stride(from: low, through: high, by: step) {
      values.mask |= 1 << UInt64(number)
    }
  }

  /// `*`, `a`, `a-b`. With a step a single value begins a range that ends with the field's.
  private func ends(
    of text: String, isStepped: Bool, _ item: String
  ) throws(CronError) -> (Int, Int) {
    let top = kind == .weekday ? 6 : range.upperBound
    if text == "*" { return (range.lowerBound, top) }
    let ends = text.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
    switch ends.count {
    case 1:
      let single = try value(ends[0])
      return (single, isStepped ? max(single, top) : single)
    case 2:
      let low = try value(ends[0])
      var high = try value(ends[1])
      // `fri-sun`: a week may end with its Sunday.
      if kind == .weekday, high == 0, low > 0 { high = 7 }
      guard low <= high else { throw .backwards(name, item) }
      return (low, high)
    default: throw .badField(name, item)
    }
  }

  private func value(_ text: String) throws(CronError) -> Int {
    if let index = names.firstIndex(of: text.lowercased()) {
      return index + (kind == .month ? 1 : 0)
    }
    guard (1...2).contains(text.utf8.count), text.utf8.allSatisfy(\.isDigit),
      let number = Int(text),
      range.contains(number)
    else { throw .badValue(name, text, range) }
    return number
  }
}
