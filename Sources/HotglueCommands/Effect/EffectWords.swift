import Glibc
import HotglueCore
import HotglueProcess
import HotglueStore

extension CommandError {
  /// It may have happened, and nothing was run.
  static func doubtful(_ effect: Effect, _ doubt: EffectFacts.Doubt) -> CommandError {
    let name = effect.name
    let since = effect.facts.doubtSince ?? effect.facts.startedAt
    let why =
      switch doubt {
      case .policy: ""
      case .undecidedCheck: "; the check command could not tell"
      case .windowOver: "; the first try is so long ago that the other side may not know its key"
      }
    return CommandError(
      "effect_unknown", .outcomeUnknown,
      "effect '\(name.key)' of \(name.scopeWords) was begun at \(since.rfc3339) and may have "
        + "happened\(why); nothing was run",
      hint: "look, then say 'hotglue effect confirm \(Shell.quoted(name.key)) \(name.scopeFlags)', "
        + "or 'abandon' if it has not happened; '--unknown check=…' looks by itself",
      facts: facts(of: effect))
  }

  /// The command ended in a way that says nothing about the other side.
  static func endedUnknown(_ effect: Effect) -> CommandError {
    let how =
      effect.exitStatus.map { "ended with status \($0)" }
      ?? effect.signal.map { "was ended by SIG\(Signal(stored: $0).name)" } ?? "was stopped"
    return CommandError(
      "effect_unknown", .outcomeUnknown,
      "the command of effect '\(effect.name.key)' \(how): it may have happened",
      hint: "statuses that mean 'it has not happened' are named by '--not-done'",
      facts: facts(of: effect))
  }

  /// The command was not started, since nobody could have told what it leaves running.
  static func notMarked(_ name: EffectName, _ error: ProcessError) -> CommandError {
    guard case .system(let call, let path?, let number) = error else {
      return CommandError(from: error)
    }
    let cause = SystemError(call, path, code: number)
    return CommandError(
      number == ENOSPC ? "disk_full" : "input_output", .inputOutput,
      "cannot \(call) '\(path)': \(cause.reason); the command of effect '\(name.key)' was not run",
      hint: number == ENOSPC ? "free some space, then try again" : nil,
      facts: [JSON.Member("path", .string(path)), JSON.Member("key", .string(name.key))])
  }

  static func outputNotKept(_ effect: Effect) -> CommandError {
    let most = Int64(EffectOutput.limit)
    let texts = ByteCount.texts(effect.outputBytes ?? most, over: most)
    return CommandError(
      "output_not_kept", .refused,
      "effect '\(effect.name.key)' is confirmed, but its output (\(texts.size)) is larger than the "
        + "\(texts.limit) that are kept; nothing was run",
      hint: "let the command write to a file; with '--no-output' nothing is recorded or replayed",
      facts: facts(of: effect))
  }

  /// Nothing was run: somebody is at it. `keeper` is the process that keeps the key; without one it was
  /// begun by `effect begin` in an attempt that lives, or by a process that cannot be seen from here.
  static func carriedOutElsewhere(
    _ name: EffectName, _ effect: Effect?, _ keeper: EffectKeeper?
  ) -> CommandError {
    let since = effect.map { " since \($0.facts.startedAt.rfc3339)" } ?? ""
    let (message, hint): (String, Hint)
    if let keeper {
      message =
        keeper.isLeft
        ? "what carried effect '\(name.key)' out has gone, and \(keeper.words), which it started, is "
          + "still at it\(since)"
        : "effect '\(name.key)' is being carried out by \(keeper.words)\(since)"
      hint =
        keeper.isLeft
        ? "try again when that has ended; 'kill \(keeper.pid)' ends it"
        : "try again when that has ended; 'hotglue effect run' waits for it"
    } else if let effect, effect.isBegunByHandler, let job = effect.job {
      message =
        "effect '\(name.key)' was begun by job \(job), whose attempt lives,"
        + " at \(effect.facts.startedAt.rfc3339)"
      hint = "try again when the job has confirmed or abandoned it, or has ended"
    } else {
      message = "effect '\(name.key)' is being carried out by another process\(since)"
      hint = "try again when that has ended"
    }
    return CommandError(
      "effect_busy", .tryLater, message, hint: hint,
      facts: [
        JSON.Member("key", .string(name.key)), JSON.Member("job", .optional(effect?.job)),
        JSON.Member("since", .text(effect?.facts.startedAt.rfc3339)),
        JSON.Member("pid", .optional(keeper.map { Int64($0.pid) })),
      ])
  }

  static func carriedOutAbove(_ name: EffectName) -> CommandError {
    .refused(
      "effect '\(name.key)' is what this command is the carrying out of",
      hint: "give the inner step a key of its own")
  }

  static func facts(of effect: Effect) -> [JSON.Member] {
    [
      JSON.Member("key", .string(effect.name.key)),
      JSON.Member("scope", .string(effect.name.scopeName)),
      JSON.Member("job", .optional(effect.job ?? effect.name.job)),
      JSON.Member("state", .string(effect.facts.state.rawValue)),
      JSON.Member("exit_status", .optional(effect.exitStatus)),
      JSON.Member("signal", .optional(effect.signal)),
    ]
  }
}
