import HotglueCore

/// Why a record is set aside.
struct RecordFlaw: Error, Equatable {
  /// From the innermost outwards, while it is handed up.
  var path: [String]
  var reason: String

  init(_ reason: String) {
    path = []
    self.reason = reason
  }

  /// `path`: from the outermost inwards.
  init(_ reason: String, at path: [String]) {
    self.path = path.reversed()
    self.reason = reason
  }

  func under(_ name: String) -> RecordFlaw {
    var flaw = self
    flaw.path.append(name)
    return flaw
  }

  var place: String { path.reversed().joined(separator: ".") }
}

/// Checks a value of a line against its schema, on the bytes as they came.
struct RecordCheck {
  /// Texts that are not of their declared format, by path.
  var oddFormats: [String: Int64] = [:]
  /// Values of which the schema says more than is checked, by path and the word that says it.
  var unchecked: [String: Int64] = [:]
  /// Where the names of members stand, down to the value that is checked.
  private var trail: [Int] = []
  /// Past the bounds below the record is refused: no other branch is tried.
  private var isEndless = false
  private var depth = 0
  private var steps = 0
  private static let deepest = 2000
  /// Comparisons of a value with a schema: so many for a record, and so many more for each of its
  /// values. Alternatives within alternatives would otherwise take longer than anybody waits. Whoever
  /// reads the bytes of a long value counts them, too.
  private static let mostSteps = 1_000_000
  private static let mostStepsPerValue = 100
  private static let mostPlaces = 1000

  mutating func check(
    _ index: Int, of line: borrowing JSONTape, against schema: SchemaNode
  ) throws(RecordFlaw) {
    let node = line[index]
    if let types = schema.types, !isOneOf(types, node, line) {
      throw RecordFlaw("\(describe(node)) where \(types.text) is expected")
    }
    if schema.isPlain { return }
    steps += 1
    guard steps <= Self.mostSteps + line.count * Self.mostStepsPerValue + line.bytes.count else {
      isEndless = true
      throw RecordFlaw("the check against the schema takes too many steps")
    }
    guard depth < Self.deepest else {
      isEndless = true
      throw RecordFlaw("the schema refers to itself without end")
    }
    depth += 1
    defer { depth -= 1 }
    for (word, kinds) in schema.unchecked where isOneOf(kinds, node, line) {
      note(word, line, in: \.unchecked)
    }
    if let choices = schema.choices { try checkChoice(choices, node, line) }
    switch node.kind {
    case .object: try checkObject(index, of: line, against: schema)
    case .array: try checkArray(index, of: line, against: schema)
    case .string: try checkText(node, of: line, against: schema)
    case .integer, .decimal: try checkNumber(node, of: line, against: schema)
    case .yes, .no, .null: break
    }
    try checkBranches(index, of: line, against: schema)
  }

  /// Forgets what was noted of the record before.
  mutating func startOver() {
    if !oddFormats.isEmpty { oddFormats = [:] }
    if !unchecked.isEmpty { unchecked = [:] }
    trail.removeAll(keepingCapacity: true)
    depth = 0
    steps = 0
    isEndless = false
  }

  private mutating func note(
    _ word: String, _ line: borrowing JSONTape, in counts: WritableKeyPath<Self, [String: Int64]>
  ) {
    var path = ""
    for place in trail {
      if !path.isEmpty { path += "." }
      path += line.text(line[place])
    }
    let key = path.isEmpty ? "(\(word))" : "\(path) (\(word))"
    if self[keyPath: counts][key] != nil || self[keyPath: counts].count < Self.mostPlaces {
      self[keyPath: counts][key, default: 0] += 1
    }
  }
  private func isOneOf(
    _ types: JSONTypes, _ node: JSONTape.Node, _ line: borrowing JSONTape
  ) -> Bool {
    switch node.kind {
    case .object: return types.contains(.object)
    case .array: return types.contains(.array)
    case .string: return types.contains(.string)
    case .yes, .no: return types.contains(.boolean)
    case .null: return types.contains(.null)
    case .integer: return types.contains(.integer) || types.contains(.number)
    case .decimal:
      if types.contains(.number) { return true }
      return types.contains(.integer) && ExactDecimal(line.raw(node))?.isInteger == true
    }
  }

