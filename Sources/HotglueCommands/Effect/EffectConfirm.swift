import ArgumentParser
import HotglueCore
import HotglueStore

struct EffectConfirm: WorkspaceCommand {
  static let record = CommandRecord("effect confirm", .settlesWorkspace, requires: .role(.operator))
  static let configuration = CommandConfiguration(
    commandName: "confirm", abstract: "say that an effect happened",
    discussion: """
      Accepted while the effect's intent is open, also from an attempt that is late: that it happened \
      is a fact. So it is while the effect's command runs: what is recorded first stays. Said again it \
      is no error, unless with another output. People say it of an effect that is unknown, after a look at the other side; from \
      outside the job they name it by --job.
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup var word: EffectWordOptions

  @Option(
    help: ArgumentHelp(
      "Record this as its output, up to 1 MiB; '-' is standard input.", valueName: "file"))
  var output: String?

  @Argument(help: ArgumentHelp("The effect's key, or its link.", valueName: "key"))
  var key: String

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    try session.refuseForeignEffects()
    let name = try word.target.name(key, in: session)
    return try session.end(
      EffectReport(
        name: name, end: .confirmed(status: nil), intent: word.intent,
        attempt: session.pinnedAttempt, output: recorded(in: session.environment),
        reason: word.reason))
  }

  private func recorded(in environment: CommandEnvironment) throws -> EffectOutput {
    guard let output else { return .empty }
    var bytes: [UInt8] = []
    if output == "-" {
      while bytes.count <= EffectOutput.limit {
        let more = try environment.readInput(1 << 16)
        if more.isEmpty { break }
        bytes += more
      }
    } else {
      bytes = try LineInput.bytes(of: environment.path(output), limit: EffectOutput.limit)
    }
    guard bytes.count <= EffectOutput.limit else {
      throw CommandError.badInput(
        "the output is larger than 1 MiB (\(EffectOutput.limit) bytes)",
        hint: "record where it is instead of what it is")
    }
    return EffectOutput(bytes: bytes, count: Int64(bytes.count))
  }
}

struct EffectAbandon: WorkspaceCommand {
  static let record = CommandRecord("effect abandon", .changesWorkspace, requires: .role(.operator))
  static let configuration = CommandConfiguration(
    commandName: "abandon", abstract: "say that an effect has not happened",
    discussion: """
      For an effect that was begun and has certainly not happened: with its key it is carried out \
      anew. From outside the job it is named by --job. Refused while its command runs.
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup var word: EffectWordOptions

  @Argument(help: ArgumentHelp("The effect's key, or its link.", valueName: "key"))
  var key: String

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    try session.refuseForeignEffects()
    let name = try word.target.name(key, in: session)
    let lock = try session.lock(name)
    defer { withExtendedLifetime(lock) {} }
    return try session.end(
      EffectReport(
        name: name, end: .abandoned, intent: word.intent, attempt: session.pinnedAttempt,
        reason: word.reason))
  }
}

/// What a person or a handler says with its word on an effect.
struct EffectWordOptions: ParsableArguments {
  @OptionGroup var target: EffectTargetOptions

  @Option(
    help: ArgumentHelp(
      "The number that 'effect begin' printed: refused when another intent is open.",
      valueName: "n"))
  var intent: Int?

  @Option(help: ArgumentHelp("How you know, for the record.", valueName: "text"))
  var reason: String?

  func validate() throws {
    if let reason { try Reason.check(reason, kept: "the effect's record") }
  }
}

extension WorkspaceSession {
  fileprivate func end(_ report: EffectReport) throws -> ExitStatus {
    let effect = try store.endEffect(report, by: actor, at: now)
    let shown = try ShownEffect(effect, store: store)
    output.result(
      json: EffectJSON.story(shown), id: effect.name.key,
      text: {
        "effect '\(effect.name.key)' of \(effect.name.scopeWords) in workspace '\(workspace)' is "
          + effect.facts.state.rawValue
      })
    return .done
  }
}
