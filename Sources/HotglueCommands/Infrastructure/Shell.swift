/// Text for a command line that a person may paste.
enum Shell {
  /// One word of a command line.
  static func quoted(_ text: String) -> String {
    if !text.isEmpty, text.utf8.allSatisfy(isPlain) { return text }
    let parts = text.split(separator: "'", omittingEmptySubsequences: false)
    return "'" + parts.joined(separator: "'\\''") + "'"
  }

  /// One word of a command line that is run as it is shown: what is never shown raw is made by the shell.
  /// `insideQuotes`: the command stands in single quotes in a sentence, so double ones are used where
  /// they mean the same.
  static func exact(_ text: String, insideQuotes: Bool = false) -> String {
    if Visible.text(text) != text { return printed(text) }
    let quoted = quoted(text)
    guard insideQuotes, quoted != text, !text.contains(where: { "\"$`\\!".contains($0) }) else {
      return quoted
    }
    return "\"\(text)\""
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "_-./:=@%+,".utf8.contains(byte)
    }
  }

  /// Characters that are never shown raw, in a form that every shell makes them from.
  private static func printed(_ text: String) -> String {
    let bytes = text.utf8.map { byte -> String in
      switch byte {
      case UInt8(ascii: "%"): return "%%"
      case 0x20...0x7E where byte != UInt8(ascii: "\\") && byte != UInt8(ascii: "'"):
        return String(UnicodeScalar(byte))
      default:
        let digits = String(byte, radix: 8)
        return "\\" + String(repeating: "0", count: 3 - digits.count) + digits
      }
    }.joined()
    // A substitution drops line ends at its end.
    return text.hasSuffix("\n")
      ? "$'\(bytes.replacing("%%", with: "%"))'" : "\"$(printf '\(bytes)')\""
  }
}
