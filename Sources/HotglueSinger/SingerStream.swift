import HotglueCore
import HotglueStore

/// What the engine knows of one stream while a run goes on.
final class SingerStream {
  /// As the messages name it.
  let name: [UInt8]
  let identity: StreamResolver.Stream
  let index: Int
  /// Members of the record that make its key; empty: it has none.
  let key: [String]
  let schema: SchemaNode
  /// The schema's text, to see at once that it is declared again as it was.
  let declared: [UInt8]
  /// Members that do not tell its records apart.
  var ignored: [String] = []
  var tally = StreamTally()
  /// The number of the version that is being sent.
  var version: JSON?
  /// A record was set aside whose key is not known: what is stored under it must not be removed.
  var hasUnplacedReject = false
  var isReplaced = false
  /// Of a stream without keys; `nil` for any other.
  var resumption: Resumption?
  /// As the catalog or the schema names it.
  let replicationKey: String?
  /// The order of its records.
  let monitor: OrderMonitor

  init(
    _ identity: StreamResolver.Stream, name: [UInt8], index: Int, key: [String],
    schema: SchemaNode, declared: [UInt8], replicationKey: String?, monitor: OrderMonitor
  ) {
    self.identity = identity
    self.name = name
    self.index = index
    self.key = key
    self.schema = schema
    self.declared = declared
    self.replicationKey = replicationKey
    self.monitor = monitor
  }

  /// Takes over what the run knows of the stream under its schema before.
  func carryOn(from before: SingerStream) {
    tally = before.tally
    version = before.version
    isReplaced = before.isReplaced
    hasUnplacedReject = before.hasUnplacedReject
  }

  /// Under which its records are stored.
  var title: String { identity.title }

  func isNamed(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    guard bytes.count == name.count else { return false }
    return name.withUnsafeBufferPointer { own in
      for index in 0..<own.count where own[index] != bytes[index] { return false }
      return true
    }
  }
}

/// Finds the key of a record.
enum KeyReader {
  /// The values of the key's members, or why there is no key.
  static func nodes(
    of key: [String], record: Int, _ line: borrowing JSONTape
  ) throws(RecordFlaw) -> [Int] {
    var nodes: [Int] = []
    for name in key {
      guard let value = line.member(name, of: record) else {
        throw RecordFlaw("the key is missing").under(name)
      }
      guard line[value].kind != .null else {
        throw RecordFlaw("the key is null").under(name)
      }
      if let oddity = line.oddity(in: line[value]) {
        throw RecordFlaw(oddity.reason).under(name)
      }
      nodes.append(value)
    }
    return nodes
  }

  /// One spelling of a value of a key: two keys are equal when these are.
  static func append(_ node: JSONTape.Node, of line: borrowing JSONTape, to out: inout [UInt8]) {
    switch node.kind {
    case .integer, .decimal: appendNumber(line.raw(node), to: &out)
    case .string where !node.isEscaped: out.append(contentsOf: line.raw(node))
    default: append(line.json(node).canonical, to: &out)
    }
  }

  /// A value of sorted members.
  private static func append(_ value: JSON, to out: inout [UInt8]) {
    switch value {
    case .number(let text): appendNumber(text.utf8, to: &out)
    case .array(let values):
      out.append(UInt8(ascii: "["))
      for (place, value) in values.enumerated() {
        if place > 0 { out.append(UInt8(ascii: ",")) }
        append(value, to: &out)
      }
      out.append(UInt8(ascii: "]"))
    case .object(let members):
      out.append(UInt8(ascii: "{"))
      for (place, member) in members.enumerated() {
        if place > 0 { out.append(UInt8(ascii: ",")) }
        out.append(contentsOf: JSON.string(member.key).text.utf8)
        out.append(UInt8(ascii: ":"))
        append(member.value, to: &out)
      }
      out.append(UInt8(ascii: "}"))
    case .null, .bool, .string: out.append(contentsOf: value.text.utf8)
    }
  }

  /// A number is the same key however it is written.
  private static func appendNumber(_ text: some Sequence<UInt8>, to out: inout [UInt8]) {
    guard let value = ExactDecimal(text) else { return out.append(contentsOf: text) }
    out.append(contentsOf: (value.integer.map { String($0) } ?? value.text).utf8)
  }

  /// A whole number, when it is written as one and fits.
  static func integer(_ node: JSONTape.Node, of line: borrowing JSONTape) -> Int64? {
    switch node.kind {
    case .integer where node.end - node.start <= 18:
      var value: Int64 = 0
      var isNegative = false
      for byte in line.raw(node) {
        if byte == UInt8(ascii: "-") {
          isNegative = true
        } else {
          value = value &* 10 &+ Int64(byte &- UInt8(ascii: "0"))
        }
      }
      return isNegative ? -value : value
    case .integer, .decimal: return ExactDecimal(line.raw(node))?.integer
    default: return nil
    }
  }
}

extension JSONTape {
  /// Whether this node is a text of these bytes.
  func isName(_ index: Int, _ name: [UInt8]) -> Bool {
    let node = self[index]
    guard !node.isEscaped, node.kind == .string else { return false }
    let own = inner(node)
    return own.count == name.count
      && name.withUnsafeBufferPointer { wanted in
        for place in 0..<own.count where own[place] != wanted[place] { return false }
        return true
      }
  }

  /// The value of a member of an object; of repeated ones the last counts.
  func member(_ name: String, of object: Int) -> Int? {
    guard object < count, self[object].kind == .object else { return nil }
    var found: Int?
    var place = object + 1
    let end = Int(self[object].next)
    var name = name
    name.withUTF8 { wanted in
      while place < end {
        let node = self[place]
        let value = place + 1
        place = Int(self[value].next)
        if node.isEscaped {
          if text(node).utf8.elementsEqual(wanted) { found = value }
          continue
        }
        let own = inner(node)
        guard own.count == wanted.count else { continue }
        var isSame = true
        for index in 0..<own.count where own[index] != wanted[index] {
          isSame = false
          break
        }
        if isSame { found = value }
      }
    }
    return found
  }
}
