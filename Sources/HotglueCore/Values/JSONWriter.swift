extension JSON {
  /// The value on one line, without spaces: what JSON Lines and columns of the store hold.
  public var text: String {
    var out: [UInt8] = []
    write(to: &out)
    return String(decoding: out, as: UTF8.self)
  }

  /// The value over several lines, indented by two spaces.
  public var prettyText: String {
    var out: [UInt8] = []
    writePretty(to: &out, indent: 0)
    return String(decoding: out, as: UTF8.self)
  }

  func write(to out: inout [UInt8]) {
    switch self {
    case .null: out.append(contentsOf: "null".utf8)
    case .bool(let value): out.append(contentsOf: (value ? "true" : "false").utf8)
    case .number(let text): out.append(contentsOf: text.utf8)
    case .string(let text): Self.write(text, to: &out)
    case .array(let values):
      out.append(UInt8(ascii: "["))
      for (index, value) in values.enumerated() {
        if index > 0 { out.append(UInt8(ascii: ",")) }
        value.write(to: &out)
      }
      out.append(UInt8(ascii: "]"))
    case .object(let members):
      out.append(UInt8(ascii: "{"))
      for (index, member) in members.enumerated() {
        if index > 0 { out.append(UInt8(ascii: ",")) }
        Self.write(member.key, to: &out)
        out.append(UInt8(ascii: ":"))
        member.value.write(to: &out)
      }
      out.append(UInt8(ascii: "}"))
    }
  }

  private func writePretty(to out: inout [UInt8], indent: Int) {
    switch self {
    case .array(let values) where !values.isEmpty:
      out.append(contentsOf: "[\n".utf8)
      for (index, value) in values.enumerated() {
        if index > 0 { out.append(contentsOf: ",\n".utf8) }
        out.append(contentsOf: repeatElement(0x20, count: indent + 2))
        value.writePretty(to: &out, indent: indent + 2)
      }
      out.append(0x0A)
      out.append(contentsOf: repeatElement(0x20, count: indent))
      out.append(UInt8(ascii: "]"))
    case .object(let members) where !members.isEmpty:
      out.append(contentsOf: "{\n".utf8)
      for (index, member) in members.enumerated() {
        if index > 0 { out.append(contentsOf: ",\n".utf8) }
        out.append(contentsOf: repeatElement(0x20, count: indent + 2))
        Self.write(member.key, to: &out)
        out.append(contentsOf: ": ".utf8)
        member.value.writePretty(to: &out, indent: indent + 2)
      }
      out.append(0x0A)
      out.append(contentsOf: repeatElement(0x20, count: indent))
      out.append(UInt8(ascii: "}"))
    default:
      write(to: &out)
    }
  }

  /// Control characters are always escaped, so a value can be shown on a terminal as it is.
  private static func write(_ text: String, to out: inout [UInt8]) {
    out.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""): out.append(contentsOf: "\\\"".utf8)
      case UInt8(ascii: "\\"): out.append(contentsOf: "\\\\".utf8)
      case 0x08: out.append(contentsOf: "\\b".utf8)
      case 0x0C: out.append(contentsOf: "\\f".utf8)
      case 0x0A: out.append(contentsOf: "\\n".utf8)
      case 0x0D: out.append(contentsOf: "\\r".utf8)
      case 0x09: out.append(contentsOf: "\\t".utf8)
      case 0..<0x20, 0x7F:
        out.append(contentsOf: "\\u00".utf8)
        let digits = Array("0123456789abcdef".utf8)
        out.append(digits[Int(byte >> 4)])
        out.append(digits[Int(byte & 15)])
      default: out.append(byte)
      }
    }
    out.append(UInt8(ascii: "\""))
  }
}
