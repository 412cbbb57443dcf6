import HotglueCore

/// One message of a tap: its type, and where its parts are in the line.
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
  ) throws(SyncError) -> Message? {
    if line.count < 8, line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { return nil }
    do throws(LineFlaw) {
      try tape.scan(line)
    } catch {
      throw .notJSON(line: number, flaw: error, excerpt: excerpt(line))
    }
    guard tape[0].kind == .object else {
      throw .notAMessage(line: number, reason: "it is no object")
    }
    var message = Message()
    message.findParts(tape)
    try message.requireText(line, number, tape)
    guard let type = message.type, tape[type].kind == .string else {
      throw .notAMessage(line: number, reason: "it has no 'type'")
    }
    message.kind = kind(of: tape[type], tape)
    return message
  }

  /// Half of a surrogate pair, or NaN, in a record is that record's flaw. Anywhere else, as in a bookmark,
  /// it makes the line unfit.
  private func requireText(
    _ line: UnsafeBufferPointer<UInt8>, _ number: Int64, _ tape: borrowing JSONTape
  ) throws(SyncError) {
    guard let oddity = tape.oddity else { return }
    if let record, tape.hasOdditiesOnly(in: tape[record]), let type,
      Self.kind(of: tape[type], tape) == .record
    {
      return
    }
    let flaw = LineFlaw(reason: oddity.reason, column: oddity.range.lowerBound + 1)
    throw .notJSON(line: number, flaw: flaw, excerpt: Self.excerpt(line))
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

  /// Types are the same in small letters.
  private static func kind(of node: JSONTape.Node, _ tape: borrowing JSONTape) -> Kind {
    if tape.isText(node, "RECORD") { return .record }
    switch tape.text(node).uppercased() {
    case "RECORD": return .record
    case "STATE": return .state
    case "SCHEMA": return .schema
    case "ACTIVATE_VERSION": return .activateVersion
    case "BATCH": return .batch
    default: return .other
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
