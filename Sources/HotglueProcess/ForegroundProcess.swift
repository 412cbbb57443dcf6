import CSupervisor
import Glibc

/// A command that takes this process's place at the terminal until it ends: a shell, or another
/// program of the user's.
public enum ForegroundProcess {
  public enum End: Equatable, Sendable {
    case exited(Int32)
    case killed(signal: Int32)
    /// Nothing was run; the number is that of the system's error.
    case notExecuted(errno: Int32)
  }

  /// Runs the program at `path` with `words` (the first is its name) and waits for its end.
  ///
  /// It shares this process's group, terminal and streams. Its environment is this process's own,
  /// byte for byte, with `changes` in it. `kept` is a descriptor that it inherits: a lock on it lasts
  /// as long as the child, also when this process is killed. A text without `#!` is run by `/bin/sh`.
  /// The caller is the only thread: signals are taken from the process while it waits.
  public static func run(
    _ path: String, _ words: [String], changing changes: [String: String], keeping kept: Int32?
  ) -> End {
    var end = attempt(path, words, changes, kept)
    if end == .notExecuted(errno: ENOEXEC) {
      end = attempt("/bin/sh", ["sh", path] + words.dropFirst(), changes, kept)
    }
    return end
  }

  private static func attempt(
    _ path: String, _ words: [String], _ changes: [String: String], _ kept: Int32?
  ) -> End {
    let arguments = words.map { strdup($0) } + [nil]
    let variables = changes.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in arguments + variables { free(text) } }
    var status: Int32 = 0
    let error = arguments.withUnsafeBufferPointer { arguments in
      variables.withUnsafeBufferPointer { variables in
        hg_foreground_run(
          path, arguments.baseAddress, variables.baseAddress, kept ?? -1, &status)
      }
    }
    if error != 0 { return .notExecuted(errno: error) }
    switch ChildEnd(waitStatus: status) {
    case .exited(let status): return .exited(status)
    case .killed(let signal): return .killed(signal: signal)
    }
  }
}
