import HotglueCore

/// Finds the command that arguments name, without building the tree of all commands.
enum Dispatch {
  enum Decision {
    /// Parse this command with these arguments, which follow its words.
    case command(any HotglueCommand.Type, arguments: [String])
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
    if noun == "help" { return .tree(Array(rest)) }
    var path: [String] = []
    while let word = rest.first {
      if word == "help", !path.isEmpty { return .tree([word] + path) }
      guard !word.hasPrefix("-") else { return .tree(path + rest) }
      rest.removeFirst()
      path.append(word)
      if let found = CommandRegistry.command(path) {
        return .command(found, arguments: moved + rest)
      }
      guard CommandRegistry.isNoun(path) else {
        // Everything behind the name is the external command's own.
        return path.count == 1
          ? .command(ExternalCommand.self, arguments: moved + ["--", word] + rest)
          : .refused(unknown(path))
      }
      takeGlobals(from: &rest, to: &moved)
    }
    let name = path.joined(separator: " ")
    return .refused(
      .usage(
        "'\(name)' needs a verb",
        hint: "one of \(list(CommandRegistry.verbs(of: path))); see 'hotglue \(name) --help'"))
  }

  /// Whether the refusal of these arguments is to be JSON, also when they cannot be parsed.
  static func asksForJSON(_ arguments: [String]) -> Bool {
    let own = arguments.prefix { $0 != "--" }
    return own.contains("--json") || own.contains("--format=json")
      || zip(own, own.dropFirst()).contains { $0 == "--format" && $1 == "json" }
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

  /// No command, and, where it could be one, no external one in PATH.
  static func unknown(_ path: [String], externals: [String] = []) -> CommandError {
    let noun = path.dropLast().joined(separator: " ")
    let word = path.last ?? ""
    let known = CommandRegistry.verbs(of: path.dropLast())
    let near = NearMatch.among(noun.isEmpty ? known + ["help"] + externals : known, to: word)
    let others: Hint = noun.isEmpty ? "see 'hotglue help'" : "one of \(list(known))"
    return .usage(
      noun.isEmpty ? "no command '\(word)'" : "'\(noun)' has no verb '\(word)'",
      hint: near.isEmpty ? others : "did you mean \(list(near, last: " or "))?")
  }

  private static func list(_ words: [String], last: String = ", ") -> String {
    words.map { "'\($0)'" }.joined(separator: last)
  }
}
