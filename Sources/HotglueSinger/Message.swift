import HotglueCore

/// One message of a tap: its type, and where its parts are in the line. It has all the parts that its type
/// requires, and they can be read.
struct Message {
  enum Kind: Equatable { case record, state, schema, activateVersion, batch, other }

  var kind = Kind.other
  var type: Int?
  var stream: Int?
  var record: Int?
  var value: Int?
  var schema: Int?
  var keyProperties: Int?
  var bookmarkProperties: Int?
  var version: Int?
  var encoding: Int?
  var manifest: Int?

  /// Reads a line; `nil` for one that holds nothing but space.
  static func read(
    _ line: UnsafeBufferPointer<UInt8>, _ number: Int64, _ tape: inout JSONTape
  ) throws(UnreadableLine) -> Message? {
    if line.count < 8, line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { return nil }
    do throws(LineFlaw) {
      try tape.scan(line)
    } catch {
      let unreadable = UnreadableLine(line, number, error)
      guard unreadable.kind == .schema, tape.scan(repairing: line, flaw: error) else {
        throw unreadable
      }
    }
    guard tape[0].kind == .object else {
      throw UnreadableLine(number, nil, "it is not an object")
    }
    var message = Message()
    message.findParts(tape)
    guard let type = message.type, tape[type].kind == .string else {
      throw UnreadableLine(
        number, nil, "it has no 'type'", mayHoldRecord: message.record != nil)
    }
    message.kind = kind(of: tape[type], tape)
    if tape.oddity != nil { try message.repairSchema(line, number, &tape) }
    try message.requireParts(number, tape)
    return message
  }

  /// Half of a surrogate pair, or NaN, somewhere in a schema.
  private mutating func repairSchema(
    _ line: UnsafeBufferPointer<UInt8>, _ number: Int64, _ tape: inout JSONTape
  ) throws(UnreadableLine) {
    guard kind == .schema, let oddity = tape.oddity else { return }
    let flaw = LineFlaw(reason: oddity.reason, column: oddity.range.lowerBound + 1)
    guard tape.scan(repairing: line, flaw: flaw) else {
      throw UnreadableLine(line, number, flaw)
    }
    self = Message()
    findParts(tape)
    kind = .schema
  }

  /// What is not used of a message may be odd, and so may a record: that is judged as one.
  private func requireParts(
    _ number: Int64, _ tape: borrowing JSONTape
  ) throws(UnreadableLine) {
    switch kind {
    case .record:
      let name = try name(number, tape)
      if record == nil { throw UnreadableLine(number, kind, stream: name, "it has no 'record'") }
    case .state: try require(value, "value", number, tape)
    case .schema:
      let name = try name(number, tape)
      if schema == nil { throw UnreadableLine(number, kind, stream: name, "it has no 'schema'") }
    case .activateVersion:
      _ = try name(number, tape)
      try require(version, "version", number, tape)
    case .batch:
      _ = try name(number, tape)
      try require(manifest, "manifest", number, tape)
    case .other: break
    }
  }

  /// The stream's name, where it is wanted for an error; it costs nothing where all is well.
  private func name(
    _ number: Int64, _ tape: borrowing JSONTape
  ) throws(UnreadableLine) -> String? {
    guard let stream, tape[stream].kind == .string else {
      throw UnreadableLine(number, kind, "it has no 'stream'")
    }
    guard !tape.isOdd(tape[stream]) else {
      throw UnreadableLine(number, kind, "'stream' cannot be read: \(tape.oddity?.reason ?? "")")
    }
    guard kind == .record && record == nil || kind == .schema && schema == nil else { return nil }
    return tape.text(tape[stream])
  }

  private func require(
    _ part: Int?, _ word: String, _ number: Int64, _ tape: borrowing JSONTape
  ) throws(UnreadableLine) {
    guard let part else { throw UnreadableLine(number, kind, "it has no '\(word)'") }
    guard tape.isOdd(tape[part]) else { return }
    throw UnreadableLine(
      number, kind, "'\(word)' cannot be read: \(tape.oddity?.reason ?? "")")
  }

  static let halfReason = "half a surrogate pair"

  private mutating func findParts(_ tape: borrowing JSONTape) {
    var place = 1
    let end = tape.count
    while place < end {
      let name = tape[place]
      let value = place + 1
      place = Int(tape[value].next)
      // Names are told apart by their length first.
      switch name.end - name.start - 2 {
      case 4: if tape.isText(name, "type") { type = value }
      case 5: if tape.isText(name, "value") { self.value = value }
      case 6:
        if tape.isText(name, "stream") {
          stream = value
        } else if tape.isText(name, "record") {
          record = value
        } else if tape.isText(name, "schema") {
          schema = value
        }
      case 7: if tape.isText(name, "version") { version = value }
      case 8:
        if tape.isText(name, "encoding") {
          encoding = value
        } else if tape.isText(name, "manifest") {
          manifest = value
        }
      case 14: if tape.isText(name, "key_properties") { keyProperties = value }
      case 19: if tape.isText(name, "bookmark_properties") { bookmarkProperties = value }
      default: break
      }
    }
  }

  private static func kind(of node: JSONTape.Node, _ tape: borrowing JSONTape) -> Kind {
    tape.isText(node, "RECORD") ? .record : kind(of: tape.text(node))
  }

  /// Types are the same in small letters.
  static func kind(of type: String) -> Kind {
    switch type.uppercased() {
    case "RECORD": .record
    case "STATE": .state
    case "SCHEMA": .schema
    case "ACTIVATE_VERSION": .activateVersion
    case "BATCH": .batch
    default: .other
    }
  }

  func typeText(_ tape: borrowing JSONTape) -> String {
    guard let type else { return "" }
    return tape.text(tape[type])
  }

  /// The beginning of a line, fit to be shown: what is not printable becomes a mark.
  static func excerpt(_ line: UnsafeBufferPointer<UInt8>) -> String {
    let text = String(decoding: line.prefix(80), as: UTF8.self)
    let visible = text.unicodeScalars.map { scalar -> Character in
      scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value)
        ? "\u{FFFD}" : Character(scalar)
    }
    return String(visible) + (line.count > 80 ? "…" : "")
  }
}