  private func describe(_ node: JSONTape.Node) -> String {
    switch node.kind {
    case .object: "an object"
    case .array: "a list"
    case .string: "a string"
    case .yes, .no: "a boolean"
    case .null: "null"
    case .integer: "an integer"
    case .decimal: "a number"
    }
  }

  // MARK: Objects and lists

  private mutating func checkObject(
    _ index: Int, of line: borrowing JSONTape, against schema: SchemaNode
  ) throws(RecordFlaw) {
    guard let table = schema.properties else {
      if schema.additional.isAllowed, schema.memberCount == nil { return }
      return try checkMembers(index, of: line, PropertyTable(), schema)
    }
    try checkMembers(index, of: line, table, schema)
  }

  private mutating func checkMembers(
    _ index: Int, of line: borrowing JSONTape, _ table: PropertyTable, _ schema: SchemaNode
  ) throws(RecordFlaw) {
    var seen: UInt64 = 0
    var seenBeyond: Set<Int> = []
    var guess = 0
    var place = index + 1
    let end = Int(line[index].next)
    while place < end {
      let name = line[place]
      let value = place + 1
      place = Int(line[value].next)
      let found =
        name.isEscaped
        ? table.index(of: line.text(name)) : table.find(line.inner(name), guess: guess)
      if let found {
        guess = found + 1
        if found < 64 { seen |= 1 << UInt64(found) } else { seenBeyond.insert(found) }
        if let schema = table.properties[found].schema {
          try checkMember(value, of: line, schema)
          continue
        }
      }
      switch schema.additional {
      case .allowed: break
      case .forbidden where found == nil || !schema.required.contains(found ?? -1):
        throw RecordFlaw("the schema has no such property").under(line.text(name))
      case .forbidden: break
      case .matching(let other): try checkMember(value, of: line, other)
      }
    }
    steps += end - index
    if let bounds = schema.memberCount {
      let count = Self.members(of: index, line)
      guard bounds.contains(count) else {
        throw RecordFlaw(
          "\(count) properties, which are too \(count < bounds.lowerBound ? "few" : "many")")
      }
    }
    for wanted in schema.required {
      let isThere =
        wanted < 64 ? seen & (1 << UInt64(wanted)) != 0 : seenBeyond.contains(wanted)
      if !isThere {
        let name = String(decoding: table.properties[wanted].name, as: UTF8.self)
        throw RecordFlaw("a required property is missing").under(name)
      }
    }
  }

  /// The value of a member, whose name stands before it.
  private mutating func checkMember(
    _ value: Int, of line: borrowing JSONTape, _ schema: SchemaNode
  ) throws(RecordFlaw) {
    trail.append(value - 1)
    do throws(RecordFlaw) {
      try check(value, of: line, against: schema)
    } catch {
      trail.removeLast()
      throw error.under(line.text(line[value - 1]))
    }
    trail.removeLast()
  }

  private static func members(of object: Int, _ line: borrowing JSONTape) -> Int {
    var count = 0
    var place = object + 1
    let end = Int(line[object].next)
    while place < end {
      count += 1
      place = Int(line[place + 1].next)
    }
    return count
  }

  private mutating func checkArray(
    _ index: Int, of line: borrowing JSONTape, against schema: SchemaNode
  ) throws(RecordFlaw) {
    guard schema.items != nil || schema.itemCount != nil else { return }
    var place = index + 1
    let end = Int(line[index].next)
    var count = 0
    while place < end {
      if let items = schema.items {
        do throws(RecordFlaw) {
          try check(place, of: line, against: items)
        } catch {
          throw error.under(String(count))
        }
      }
      count += 1
      place = Int(line[place].next)
    }
    steps += count
    if let bounds = schema.itemCount, !bounds.contains(count) {
      let odd = count < bounds.lowerBound ? "too short" : "too long"
      throw RecordFlaw("a list of \(count), which is \(odd)")
    }
  }

  // MARK: Texts and numbers

