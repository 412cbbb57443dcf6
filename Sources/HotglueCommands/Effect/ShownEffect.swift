import HotglueCore
import HotglueProcess
import HotglueStore

/// An effect as people and scripts see it: an intent that nobody carries out any more is unknown,
/// whether or not somebody has recorded that yet.
struct ShownEffect {
  let effect: Effect
  let state: EffectState
  /// Who keeps the key, as far as that was looked at.
  let keeper: EffectKeeper?

  /// A key that nobody keeps may have been let go because the end was recorded just now: the row is
  /// read again before it is called unknown.
  init(_ effect: Effect, store: any Store, marked: MarkedProcesses? = nil) throws {
    var effect = effect
    while effect.facts.state == .intended, !effect.isBegunByHandler {
      let look = try EffectLock.look(
        storeFolder: store.folder, name: effect.name.lockName, marked: marked)
      if case .held(let keeper) = look {
        self.init(effect, .intended, keeper)
        return
      }
      guard let now = try store.effect(effect.name),
        now.facts.state != .intended || now.facts.intent != effect.facts.intent
      else {
        self.init(effect, .unknown, nil)
        return
      }
      effect = now
    }
    // Outside of any job nobody can be seen to be at it.
    let isLost = effect.facts.state == .intended && !effect.attemptIsCurrent
    self.init(effect, isLost ? .unknown : effect.facts.state, nil)
  }

  private init(_ effect: Effect, _ state: EffectState, _ keeper: EffectKeeper?) {
    self.effect = effect
    self.state = state
    self.keeper = keeper
  }

  /// With what an earlier try left running, which keeps the key of an effect that is known as unknown.
  func withKeeper(in store: any Store) throws(ProcessError) -> ShownEffect {
    guard state == .unknown || state == .failed else { return self }
    let look = try EffectLock.look(storeFolder: store.folder, name: effect.name.lockName)
    return ShownEffect(effect, state, look.keeper)
  }

  /// An effect whose intent the caller has just recorded, and is about to carry out.
  init(justBegun effect: Effect) {
    self.init(effect, effect.facts.state, nil)
  }

  /// All effects of a job, oldest first: its own, and those of the workspace that it began.
  static func all(
    of job: JobID, in workspace: WorkspaceID, from store: any Store
  ) throws -> [ShownEffect] {
    let effects = try store.effects(
      in: workspace, of: job, states: [], before: nil, limit: Int(Int32.max))
    let marked = try MarkedProcesses.ifNeeded(for: effects)
    return try effects.reversed().map { try ShownEffect($0, store: store, marked: marked) }
  }
}

extension MarkedProcesses {
  /// One look for all of several intents, of which each would be looked for.
  static func ifNeeded(for effects: [Effect]) throws(ProcessError) -> MarkedProcesses? {
    let open = effects.filter { $0.facts.state == .intended && !$0.isBegunByHandler }
    return open.count > 1 ? try MarkedProcesses() : nil
  }
}

/// An effect as JSON. Keys and their order are documented and never change.
enum EffectJSON {
  static func object(_ shown: ShownEffect) -> JSON { .object(members(shown)) }

  /// What `effect show --json` and the verbs that change an effect print.
  static func story(_ shown: ShownEffect, _ more: [JSON.Member] = []) -> JSON {
    let effect = shown.effect
    return .object(
      members(shown) + [
        JSON.Member("workspace", .string(effect.name.workspace.text)),
        JSON.Member("link", .string(EntityLink.effect(effect.name).text)),
        JSON.Member("intent", .integer(effect.facts.intent)),
        JSON.Member("doubtful_since", .text(effect.facts.doubtSince?.rfc3339)),
        JSON.Member("signal", .optional(effect.signal)),
        JSON.Member("reason", .text(effect.reason)),
        JSON.Member("output_bytes", .optional(effect.outputBytes)),
        JSON.Member("output_kept", .bool(effect.keepsOutput)),
        JSON.Member("held_by", .optional(shown.keeper.map { Int64($0.pid) })),
      ] + more)
  }

  private static func members(_ shown: ShownEffect) -> [JSON.Member] {
    let effect = shown.effect
    return [
      JSON.Member("key", .string(effect.name.key)),
      JSON.Member("scope", .string(effect.name.scopeName)),
      JSON.Member("state", .string(shown.state.rawValue)),
      JSON.Member("job", .optional(effect.job ?? effect.name.job)),
      JSON.Member("fence", .optional(effect.fence)),
      JSON.Member("started_at", .string(effect.facts.startedAt.rfc3339)),
      JSON.Member("finished_at", .text(effect.finishedAt?.rfc3339)),
      JSON.Member("exit_status", .optional(effect.exitStatus)),
    ]
  }
}

/// Effects below each other.
enum EffectTable {
  static let headings = ["key", "scope", "state", "started", "finished", "job", "exit"]

  static func row(_ shown: ShownEffect) -> [Cell] {
    let effect = shown.effect
    return [
      Cell(effect.name.key), Cell(effect.name.scopeName), Cell(shown.state),
      Cell(effect.facts.startedAt), Cell(effect.finishedAt),
      Cell((effect.job ?? effect.name.job).map(String.init)),
      Cell(
        effect.exitStatus.map(String.init)
          ?? effect.signal.map { "SIG\(Signal(stored: $0).name)" }),
    ]
  }
}

extension Cell {
  init(_ state: EffectState) {
    let style: Style? =
      switch state {
      case .confirmed: .good
      case .failed: .bad
      case .unknown: .doubtful
      case .intended: .active
      case .abandoned: .faint
      }
    self.init(state.rawValue, style)
  }
}

extension EffectName {
  /// `job 42`, or `the workspace`.
  var scopeWords: String { job.map { "job \($0)" } ?? "the workspace" }
  /// The flag that names the scope outside of any job.
  var scopeFlags: String { job.map { "--job \($0)" } ?? "--scope workspace" }
}
