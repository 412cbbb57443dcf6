import Glibc
import HotglueCore

/// A folder that is named, by the one path that the system itself gives it: whatever links and dots
/// lead to it, it is the same folder, and a shell takes the path for its PWD.
enum RealFolder {
  enum Failure: Error, Equatable {
    case missing
    case notADirectory
    case unreachable(code: Int32)
    /// Its own path is no text.
    case notUTF8
  }

  static func path(of folder: String) throws(Failure) -> String {
    guard let resolved = realpath(folder, nil) else {
      switch errno {
      case ENOENT: throw .missing
      case ENOTDIR: throw .notADirectory
      default: throw .unreachable(code: errno)
      }
    }
    defer { free(resolved) }
    var status = stat()
    guard stat(resolved, &status) == 0 else { throw .missing }
    guard status.st_mode & S_IFMT == S_IFDIR else { throw .notADirectory }
    guard let path = String(validatingCString: resolved) else { throw .notUTF8 }
    return path
  }
}

extension RealFolder {
  /// The directory that the 'cwd' of a file or a line names, from `folder`: kept by its real path, or
  /// refused, as '--cwd' is.
  static func path(
    named value: JSON, from folder: String
  ) throws(UnusableRequest) -> String {
    guard let name = value.stringValue, !name.isEmpty, !name.utf8.contains(0) else {
      throw UnusableRequest(problem: "'cwd' is not a path", hint: "give a directory as a string")
    }
    let path = Path.joined(folder, name)
    do throws(Failure) {
      return try self.path(of: path)
    } catch {
      switch error {
      case .missing:
        throw UnusableRequest(
          problem: "'cwd' names no directory: '\(path)'",
          hint: "create it, or name one that exists")
      case .notADirectory:
        throw UnusableRequest(
          problem: "'cwd' is not a directory: '\(path)'", hint: "name a directory")
      case .unreachable(let code):
        throw UnusableRequest(
          problem: "'cwd' cannot be entered: '\(path)': "
            + SystemError("enter", path, code: code).reason,
          hint: "name one that this user can enter")
      case .notUTF8:
        throw UnusableRequest(
          problem: "the real path of '\(path)' is not UTF-8 text",
          hint: "name a directory whose path is UTF-8 text")
      }
    }
  }
}

extension CommandError {
  /// A folder for a job, as it was named.
  init(_ failure: RealFolder.Failure, _ path: String) {
    let facts = [JSON.Member("path", .string(path))]
    switch failure {
    case .missing:
      self.init(
        "no_such_folder", .notFound, "no folder '\(path)'",
        hint: "name one that exists with --cwd", facts: facts)
    case .notADirectory:
      self.init(
        "not_a_directory", .notFound, "'\(path)' is not a directory",
        hint: "name a directory with --cwd", facts: facts)
    case .unreachable(let code): self.init(SystemError("enter", path, code: code))
    case .notUTF8:
      self = .notUTF8(
        "the real path of '\(path)'", hint: "name a directory whose path is UTF-8 with --cwd")
    }
  }
}
