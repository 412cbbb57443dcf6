import HotglueCore

/// What would help, below a refusal or a note: a sentence, or a command alone.
///
/// A command in it works as it stands. Where a literal starts one (`hotglue job show`), it gets
/// `--context`, `--store` and `-w` of the refused command line when it is shown; `\(again: …)` is that
/// command line itself, with changes. Text that comes from values is never taken for a command.
struct Hint: Hashable, Sendable, ExpressibleByStringInterpolation {
  enum Part: Hashable, Sendable {
    case text(String)
    /// The word `hotglue` that starts a command: which one, as far as the literal says.
    case program(CommandRecord?, namesWorkspace: Bool)
    case again([GivenArguments.Change])
  }

  private(set) var parts: [Part]

  /// Text without a command.
  init(_ text: String) { parts = [.text(text)] }

  /// A command that the core suggests, alone or, `insideQuotes`, within single quotes in a sentence.
  init(_ command: SuggestedCommand, insideQuotes: Bool = false) {
    func joined(_ words: [String]) -> String {
      words.map { Shell.exact($0, insideQuotes: insideQuotes) }.joined(separator: " ")
    }
    switch command {
    case .other(let words): parts = [.text(joined(words))]
    case .hotglue(let words, let form):
      let rest = words.isEmpty ? "" : " " + joined(words)
      parts = [
        .program(Self.command(of: words), namesWorkspace: words.contains("-w")),
        .text(rest + (form.map { " " + $0 } ?? "")),
      ]
    }
  }

  /// A command in quotes behind the words that lead to it.
  init(_ command: SuggestedCommand, in words: String) {
    self = "\(words) '\(Hint(command, insideQuotes: true))'"
  }

  /// A command that another floor has put together, or text that has none.
  init(command text: String) { parts = Self.commands(in: text) }

  init(stringLiteral text: String) { parts = Self.commands(in: text) }

  init(stringInterpolation: StringInterpolation) { parts = stringInterpolation.parts }

  struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var parts: [Part] = []

    init(literalCapacity: Int, interpolationCount: Int) {}

    mutating func appendLiteral(_ literal: String) { parts += Hint.commands(in: literal) }

    mutating func appendInterpolation<Value>(_ value: Value) { parts.append(.text("\(value)")) }

    mutating func appendInterpolation(_ hint: Hint) { parts += hint.parts }

    /// The command line as it was given, with these changes.
    mutating func appendInterpolation(again changes: GivenArguments.Change...) {
      parts.append(.again(changes))
    }

    mutating func appendInterpolation(again changes: [GivenArguments.Change]) {
      parts.append(.again(changes))
    }
  }

  static func + (left: Hint, right: Hint) -> Hint {
    var sum = left
    sum.parts += right.parts
    return sum
  }

  /// For the command line that it answers.
  func text(for given: GivenArguments) -> String {
    var text = ""
    for part in parts {
      switch part {
      case .text(let words): text += Visible.text(words)
      case .program(let command, let namesWorkspace):
        let flags = given.flags(for: command, namesWorkspace: namesWorkspace)
        // Inside a quoted command the other quotes are used.
        let isQuoted = text.hasSuffix("'")
        text += (["hotglue"] + flags.map { Shell.exact($0, insideQuotes: isQuoted) })
          .joined(separator: " ")
      case .again(let changes):
        let command = (["hotglue"] + given.words(with: changes)).map { Shell.exact($0) }
        text += command.joined(separator: " ")
      }
    }
    return text
  }

  /// Splits a literal where a command starts: at its beginning, or after a space or a quote.
  private static func commands(in literal: String) -> [Part] {
    let program = "hotglue "
    var parts: [Part] = []
    var text = ""
    var rest = Substring(literal)
    while let found = rest.firstRange(of: program) {
      let before = rest[..<found.lowerBound]
      let after = rest[found.upperBound...]
      let starts = (before.last ?? text.last).map { " '$(".contains($0) } ?? true
      let own = after.prefix { !"'|;)".contains($0) }.split(separator: " ")
      let namesWorkspace = own.prefix { $0 != "--" }.contains("-w")
      let words = after.split(separator: " ", maxSplits: 3).prefix(3).map { word in
        String(word.prefix { $0.isLetter || $0 == "-" })
      }
      let isCommand =
        after.hasPrefix("-w ")
        || words.first.map { CommandRegistry.isNoun([$0]) || CommandRegistry.command([$0]) != nil }
          ?? false
      guard starts, isCommand else {
        text += before + program
        rest = after
        continue
      }
      text += before
      if !text.isEmpty { parts.append(.text(text)) }
      parts.append(.program(command(of: words), namesWorkspace: namesWorkspace))
      text = " "
      rest = after
    }
    text += rest
    if !text.isEmpty { parts.append(.text(text)) }
    return parts
  }

  private static func command(of words: [String]) -> CommandRecord? {
    (1...3).lazy.compactMap { CommandRegistry.command(words.prefix($0))?.record }.first
  }
}
