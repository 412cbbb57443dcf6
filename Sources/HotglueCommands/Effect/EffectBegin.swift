import ArgumentParser
import HotglueCore
import HotglueProcess
import HotglueRunner
import HotglueStore

struct EffectBegin: WorkspaceCommand {
  static let record = CommandRecord("effect begin", .changesWorkspace, requires: .role(.operator))
  static let configuration = CommandConfiguration(
    commandName: "begin", abstract: "record the intent of an effect that the caller carries out",
    discussion: """
      Prints 'begun N' when the intent is recorded: do it now, then say 'effect confirm', or 'effect \
      abandon' if it has certainly not happened. Prints 'confirmed N' when it happened before: its \
      output is in 'effect show --output'. Outside of any job nobody can see whether the caller is still \
      at it, so until then it is listed as unknown. Ends with 83 when it may have happened, with 81 in an \
      attempt that is not its job's current one, and with 75 while somebody else is at it.
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup var scope: EffectScopeOptions
  @OptionGroup var unknown: UnknownOptions

  @Argument(help: ArgumentHelp("Names the step: at most 1024 bytes.", valueName: "key"))
  var key: String

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    try session.refuseForeignEffects()
    let name = try scope.name(key, in: session)
    let lock = try session.lock(name)
    defer { withExtendedLifetime(lock) {} }
    var request = EffectRequest(
      name: name, attempt: session.pinnedAttempt, policy: unknown.unknown,
      window: unknown.remoteWindow, isBegunByHandler: true)
    var checked = EffectOutput.empty
    while true {
      switch try session.store.beginEffect(request, by: session.actor, at: session.now) {
      case .begun(let effect): return try tell("begun", effect, session)
      case .confirmed(let effect): return try tell("confirmed", effect, session)
      case .ask:
        let runner = EffectRunner(
          store: session.store, actor: session.actor,
          environment: session.environment.variables.map { "\($0.key)=\($0.value)" },
          now: session.environment.now)
        let asked = try runner.ask(unknown.unknown)
        request.answer = asked.answer
        checked = asked.output
      case .toConfirm(let effect):
        let confirmed = try session.store.endEffect(
          EffectReport(
            name: name, end: .confirmed(status: nil), intent: effect.facts.intent,
            attempt: session.pinnedAttempt, output: checked,
            reason: "the check command says that it happened"), by: session.actor, at: session.now)
        return try tell("confirmed", confirmed, session)
      case .unknown(let effect, let doubt): throw CommandError.doubtful(effect, doubt)
      case .carriedOut(let effect): throw CommandError.carriedOutElsewhere(name, effect, nil)
      }
    }
  }

  private func tell(
    _ word: String, _ effect: Effect, _ session: WorkspaceSession
  ) throws -> ExitStatus {
    let shown = ShownEffect(justBegun: effect)
    session.output.result(
      json: EffectJSON.story(shown, [JSON.Member("begun", .bool(word == "begun"))]),
      id: effect.name.key, text: { "\(word) \(effect.facts.intent)" })
    return .done
  }
}

extension WorkspaceSession {
  /// The lock of an effect for one step of the store; refused while somebody carries it out. Somebody
  /// else's one step, or a look, is waited for.
  func lock(_ name: EffectName) throws -> EffectLock {
    switch try EffectLock.acquire(
      storeFolder: store.folder, name: name.lockName, shared: store.group != nil,
      until: BootClock.now() + 50)
    {
    case .acquired(let lock): return lock
    case .held(let keeper):
      throw CommandError.carriedOutElsewhere(name, try store.effect(name), keeper)
    case .heldByAncestor: throw CommandError.carriedOutAbove(name)
    }
  }
}
