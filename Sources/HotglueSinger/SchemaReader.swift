import HotglueCore

/// Compiles the schema of a stream.
///
/// References lead to places in the schema itself; each place is compiled once, so that a schema may
/// refer to itself. What says more than is checked - patterns, conditions, references to elsewhere - is
/// noted where it stands.
final class SchemaReader {
  private let root: JSON
  private var places: [String: SchemaNode]
  private static let deepest = 64

  init(root: JSON, node: SchemaNode) {
    self.root = root
    places = ["#": node]
  }

  func node(_ json: JSON, depth: Int) throws(SchemaNode.Flaw) -> SchemaNode {
    if case .object(let members) = json, let reference = json["$ref"]?.stringValue,
      members.allSatisfy({ $0.key == "$ref" || Self.annotations.contains($0.key) }),
      let node = try referred(reference, depth: depth)
    {
      return node
    }
    let node = SchemaNode()
    try read(json, into: node, depth: depth)
    return node
  }

  func read(_ json: JSON, into node: SchemaNode, depth: Int) throws(SchemaNode.Flaw) {
    guard depth < Self.deepest else {
      throw SchemaNode.Flaw(reason: "it is nested too deeply")
    }
    switch json {
    case .bool(true): break
    case .bool(false): node.types = []
    case .object(let members):
      if let type = json["type"] { node.types = try JSONTypes(type) }
      try readObject(json, into: node, depth: depth)
      try readItems(json, into: node, depth: depth)
      node.itemCount = try bounds(json, "minItems", "maxItems")
      node.memberCount = try bounds(json, "minProperties", "maxProperties")
      node.length = try bounds(json, "minLength", "maxLength")
      node.choices = json["enum"]?.arrayValue.map { ChoiceSet($0) }
      if let constant = json["const"] { node.choices = ChoiceSet([constant]) }
      try readNumbers(json, into: node)
      try readBranches(json, into: node, depth: depth)
      node.format = json["format"]?.stringValue.flatMap { TextFormat(rawValue: $0) }
      node.unchecked += members.compactMap { member in
        Self.unchecked[member.key].map { (member.key, $0) }
      }
    default: throw SchemaNode.Flaw(reason: "a schema is an object")
    }
    node.isPlain = node.hasOnlyTypes
  }

  /// Words that say nothing of what is allowed.
  private static let annotations: Set<String> = [
    "$comment", "$id", "$schema", "default", "definitions", "$defs", "deprecated", "description",
    "examples", "id", "readOnly", "title", "writeOnly",
  ]

  private static let unchecked: [String: JSONTypes] = [
    "contains": .array, "dependencies": .object, "dependentRequired": .object,
    "dependentSchemas": .object, "if": .any, "pattern": .string, "patternProperties": .object,
    "prefixItems": .array, "propertyNames": .object, "unevaluatedItems": .array,
    "unevaluatedProperties": .object, "uniqueItems": .array, "$dynamicRef": .any,
  ]

  // MARK: Objects, lists and numbers

  private func readObject(
    _ json: JSON, into node: SchemaNode, depth: Int
  ) throws(SchemaNode.Flaw) {
    let names = json["required"]?.stringArray ?? []
    if let members = json["properties"]?.members {
      let table = PropertyTable()
      for member in members {
        table.add(member.key, try self.node(member.value, depth: depth + 1))
      }
      node.properties = table
    }
    if !names.isEmpty {
      let table = node.properties ?? PropertyTable()
      node.properties = table
      node.required = names.map { table.index(adding: $0) }
    }
    // Whether a property is an additional one depends on patterns, which are not checked.
    guard json["patternProperties"] == nil else { return }
    switch json["additionalProperties"] {
    case .bool(false): node.additional = .forbidden
    case .some(.object(let members)) where !members.isEmpty:
      node.additional = .matching(try self.node(.object(members), depth: depth + 1))
    default: break
    }
  }

  private func readItems(
    _ json: JSON, into node: SchemaNode, depth: Int
  ) throws(SchemaNode.Flaw) {
    switch json["items"] {
    case .some(.object(let members)) where json["prefixItems"] == nil:
      node.items = try self.node(.object(members), depth: depth + 1)
    case .some(.array): node.unchecked.append(("items", .array))
    default: break
    }
  }

