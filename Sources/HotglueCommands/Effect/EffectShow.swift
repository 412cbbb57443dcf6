import ArgumentParser
import HotglueCore
import HotglueStore

struct EffectShow: WorkspaceCommand {
  static let record = CommandRecord("effect show", .readsWorkspace, requires: .role(.viewer))
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "tell what is known of an effect, or print its recorded output")

  @OptionGroup var global: GlobalOptions
  @OptionGroup var target: EffectTargetOptions

  @Flag(help: "Print the recorded output, byte for byte, and nothing else.")
  var output = false

  @Argument(help: ArgumentHelp("The effect's key, or its link.", valueName: "key"))
  var key: String

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    let name = try target.name(key, in: session)
    guard let effect = try session.store.effect(name) else {
      throw StoreError.unknownEffect(name)
    }
    if output { return try printOutput(of: effect, session) }
    return try session.show(effect: effect)
  }

  private func printOutput(
    of effect: Effect, _ session: WorkspaceSession
  ) throws -> ExitStatus {
    guard effect.facts.state == .confirmed else {
      throw CommandError.refused(
        "effect '\(effect.name.key)' is '\(effect.facts.state.rawValue)': it has no output",
        hint: "only a confirmed effect has one")
    }
    guard effect.keepsOutput else { throw CommandError.outputNotKept(effect) }
    let bytes = try session.store.output(of: effect.id, in: session.workspace)
    session.output.stored(bytes ?? [])
    return .done
  }
}

extension WorkspaceSession {
  func show(effect: Effect) throws -> ExitStatus {
    let shown = try ShownEffect(effect, store: store).withKeeper(in: store)
    if output.isJSON {
      output.object(EffectJSON.story(shown))
    } else if output.isQuiet {
      output.line(effect.name.key)
    } else {
      output.breadcrumb(workspace.text, "effects", effect.name.key)
      output.fields(Self.fields(of: shown))
    }
    return .done
  }

  private static func fields(of shown: ShownEffect) -> [(name: String, cell: Cell)] {
    let effect = shown.effect
    var fields: [(name: String, cell: Cell)] = [
      ("effect", Cell(effect.name.key)), ("link", Cell(EntityLink.effect(effect.name).text)),
      ("workspace", Cell(effect.name.workspace.text)),
      ("scope", Cell(effect.name.scopeWords)), ("state", Cell(shown.state)),
      ("intent", Cell(effect.facts.intent)), ("started at", Cell(effect.facts.startedAt)),
    ]
    if let time = effect.facts.doubtSince { fields.append(("doubtful since", Cell(time))) }
    if let time = effect.finishedAt { fields.append(("finished at", Cell(time))) }
    if let job = effect.job, let fence = effect.fence {
      fields.append(("by", Cell("job \(job), fence \(fence)")))
    }
    if let status = effect.exitStatus { fields.append(("exit", Cell(status))) }
    if let signal = effect.signal {
      fields.append(("signal", Cell("SIG\(Signal(stored: signal).name)")))
    }
    if let bytes = effect.outputBytes {
      let kept = effect.keepsOutput ? "" : ", not kept"
      fields.append(("output", Cell(ByteCount.approximateText(bytes) + kept)))
    }
    if let keeper = shown.keeper {
      fields.append((keeper.isLeft ? "left running" : "carried out by", Cell(keeper.words)))
    }
    if let reason = effect.reason { fields.append(("reason", Cell(reason))) }
    return fields
  }
}
