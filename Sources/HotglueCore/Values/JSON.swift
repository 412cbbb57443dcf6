/// A JSON value as it was written: numbers keep their digits, objects keep the order of their members.
///
/// Numbers are text because a payload or a record may carry more digits than a `Double` holds, and
/// what a user put in must come out again.
public indirect enum JSON: Sendable, Hashable {
  case null
  case bool(Bool)
  /// The number's text, valid by RFC 8259.
  case number(String)
  case string(String)
  case array([JSON])
  case object([Member])

  public struct Member: Sendable, Hashable {
    public var key: String
    public var value: JSON
    public init(_ key: String, _ value: JSON) {
      self.key = key
      self.value = value
    }
  }
}

extension JSON {
  public static func integer(_ value: some BinaryInteger) -> JSON { .number(String(value)) }

  /// The text, or `null` for an absent value.
  public static func text(_ value: String?) -> JSON { value.map(JSON.string) ?? .null }

  /// The number, or `null` for an absent value.
  public static func optional(_ value: (some BinaryInteger)?) -> JSON {
    guard let value else { return .null }
    return .integer(value)
  }

  public static func strings(_ values: some Sequence<String>) -> JSON {
    .array(values.map(JSON.string))
  }

  /// The member's value, or `nil` when this is no object or has no such member.
  /// Of repeated members the last one counts.
  public subscript(key: String) -> JSON? {
    guard case .object(let members) = self else { return nil }
    return members.last { $0.key == key }?.value
  }

  public var stringValue: String? {
    if case .string(let value) = self { return value }
    return nil
  }

  public var integerValue: Int64? {
    if case .number(let text) = self { return Int64(text) }
    return nil
  }

  /// A whole number to reckon with: bounded, so that sums and differences of two do not overflow.
  public var boundedInteger: Int64? {
    integerValue.map { min(max($0, -(1 << 52)), 1 << 52) }
  }

  public var boolValue: Bool? {
    if case .bool(let value) = self { return value }
    return nil
  }

  public var arrayValue: [JSON]? {
    if case .array(let values) = self { return values }
    return nil
  }

  public var members: [Member]? {
    if case .object(let members) = self { return members }
    return nil
  }

  /// The strings of an array of strings, or `nil` for anything else.
  public var stringArray: [String]? {
    guard let values = arrayValue else { return nil }
    var strings: [String] = []
    strings.reserveCapacity(values.count)
    for value in values {
      guard let string = value.stringValue else { return nil }
      strings.append(string)
    }
    return strings
  }

  /// Whether two values mean the same: neither the order of an object's members nor the spelling of a
  /// number counts, so that `1.0` is `1`. Every digit does, also those that a `Double` would round.
  /// Texts are what their bytes are: a letter that Unicode has two spellings of is two letters.
  ///
  /// With `numbersAsWritten` the spelling of a number counts, too.
  public func isEquivalent(to other: JSON, numbersAsWritten: Bool = false) -> Bool {
    switch (self, other) {
    case (.array(let mine), .array(let theirs)):
      return mine.count == theirs.count
        && zip(mine, theirs).allSatisfy {
          $0.isEquivalent(to: $1, numbersAsWritten: numbersAsWritten)
        }
    case (.object(let mine), .object(let theirs)):
      let (mine, theirs) = (Self.distinct(mine), Self.distinct(theirs))
      return mine.count == theirs.count
        && mine.allSatisfy { key, value in
          theirs[key]?.isEquivalent(to: value, numbersAsWritten: numbersAsWritten) == true
        }
    case (.number(let mine), .number(let theirs)):
      if mine == theirs { return true }
      guard !numbersAsWritten, let value = ExactDecimal(mine.utf8) else { return false }
      return value == ExactDecimal(theirs.utf8)
    case (.string(let mine), .string(let theirs)):
      return mine.utf8.elementsEqual(theirs.utf8)
    default:
      return self == other
    }
  }

  /// The members by the bytes of their keys; of repeated ones the last.
  private static func distinct(_ members: [Member]) -> [[UInt8]: JSON] {
    var last: [[UInt8]: JSON] = [:]
    for member in members { last[Array(member.key.utf8)] = member.value }
    return last
  }

  /// The same value with every object's members sorted by the bytes of their keys; of repeated ones the
  /// last.
  public var canonical: JSON {
    switch self {
    case .array(let values):
      return .array(values.map(\.canonical))
    case .object(let members):
      let last = Self.distinct(members).sorted { $0.key.lexicographicallyPrecedes($1.key) }
      return .object(
        last.map { Member(String(decoding: $0.key, as: UTF8.self), $0.value.canonical) })
    default:
      return self
    }
  }

  /// Bytes that are the same for two values exactly if `isEquivalent` says that they mean the same.
  public var equivalenceForm: [UInt8] {
    var out: [UInt8] = []
    appendEquivalenceForm(to: &out)
    return out
  }

  private func appendEquivalenceForm(to out: inout [UInt8]) {
    // Within quotes a text stands as it is, with its length where something may follow it.
    func append(_ text: [UInt8]) {
      out.append(contentsOf: "\(text.count):".utf8)
      out.append(contentsOf: text)
    }
    switch self {
    case .null: out.append(UInt8(ascii: "n"))
    case .bool(let value): out.append(value ? UInt8(ascii: "t") : UInt8(ascii: "f"))
    case .number(let text):
      out.append(UInt8(ascii: "#"))
      append(Array((ExactDecimal(text.utf8)?.text ?? text).utf8))
    case .string(let text):
      out.append(UInt8(ascii: "\""))
      out.append(contentsOf: text.utf8)
      out.append(UInt8(ascii: "\""))
    case .array(let values):
      out.append(UInt8(ascii: "["))
      for value in values { append(value.equivalenceForm) }
    case .object(let members):
      out.append(UInt8(ascii: "{"))
      let sorted = Self.distinct(members).sorted { $0.key.lexicographicallyPrecedes($1.key) }
      for (key, value) in sorted {
        append(key)
        append(value.equivalenceForm)
      }
    }
  }
}
