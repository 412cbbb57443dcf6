import ArgumentParser
import HotglueCore

/// Values of options, read with words that say what would be right.
enum Arguments {
  static func span(_ text: String) throws -> Span {
    guard let span = Span(text) else {
      throw ValidationError("'\(text)' is not a duration: write it like 500ms, 30s, 5m, 2h or 7d")
    }
    return span
  }
}
