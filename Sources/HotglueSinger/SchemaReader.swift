import HotglueCore

/// Compiles the schema of a stream.
///
/// References lead to places in the schema itself; each place is compiled once, so that a schema may
/// refer to itself. What says more than is checked - patterns, conditions, references to elsewhere - is
/// noted where it stands. A word that is not understood, such as the `maxLength` -1 of SQL Server or a type
/// `date-time`, is not checked either: it never stops a source.
final class SchemaReader {
  private let root: JSON
  private var places: [String: SchemaNode]
  private static let deepest = 64
  /// Words that were not understood, with the paths of their properties.
  private(set) var oddities: [String] = []
  /// Names of properties down to the schema that is read.
  private var path: [String] = []
  private static let mostOddities = 1000

  init(root: JSON, node: SchemaNode) {
    self.root = root
    places = ["#": node]
  }

  private func note(_ word: String, _ value: JSON?) {
    guard oddities.count < Self.mostOddities else { return }
    let text = value.map { " " + String($0.text.prefix(60)) } ?? ""
    let place = path.isEmpty ? "the record" : path.joined(separator: ".")
    oddities.append("\(place) (\(word)\(text))")
  }

  /// A schema one step further in, under the name of a property, or `*` for the items of a list.
  private func node(_ json: JSON, under name: String, depth: Int) -> SchemaNode {
    path.append(name)
    defer { path.removeLast() }
    return node(json, depth: depth)
  }

  func node(_ json: JSON, depth: Int) -> SchemaNode {
    if case .object(let members) = json, let reference = json["$ref"]?.stringValue,
      members.allSatisfy({ $0.key == "$ref" || Self.annotations.contains($0.key) }),
      let node = referred(reference, depth: depth)
    {
      return node
    }
    let node = SchemaNode()
    read(json, into: node, depth: depth)
    return node
  }

  func read(_ json: JSON, into node: SchemaNode, depth: Int) {
    guard depth < Self.deepest else { return note("nested too deeply", nil) }
    switch json {
    case .bool(true): break
    case .bool(false): node.types = []
    case .object(let members):
      if let type = said("type", of: json) {
        node.types = JSONTypes(type)
        if node.types == nil { note("type", type) }
      }
      readObject(json, into: node, depth: depth)
      readItems(json, into: node, depth: depth)
      node.itemCount = bounds(json, "minItems", "maxItems")
      node.memberCount = bounds(json, "minProperties", "maxProperties")
      node.length = bounds(json, "minLength", "maxLength")
      node.choices = list("enum", of: json).map { ChoiceSet($0) }
      if let constant = json["const"] { node.choices = ChoiceSet([constant]) }
      readNumbers(json, into: node)
      readBranches(json, into: node, depth: depth)
      node.format = json["format"]?.stringValue.flatMap { TextFormat(rawValue: $0) }
      node.unchecked += members.compactMap { member in
        Self.unchecked[member.key].map { (member.key, $0) }
      }
    default: note("the schema", json)
    }
    node.isPlain = node.hasOnlyTypes
  }

  /// Words that say nothing of what is allowed.
  private static let annotations: Set<String> = [
    "$comment", "$id", "$schema", "default", "definitions", "$defs", "deprecated", "description",
    "examples", "id", "inclusion", "readOnly", "selected", "title", "writeOnly",
  ]

  /// What is said by a word; `null` says nothing.
  private func said(_ word: String, of json: JSON) -> JSON? {
    guard let value = json[word], value != .null else { return nil }
    return value
  }

  private func list(_ word: String, of json: JSON) -> [JSON]? {
    guard let value = said(word, of: json) else { return nil }
    if value.arrayValue == nil { note(word, value) }
    return value.arrayValue
  }

  private static let unchecked: [String: JSONTypes] = [
    "contains": .array, "dependencies": .object, "dependentRequired": .object,
    "dependentSchemas": .object, "if": .any, "pattern": .string, "patternProperties": .object,
    "prefixItems": .array, "propertyNames": .object, "unevaluatedItems": .array,
    "unevaluatedProperties": .object, "uniqueItems": .array, "$dynamicRef": .any,
  ]

  // MARK: Objects, lists and numbers

