import ArgumentParser
import HotglueCore
import HotglueStore

/// Which records are wanted.
struct RecordFilterOptions: ParsableArguments {
  @Option(
    name: .customLong("where"),
    help: ArgumentHelp(
      "Only records whose field is, or with '!=' is not, this text, number, true, false or null; "
        + "a field within another as a.b. May be repeated: all count.", valueName: "field=value"))
  var conditions: [String] = []

  @Option(
    help: ArgumentHelp(
      "Only records that changed at this time or later: 22:00, yesterday, RFC 3339, or a duration before now.",
      valueName: "time|duration"))
  var since: String?

  func filter(
    at now: Timestamp, zone: () -> Zone? = { nil }
  ) throws(CommandError) -> RecordFilter {
    var filter = RecordFilter()
    for text in conditions {
      guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
        throw .usage("'--where' cannot be '\(text)'", hint: "give FIELD=VALUE or FIELD!=VALUE")
      }
      var field = text[..<equals]
      let isNegated = field.last == "!"
      if isNegated { field.removeLast() }
      guard !field.isEmpty else {
        throw .usage("'--where' cannot be '\(text)'", hint: "give FIELD=VALUE or FIELD!=VALUE")
      }
      filter.conditions.append(
        RecordFilter.Condition(
          field: String(field), isNegated: isNegated,
          value: String(text[text.index(after: equals)...])))
    }
    if let since {
      filter.since = try Moment.since(
        since, now: now, zone: zone)
    }
    return filter
  }
}

/// Decides whether a record is wanted. Pure.
struct RecordFilter {
  struct Condition: Hashable {
    var field: String
    var isNegated: Bool
    var value: String
  }

  var conditions: [Condition] = []
  var since: Timestamp?

  var isEmpty: Bool { conditions.isEmpty && since == nil }

  var words: [String] {
    conditions.map { "\($0.field)\($0.isNegated ? "!=" : "=")\($0.value)" }
      + (since.map { ["since=\($0.milliseconds)"] } ?? [])
  }

  func admits(_ record: StoredRecord) throws(JSONError) -> Bool {
    if let since, record.updatedAt < since { return false }
    if conditions.isEmpty { return true }
    let data = try JSON.parse(record.data)
    return conditions.allSatisfy { condition in
      Self.equals(Self.find(condition.field, in: data), condition.value) != condition.isNegated
    }
  }

  /// A member of that very name wins over a way through members.
  private static func find(_ field: String, in data: JSON) -> JSON? {
    if let value = data[field] { return value }
    var value: JSON? = data
    for part in field.split(separator: ".", omittingEmptySubsequences: false) {
      value = value?[String(part)]
    }
    return value
  }

  /// Numbers are equal by value, exactly; a missing member is as null.
  private static func equals(_ value: JSON?, _ text: String) -> Bool {
    switch value {
    case nil, .some(.null): return text == "null"
    case .string(let string): return string == text
    case .bool(let bool): return text == (bool ? "true" : "false")
    case .number(let number):
      guard let mine = ExactDecimal(number.utf8), let theirs = ExactDecimal(text.utf8) else {
        return number == text
      }
      return mine == theirs
    case .array, .object: return value?.text == text
    }
  }
}

// MARK: Keys

extension RecordFilter {
  /// The keys of which an admitted record has one, in their order; `nil`: the conditions do not say.
  func keys(of stream: RecordStream) -> [RecordKey]? {
    guard !stream.key.isEmpty, stream.key.count <= 4 else { return nil }
    var keys: [[String]] = [[]]
    for field in stream.key {
      guard let condition = conditions.first(where: { $0.field == field && !$0.isNegated }),
        let spellings = Self.spellings(of: condition.value)
      else { return nil }
      keys = keys.flatMap { parts in spellings.map { parts + [$0] } }
    }
    if stream.key.count == 1 { return keys.map { Self.key($0[0]) }.sorted(by: Self.isBefore) }
    return keys.map { .bytes(Array("[\($0.joined(separator: ","))]".utf8)) }
      .sorted(by: Self.isBefore)
  }

  /// The values that a condition admits, as they stand in a key of several fields.
  private static func spellings(of text: String) -> [String]? {
    guard let first = text.utf8.first else { return [JSON.string(text).text] }
    if first == UInt8(ascii: "[") || first == UInt8(ascii: "{") { return nil }
    var found = [JSON.string(text).text]
    if text == "true" || text == "false" { found.append(text) }
    if let number = ExactDecimal(text.utf8) {
      found.append(number.integer.map { String($0) } ?? number.text)
    } else if first == UInt8(ascii: "-") || first &- UInt8(ascii: "0") < 10 {
      // A number past what can be compared is equal to itself as it is written.
      found.append(text)
    }
    return found
  }

  private static func key(_ spelling: String) -> RecordKey {
    if let number = Int64(spelling) { return .integer(number) }
    do throws(JSONError) {
      if let text = try JSON.parse(spelling).stringValue { return .text(text) }
    } catch {
      // Not JSON: a key that no record has.
    }
    return .bytes(Array("[\(spelling)]".utf8))
  }

  private static func isBefore(_ left: RecordKey, _ right: RecordKey) -> Bool {
    switch (left, right) {
    case (.integer(let one), .integer(let other)): one < other
    case (.text(let one), .text(let other)): one.utf8.lexicographicallyPrecedes(other.utf8)
    case (.bytes(let one), .bytes(let other)): one.lexicographicallyPrecedes(other)
    case (.integer, _), (.text, .bytes): true
    default: false
    }
  }
}
