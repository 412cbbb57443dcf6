import HotglueCore

/// One JSON Schema, compiled: the parts that taps use. What it does not know (`pattern`, `$ref` to other
/// documents, conditions) it does not check.
final class SchemaNode {
  var types: JSONTypes?
  var properties: PropertyTable?
  var required: [Int] = []
  var additional = Additional.allowed
  var items: SchemaNode?
  var itemCount: ClosedRange<Int>?
  var choices: [JSON]?
  var length: ClosedRange<Int>?
  var minimum: ExactDecimal?
  var maximum: ExactDecimal?
  var isMinimumExcluded = false
  var isMaximumExcluded = false
  var multipleOf: ExactDecimal?
  var format: TextFormat?
  var anyOf: [SchemaNode] = []
  var oneOf: [SchemaNode] = []
  var allOf: [SchemaNode] = []

  enum Additional {
    case allowed, forbidden
    case matching(SchemaNode)
  }

  /// Only types are to be looked at: nearly every property of nearly every tap.
  private(set) var isPlain = false

  init() {}

  struct Flaw: Error {
    let reason: String
  }

  private static let deepest = 64

  convenience init(_ json: JSON, depth: Int = 0) throws(Flaw) {
    self.init()
    guard depth < Self.deepest else { throw Flaw(reason: "it is nested too deeply") }
    switch json {
    case .bool(true): break
    case .bool(false): types = []
    case .object: try read(json, depth: depth)
    default: throw Flaw(reason: "a schema is an object")
    }
    isPlain =
      properties == nil && required.isEmpty && items == nil && itemCount == nil && choices == nil
      && length == nil && minimum == nil && maximum == nil && multipleOf == nil && format == nil
      && anyOf.isEmpty && oneOf.isEmpty && allOf.isEmpty && additional.isAllowed
  }

  private func read(_ json: JSON, depth: Int) throws(Flaw) {
    if let type = json["type"] { types = try JSONTypes(type) }
    let names = json["required"]?.stringArray ?? []
    if let members = json["properties"]?.members {
      let table = PropertyTable()
      for member in members {
        table.add(member.key, try SchemaNode(member.value, depth: depth + 1))
      }
      properties = table
    }
    if !names.isEmpty {
      let table = properties ?? PropertyTable()
      properties = table
      required = names.map { table.index(adding: $0) }
    }
    switch json["additionalProperties"] {
    case .bool(false): additional = .forbidden
    case .some(.object(let members)) where !members.isEmpty:
      additional = .matching(try SchemaNode(.object(members), depth: depth + 1))
    default: break
    }
    if case .object? = json["items"], let value = json["items"] {
      items = try SchemaNode(value, depth: depth + 1)
    }
    itemCount = try bounds(json, "minItems", "maxItems")
    length = try bounds(json, "minLength", "maxLength")
    choices = json["enum"]?.arrayValue
    if let constant = json["const"] { choices = [constant] }
    try readNumbers(json)
    if let name = json["format"]?.stringValue { format = TextFormat(rawValue: name) }
    anyOf = try branches(json["anyOf"], depth)
    oneOf = try branches(json["oneOf"], depth)
    allOf = try branches(json["allOf"], depth)
  }

  /// Both the older form of exclusive bounds, a truth value beside the bound, and the newer, a number.
  private func readNumbers(_ json: JSON) throws(Flaw) {
    minimum = try number(json["minimum"])
    maximum = try number(json["maximum"])
    isMinimumExcluded = json["exclusiveMinimum"]?.boolValue ?? false
    isMaximumExcluded = json["exclusiveMaximum"]?.boolValue ?? false
    if let bound = try number(json["exclusiveMinimum"]), minimum.map({ bound >= $0 }) ?? true {
      (minimum, isMinimumExcluded) = (bound, true)
    }
    if let bound = try number(json["exclusiveMaximum"]), maximum.map({ bound <= $0 }) ?? true {
      (maximum, isMaximumExcluded) = (bound, true)
    }
    multipleOf = try number(json["multipleOf"])
    if let multipleOf, multipleOf.isNegative || multipleOf.digits.isEmpty {
      throw Flaw(reason: "'multipleOf' is not above zero")
    }
  }

