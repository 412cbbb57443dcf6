/// A command as a person would type it: words that a shell would change stand in quotes.
enum ShellWords {
  static func joined(_ words: [String]) -> String {
    words.map(Shell.quoted).joined(separator: " ")
  }
}
