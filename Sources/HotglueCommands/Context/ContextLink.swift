import Glibc
import HotglueCore

/// A symbolic link that led to the context file: what is wrong there is told with both paths, since the
/// store is looked for beside the file and not beside the link.
struct ContextLink {
  let shownPath: String
  let target: String

  /// What a link says, as it stands in it.
  static func target(of path: String) -> String? {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    guard readlink(path, &buffer, Int(PATH_MAX)) > 0 else { return nil }
    return buffer.withUnsafeBufferPointer {
      $0.baseAddress.flatMap { String(validatingCString: $0) }
    }
  }
}

extension CommandError {
  /// The same refusal, with the link that was followed.
  func following(_ link: ContextLink) -> CommandError {
    var refusal = self
    refusal.message += "; '\(link.shownPath)' is a link to '\(link.target)'"
    refusal.facts += [
      JSON.Member("link", .string(link.shownPath)), JSON.Member("target", .string(link.target)),
    ]
    return refusal
  }

  /// As `init(from:)`, for what is found out about an error from the environment.
  init(from error: any Error, in environment: CommandEnvironment) {
    self.init(from: error)
    guard case ContextError.nothingFound? = error as? ContextError else { return }
    if environment.currentDirectoryIsGone {
      message = "no context: the current directory is gone, so none was looked for in it"
      hint =
        "change to a directory that exists, or name one with --context FILE or $HOTGLUE_CONTEXT"
    }
    guard (try? ContextLoader(environment).userPath()) == nil else { return }
    message += ", and \(environment.homeProblem), so no context of the user was looked for"
    let set: Hint =
      environment.variables["HOME"] == nil ? "set HOME; or " : "set HOME to an absolute path; or "
    hint = set + (hint ?? CommandError.makeContext)
  }

  /// There is no folder in which what belongs to the user could be.
  static func noHome(in environment: CommandEnvironment, hint: Hint) -> CommandError {
    CommandError(
      "no_home", .badContext,
      "no home folder: \(environment.homeProblem), and XDG_CONFIG_HOME names none", hint: hint)
  }
}

extension CommandEnvironment {
  /// Why HOME names no folder.
  fileprivate var homeProblem: String {
    switch variables["HOME"] {
    case nil: "HOME is not set"
    case ""?: "HOME is empty"
    case let home?: "HOME is not an absolute path ('\(home)')"
    }
  }
}
