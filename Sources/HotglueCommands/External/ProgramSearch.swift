import Glibc
import HotglueCore
import HotglueProcess

/// Looks for programs where a shell would: in the folders of PATH.
struct ProgramSearch {
  let environment: CommandEnvironment

  enum Finding: Equatable {
    case program(String)
    /// A file of that name is there, and may not be executed.
    case notExecutable(String)
    case nothing
  }

  /// The folders, absolute and in their order. An empty entry is the current folder; without a PATH
  /// those that the system falls back to.
  private var folders: [String] {
    let path = environment.variables["PATH"] ?? "/usr/bin:/bin"
    return path.split(separator: ":", omittingEmptySubsequences: false).compactMap { entry in
      if entry.hasPrefix("/") { return String(entry) }
      return environment.path(entry.isEmpty ? "." : String(entry))
    }
  }

  /// The first that can be executed. A name with a slash is a path.
  func find(_ name: String) -> Finding {
    guard !name.isEmpty else { return .nothing }
    if name.contains("/") {
      return judge(environment.path(name))
    }
    var refused: String?
    for folder in folders {
      switch judge(Path.joined(folder, name)) {
      case .program(let path): return .program(path)
      case .notExecutable(let path): refused = refused ?? path
      case .nothing: continue
      }
    }
    return refused.map { .notExecutable($0) } ?? .nothing
  }

  /// What follows `prefix` in the names of programs that can be executed, sorted.
  func names(after prefix: String) -> [String] {
    var names: Set<String> = []
    for folder in folders {
      for name in HotglueProcess.names(in: folder, followsLink: true) {
        guard name.hasPrefix(prefix), name.utf8.count > prefix.utf8.count,
          case .program = judge(Path.joined(folder, name))
        else { continue }
        names.insert(String(name.dropFirst(prefix.count)))
      }
    }
    return names.sorted()
  }

  private func judge(_ path: String) -> Finding {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return .nothing }
    return access(path, X_OK) == 0 ? .program(path) : .notExecutable(path)
  }
}

extension CommandError {
  static func notExecutable(_ path: String) -> CommandError {
    CommandError(
      "not_executed", .cannotExecute, "cannot execute '\(path)': it is not executable",
      hint: "chmod +x \(Shell.quoted(path))", facts: [JSON.Member("path", .string(path))])
  }
}

extension ExitStatus {
  /// A shell's status for a program that is there and cannot be executed.
  static let cannotExecute = ExitStatus(rawValue: 126)
  /// A shell's status for a program that is not there.
  static let noProgram = ExitStatus(rawValue: 127)
}
