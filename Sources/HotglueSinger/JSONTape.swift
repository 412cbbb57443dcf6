/// The shape of one JSON text: a flat list of nodes that point into its bytes.
///
/// A tap sends hundreds of thousands of records a second, and nearly all of each goes into the store
/// as it came. So no tree is built and no string is made: a node says what is where, and whoever
/// needs a value reads it from the bytes. The list is reused from line to line. Measured on lines
/// of 284 bytes, a second of processor time each: 2,600,000 to 3,100,000 lines this way, 900,000
/// through SQLite's JSON functions, 440,000 as trees of `JSON`.
///
/// It accepts exactly what `JSON.parse` accepts, so that what is stored can be read again; but a text
/// with half of a surrogate pair, which has the form of JSON and is no text, or with `NaN` or `Infinity`,
/// as Python writes them, it takes and tells.
struct JSONTape: ~Copyable {
  enum Kind: UInt8 { case object, array, string, integer, decimal, yes, no, null }

  struct Node {
    var kind: Kind
    /// A string with escapes: its bytes are not its text.
    var isEscaped: Bool
    /// The first byte, and the one after the last; of a string the quotes are within.
    var start: Int32
    var end: Int32
    /// The node after this one and all it holds. An object holds names and values in turn.
    var next: Int32
  }

  private var nodes: UnsafeMutablePointer<Node>
  private var capacity: Int
  private(set) var count = 0
  /// The line; it belongs to whoever had it scanned.
  private(set) var bytes: UnsafeBufferPointer<UInt8>
  private var base: UnsafePointer<UInt8>
  private var length = 0
  private var position = 0
  private var highBits: UInt64 = 0
  /// White space was seen outside of strings.
  private(set) var isSpaced = false
  /// From the first escape to the last that is half of a surrogate pair; `nil`: there is none.
  private(set) var halves: ClosedRange<Int>?
  /// From the first `NaN` or `Infinity` to the last; `nil`: there is none. Each is a node like `null`.
  private(set) var nonFinites: ClosedRange<Int>?
  /// Why the line is not JSON of which the tape has what could be made of it.
  private(set) var repaired: LineFlaw?
  private var repairedBytes: UnsafeMutableBufferPointer<UInt8>?

  static let deepest = 512

  init() {
    capacity = 256
    nodes = .allocate(capacity: capacity)
    bytes = UnsafeBufferPointer(start: nil, count: 0)
    base = UnsafePointer(UnsafeMutableRawPointer(nodes).assumingMemoryBound(to: UInt8.self))
  }

  deinit {
    nodes.deallocate()
    repairedBytes?.deallocate()
  }

  subscript(index: Int) -> Node {
    precondition(index < count)
    return nodes[index]
  }

  /// Reads one text. `bytes` stays alive as long as the nodes are used.
  mutating func scan(_ bytes: UnsafeBufferPointer<UInt8>) throws(LineFlaw) {
    count = 0
    position = 0
    highBits = 0
    isSpaced = false
    halves = nil
    nonFinites = nil
    if repaired != nil { repaired = nil }
    guard let start = bytes.baseAddress, !bytes.isEmpty else { throw flaw("the line is empty") }
    self.bytes = bytes
    base = start
    length = bytes.count
    skipSpace()
    try value(depth: 0)
    skipSpace()
    guard position == length else { throw flaw("unexpected text after the value") }
    if highBits & 0x8080_8080_8080_8080 != 0 { try UTF8Check.run(bytes) }
  }

