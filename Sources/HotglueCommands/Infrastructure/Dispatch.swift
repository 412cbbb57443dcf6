import HotglueCore

/// Finds the command that arguments name, without building the tree of all commands.
enum Dispatch {
  enum Decision {
    /// Parse this command with these arguments, which follow its words.
    case command(CommandKind, arguments: [String])
    /// Nothing to run: help, completions, or a noun alone. The tree knows what to say.
    case tree([String])
    case refused(CommandError)
  }

  /// Global flags may stand before the noun and before the verb: they are moved behind both.
  /// Nothing behind `--` is looked at.
  static func decide(_ arguments: [String]) -> Decision {
    var moved: [String] = []
    var rest = arguments[...]
    takeGlobals(from: &rest, to: &moved)
    guard let noun = rest.first else {
      return moved.isEmpty
        ? .tree([]) : .refused(.usage("no command is named", hint: "see 'hotglue help'"))
    }
    // Help, version and completions, or a flag that nobody knows.
    guard !noun.hasPrefix("-") else { return .tree(Array(rest)) }
    rest.removeFirst()
    if let single = CommandKind.named([noun]) {
      return .command(single, arguments: moved + rest)
    }
    if noun == "help" { return .tree([noun] + rest) }
    guard CommandKind.nouns.contains(noun) else {
      // Everything behind the name is the external command's own.
      return .command(.external, arguments: moved + ["--", noun] + rest)
    }
    takeGlobals(from: &rest, to: &moved)
    guard let verb = rest.first else {
      return .refused(
        .usage(
          "'\(noun)' needs a verb",
          hint: "one of \(list(CommandKind.verbs(of: noun))); see 'hotglue \(noun) --help'"))
    }
    if verb == "help" { return .tree(["help", noun]) }
    guard !verb.hasPrefix("-") else { return .tree([noun] + rest) }
    rest.removeFirst()
    guard let kind = CommandKind.named([noun, verb]) else {
      return .refused(unknown(verb: verb, of: noun))
    }
    return .command(kind, arguments: moved + rest)
  }

  /// Whether the refusal of these arguments is to be JSON, also when they cannot be parsed.
  static func asksForJSON(_ arguments: [String]) -> Bool {
    arguments.prefix { $0 != "--" }.contains("--json")
  }

  private static func takeGlobals(from rest: inout ArraySlice<String>, to moved: inout [String]) {
    while let word = rest.first {
      if GlobalOptions.flags.contains(word) {
        moved.append(rest.removeFirst())
      } else if GlobalOptions.valued.contains(word), rest.count > 1 {
        moved.append(rest.removeFirst())
        moved.append(rest.removeFirst())
      } else if word.hasPrefix("-w"), word.count > 2 {
        moved.append(rest.removeFirst())
      } else if let equals = word.firstIndex(of: "="),
        GlobalOptions.valued.contains(String(word[..<equals]))
      {
        moved.append(rest.removeFirst())
      } else {
        return
      }
    }
  }

  /// No command, and no external one in PATH.
  static func unknown(noun: String, externals: [String]) -> CommandError {
    let near = NearMatch.among(CommandKind.firstWords + ["help"] + externals, to: noun)
    return .usage(
      "no command '\(noun)'",
      hint: near.isEmpty ? "see 'hotglue help'" : "did you mean \(list(near, last: " or "))?")
  }

  private static func unknown(verb: String, of noun: String) -> CommandError {
    let verbs = CommandKind.verbs(of: noun)
    let near = NearMatch.among(verbs, to: verb)
    return .usage(
      "'\(noun)' has no verb '\(verb)'",
      hint: near.isEmpty
        ? "one of \(list(verbs))" : "did you mean \(list(near, last: " or "))?")
  }

  private static func list(_ words: [String], last: String = ", ") -> String {
    words.map { "'\($0)'" }.joined(separator: last)
  }
}

extension CommandKind {
  static func named(_ words: [String]) -> CommandKind? {
    allCases.first { $0.words == words }
  }

  static var nouns: Set<String> {
    Set(allCases.compactMap { $0.words.count > 1 ? $0.words[0] : nil })
  }

  /// Without the words that only hotglue itself uses.
  static var firstWords: [String] {
    Set(allCases.map { $0.words[0] }).filter { !$0.hasPrefix("__") }.sorted()
  }

  static func verbs(of noun: String) -> [String] {
    allCases.compactMap { $0.words.count > 1 && $0.words[0] == noun ? $0.words[1] : nil }
  }
}
