/// Why a text is not JSON, and where: byte offset, and line and column counted from 1.
public struct JSONError: Error, Equatable, Sendable {
  public let reason: String
  public let offset: Int
  public let line: Int
  public let column: Int
}

extension JSON {
  /// Reads one JSON text (RFC 8259) and nothing after it but white space.
  ///
  /// Nesting is bounded at 512 levels, so that hostile input cannot exhaust the stack.
  public static func parse(_ text: String) throws(JSONError) -> JSON {
    try parse(Array(text.utf8))
  }

  public static func parse(_ bytes: [UInt8]) throws(JSONError) -> JSON {
    var reader = JSONReader(bytes: bytes[...])
    return try reader.document()
  }

  public static func parse(_ bytes: ArraySlice<UInt8>) throws(JSONError) -> JSON {
    var reader = JSONReader(bytes: bytes)
    return try reader.document()
  }
}

struct JSONReader {
  private let bytes: ArraySlice<UInt8>
  private var position: Int
  private var depth = 0
  private static let deepest = 512

  init(bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    position = bytes.startIndex
  }

  mutating func document() throws(JSONError) -> JSON {
    skipSpace()
    let value = try value()
    skipSpace()
    guard position == bytes.endIndex else { throw error("unexpected text after the value") }
    return value
  }

  /// The members of an object that stand whole before its end, or before the first mistake in it.
  mutating func leadingMembers() -> [JSON.Member] {
    var members: [JSON.Member] = []
    skipSpace()
    do {
      guard peek == UInt8(ascii: "{") else { return [] }
      try enter()
      repeat {
        skipSpace()
        let (key, value) = try member()
        members.append(JSON.Member(key, value))
        skipSpace()
      } while take(UInt8(ascii: ","))
    } catch {
      return members
    }
    return members
  }

  private mutating func member() throws(JSONError) -> (key: String, value: JSON) {
    guard peek == UInt8(ascii: "\"") else { throw error("expected a member name in quotes") }
    let key = try string()
    skipSpace()
    guard take(UInt8(ascii: ":")) else { throw error("expected ':'") }
    skipSpace()
    return (key, try value())
  }

  private mutating func value() throws(JSONError) -> JSON {
    guard let byte = peek else { throw error("unexpected end of text") }
    switch byte {
    case UInt8(ascii: "{"): return try object()
    case UInt8(ascii: "["): return try array()
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default: throw error("unexpected character")
    }
  }

  private mutating func object() throws(JSONError) -> JSON {
    try enter()
    var members: [JSON.Member] = []
    skipSpace()
    if take(UInt8(ascii: "}")) {
      depth -= 1
      return .object(members)
    }
    while true {
      skipSpace()
      let (key, value) = try member()
      members.append(JSON.Member(key, value))
      skipSpace()
      if take(UInt8(ascii: ",")) { continue }
      guard take(UInt8(ascii: "}")) else { throw error("expected ',' or '}'") }
      depth -= 1
      return .object(members)
    }
  }

  private mutating func array() throws(JSONError) -> JSON {
    try enter()
    var values: [JSON] = []
    skipSpace()
    if take(UInt8(ascii: "]")) {
      depth -= 1
      return .array(values)
    }
    while true {
      skipSpace()
      values.append(try value())
      skipSpace()
      if take(UInt8(ascii: ",")) { continue }
      guard take(UInt8(ascii: "]")) else { throw error("expected ',' or ']'") }
      depth -= 1
      return .array(values)
    }
  }

  private mutating func enter() throws(JSONError) {
    position += 1
    depth += 1
    guard depth <= Self.deepest else { throw error("nested too deeply") }
  }

  private mutating func word(_ text: StaticString, _ value: JSON) throws(JSONError) -> JSON {
    let end = position + text.utf8CodeUnitCount
    let matches = text.withUTF8Buffer { wanted in
      end <= bytes.endIndex && bytes[position..<end].elementsEqual(wanted)
    }
    guard matches else { throw error("unexpected word") }
    position = end
    return value
  }

