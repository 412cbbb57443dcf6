import ArgumentParser
import Glibc
import HotglueCore
import HotglueRunner
import HotglueStore

struct EffectRun: WorkspaceCommand {
  static let record = CommandRecord(
    "effect run", .changesWorkspace, requires: .role(.operator), answersWithChange: false)
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "run a command to confirmation at most once",
    usage: "hotglue effect run [flags] KEY -- COMMAND…",
    discussion: """
      Records the intent, runs the command, and confirms the effect when it exits 0. Again with that \
      key nothing is run: the recorded output is printed. Another command with that key is refused \
      (81), unless the effect is known not to have happened. A command that ended in any other way may \
      have done its work; so has one that was killed half-way. What is done about it then, --unknown \
      says.

      Ends with 0 when it is confirmed, a status of --not-done as it is, 126 or 127 when the command \
      could not be executed, and 83 when nobody knows.

      The command dies with this one. Nothing is run or checked again before all that it started has \
      ended. See hotglue-effects(7).
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup var scope: EffectScopeOptions
  @OptionGroup var unknown: UnknownOptions

  @Option(
    name: .customLong("not-done"),
    help: ArgumentHelp(
      "Statuses that mean that it has not happened, as 6,7,40-49.", valueName: "statuses"),
    transform: Arguments.value)
  var notDone = NotDoneStatuses.none

  @Option(
    help: ArgumentHelp(
      "Wait no longer than this for one who carries it out already.", valueName: "duration"),
    transform: Arguments.value)
  var wait: Span?

  @Flag(name: .customLong("no-output"), help: "Neither record nor replay what the command prints.")
  var noOutput = false

  @Argument(help: ArgumentHelp("Names the step: at most 1024 bytes.", valueName: "key"))
  var key: String

  @Argument(parsing: .postTerminator, help: "The command and its arguments, behind '--'.")
  var command: [String] = []

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    guard !command.isEmpty else {
      throw CommandError.usage(
        "there is no command to run", hint: "hotglue effect run [flags] KEY -- COMMAND…")
    }
    try session.refuseForeignEffects()
    let name = try scope.name(key, in: session)
    let output = session.environment.output
    let shown = StoredBytes(session.output)
    var runner = EffectRunner(
      store: session.store, actor: session.actor,
      environment: session.environment.variables.map { "\($0.key)=\($0.value)" },
      now: session.environment.now)
    runner.waits = { keeper in
      let who = keeper.map { " by \($0.words)" } ?? ""
      session.output.detail("effect '\(name.key)' is being carried out\(who); waiting for its end")
    }
    let result = try runner.run(
      EffectRequest(
        name: name, attempt: session.pinnedAttempt, policy: unknown.unknown,
        window: unknown.remoteWindow, command: command),
      EffectRunner.Order(
        command: command, notDone: notDone, patience: wait, keepsOutput: !noOutput),
      write: { bytes in
        shown.append(bytes)
        // It appears as it comes; what went wrong is kept, and told at the end.
        try? output.flush()
      })
    shown.end()
    return try tell(result, of: name, session)
  }

  private func tell(
    _ result: EffectRunner.Result, of name: EffectName, _ session: WorkspaceSession
  ) throws -> ExitStatus {
    switch result {
    case .confirmed:
      session.environment.output.stored = name.key
      return .done
    case .replayed(_, let output):
      session.output.detail("effect '\(name.key)' is confirmed already; nothing was run")
      session.output.stored(output)
      return .done
    case .confirmedMeanwhile:
      session.output.note(
        "effect '\(name.key)' was confirmed by somebody else while its command ran; what was "
          + "recorded then stays")
      return .done
    case .outputNotKept(let effect): throw CommandError.outputNotKept(effect)
    case .notDone(let effect, let status):
      session.output.note(
        effect.facts.state == .unknown
          ? "this try of effect '\(name.key)' has not happened (status \(status)); "
            + "an earlier one may have"
          : "effect '\(name.key)' has not happened: status \(status)")
      return ExitStatus(rawValue: Int32(clamping: status))
    case .notExecuted(_, let number):
      let reason = session.environment.executionFailure(command[0], code: number)
      throw CommandError(
        "not_executed", ExitStatus(rawValue: number == ENOENT ? 127 : 126),
        "cannot execute '\(command[0])': \(reason)",
        facts: [JSON.Member("key", .string(name.key))])
    case .notMarked(_, let error):
      throw CommandError.notMarked(name, error)
    case .interrupted(_, let signal):
      session.output.note("a signal came before the command was started; nothing was run")
      return ExitStatus(rawValue: 128 + signal)
    case .endedUnknown(let effect): throw CommandError.endedUnknown(effect)
    case .doubtful(let effect, let doubt): throw CommandError.doubtful(effect, doubt)
    case .notRecorded(let error):
      let cause = CommandError(from: error)
      throw CommandError(
        "effect_unknown", .outcomeUnknown,
        "the command of effect '\(name.key)' was run, and that could not be recorded: "
          + cause.message, hint: cause.hint, facts: [JSON.Member("key", .string(name.key))])
    case .carriedOutElsewhere(let effect, let keeper):
      throw CommandError.carriedOutElsewhere(name, effect, keeper)
    case .carriedOutAbove: throw CommandError.carriedOutAbove(name)
    }
  }
}