  private func number(_ json: JSON?) throws(Flaw) -> ExactDecimal? {
    guard case .number(let text)? = json else { return nil }
    guard let value = ExactDecimal(text.utf8) else {
      throw Flaw(reason: "the number \(text) is out of bounds")
    }
    return value
  }

  private func bounds(_ json: JSON, _ low: String, _ high: String) throws(Flaw) -> ClosedRange<
    Int
  >? {
    guard json[low] != nil || json[high] != nil else { return nil }
    let least = Int(json[low]?.integerValue ?? 0)
    let most = Int(json[high]?.integerValue ?? .max)
    guard least <= most else { throw Flaw(reason: "'\(low)' is above '\(high)'") }
    return least...most
  }

  private func branches(_ json: JSON?, _ depth: Int) throws(Flaw) -> [SchemaNode] {
    var nodes: [SchemaNode] = []
    for value in json?.arrayValue ?? [] {
      nodes.append(try SchemaNode(value, depth: depth + 1))
    }
    return nodes
  }
}

extension SchemaNode.Additional {
  var isAllowed: Bool {
    if case .allowed = self { return true }
    return false
  }
}

/// Types by the names of JSON Schema. A number without a fraction, however it is written, is an integer.
struct JSONTypes: OptionSet {
  let rawValue: UInt8
  init(rawValue: UInt8) { self.rawValue = rawValue }

  static let null = JSONTypes(rawValue: 1)
  static let boolean = JSONTypes(rawValue: 2)
  static let integer = JSONTypes(rawValue: 4)
  static let number = JSONTypes(rawValue: 8)
  static let string = JSONTypes(rawValue: 16)
  static let array = JSONTypes(rawValue: 32)
  static let object = JSONTypes(rawValue: 64)

  private static let names: [(String, JSONTypes)] = [
    ("null", .null), ("boolean", .boolean), ("integer", .integer), ("number", .number),
    ("string", .string), ("array", .array), ("object", .object),
  ]

  init(_ json: JSON) throws(SchemaNode.Flaw) {
    self = []
    for name in json.stringArray ?? [json.stringValue ?? ""] {
      guard let type = Self.names.first(where: { $0.0 == name })?.1 else {
        throw SchemaNode.Flaw(reason: "there is no type '\(name)'")
      }
      insert(type)
    }
  }

  var text: String {
    Self.names.filter { contains($0.1) }.map(\.0).joined(separator: " or ")
  }
}

/// Properties by name, found by the place that the last record had them at: the members of a stream's
/// records come in one order.
final class PropertyTable {
  struct Property {
    let name: [UInt8]
    let schema: SchemaNode?
  }

  private(set) var properties: [Property] = []
  private var numbers: [String: Int] = [:]

  func add(_ name: String, _ schema: SchemaNode?) {
    if let known = numbers[name] {
      properties[known] = Property(name: Array(name.utf8), schema: schema)
      return
    }
    numbers[name] = properties.count
    properties.append(Property(name: Array(name.utf8), schema: schema))
  }

  func index(adding name: String) -> Int {
    if let known = numbers[name] { return known }
    add(name, nil)
    return properties.count - 1
  }

  func index(of name: String) -> Int? { numbers[name] }

  /// The property of this name; `guess` is the one that is expected next.
  func find(_ name: UnsafeBufferPointer<UInt8>, guess: Int) -> Int? {
    let count = properties.count
    guard count > 0 else { return nil }
    if guess < count, matches(guess, name) { return guess }
    if count > 24 { return numbers[String(decoding: name, as: UTF8.self)] }
    for index in 0..<count where matches(index, name) { return index }
    return nil
  }

  private func matches(_ index: Int, _ name: UnsafeBufferPointer<UInt8>) -> Bool {
    properties[index].name.withUnsafeBufferPointer { own in
      guard own.count == name.count else { return false }
      for place in 0..<own.count where own[place] != name[place] { return false }
      return true
    }
  }
}
