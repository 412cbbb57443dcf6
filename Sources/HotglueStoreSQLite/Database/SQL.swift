/// One statement: its name, for errors and plans, and its text.
///
/// The text's address identifies it, so that a connection finds the prepared form without hashing
/// the text.
struct SQL: Sendable {
  let name: StaticString
  let text: StaticString

  init(_ name: StaticString, _ text: StaticString) {
    self.name = name
    self.text = text
  }
}

/// What is bound to a parameter.
enum SQLValue {
  case null
  case integer(Int64)
  case text(String)
  case bytes([UInt8])

  static func integer(_ value: Int) -> SQLValue { .integer(Int64(value)) }
  static func flag(_ value: Bool) -> SQLValue { .integer(value ? 1 : 0) }

  static func optional(_ value: Int64?) -> SQLValue {
    guard let value else { return .null }
    return .integer(value)
  }

  static func optional(_ value: Int?) -> SQLValue { .optional(value.map(Int64.init)) }

  static func optional(_ value: String?) -> SQLValue {
    guard let value else { return .null }
    return .text(value)
  }
}
