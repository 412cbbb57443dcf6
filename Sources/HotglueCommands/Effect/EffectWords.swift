import Glibc
import HotglueCore
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
      ?? effect.signal.map { "was ended by SIG\(Signal(number: Int32($0)).name)" } ?? "was stopped"
    return CommandError(
      "effect_unknown", .outcomeUnknown,
      "the command of effect '\(effect.name.key)' \(how): it may have happened",
      hint: "statuses that mean 'it has not happened' are named by '--not-done'",
      facts: facts(of: effect))
  }

  static func outputNotKept(_ effect: Effect) -> CommandError {
    let size = effect.outputBytes.map(ByteCount.approximateText) ?? "its size"
    return CommandError(
      "output_not_kept", .refused,
      "effect '\(effect.name.key)' is confirmed, but its output (\(size)) is larger than the "
        + "\(ByteCount.approximateText(Int64(EffectOutput.limit))) that are kept; nothing was run",
      hint: "let the command write to a file; with '--no-output' nothing is recorded or replayed",
      facts: facts(of: effect))
  }

  static func carriedOutElsewhere(_ name: EffectName, _ effect: Effect?) -> CommandError {
    let who = effect?.job.map { "job \($0)" } ?? "another process"
    return CommandError(
      "effect_busy", .tryLater, "effect '\(name.key)' is being carried out by \(who)",
      hint: "try again when that has ended", facts: [JSON.Member("key", .string(name.key))])
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
