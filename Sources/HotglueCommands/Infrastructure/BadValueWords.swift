import HotglueCore

/// What the parser of arguments says of a value that it cannot take, in the words of every other
/// refusal: the flag, the value, and what would be right.
enum BadValueWords {
  /// Reads `The value 'X' is invalid for '--flag <name>'`, which a reason or the list of what is
  /// accepted may follow; `nil` for anything else.
  static func of(_ text: String) -> String? {
    let (begin, middle) = ("The value '", "' is invalid for '")
    guard text.hasPrefix(begin) else { return nil }
    let rest = text.dropFirst(begin.count)
    guard let between = rest.firstRange(of: middle) else { return nil }
    let value = rest[..<between.lowerBound]
    let target = rest[between.upperBound...]
    guard let end = target.firstIndex(of: "'") else { return nil }
    let name = target[..<end].prefix { $0 != " " }
    let refusal =
      name.hasPrefix("-") ? "'\(name)' cannot be '\(value)'" : "\(name) cannot be '\(value)'"
    let reason = reason(target[target.index(after: end)...], value: value, refusal: refusal)
    return reason.map { "\(refusal): \($0)" } ?? refusal
  }

  private static func reason(_ rest: Substring, value: Substring, refusal: String) -> String? {
    if rest.hasPrefix(". Please provide one of ") {
      // `'a', 'b' and 'c'.`, or a line for each.
      let offered =
        rest.contains("\n")
        ? rest.split(separator: "\n").dropFirst().map { String($0.drop { " -".contains($0) }) }
        : rest.split(separator: "'", omittingEmptySubsequences: false).enumerated().compactMap {
          $0 % 2 == 1 ? String($1) : nil
        }
      let near = NearMatch.among(offered, to: String(value))
      return near.isEmpty
        ? "give one of \(offered.joined(separator: ", "))"
        : "did you mean \(near.map { "'\($0)'" }.joined(separator: " or "))?"
    }
    guard rest.hasPrefix(": ") else { return nil }
    let reason = rest.dropFirst(2)
    for opening in ["\(refusal): ", "'\(value)' is not a duration: "]
    where reason.hasPrefix(opening) {
      return String(reason.dropFirst(opening.count))
    }
    return String(reason)
  }
}
