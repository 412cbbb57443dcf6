/// A settings file: tables of keys and values, a strict part of TOML 1.0.
///
/// What it reads every reader of TOML reads alike: comments, `[tables]`, and keys whose values are
/// strings on one line or between ''', whole numbers, truth values, or arrays of those. It has no dates,
/// fractions, inline tables, dotted keys or strings between """; each is refused with its place.
public struct TOMLFile: Hashable, Sendable {
  /// In the order of the file. Keys before the first header are in a table with an empty path.
  public var tables: [Table]

  public struct Table: Hashable, Sendable {
    public var path: [String]
    /// The header's line, from 1.
    public var line: Int
    public var entries: [Entry]
  }

  public struct Entry: Hashable, Sendable {
    public var key: String
    /// A string, a number, a truth value, or an array of those.
    public var value: JSON
    public var line: Int
  }

  /// Arrays within arrays, at most: hostile input cannot exhaust the stack.
  public static let deepest = 64

  /// Why a text is no such file; line and column are counted from 1, the column in bytes.
  public struct Problem: Error, Hashable, Sendable {
    public var line: Int
    public var column: Int
    public var reason: String
  }

  public init(reading bytes: some Sequence<UInt8>) throws(Problem) {
    var reader = TOMLReader(bytes: Array(bytes))
    tables = try reader.tables()
  }

  /// `text` as a string of this format.
  public static func quoted(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\t": out += "\\t"
      case "\r": out += "\\r"
      case _ where scalar.value < 0x20 || scalar.value == 0x7F:
        let digits = String(scalar.value, radix: 16)
        out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }

  /// A key, or a part of a table's name: quoted where it must be.
  public static func key(_ text: String) -> String {
    !text.isEmpty && text.utf8.allSatisfy(\.isBareKey) ? text : quoted(text)
  }
}

private struct TOMLReader {
  let bytes: [UInt8]
  private var position = 0
  private var line = 1
  private var lineStart = 0

  init(bytes: [UInt8]) {
    self.bytes = bytes
    // Editors on Windows begin a file with a mark.
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
  }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private func problem(_ reason: String) -> TOMLFile.Problem {
    TOMLFile.Problem(line: line, column: position - lineStart + 1, reason: reason)
  }

  mutating func tables() throws(TOMLFile.Problem) -> [TOMLFile.Table] {
    var tables = [TOMLFile.Table(path: [], line: 1, entries: [])]
    // The lines of the tables, and of the keys of the last one.
    var headers: [[String]: Int] = [:]
    var keys: [String: Int] = [:]
    while try skipToContent() {
      if next == UInt8(ascii: "[") {
        let place = self
        let path = try header()
        if let first = headers.updateValue(place.line, forKey: path) {
          throw place.problem(
            "table [\(path.map(TOMLFile.key).joined(separator: "."))] is there twice, first in "
              + "line \(first)")
        }
        keys = [:]
        tables.append(TOMLFile.Table(path: path, line: place.line, entries: []))
      } else {
        let place = self
        let entry = try entry()
        if let first = keys.updateValue(entry.line, forKey: entry.key) {
          throw place.problem("key '\(entry.key)' is there twice, first in line \(first)")
        }
        tables[tables.count - 1].entries.append(entry)
      }
      try endOfLine()
    }
    if tables[0].entries.isEmpty { tables.removeFirst() }
    return tables
  }

  // MARK: Lines

  private mutating func skipBlanks() {
    while next == 0x20 || next == 0x09 { position += 1 }
  }

  private mutating func skipComment() throws(TOMLFile.Problem) {
    guard next == UInt8(ascii: "#") else { return }
    while let byte = next, byte != 0x0A {
      guard byte != 0 else { throw problem("a NUL character") }
      position += 1
    }
  }

  /// Takes a line feed, with the carriage return before it.
  private mutating func newLine() -> Bool {
    if next == 0x0D, position + 1 < bytes.count, bytes[position + 1] == 0x0A { position += 1 }
    guard next == 0x0A else { return false }
    position += 1
    line += 1
    lineStart = position
    return true
  }

  /// Whether there is anything but blank lines and comments.
  private mutating func skipToContent() throws(TOMLFile.Problem) -> Bool {
    while true {
      skipBlanks()
      try skipComment()
      if newLine() { continue }
      return next != nil
    }
  }

  private mutating func endOfLine() throws(TOMLFile.Problem) {
    skipBlanks()
    try skipComment()
    guard next == nil || newLine() else { throw problem("something follows on the same line") }
  }

  // MARK: Parts

  private mutating func header() throws(TOMLFile.Problem) -> [String] {
    position += 1
    if next == UInt8(ascii: "[") {
      throw problem("'[[' begins an array of tables, which has no use here")
    }
    var path: [String] = []
    while true {
      skipBlanks()
      path.append(try key())
      skipBlanks()
      guard let byte = next, byte == UInt8(ascii: ".") || byte == UInt8(ascii: "]") else {
        throw problem("the table's header is not closed by ']'")
      }
      position += 1
      if byte == UInt8(ascii: "]") { return path }
    }
  }

  private mutating func entry() throws(TOMLFile.Problem) -> TOMLFile.Entry {
    let start = line
    let name = try key()
    skipBlanks()
    if next == UInt8(ascii: ".") { throw problem("a key with a dot must be quoted") }
    guard next == UInt8(ascii: "=") else {
      throw problem("'=' and a value must follow the key '\(name)'")
    }
    position += 1
    skipBlanks()
    return TOMLFile.Entry(key: name, value: try value(depth: 0), line: start)
  }