  /// Reads what can be made of a line with this flaw; false: nothing.
  mutating func scan(repairing line: UnsafeBufferPointer<UInt8>, flaw: LineFlaw) -> Bool {
    let text = LineRepair.repaired(line)
    repairedBytes?.deallocate()
    let room = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: text.count)
    _ = room.initialize(fromContentsOf: text)
    repairedBytes = room
    do throws(LineFlaw) {
      try scan(UnsafeBufferPointer(room))
    } catch {
      return false
    }
    repaired = flaw
    return oddity == nil
  }

  // MARK: Values

  private mutating func value(depth: Int) throws(LineFlaw) {
    guard position < length else { throw flaw("unexpected end of text") }
    switch base[position] {
    case UInt8(ascii: "\""): try string()
    case UInt8(ascii: "{"): try object(depth: depth + 1)
    case UInt8(ascii: "["): try array(depth: depth + 1)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try number()
    case UInt8(ascii: "t"): try word("true", .yes)
    case UInt8(ascii: "f"): try word("false", .no)
    case UInt8(ascii: "n"): try word("null", .null)
    case UInt8(ascii: "N"): try nonFinite("NaN", from: position)
    case UInt8(ascii: "I"): try nonFinite("Infinity", from: position)
    default: throw flaw("unexpected character")
    }
  }

  private mutating func object(depth: Int) throws(LineFlaw) {
    guard depth <= Self.deepest else { throw flaw("nested too deeply") }
    let opened = open(.object)
    position += 1
    skipSpace()
    if take(UInt8(ascii: "}")) { return close(opened) }
    while true {
      guard position < length, base[position] == UInt8(ascii: "\"") else {
        throw flaw("expected a member name in quotes")
      }
      try string()
      skipSpace()
      guard take(UInt8(ascii: ":")) else { throw flaw("expected ':'") }
      skipSpace()
      try value(depth: depth)
      skipSpace()
      if take(UInt8(ascii: ",")) {
        skipSpace()
        continue
      }
      guard take(UInt8(ascii: "}")) else { throw flaw("expected ',' or '}'") }
      return close(opened)
    }
  }

  private mutating func array(depth: Int) throws(LineFlaw) {
    guard depth <= Self.deepest else { throw flaw("nested too deeply") }
    let opened = open(.array)
    position += 1
    skipSpace()
    if take(UInt8(ascii: "]")) { return close(opened) }
    while true {
      try value(depth: depth)
      skipSpace()
      if take(UInt8(ascii: ",")) {
        skipSpace()
        continue
      }
      guard take(UInt8(ascii: "]")) else { throw flaw("expected ',' or ']'") }
      return close(opened)
    }
  }

  private mutating func string() throws(LineFlaw) {
    let start = position
    var escaped = false
    position += 1
    while true {
      skipPlainText()
      guard position < length else { throw flaw("string without an end") }
      switch base[position] {
      case UInt8(ascii: "\""):
        position += 1
        append(.string, from: start, isEscaped: escaped)
        return
      case UInt8(ascii: "\\"):
        escaped = true
        try escape()
      default: throw flaw("control character in a string")
      }
    }
  }

  /// Goes to the next quote, backslash or control character, eight bytes at a time.
  ///
  /// A byte is found by the borrow it causes; a borrow can only run into bytes after the first one
  /// that is meant, so the lowest mark is exact.
  private mutating func skipPlainText() {
    let raw = UnsafeRawPointer(base)
    while position &+ 8 <= length {
      let word = UInt64(
        littleEndian: raw.loadUnaligned(fromByteOffset: position, as: UInt64.self))
      let quote = word ^ 0x2222_2222_2222_2222
      let slash = word ^ 0x5C5C_5C5C_5C5C_5C5C
      let marks =
        ((quote &- 0x0101_0101_0101_0101) & ~quote
          | (slash &- 0x0101_0101_0101_0101) & ~slash
          | (word &- 0x2020_2020_2020_2020) & ~word) & 0x8080_8080_8080_8080
      highBits |= word
      if marks != 0 {
        position &+= marks.trailingZeroBitCount &>> 3
        return
      }
      position &+= 8
    }
    while position < length {
      let byte = base[position]
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 { return }
      highBits |= UInt64(byte)
      position &+= 1
    }
  }

  private mutating func escape() throws(LineFlaw) {
    position += 1
    guard position < length else { throw flaw("string without an end") }
    let byte = base[position]
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
      UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      return
    case UInt8(ascii: "u"):
      let start = position - 2
      let code = try fourHexDigits()
      guard (0xD800..<0xE000).contains(code) else { return }
      if code < 0xDC00, try takeSecondHalf() { return }
      halves = (halves?.lowerBound ?? start)...start
    default: throw flaw("unknown escape in a string")
    }
  }

  /// The second half of a surrogate pair, if it is what follows.
  private mutating func takeSecondHalf() throws(LineFlaw) -> Bool {
    let end = position
    if take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")),
      (0xDC00..<0xE000).contains(try fourHexDigits())
    {
      return true
    }
    position = end
    return false
  }

  private mutating func fourHexDigits() throws(LineFlaw) -> UInt32 {
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard position < length else { throw flaw("string without an end") }
      let byte = base[position]
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): code = code << 4 | UInt32(byte & 15)
      case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"):
        code = code << 4 | UInt32((byte & 15) + 9)
      default: throw flaw("expected a hex digit")
      }
      position += 1
    }
    return code
  }

  private mutating func number() throws(LineFlaw) {
    let start = position
    var kind = Kind.integer
    if take(UInt8(ascii: "-")), position < length, base[position] == UInt8(ascii: "I") {
      return try nonFinite("Infinity", from: start)
    }
    guard let first = digit else { throw flaw("expected a digit") }
    position += 1
    if first != 0 {
      skipDigits()
    } else if digit != nil {
      throw flaw("a number cannot start with 0")
    }
    if take(UInt8(ascii: ".")) {
      kind = .decimal
      guard digit != nil else { throw flaw("expected a digit after '.'") }
      skipDigits()
    }
    if position < length, base[position] | 0x20 == UInt8(ascii: "e") {
      kind = .decimal
      position += 1
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      guard digit != nil else { throw flaw("expected a digit in the exponent") }
      skipDigits()
    }
    append(kind, from: start)
  }

  private var digit: UInt8? {
    guard position < length else { return nil }
    let value = base[position] &- UInt8(ascii: "0")
    return value < 10 ? value : nil
  }

  private mutating func skipDigits() {
    while position < length, base[position] &- UInt8(ascii: "0") < 10 { position &+= 1 }
  }

  private mutating func nonFinite(_ text: StaticString, from start: Int) throws(LineFlaw) {
    try word(text, .null)
    nonFinites = (nonFinites?.lowerBound ?? start)...start
  }

  private mutating func word(_ text: StaticString, _ kind: Kind) throws(LineFlaw) {
    let start = position
    let size = text.utf8CodeUnitCount
    guard start + size <= length else { throw flaw("unexpected word") }
    for offset in 0..<size where base[start + offset] != text.utf8Start[offset] {
      throw flaw("unexpected word")
    }
    position += size
    append(kind, from: start)
  }

  // MARK: Steps

  private mutating func skipSpace() {
    while position < length {
      let byte = base[position]
      guard byte <= 0x20, byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A else {
        return
      }
      isSpaced = true
      position &+= 1
    }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard position < length, base[position] == byte else { return false }
    position &+= 1
    return true
  }

  private mutating func open(_ kind: Kind) -> Int {
    append(kind, from: position)
    return count - 1
  }

  private mutating func close(_ index: Int) {
    nodes[index].end = Int32(truncatingIfNeeded: position)
    nodes[index].next = Int32(truncatingIfNeeded: count)
  }

  private mutating func append(_ kind: Kind, from start: Int, isEscaped: Bool = false) {
    if count == capacity {
      let larger = UnsafeMutablePointer<Node>.allocate(capacity: capacity * 2)
      larger.moveInitialize(from: nodes, count: count)
      nodes.deallocate()
      nodes = larger
      capacity *= 2
    }
    (nodes + count).initialize(
      to: Node(
        kind: kind, isEscaped: isEscaped, start: Int32(truncatingIfNeeded: start),
        end: Int32(truncatingIfNeeded: position), next: Int32(truncatingIfNeeded: count + 1)))
    count &+= 1
  }

  private func flaw(_ reason: StaticString) -> LineFlaw {
    LineFlaw(reason: "\(reason)", column: position + 1)
  }
}

/// Why a line is not JSON, and at which of its bytes, counted from 1.
public struct LineFlaw: Error, Equatable, Sendable {
  public var reason: String
  public var column: Int
}
