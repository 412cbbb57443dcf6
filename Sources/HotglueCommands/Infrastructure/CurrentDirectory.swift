import HotglueCore

/// The directory in which a command was started, as the system names it.
public enum CurrentDirectory: Equatable {
  case path(String)
  case gone
  /// Its name is not UTF-8: it can be worked in, and neither shown nor recorded.
  case notUTF8([UInt8])

  public var path: String? {
    if case .path(let path) = self { return path }
    return nil
  }
}

extension CommandEnvironment {
  /// The current directory was removed, or cannot be reached any more.
  var currentDirectoryIsGone: Bool { currentDirectory == nil && currentDirectoryBytes == nil }

  /// The current directory, to be recorded; `remedy` says how else to name one, `whenGone` what helps
  /// where there is none any more, if that is another thing.
  func recordedDirectory(
    _ remedy: Hint, whenGone: Hint? = nil
  ) throws(CommandError) -> String {
    if let currentDirectory { return currentDirectory }
    guard !currentDirectoryIsGone else {
      throw CommandError(
        "no_such_directory", .notFound, "the current directory is gone", hint: whenGone ?? remedy)
    }
    throw .notUTF8("the name of the current directory", hint: remedy)
  }

  /// `name` as a path that means the same file from here. It stays relative where the current
  /// directory has no name that could be written down.
  func path(_ name: String) -> String {
    currentDirectory.map { Path.joined($0, name) } ?? name
  }

  /// The value of a variable that decides something, or is recorded; `nil` when it is not set.
  func variable(_ name: String) throws(CommandError) -> String? {
    guard !variablesNotUTF8.contains(name) else {
      throw .notUTF8("the value of '\(name)'", hint: "set '\(name)' to a text in UTF-8")
    }
    return variables[name]
  }
}

extension CommandError {
  /// Bytes of the system that would have to be stored, or decide something, and are no text: repaired
  /// they would mean something else.
  static func notUTF8(_ what: String, hint: Hint) -> CommandError {
    CommandError("not_utf8", .usage, "\(what) is not UTF-8 text", hint: hint)
  }
}