  private mutating func number() throws(JSONError) -> JSON {
    let start = position
    _ = take(UInt8(ascii: "-"))
    guard let first = peek, first.isDigit else { throw error("expected a digit") }
    if first == UInt8(ascii: "0") { position += 1 } else { digits() }
    if let next = peek, next.isDigit { throw error("a number cannot start with 0") }
    if take(UInt8(ascii: ".")) {
      guard let next = peek, next.isDigit else { throw error("expected a digit after '.'") }
      digits()
    }
    if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
      position += 1
      if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { position += 1 }
      guard let next = peek, next.isDigit else { throw error("expected a digit in the exponent") }
      digits()
    }
    return .number(String(decoding: bytes[start..<position], as: UTF8.self))
  }

  private mutating func digits() {
    while let byte = peek, byte.isDigit { position += 1 }
  }

  private mutating func string() throws(JSONError) -> String {
    position += 1
    let start = position
    while let byte = peek {
      if byte == UInt8(ascii: "\"") {
        let text = try utf8(bytes[start..<position], at: start)
        position += 1
        return text
      }
      if byte == UInt8(ascii: "\\") { return try escapedString(from: start) }
      guard byte >= 0x20 else { throw error("control character in a string") }
      position += 1
    }
    throw error("string without an end")
  }

  /// The slower path for a string with escapes; `start` is its first byte.
  private mutating func escapedString(from start: Int) throws(JSONError) -> String {
    var collected = Array(bytes[start..<position])
    while let byte = peek {
      switch byte {
      case UInt8(ascii: "\""):
        let text = try utf8(collected[...], at: start)
        position += 1
        return text
      case UInt8(ascii: "\\"):
        position += 1
        try collected.append(contentsOf: escape())
      case 0..<0x20:
        throw error("control character in a string")
      default:
        collected.append(byte)
        position += 1
      }
    }
    throw error("string without an end")
  }

  private mutating func escape() throws(JSONError) -> [UInt8] {
    guard let byte = peek else { throw error("string without an end") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0C]
    case UInt8(ascii: "n"): return [0x0A]
    case UInt8(ascii: "r"): return [0x0D]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "u"): return try unicodeEscape()
    default: throw error("unknown escape in a string")
    }
  }

  private mutating func unicodeEscape() throws(JSONError) -> [UInt8] {
    let high = try fourHexDigits()
    var code = high
    if (0xD800..<0xDC00).contains(high) {
      guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
        throw error("half a surrogate pair")
      }
      let low = try fourHexDigits()
      guard (0xDC00..<0xE000).contains(low) else { throw error("half a surrogate pair") }
      code = 0x10000 + (high - 0xD800) << 10 + (low - 0xDC00)
    }
    guard let scalar = Unicode.Scalar(code) else { throw error("half a surrogate pair") }
    return Array(String(Character(scalar)).utf8)
  }

  private mutating func fourHexDigits() throws(JSONError) -> UInt32 {
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = peek, let digit = byte.hexDigit else { throw error("expected a hex digit") }
      code = code << 4 | UInt32(digit)
      position += 1
    }
    return code
  }

  private func utf8(_ slice: ArraySlice<UInt8>, at start: Int) throws(JSONError) -> String {
    guard let text = String(validating: slice, as: UTF8.self) else {
      throw error("invalid UTF-8 in a string", at: start)
    }
    return text
  }

  private var peek: UInt8? { position < bytes.endIndex ? bytes[position] : nil }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard peek == byte else { return false }
    position += 1
    return true
  }

  private mutating func skipSpace() {
    while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      position += 1
    }
  }

  private func error(_ reason: String, at place: Int? = nil) -> JSONError {
    let offset = place ?? position
    var line = 1
    var column = 1
    for byte in bytes[bytes.startIndex..<offset] {
      if byte == 0x0A {
        line += 1
        column = 1
      } else {
        column += 1
      }
    }
    return JSONError(
      reason: reason, offset: offset - bytes.startIndex, line: line, column: column)
  }
}

extension UInt8 {
  var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }

  var hexDigit: UInt8? {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
