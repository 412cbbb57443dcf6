import HotglueCore
import HotglueStore

/// Switches of a context file, each stage a step of its own; and people's words about effects.
extension Universe {
  func switchContext() throws {
    guard let intent = file.intent else {
      // Whoever resolves the context next, and gets its lock, puts right what was cut short.
      try recoverSwitch()
      if dice.chance(60) { try beginSwitch() }
      return
    }
    if dice.chance(15), try store.context(SimContext.key)?.intent != nil {
      // Somebody else, who does not know of it. A restored store has no intent, and there the lock of
      // the context, which is not simulated, keeps the second one out.
      let done = try refusable {
        _ = try store.beginSwitch(
          SimContext.key, from: file.record, to: workspaces[0], drafts: [:], by: Self.alice, at: now
        )
      }
      try require(!done, "I1 a switch is whole or not at all", "a second one began beside it")
      return
    }
    if dice.chance(25) {
      say("the switch is killed")
      file.intent = nil
      return
    }
    if file.isReplaced {
      say("confirm switch \(intent.generation)")
      file.intent = nil
      if try refusable({
        try store.confirmSwitch(SimContext.key, intent, by: Self.alice, at: now)
      }) {
        try requireAgreement()
      }
      return
    }
    say("replace the context file: generation \(intent.generation)")
    try require(
      intent.generation > file.highest, "I1 a generation is used once",
      "\(intent.generation) after \(file.highest)")
    file.highest = intent.generation
    file.record = ContextRecord(
      generation: intent.generation, workspace: intent.workspace,
      previous: file.record.workspace, intent: nil)
    file.isReplaced = true
  }

  private func beginSwitch() throws {
    let target = dice.pick(workspaces)
    say("begin switch to \(target)")
    try refusable {
      var record = file.record
      if let known = try store.context(SimContext.key) {
        record.generation = max(record.generation, known.generation)
        if known.generation != record.generation {
          try store.rollBackSwitch(SimContext.key, to: record)
        }
      }
      file.intent = try store.beginSwitch(
        SimContext.key, from: record, to: target, drafts: [:], by: Self.alice, at: now)
      file.isReplaced = false
    }
  }

  func recoverSwitch() throws {
    guard let intent = try store.context(SimContext.key)?.intent else { return }
    switch SwitchRecovery.decide(
      file: (file.record.generation, file.record.workspace),
      intent: (intent.generation, intent.workspace))
    {
    case .confirm:
      say("recover: confirm")
      try store.confirmSwitch(SimContext.key, intent, by: Self.alice, at: now)
      try requireAgreement()
    case .rollBack(let generation):
      say("recover: roll back")
      var record = file.record
      record.generation = generation
      try store.rollBackSwitch(SimContext.key, to: record)
    }
    let left = try store.context(SimContext.key)?.intent
    try require(left == nil, "I1 a switch is whole or not at all", "an intent is left")
  }

  /// I1: what the file says is so, and the store's record of it says the same.
  private func requireAgreement() throws {
    let known = try store.context(SimContext.key)
    try require(
      known?.generation == file.record.generation && known?.workspace == file.record.workspace
        && known?.intent == nil, "I1 the context has one source",
      "the file says \(file.record), the store \(String(describing: known))")
  }

  // MARK: Effects

  /// One thing that a running handler does: a stage of an effect, or a word on its progress.
  func handlerActs() throws {
    guard let run = dice.pickOne(runs.filter(\.isAlive)) else { return }
    let reference = run.reference
    if dice.chance(30) {
      say("progress of \(reference.job)")
      let progress = JobProgress(current: 1, total: 2, message: nil)
      try store.recordProgress([(reference, progress)])
      return
    }
    guard let hand = run.effect else {
      try beginEffect(run)
      return
    }
    if !hand.isDone, dice.chance(60) {
      say("the effect \(hand.name.key) of \(reference.job) happens")
      run.effect?.isDone = true
      return
    }
    let end: EffectEnd =
      hand.isDone
      ? (dice.chance(80) ? .confirmed(status: 0) : .unknown(status: 28, signal: nil))
      : (dice.chance(60) ? .notDone(status: 7) : .unknown(status: 28, signal: nil))
    say("effect \(hand.name.key) of \(reference.job) ends: \(end)")
    try refusable {
      _ = try store.endEffect(
        EffectReport(name: hand.name, end: end, intent: hand.intent, attempt: reference),
        by: Self.alice, at: now)
      switch end {
      case .confirmed: effects[hand.name, default: EffectStory()].isConfirmed = true
      case .notDone: effects[hand.name, default: EffectStory()].mayHaveHappened -= 1
      default: break
      }
    }
    run.effect = nil
    if effectLocks[hand.name] === run { effectLocks[hand.name] = nil }
  }

