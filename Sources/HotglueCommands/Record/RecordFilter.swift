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
