import HotglueCore

/// One JSON Schema, compiled: the parts that taps use. What it does not check is in `unchecked`.
final class SchemaNode {
  var types: JSONTypes?
  var properties: PropertyTable?
  var required: [Int] = []
  var additional = Additional.allowed
  var items: SchemaNode?
  var itemCount: ClosedRange<Int>?
  var memberCount: ClosedRange<Int>?
  var choices: ChoiceSet?
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
  var not: SchemaNode?
  /// Words of the schema that say more than is checked, with the kind of value that they speak of.
  var unchecked: [(word: String, kinds: JSONTypes)] = []

  enum Additional {
    case allowed, forbidden
    case matching(SchemaNode)
  }

  /// Only types are to be looked at: nearly every property of nearly every tap.
  var isPlain = false

  init() {}

  /// Reads a schema that refers to nothing but itself. `oddities`: words of it that were not understood,
  /// with the paths of their properties; they are not checked.
  static func read(_ json: JSON) -> (node: SchemaNode, oddities: [String]) {
    let node = SchemaNode()
    let reader = SchemaReader(root: json, node: node)
    reader.read(json, into: node, depth: 0)
    return (node, reader.oddities)
  }

  var hasOnlyTypes: Bool {
    properties == nil && required.isEmpty && items == nil && itemCount == nil
      && memberCount == nil && choices == nil && length == nil && minimum == nil && maximum == nil
      && multipleOf == nil && format == nil && anyOf.isEmpty && oneOf.isEmpty && allOf.isEmpty
      && not == nil && unchecked.isEmpty && additional.isAllowed
  }
}

extension SchemaNode {
  var propertyNames: Set<String> { properties?.names ?? [] }
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

  static let any = JSONTypes(rawValue: 127)
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

  /// One name or a list of names; `nil` when one of them is not a type.
  init?(_ json: JSON) {
    self = []
    guard let names = json.stringArray ?? json.stringValue.map({ [$0] }), !names.isEmpty else {
      return nil
    }
    for name in names {
      guard let type = Self.names.first(where: { $0.0 == name })?.1 else { return nil }
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

  var names: Set<String> { Set(numbers.keys) }

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
