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
    guard case ContextError.nothingFound? = error as? ContextError,
      (try? ContextLoader(environment).userPath()) == nil
    else { return }
    message += ", and HOME is not set, so no context of the user was looked for"
    hint = "set HOME; or " + CommandError.makeContext
  }
}