  private func readObject(_ json: JSON, into node: SchemaNode, depth: Int) {
    let names = (list("required", of: json) ?? []).compactMap { name in
      if name.stringValue == nil { note("required", name) }
      return name.stringValue
    }
    if let properties = said("properties", of: json) {
      if properties.members == nil { note("properties", properties) }
      let table = PropertyTable()
      for member in properties.members ?? [] {
        table.add(member.key, self.node(member.value, under: member.key, depth: depth + 1))
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
    switch said("additionalProperties", of: json) {
    case .bool(false): node.additional = .forbidden
    case .some(.object(let members)) where !members.isEmpty:
      node.additional = .matching(self.node(.object(members), under: "*", depth: depth + 1))
    case .bool, .object, nil: break
    case .some(let other): note("additionalProperties", other)
    }
  }

  private func readItems(_ json: JSON, into node: SchemaNode, depth: Int) {
    switch said("items", of: json) {
    case .some(.object(let members)):
      guard json["prefixItems"] == nil else { return }
      node.items = self.node(.object(members), under: "*", depth: depth + 1)
    case .some(.array): node.unchecked.append(("items", .array))
    case .some(.bool(true)), nil: break
    case .some(let other): note("items", other)
    }
  }

  /// Both the older form of exclusive bounds, a truth value beside the bound, and the newer, a number.
  private func readNumbers(_ json: JSON, into node: SchemaNode) {
    node.minimum = number("minimum", of: json)
    node.maximum = number("maximum", of: json)
    if case .bool(let isExcluded) = json["exclusiveMinimum"] {
      node.isMinimumExcluded = isExcluded
    } else if let bound = number("exclusiveMinimum", of: json),
      node.minimum.map({ bound >= $0 }) ?? true
    {
      (node.minimum, node.isMinimumExcluded) = (bound, true)
    }
    if case .bool(let isExcluded) = json["exclusiveMaximum"] {
      node.isMaximumExcluded = isExcluded
    } else if let bound = number("exclusiveMaximum", of: json),
      node.maximum.map({ bound <= $0 }) ?? true
    {
      (node.maximum, node.isMaximumExcluded) = (bound, true)
    }
    node.multipleOf = number("multipleOf", of: json)
    if let multipleOf = node.multipleOf, multipleOf.isNegative || multipleOf.digits.isEmpty {
      note("multipleOf", json["multipleOf"])
      node.multipleOf = nil
    }
  }

  private func number(_ word: String, of json: JSON) -> ExactDecimal? {
    guard let value = said(word, of: json) else { return nil }
    guard case .number(let text) = value, let number = ExactDecimal(text.utf8) else {
      note(word, value)
      return nil
    }
    return number
  }

  private func bounds(_ json: JSON, _ low: String, _ high: String) -> ClosedRange<Int>? {
    let least = count(low, of: json)
    let most = count(high, of: json)
    guard least != nil || most != nil else { return nil }
    guard least ?? 0 <= most ?? .max else {
      note("\(low) above \(high)", nil)
      return nil
    }
    return (least ?? 0)...(most ?? .max)
  }

  private func count(_ word: String, of json: JSON) -> Int? {
    guard let value = said(word, of: json) else { return nil }
    guard case .number(let text) = value, let count = ExactDecimal(text.utf8)?.integer, count >= 0
    else {
      note(word, value)
      return nil
    }
    return Int(count)
  }

  // MARK: Branches and references

  private func readBranches(_ json: JSON, into node: SchemaNode, depth: Int) {
    node.anyOf = nodes(list("anyOf", of: json), depth)
    node.allOf = nodes(list("allOf", of: json), depth)
    readAlternatives(json, into: node, depth: depth)
    if let not = said("not", of: json) {
      let before = oddities.count
      let inner = self.node(not, depth: depth + 1)
      // Without a part of it, it would refuse what it allows.
      if oddities.count == before { node.not = inner }
    }
    if let reference = said("$ref", of: json) {
      if let text = reference.stringValue, let target = referred(text, depth: depth) {
        node.allOf.append(target)
      } else {
        node.unchecked.append(("$ref", .any))
      }
    }
  }

  /// Of alternatives that are understood in part a value may fit more than it should: then it has to fit one
  /// of them at least, not just one.
  private func readAlternatives(_ json: JSON, into node: SchemaNode, depth: Int) {
    let before = oddities.count
    let branches = nodes(Self.distinct(list("oneOf", of: json) ?? []), depth)
    guard oddities.count > before else {
      node.oneOf = branches
      return
    }
    let any = SchemaNode()
    any.anyOf = branches
    node.allOf.append(any)
  }

  private func nodes(_ values: [JSON]?, _ depth: Int) -> [SchemaNode] {
    (values ?? []).map { node($0, depth: depth + 1) }
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
  private func referred(_ reference: String, depth: Int) -> SchemaNode? {
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
    read(place, into: node, depth: depth + 1)
    return node
  }
}