  private mutating func checkText(
    _ node: JSONTape.Node, of line: borrowing JSONTape, against schema: SchemaNode
  ) throws(RecordFlaw) {
    if let format = schema.format, !node.isEscaped, !format.accepts(line.inner(node)) {
      note(format.rawValue, line, in: \.oddFormats)
    }
    guard let bounds = schema.length else { return }
    countBytes(of: node)
    var count = 0
    if node.isEscaped {
      count = line.text(node).unicodeScalars.count
    } else {
      for byte in line.inner(node) where byte & 0xC0 != 0x80 { count += 1 }
    }
    if count < bounds.lowerBound {
      throw RecordFlaw("\(count) characters, and at least \(bounds.lowerBound) are expected")
    }
    if count > bounds.upperBound {
      throw RecordFlaw("\(count) characters, and at most \(bounds.upperBound) are allowed")
    }
  }

  private mutating func countBytes(of node: JSONTape.Node) {
    steps += Int(node.end - node.start) >> 6
  }

  private mutating func checkNumber(
    _ node: JSONTape.Node, of line: borrowing JSONTape, against schema: SchemaNode
  ) throws(RecordFlaw) {
    guard schema.minimum != nil || schema.maximum != nil || schema.multipleOf != nil else { return }
    countBytes(of: node)
    guard let value = ExactDecimal(line.raw(node)) else {
      throw RecordFlaw("a number out of bounds")
    }
    if let minimum = schema.minimum,
      value < minimum || (schema.isMinimumExcluded && value == minimum)
    {
      throw RecordFlaw("below the minimum \(minimum.text)")
    }
    if let maximum = schema.maximum,
      value > maximum || (schema.isMaximumExcluded && value == maximum)
    {
      throw RecordFlaw("above the maximum \(maximum.text)")
    }
    if let divisor = schema.multipleOf, value.isMultiple(of: divisor) == false {
      throw RecordFlaw("not a multiple of \(divisor.text)")
    }
  }

  private mutating func checkChoice(
    _ choices: ChoiceSet, _ node: JSONTape.Node, _ line: borrowing JSONTape
  ) throws(RecordFlaw) {
    countBytes(of: node)
    let isChosen =
      node.kind == .string && !node.isEscaped
      ? choices.contains(text: line.inner(node)) : choices.contains(line.json(node))
    guard isChosen else {
      throw RecordFlaw("not one of the values that are allowed")
    }
  }

  // MARK: Branches

  private mutating func checkBranches(
    _ index: Int, of line: borrowing JSONTape, against schema: SchemaNode
  ) throws(RecordFlaw) {
    for branch in schema.allOf { try check(index, of: line, against: branch) }
    if !schema.anyOf.isEmpty { _ = try fitting(schema.anyOf, index, of: line, atMost: 1) }
    if !schema.oneOf.isEmpty, try fitting(schema.oneOf, index, of: line, atMost: 2) > 1 {
      throw RecordFlaw("fits more than one of the alternatives, of which it may fit one")
    }
    if let not = schema.not, try fits(index, of: line, not) == nil {
      throw RecordFlaw("fits what it must not fit")
    }
  }

  /// How many branches the value fits, at least one; it is not counted beyond `most`.
  private mutating func fitting(
    _ branches: [SchemaNode], _ index: Int, of line: borrowing JSONTape, atMost most: Int
  ) throws(RecordFlaw) -> Int {
    var flaw: RecordFlaw?
    var count = 0
    for branch in branches where count < most {
      // Plain branches count here: there may be many of them.
      steps += 1
      if let found = try fits(index, of: line, branch) {
        flaw = flaw ?? found
      } else {
        count += 1
      }
    }
    guard count > 0 else {
      throw RecordFlaw("fits none of the alternatives: \(flaw?.reason ?? "there is none")")
    }
    return count
  }

  /// Why a value does not fit a branch; `nil` when it does.
  private mutating func fits(
    _ index: Int, of line: borrowing JSONTape, _ branch: SchemaNode
  ) throws(RecordFlaw) -> RecordFlaw? {
    do throws(RecordFlaw) {
      try check(index, of: line, against: branch)
      return nil
    } catch {
      if isEndless { throw error }
      return error
    }
  }
}