  /// Both the older form of exclusive bounds, a truth value beside the bound, and the newer, a number.
  private func readNumbers(_ json: JSON, into node: SchemaNode) throws(SchemaNode.Flaw) {
    node.minimum = try number(json["minimum"])
    node.maximum = try number(json["maximum"])
    node.isMinimumExcluded = json["exclusiveMinimum"]?.boolValue ?? false
    node.isMaximumExcluded = json["exclusiveMaximum"]?.boolValue ?? false
    if let bound = try number(json["exclusiveMinimum"]),
      node.minimum.map({ bound >= $0 }) ?? true
    {
      (node.minimum, node.isMinimumExcluded) = (bound, true)
    }
    if let bound = try number(json["exclusiveMaximum"]),
      node.maximum.map({ bound <= $0 }) ?? true
    {
      (node.maximum, node.isMaximumExcluded) = (bound, true)
    }
    node.multipleOf = try number(json["multipleOf"])
    if let multipleOf = node.multipleOf, multipleOf.isNegative || multipleOf.digits.isEmpty {
      throw SchemaNode.Flaw(reason: "'multipleOf' is not above zero")
    }
  }

  private func number(_ json: JSON?) throws(SchemaNode.Flaw) -> ExactDecimal? {
    guard case .number(let text)? = json else { return nil }
    guard let value = ExactDecimal(text.utf8) else {
      throw SchemaNode.Flaw(reason: "the number \(text) is out of bounds")
    }
    return value
  }

  private func bounds(
    _ json: JSON, _ low: String, _ high: String
  ) throws(SchemaNode.Flaw) -> ClosedRange<Int>? {
    guard json[low] != nil || json[high] != nil else { return nil }
    let least = Int(json[low]?.integerValue ?? 0)
    let most = Int(json[high]?.integerValue ?? .max)
    guard least <= most else {
      throw SchemaNode.Flaw(reason: "'\(low)' is above '\(high)'")
    }
    return least...most
  }

  // MARK: Branches and references

  private func readBranches(
    _ json: JSON, into node: SchemaNode, depth: Int
  ) throws(SchemaNode.Flaw) {
    node.anyOf = try nodes(json["anyOf"]?.arrayValue, depth)
    node.oneOf = try nodes(Self.distinct(json["oneOf"]?.arrayValue ?? []), depth)
    node.allOf = try nodes(json["allOf"]?.arrayValue, depth)
    if let not = json["not"] { node.not = try self.node(not, depth: depth + 1) }
    if let reference = json["$ref"]?.stringValue {
      if let target = try referred(reference, depth: depth) {
        node.allOf.append(target)
      } else {
        node.unchecked.append(("$ref", .any))
      }
    }
  }

  private func nodes(_ values: [JSON]?, _ depth: Int) throws(SchemaNode.Flaw) -> [SchemaNode] {
    var nodes: [SchemaNode] = []
    for value in values ?? [] { nodes.append(try node(value, depth: depth + 1)) }
    return nodes
  }

  /// Alternatives that differ in annotations alone are one: taps say that a text is either a date-time
  /// or a string, and a format is an annotation.
  private static func distinct(_ branches: [JSON]) -> [JSON] {
    var seen: Set<String> = []
    return branches.filter { branch in
      guard case .object(let members) = branch else { return true }
      let said = members.filter { $0.key != "format" && !annotations.contains($0.key) }
      return seen.insert(JSON.object(said).canonical.text).inserted
    }
  }

  /// What a reference leads to: a place in this schema, as `#/definitions/name`; `nil` for any other.
  private func referred(
    _ reference: String, depth: Int
  ) throws(SchemaNode.Flaw) -> SchemaNode? {
    if let known = places[reference] { return known }
    guard reference.hasPrefix("#/") else { return nil }
    var place = root
    for step in reference.dropFirst(2).split(separator: "/", omittingEmptySubsequences: false) {
      let name = String(step.replacing("~1", with: "/").replacing("~0", with: "~"))
      if let values = place.arrayValue, let index = Int(name), values.indices.contains(index) {
        place = values[index]
      } else if let member = place[name] {
        place = member
      } else {
        return nil
      }
    }
    let node = SchemaNode()
    places[reference] = node
    try read(place, into: node, depth: depth + 1)
    return node
  }
}
