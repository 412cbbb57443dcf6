/// Stored text made safe to show: whatever could move the cursor, change colours, reorder letters or
/// break a line of a list is written out.
enum Visible {
  static func text(_ text: String) -> String {
    // Nearly all texts are plain ASCII, and are returned as they are.
    if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return text }
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n": out += "\\n"
      case "\r": out += "\\r"
      case "\t": out += "\\t"
      case let other where isUnsafe(other): out += escaped(other)
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }

  /// JSON, as it is written, for a terminal: what could act there stands within strings, where JSON has
  /// an escape for it. Line feeds between values stay.
  static func json(_ text: String) -> String {
    if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F || $0 == 0x0A }) { return text }
    var out = ""
    for scalar in text.unicodeScalars {
      if scalar != "\n", isUnsafe(scalar) {
        out += escaped(scalar)
      } else {
        out.unicodeScalars.append(scalar)
      }
    }
    return out
  }

  /// As JSON writes it.
  static func escaped(_ scalar: Unicode.Scalar) -> String {
    let digits = String(scalar.value, radix: 16)
    return "\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }

  /// Control characters, the marks that reorder text, line separators, and the byte-order mark.
  static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7F..<0xA0: true
    case 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF: true
    default: false
    }
  }
}
