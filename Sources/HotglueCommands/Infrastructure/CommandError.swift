import Glibc
import HotglueCore
import HotglueProcess
import HotglueRunner

/// A refusal or failure, ready to be shown: what failed, what would help, and the exit status.
struct CommandError: Error, Equatable {
  /// A stable word for scripts.
  var code: String
  /// Lower-case, what failed first, the subject quoted, no full stop.
  var message: String
  /// Lines of what it is about, below the message.
  var details: [String] = []
  var hint: Hint?
  var exit: ExitStatus
  /// What the error is about, for `--json`.
  var facts: [JSON.Member]

  init(
    _ code: String, _ exit: ExitStatus, _ message: String, hint: Hint? = nil,
    facts: [JSON.Member] = []
  ) {
    self.code = code
    self.message = message
    self.hint = hint
    self.exit = exit
    self.facts = facts
  }

  /// As the command line that is refused gets it.
  func json(for given: GivenArguments) -> JSON {
    .object([
      JSON.Member(
        "error",
        .object(
          [
            JSON.Member("code", .string(code)), JSON.Member("message", .string(message)),
            JSON.Member("hint", .text(hint?.text(for: given))),
            JSON.Member("exit", .integer(exit.rawValue)),
          ] + facts))
    ])
  }

  /// What is written to standard error.
  func lines(json isJSON: Bool, in environment: CommandEnvironment) -> String {
    let given = environment.given
    guard isJSON else { return text(for: given) }
    let json = json(for: given).text
    return (environment.isTerminal(.error) ? Visible.json(json) : json) + "\n"
  }

  /// The lines for people.
  func text(for given: GivenArguments) -> String {
    let first = "hotglue: \(Visible.text(message))\n"
    let below = details.map { "  \(Visible.text($0))\n" }.joined()
    guard let hint else { return first + below }
    return first + below + "hint: \(hint.text(for: given))\n"
  }
}

extension CommandError {
  static func usage(_ message: String, hint: Hint? = nil) -> CommandError {
    CommandError("usage", .usage, message, hint: hint)
  }

  /// Bytes or text that were given to be read and cannot be used.
  static func badInput(
    _ message: String, hint: Hint? = nil, facts: [JSON.Member] = []
  ) -> CommandError {
    CommandError("bad_input", .badInput, message, hint: hint, facts: facts)
  }

  /// What would ask a question, or act on something that must be named, was not told so.
  static func needsConfirmation(_ message: String, hint: Hint) -> CommandError {
    CommandError("confirmation_needed", .needsConfirmation, message, hint: hint)
  }

  static func refused(_ message: String, hint: Hint? = nil) -> CommandError {
    CommandError("refused", .refused, message, hint: hint)
  }

  /// The one place that turns any error of a lower floor into words.
  init(from error: any Error) {
    switch error {
    case let error as CommandError: self = error
    case let error as ContextError: self.init(error)
    case let error as SystemError: self.init(error)
    case let error as RunnerError: self.init(error)
    case let error as ProcessError: self.init(.process(error))
    default: self = Self.from(store: error)
    }
  }

  init(_ error: SystemError) {
    let (code, exit): (String, ExitStatus) =
      switch error.code {
      case ENOENT, ENOTDIR: ("not_found", .notFound)
      case EACCES, EPERM, EROFS: ("not_permitted", .notPermitted)
      default: ("input_output", .inputOutput)
      }
    self.init(
      code, exit, "cannot \(error.operation) '\(error.path)': \(error.reason)",
      facts: [JSON.Member("path", .string(error.path))])
  }
}
