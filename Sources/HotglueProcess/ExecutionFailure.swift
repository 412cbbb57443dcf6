import Glibc
import HotglueCore

/// Why nothing was run, in the system's words.
public enum ExecutionFailure {
  /// The text of an error number, lower-case.
  public static func reason(_ number: Int32) -> String {
    let text = String(cString: strerror(number))
    return text.prefix(1).lowercased() + text.dropFirst()
  }

  /// Why a shell that was given `command` ended with 126 or 127, which is all that it says in its status;
  /// `nil` where that was the command's own status, or the shell had more to read than one command.
  public static func reason(
    ofShellStatus status: Int32, _ command: String, path: String?, in directory: String
  ) -> String? {
    guard status == 126 || status == 127, command.utf8.allSatisfy(isPlain),
      let word = command.split(separator: " ").first.map(String.init), !word.contains("="),
      !["exit", "return", "eval", "exec", "command", "."].contains(word)
    else { return nil }
    var refusal = ENOENT
    for file in files(of: word, path: path ?? "/bin:/usr/bin", in: directory) {
      var facts = stat()
      guard stat(file, &facts) == 0 else {
        if errno != ENOENT, errno != ENOTDIR { refusal = errno }
        continue
      }
      guard facts.st_mode & S_IFMT == S_IFREG, access(file, X_OK) == 0 else {
        refusal = EACCES
        continue
      }
      guard let interpreter = ScriptInterpreter.of(file, path: path, in: directory),
        access(interpreter, X_OK) != 0
      else { return nil }
      return text(word, AttemptEnd.reason(reason(errno), interpreter: interpreter))
    }
    return text(word, reason(refusal))
  }

  private static func text(_ word: String, _ reason: String) -> String {
    "cannot execute '\(word)': \(reason)"
  }

  /// Where the shell looks for the word, in this order.
  private static func files(of word: String, path: String, in directory: String) -> [String] {
    let files =
      word.contains("/")
      ? [word]
      : path.split(separator: ":", omittingEmptySubsequences: false).map {
        $0.isEmpty ? word : "\($0)/\(word)"
      }
    return files.map { $0.hasPrefix("/") ? $0 : "\(directory)/\($0)" }
  }

  /// Bytes that a shell takes as they are: with none but these the text is one simple command.
  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), 0x80...0xFF:
      true
    default: " _-./+@%,:=".utf8.contains(byte)
    }
  }
}
