import HotglueCore

/// What has been typed of a command line, and what may come where the cursor is.
struct CompletionLine {
  /// What belongs at the cursor.
  enum Wanted {
    /// The first word, with external commands.
    case command
    /// The word that follows these: the verb of a noun.
    case verb(of: [String])
    /// The name of an option.
    case option([CommandShape.Parameter])
    /// The value of an option or argument, in the words of the command's definition.
    case value(CommandShape.Parameter)
    /// A program, behind '--'.
    case program
    case file
    case nothing
  }

  /// The global flags so far: they decide which workspace and store candidates come from.
  private(set) var global = QuickGlobals()
  private(set) var command: CommandRecord?
  /// Arguments of the command so far.
  private(set) var given: [String] = []
  private(set) var wanted = Wanted.nothing
  /// The text at the cursor that candidates begin with, and what stands before it in the same word:
  /// `--workspace=`.
  private(set) var text: String
  private(set) var lead = ""

  private var words: [String] = []
  private var used: Set<String> = []
  private var shape: CommandShape

  /// `words`: as the shell has them, quotes and all; the last is the one at the cursor.
  init(_ words: [String], home: String?) {
    shape = CommandShape(of: GlobalOptions.self)
    let plain = words.map { Self.unquoted($0, home: home) }
    text = plain.last ?? ""
    var pending: CommandShape.Parameter?
    var rest = plain.dropLast()
    while let word = rest.popFirst() {
      if let option = pending {
        take(option, word)
        pending = nil
      } else if word == "--" {
        wanted = command == nil ? .nothing : rest.isEmpty ? .program : .file
        return
      } else if word.hasPrefix("-"), word != "-" {
        pending = take(word)
      } else if !take(plainWord: word) {
        wanted = .file
        return
      }
    }
    wanted = wanted(after: pending)
  }

  private mutating func wanted(after pending: CommandShape.Parameter?) -> Wanted {
    if let pending { return .value(pending) }
    if text.hasPrefix("--"), let equals = text.firstIndex(of: "=") {
      guard let option = shape.option(String(text[..<equals])), option.takesValue else {
        return .nothing
      }
      lead = String(text[...equals])
      text = String(text[text.index(after: equals)...])
      return .value(option)
    }
    if text.hasPrefix("-"), text != "-" || command != WorkspaceSwitch.record {
      return .option(shape.options.filter { $0.isRepeating || used.isDisjoint(with: $0.names) })
    }
    if command != nil { return shape.argument(given.count).map { .value($0) } ?? .nothing }
    switch words.first == "help" ? Array(words.dropFirst()) : words {
    case []: return .command
    case let path where CommandRegistry.isNoun(path): return .verb(of: path)
    default: return .nothing
    }
  }

  /// Takes an option; returns it when its value is the next word.
  private mutating func take(_ word: String) -> CommandShape.Parameter? {
    let equals = word.hasPrefix("--") ? word.firstIndex(of: "=") : nil
    let name = equals.map { String(word[..<$0]) } ?? word
    guard let option = shape.option(name) else {
      if word.hasPrefix("-w") { _ = global.take(option: "-w", String(word.dropFirst(2))) }
      return nil
    }
    used.formUnion(option.names)
    guard option.takesValue else { return nil }
    guard let equals else { return option }
    take(option, String(word[word.index(after: equals)...]))
    return nil
  }

  private mutating func take(_ option: CommandShape.Parameter, _ value: String) {
    if let name = option.names.last { _ = global.take(option: name, value) }
  }

  /// Takes a noun, a verb or an argument; false for the name of an external command, whose own the
  /// rest is.
  private mutating func take(plainWord word: String) -> Bool {
    if command != nil {
      given.append(word)
      return true
    }
    words.append(word)
    if words[0] == "help" { return true }
    let found = CommandRegistry.command(words)
    command = found?.record
    if let found { shape = CommandShape(of: found) }
    return found != nil || CommandRegistry.isNoun(Array(words.prefix(1)))
  }

  /// A word without the quotes and backslashes that a shell would take away. Nothing is expanded but a
  /// leading `~/`.
  static func unquoted(_ word: String, home: String?) -> String {
    var result = ""
    var quote: Character?
    var rest = Substring(word)
    if word.hasPrefix("~/"), let home {
      result = home
      rest = rest.dropFirst()
    }
    while let character = rest.popFirst() {
      switch (character, quote) {
      case ("\\", nil): if let next = rest.popFirst() { result.append(next) }
      case ("\\", "\"") where rest.first.map { "\"\\$`".contains($0) } == true:
        if let next = rest.popFirst() { result.append(next) }
      case ("'", nil), ("\"", nil): quote = character
      case (_, let open?) where character == open: quote = nil
      default: result.append(character)
      }
    }
    return result
  }
}
