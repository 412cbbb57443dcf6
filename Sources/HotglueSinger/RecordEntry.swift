import HotglueCore
import HotglueStore

/// What a record on a tape becomes in a batch.
enum RecordEntry {
  /// `schema`: `nil` where records are not checked against theirs.
  static func check(
    _ record: Int, on tape: borrowing JSONTape, against schema: SchemaNode?,
    _ check: inout RecordCheck
  ) throws(RecordFlaw) {
    check.startOver()
    if let oddity = tape.oddity(in: tape[record]) {
      throw RecordFlaw(oddity.reason, at: tape.path(to: oddity.byte, in: record))
    }
    guard tape[record].kind == .object else { throw RecordFlaw("the record is not an object") }
    if let schema { try check.check(record, of: tape, against: schema) }
  }

  static func data(
    of record: Int, on tape: borrowing JSONTape, in batch: inout RecordBatch
  ) -> Range<Int> {
    let raw = tape.raw(tape[record])
    return tape.isSpaced ? batch.add(withoutSpace(raw)) : batch.add(raw)
  }

  /// `properties`: of the key; empty: the content is the key, without the members that are ignored.
  static func key(
    of record: Int, on tape: borrowing JSONTape, properties: [String], ignoring ignored: [String],
    in batch: inout RecordBatch
  ) throws(RecordFlaw) -> RecordBatch.Key {
    if properties.isEmpty {
      guard tape[record].kind == .object else { throw RecordFlaw("the record is not an object") }
      return content(of: record, on: tape, without: ignored)
    }
    let nodes = try KeyReader.nodes(of: properties, record: record, tape)
    if nodes.count == 1, let only = nodes.first {
      let node = tape[only]
      if let number = KeyReader.integer(node, of: tape) { return .integer(number) }
      if node.kind == .string {
        return node.isEscaped
          ? .text(batch.add(Array(tape.text(node).utf8))) : .text(batch.add(tape.inner(node)))
      }
    }
    var text: [UInt8] = [UInt8(ascii: "[")]
    for (place, index) in nodes.enumerated() {
      if place > 0 { text.append(UInt8(ascii: ",")) }
      KeyReader.append(tape[index], of: tape, to: &text)
    }
    text.append(UInt8(ascii: "]"))
    return .bytes(batch.add(text))
  }

  private static func content(
    of record: Int, on tape: borrowing JSONTape, without ignored: [String]
  ) -> RecordBatch.Key {
    var hash = ContentHash()
    var place = record + 1
    let end = Int(tape[record].next)
    while place < end {
      let name = tape.raw(tape[place])
      let value = tape.raw(tape[place + 1])
      defer { place = Int(tape[place + 1].next) }
      if !ignored.isEmpty, ignored.contains(tape.text(tape[place])) { continue }
      if tape.isSpaced {
        withoutSpace(value).withUnsafeBufferPointer { hash.add(name, $0) }
      } else {
        hash.add(name, value)
      }
    }
    return .content(hash.high, hash.low)
  }

  /// The text without white space between its values.
  static func withoutSpace(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(text.count)
    var isInText = false
    var isEscaped = false
    for byte in text {
      if isInText {
        out.append(byte)
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isInText = false
        }
      } else if byte > 0x20 {
        out.append(byte)
        isInText = byte == UInt8(ascii: "\"")
      }
    }
    return out
  }
}
