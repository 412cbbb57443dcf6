import ArgumentParser
import HotglueCore

struct JobReport: HotglueCommand {
  static let record = CommandRecord("job report", .none, requires: .none)
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "inside a handler: say what the attempt came to",
    discussion: """
      Says the one result of the attempt whose handler runs this command, as a result line on \
      descriptor 3 would; it counts when the handler ends. 'succeeded' counts only with exit status \
      0, or after an order to stop; the others win over it. The same result once more is no error, another one is refused (81), \
      and so is one of an attempt that is over: it is kept as a late report for people to read.

      When the arguments are refused, nothing is said, and what was to be said is not forgotten: unless \
      a result follows, exit status 0 then means an unknown outcome. In a stream handler, give the \
      'context' of the job's line with --context or HOTGLUE_CONTEXT.
      """)

  @OptionGroup var global: GlobalOptions

  @Argument(
    help: ArgumentHelp("succeeded, retry, failed, snooze or unknown.", valueName: "outcome"))
  var outcome: String

  @Option(
    help: ArgumentHelp(
      "The result: JSON, a file of it, or '-' for what is piped in.",
      valueName: "json|@file|-"))
  var value: String?

  @Option(help: ArgumentHelp("A stable word for what went wrong.", valueName: "word"))
  var code: String?

  @Option(help: ArgumentHelp("What went wrong, for people.", valueName: "text"))
  var message: String?

  @Option(
    help: ArgumentHelp(
      "With retry and snooze: when to try again (default: as the job's back-off says).",
      valueName: "duration"),
    transform: Arguments.value)
  var after: Span?

  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    do {
      let result = try result(environment)
      return try HandlerVoice.open(for: Self.record, QuickGlobals(global), in: environment)
        .say(.result(result, problems: []))
    } catch {
      let refusals: [ExitStatus] = [.usage, .badInput, .contextMismatch]
      if refusals.contains(CommandError(from: error).exit) {
        Self.tellRefusal(of: [outcome], in: environment)
      }
      throw error
    }
  }

  /// A script that goes on behind a refused 'failed' and ends with 0 has not succeeded. Whoever wanted
  /// to say 'succeeded' may leave that to the status.
  static func tellRefusal(of arguments: [String], in environment: CommandEnvironment) {
    guard !arguments.contains(AttemptOutcome.succeeded.rawValue) else { return }
    HandlerVoice.tellRefusal(of: record, in: environment)
  }

  private func result(_ environment: CommandEnvironment) throws -> HandlerResult {
    guard let outcome = HandlerLine.outcomes.first(where: { $0.rawValue == outcome }) else {
      throw CommandError.usage(
        "'\(outcome)' is no outcome to report",
        hint: "one of \(HandlerLine.outcomes.map { "'\($0.rawValue)'" }.joined(separator: ", "))")
    }
    if let after {
      guard outcome == .retry || outcome == .snooze else {
        throw CommandError.usage(
          "'--after' has no meaning with '\(outcome.rawValue)'", hint: "it is for retry and snooze")
      }
      guard after <= HandlerLine.longestDelay else {
        throw CommandError.usage("'--after' cannot be '\(after.text)'", hint: "at most 366d")
      }
    }
    let text = try EnqueueWords(payload: value).payloadText(in: environment, .value)
    return HandlerResult(
      outcome: outcome, value: try text.map { try JSON.parse($0) }, errorCode: code,
      errorMessage: message, after: after)
  }
}

struct JobProgressReport: HotglueCommand {
  static let record = CommandRecord("job progress", .none, requires: .none)
  static let configuration = CommandConfiguration(
    commandName: "progress", abstract: "inside a handler: say how far the attempt is",
    discussion: """
      The last that was said is shown by 'job show', 'job list' and 'job wait', at most half a second \
      later. An attempt that is over is refused (81).
      """)

  @OptionGroup var global: GlobalOptions

  @Argument(help: ArgumentHelp("How much is done.", valueName: "current"))
  var current: Int64?

  @Argument(help: ArgumentHelp("Of how much.", valueName: "total"))
  var total: Int64?

  @Option(help: ArgumentHelp("What is being done, for people.", valueName: "text"))
  var message: String?

  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    guard current != nil || message != nil else {
      throw CommandError.usage(
        "there is nothing to say", hint: "hotglue job progress 4 10 --message 'sorting'")
    }
    return try HandlerVoice.open(for: Self.record, QuickGlobals(global), in: environment)
      .say(.progress(JobProgress(current: current, total: total, message: message)))
  }
}
