/// How many columns of a terminal a text takes: wide characters take two, marks that are put on
/// another character none.
enum TextWidth {
  static func of(_ text: String) -> Int {
    // Nearly all texts are plain ASCII.
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
    return text.reduce(0) { $0 + of($1) }
  }

  /// As much of the text as fits, with a mark where it was cut.
  static func cut(_ text: String, to room: Int) -> String {
    guard of(text) > room else { return text }
    var out = ""
    var taken = 0
    for character in text {
      let width = of(character)
      guard taken + width < room else { break }
      out.append(character)
      taken += width
    }
    return out + "…"
  }

  private static func of(_ character: Character) -> Int {
    character.unicodeScalars.map(of).max() ?? 0
  }

  private static func of(_ scalar: Unicode.Scalar) -> Int {
    switch scalar.value {
    case 0..<0x300: 1
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF,
      0xFE30...0xFE6F, 0xFF01...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF,
      0x20000...0x3FFFD, 0xFE0F:
      2
    default:
      if scalar.properties.isEmojiPresentation { 2 } else { isMark(scalar) ? 0 : 1 }
    }
  }

  private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: true
    default: false
    }
  }
}