  private func beginEffect(_ run: Run) throws {
    let reference = run.reference
    let isShared = dice.chance(30)
    guard
      let name = EffectName(
        workspace: reference.workspace, scope: isShared ? .workspace : .job(reference.job),
        key: dice.pick(["pay", "ship"])), effectLocks[name] == nil
    else { return }
    let policy = dice.pick([UnknownPolicy.refuse, .refuse, .rerun, .check("look")])
    say("begin effect \(name.key) of \(reference.job)/\(reference.fence): \(policy)")
    try refusable {
      // 'effect begin' holds no lock: its attempt is what says that somebody is at it.
      let isByHandler = dice.chance(20)
      var request = EffectRequest(
        name: name, attempt: reference, policy: policy, isBegunByHandler: isByHandler)
      var beginning = try store.beginEffect(request, by: Self.alice, at: now)
      var story = effects[name] ?? EffectStory()
      if case .ask = beginning {
        let answer = dice.pick([CheckAnswer.didNotHappen, .happened, .undecided])
        request.answer = answer
        // The check command is right: what it denies has not happened.
        if answer == .didNotHappen { story.mayHaveHappened = 0 }
        beginning = try store.beginEffect(request, by: Self.alice, at: now)
      }
      switch beginning {
      case .begun(let effect):
        try require(
          !story.isConfirmed, "I10 an effect happens once", "\(name) is begun after its end")
        try require(
          story.mayHaveHappened == 0 || policy == .rerun, "I10 an effect is never guessed",
          "\(name) is begun again under \(policy), and may have happened")
        let job = seen.jobs[reference.job]
        try require(
          job?.state == "running" && job?.fence == reference.fence, "I4 only a current attempt",
          "\(name) was begun by fence \(reference.fence) of \(job.map { "\($0)" } ?? "no job")")
        story.mayHaveHappened += 1
        run.effect = EffectInHand(name: name, intent: effect.facts.intent)
        if !isByHandler { effectLocks[name] = run }
      case .toConfirm:
        _ = try store.endEffect(
          EffectReport(name: name, end: .confirmed(status: nil), attempt: reference),
          by: Self.alice, at: now)
        story.isConfirmed = true
      case .confirmed:
        try require(story.isConfirmed, "I10 an effect is never guessed", "\(name) is confirmed")
      case .carriedOut(let effect):
        let job = effect.job.flatMap { seen.jobs[$0] }
        try require(
          job?.state == "running" && job?.fence == effect.fence, "I10 an effect is never guessed",
          "\(name) is said to be carried out by \(job.map { "\($0)" } ?? "no job")")
      case .unknown, .ask: break
      }
      effects[name] = story
    }
  }

  func personTouchesEffect() throws {
    let known = effects.keys.filter { effectLocks[$0] == nil }
      .sorted { ($0.workspace, $0.job ?? 0, $0.key) < ($1.workspace, $1.job ?? 0, $1.key) }
    guard let name = dice.pickOne(known) else { return }
    say("a person says that \(name.key) has not happened")
    try refusable {
      let effect = try store.endEffect(
        EffectReport(name: name, end: .abandoned, reason: "seen"), by: Self.alice, at: now)
      try require(
        effect.facts.state == .abandoned, "I10 an effect happens once", "\(effect.facts)")
      effects[name]?.mayHaveHappened = 0
    }
  }
}
