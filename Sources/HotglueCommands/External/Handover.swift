import HotglueCore
import HotglueProcess

/// Gives the terminal to a program, with a context file of its own, and ends as it ended.
struct Handover {
  let environment: CommandEnvironment

  /// Runs `path` under the name and arguments in `words`; what is buffered is written first.
  func run(
    _ path: String, _ words: [String], context: borrowing PrivateContext
  ) throws -> ExitStatus {
    try run(path, words, contextFile: context.path, keeping: context.descriptor)
  }

  func run(
    _ path: String, _ words: [String], contextFile: String, keeping descriptor: Int32? = nil
  ) throws -> ExitStatus {
    try environment.output.flush()
    try environment.errorOutput.flush()
    let end = ForegroundProcess.run(
      path, words, changing: ["HOTGLUE_CONTEXT": contextFile], keeping: descriptor)
    switch end {
    case .exited(let status): return ExitStatus(rawValue: status)
    case .killed(let signal): return ExitStatus(rawValue: 128 + signal)
    case .notExecuted(let number):
      throw CommandError(
        "not_executed", .cannotExecute,
        "cannot execute '\(path)': \(environment.executionFailure(path, code: number))",
        facts: [JSON.Member("path", .string(path))])
    }
  }
}
