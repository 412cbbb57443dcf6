/// A command that would help, in words that no shell has read: whoever shows it quotes them, and adds
/// what names the store that is meant.
public enum SuggestedCommand: Hashable, Sendable {
  /// A command line of hotglue without the program's name, and behind it what a person fills in, as it is
  /// shown: `--reason TEXT`.
  case hotglue([String], form: String? = nil)
  /// A command of the system.
  case other([String])
}