  private mutating func key() throws(TOMLFile.Problem) -> String {
    if next == UInt8(ascii: "\"") || next == UInt8(ascii: "'") { return try string() }
    let start = position
    while let byte = next, byte.isBareKey { position += 1 }
    guard position > start else { throw problem("a key is missing") }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  private mutating func value(depth: Int) throws(TOMLFile.Problem) -> JSON {
    switch next {
    case UInt8(ascii: "'") where bytes[position...].starts(with: Self.threeQuotes):
      return .string(try lines())
    case UInt8(ascii: "\""), UInt8(ascii: "'"): return .string(try string())
    case UInt8(ascii: "["): return .array(try array(depth: depth + 1))
    case UInt8(ascii: "{"): throw problem("an inline table has no use here")
    case nil, 0x0A, 0x0D, UInt8(ascii: "#"): throw problem("a value is missing")
    default: return try word()
    }
  }

  private mutating func array(depth: Int) throws(TOMLFile.Problem) -> [JSON] {
    guard depth <= TOMLFile.deepest else { throw problem("nested too deeply") }
    position += 1
    var values: [JSON] = []
    while true {
      guard try skipToContent() else { throw problem("the array is not closed by ']'") }
      if next == UInt8(ascii: "]") { break }
      values.append(try value(depth: depth))
      guard try skipToContent() else { throw problem("the array is not closed by ']'") }
      if next == UInt8(ascii: "]") { break }
      guard next == UInt8(ascii: ",") else {
        throw problem("',' or ']' must follow a value of an array")
      }
      position += 1
    }
    position += 1
    return values
  }

  /// `true`, `false`, or a whole number, with `_` between digits as TOML allows.
  private mutating func word() throws(TOMLFile.Problem) -> JSON {
    let place = self
    let start = position
    while let byte = next, !" \t\r\n,]#".utf8.contains(byte) { position += 1 }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if text == "true" { return .bool(true) }
    if text == "false" { return .bool(false) }
    let digits = text.utf8.filter { $0 != UInt8(ascii: "_") }
    if text.first != "_", text.last != "_", !text.contains("__"),
      let number = Int64(String(decoding: digits, as: UTF8.self))
    {
      return .integer(number)
    }
    throw place.problem("'\(text)' is no value: a text needs quotes, as \(TOMLFile.quoted(text))")
  }

  private static let threeQuotes = Array("'''".utf8)

  /// A string between `'''`, over several lines and as it stands; a line feed right behind the first
  /// three is no part of it, and one or two quotes may stand before the last three.
  private mutating func lines() throws(TOMLFile.Problem) -> String {
    let place = self
    position += 3
    _ = newLine()
    var text: [UInt8] = []
    while next != nil {
      if bytes[position...].starts(with: Self.threeQuotes) {
        var quotes = 3
        while quotes < 5, position + quotes < bytes.count,
          bytes[position + quotes] == UInt8(ascii: "'")
        {
          quotes += 1
        }
        text += Array(repeating: UInt8(ascii: "'"), count: quotes - 3)
        position += quotes
        guard let text = String(validating: text, as: UTF8.self) else {
          throw place.problem("the string is not UTF-8")
        }
        return text
      }
      if newLine() {
        text.append(0x0A)
        continue
      }
      guard let byte = next, byte >= 0x20 || byte == 0x09, byte != 0x7F else {
        throw problem("a control character in a string")
      }
      text.append(byte)
      position += 1
    }
    throw place.problem("the string is not closed by '''")
  }

  private mutating func string() throws(TOMLFile.Problem) -> String {
    let place = self
    let quote = bytes[position]
    if bytes[position...].starts(with: [quote, quote, quote]) {
      throw problem("three of these quotes have no use here: write \\n, or use '''")
    }
    position += 1
    var text: [UInt8] = []
    while let byte = next {
      if byte == quote {
        position += 1
        guard let text = String(validating: text, as: UTF8.self) else {
          throw place.problem("the string is not UTF-8")
        }
        return text
      }
      guard byte >= 0x20 || byte == 0x09, byte != 0x7F else { break }
      position += 1
      if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
        text += Array(String(try escaped()).utf8)
      } else {
        text.append(byte)
      }
    }
    throw place.problem("the string is not closed on its line")
  }

  private mutating func escaped() throws(TOMLFile.Problem) -> Character {
    guard let byte = next else { throw problem("the escape is cut short") }
    position += 1
    switch byte {
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "u"), UInt8(ascii: "U"):
      let count = byte == UInt8(ascii: "u") ? 4 : 8
      let digits = bytes[position...].prefix(count)
      guard digits.count == count, digits.allSatisfy(\.isHexDigit),
        let number = UInt32(String(decoding: digits, as: UTF8.self), radix: 16),
        let scalar = Unicode.Scalar(number)
      else { throw problem("the escape names no character") }
      position += count
      return Character(scalar)
    default:
      throw problem("there is no such escape; a backslash itself is written \\\\")
    }
  }
}

extension UInt8 {
  fileprivate var isHexDigit: Bool {
    isDigit || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(self | 0x20)
  }

  fileprivate var isBareKey: Bool {
    isDigit || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20)
      || self == UInt8(ascii: "_") || self == UInt8(ascii: "-")
  }
}
