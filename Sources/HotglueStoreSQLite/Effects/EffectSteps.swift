public import HotglueCore
public import HotglueStore

extension SQLiteStore: EffectStore {
  public func beginEffect(
    _ request: EffectRequest, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> EffectBeginning {
    do throws(StoreError) {
      return try write { () throws(StoreError) in
        let known = try known(request, for: actor)
        if let known, let answer = try Self.answer(to: request, about: known, at: now) {
          guard case .unknown(let effect, let doubt) = answer else { return answer }
          return .unknown(try knownAsUnknown(effect, actor, at: now), doubt)
        }
        return .begun(try intend(known, request, by: actor, at: now))
      }
    } catch .diskFull(let path) {
      // What changes nothing needs no room to be said, least of all that nothing may be run.
      let answer = try read { () throws(StoreError) in
        try known(request, for: actor).flatMap { (effect) throws(StoreError) in
          try Self.answer(to: request, about: effect, at: now)
        }
      }
      guard let answer else { throw .diskFull(path: path) }
      return answer
    }
  }

  public func endEffect(
    _ report: EffectReport, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> Effect {
    try write { () throws(StoreError) in
      try requireAuthority(of: actor, in: report.name.workspace)
      guard let effect = try effect(report.name) else { throw .unknownEffect(report.name) }
      let facts = effect.facts
      try requireWord(of: report, on: effect)
      guard report.intent == nil || report.intent == facts.intent,
        let state = facts.after(report.end)
      else { throw .effectNotOpen(report.name, state: facts.state, intent: facts.intent) }
      // Said before: the first word stays.
      if state == facts.state, !state.isOpen {
        if let difference = try difference(of: report, from: effect) {
          throw .effectConfirmedOtherwise(report.name, difference: difference)
        }
        return effect
      }
      try apply(report, state, to: effect, at: now)
      return try recorded(report.name, actor, at: now)
    }
  }
}

extension SQLiteStore {
  /// The effect as it is recorded, if it is, for one who may begin it.
  private func known(
    _ request: EffectRequest, for actor: Actor
  ) throws(StoreError) -> Effect? {
    try requireActive(request.name.workspace, for: actor)
    if let attempt = request.attempt { try requireLive(attempt) }
    if let job = request.name.job { try requireJob(job, in: request.name.workspace) }
    return try effect(request.name)
  }

  /// What there is to say about an effect that is not to be carried out now; `nil` when it is.
  private static func answer(
    to request: EffectRequest, about effect: Effect, at now: Timestamp
  ) throws(StoreError) -> EffectBeginning? {
    if let difference = effect.difference(from: request.command) {
      throw .effectOfOtherCommand(
        effect.name, state: effect.facts.state, difference: difference)
    }
    // Whoever began it without a lock is known to be at it while its attempt lives.
    if effect.facts.state == .intended, effect.isBegunByHandler, effect.attemptIsCurrent {
      return .carriedOut(effect)
    }
    switch effect.facts.begin(
      request.policy, window: request.window, answer: request.answer, at: now)
    {
    case .replay: return .confirmed(effect)
    case .ask: return .ask(effect)
    case .confirm: return .toConfirm(effect)
    case .refuse(let doubt): return .unknown(effect, doubt)
    case .carryOut: return nil
    }
  }

  /// Records the first intent, or one more.
  private func intend(
    _ known: Effect?, _ request: EffectRequest, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> Effect {
    let name = request.name
    guard let known else {
      try connection.run(
        EffectSQL.insert,
        [
          .text(name.workspace.text), .optional(name.job), .text(name.key),
          .optional(request.attempt?.job), .optional(request.attempt?.fence),
          .flag(request.isBegunByHandler), .integer(now.milliseconds),
          .optional(request.command.map { JSON.strings($0).text }),
        ])
      return try recorded(name, actor, at: now)
    }
    guard
      case .carryOut(let doubtSince) = known.facts.begin(
        request.policy, window: request.window, answer: request.answer, at: now)
    else { throw notOpen(known) }
    try intendAgain(known, request, doubtSince: doubtSince, at: now)
    return try recorded(name, actor, at: now)
  }

  /// Only the live attempt of a job may begin an effect or a sync.
  func requireLive(_ attempt: AttemptReference) throws(StoreError) {
    let live = try connection.first(EffectSQL.liveFence, [.integer(attempt.job)]) {
      (row) throws(StoreError) in
      (
        workspace: try decodeWorkspaceID(row.text(0)), fence: row.integer(1),
        state: try decodeState(row.text(2))
      )
    }
    guard let live else { throw .unknownJob(attempt.job) }
    guard live.workspace == attempt.workspace else {
      throw .otherWorkspace(attempt.job, owner: live.workspace)
    }
    guard live.state == .running, live.fence == attempt.fence else {
      throw .stale(attempt.job, fence: attempt.fence, current: live.fence)
    }
  }

  /// A late attempt may say what became of an intent of its own, as long as that is the current one.
  private func requireWord(of report: EffectReport, on effect: Effect) throws(StoreError) {
    guard let attempt = report.attempt else { return }
    if effect.job == attempt.job, effect.fence == attempt.fence { return }
    try requireLive(attempt)
  }

  private func intendAgain(
    _ effect: Effect, _ request: EffectRequest, doubtSince: Timestamp?, at now: Timestamp
  ) throws(StoreError) {
    let changed = try connection.run(
      EffectSQL.intendAgain,
      [
        .integer(effect.id), .integer(effect.facts.intent), .text(effect.facts.state.rawValue),
        .optional(request.attempt?.job), .optional(request.attempt?.fence),
        .flag(request.isBegunByHandler), .integer(now.milliseconds),
        .optional(doubtSince?.milliseconds),
        .optional(request.command.map { JSON.strings($0).text }),
      ])
    guard changed == 1 else { throw notOpen(effect) }
  }

  /// An intent that nobody carries out any more is recorded as what it is.
  private func knownAsUnknown(
    _ effect: Effect, _ actor: Actor, at now: Timestamp
  ) throws(StoreError) -> Effect {
    guard effect.facts.state == .intended else { return effect }
    let report = EffectReport(name: effect.name, end: .unknown(status: nil, signal: nil))
    try apply(report, .unknown, to: effect, at: now)
    return try recorded(effect.name, actor, at: now)
  }

  private func apply(
    _ report: EffectReport, _ state: EffectState, to effect: Effect, at now: Timestamp
  ) throws(StoreError) {
    let (status, signal): (Int?, Int?) =
      switch report.end {
      case .confirmed(let status): (status, nil)
      case .unknown(let status, let signal): (status, signal)
      case .notDone(let status): (status, nil)
      case .abandoned: (nil, nil)
      }
    let isConfirmed = state == .confirmed
    let kept = isConfirmed ? report.output.bytes : nil
    let changed = try connection.run(
      EffectSQL.end,
      [
        .integer(effect.id), .integer(effect.facts.intent), .text(effect.facts.state.rawValue),
        .text(state.rawValue), .integer(now.milliseconds), .optional(status), .optional(signal),
        .optional(report.reason), isConfirmed ? .integer(report.output.count) : .null,
        .flag(kept != nil),
      ])
    guard changed == 1 else { throw notOpen(effect) }
    if let kept, !kept.isEmpty {
      try connection.run(
        EffectSQL.keepOutput,
        [.integer(effect.id), .text(effect.name.workspace.text), .bytes(kept)])
    }
  }

  /// In what a further confirmation contradicts the recorded one; one without output says nothing
  /// about it.
  private func difference(
    of report: EffectReport, from effect: Effect
  ) throws(StoreError) -> String? {
    guard effect.facts.state == .confirmed, report.output.count > 0 else { return nil }
    let recorded = effect.outputBytes ?? 0
    guard recorded == report.output.count else {
      return "\(recorded) bytes are recorded, and these are \(report.output.count)"
    }
    guard effect.keepsOutput, let bytes = report.output.bytes,
      let known = try output(of: effect.id, in: effect.name.workspace),
      let place = zip(known, bytes).enumerated().first(where: { $1.0 != $1.1 })?.offset
    else { return nil }
    return "both are \(recorded) bytes, and differ from byte \(place + 1) on"
  }

  private func notOpen(_ effect: Effect) -> StoreError {
    .effectNotOpen(effect.name, state: effect.facts.state, intent: effect.facts.intent)
  }

  /// The effect as it is now, with the change in the log of mutations.
  private func recorded(
    _ name: EffectName, _ actor: Actor, at now: Timestamp
  ) throws(StoreError) -> Effect {
    guard let effect = try effect(name) else {
      throw StoreError.corrupt(path: path, detail: "the effect '\(name.key)' is not there")
    }
    try logActivity(actor, in: name.workspace, subject: "effect/\(effect.id)", at: now)
    return effect
  }
}
