import HotglueCore
import HotglueStore

/// What any store keeps of effects.
public enum EffectStoreConformance {
  public static let rules: [ConformanceRule] = beginRules + endRules + scopeRules

  private static let beginRules: [ConformanceRule] = [
    ConformanceRule("an intent is there for everybody when it is begun") { fixture in
      let begun = try fixture.begin("k")
      try requireEqual(begun.facts.state, .intended, "state")
      try requireEqual(begun.facts.intent, 1, "intent")
      let seen = try fixture.openAgain().effect(fixture.name("k"))
      try requireEqual(seen, begun, "what another process sees")
      try fixture.requireSound()
    },
    ConformanceRule("an open intent is not begun again, and is known as unknown from then on") {
      fixture in
      let begun = try fixture.begin("k")
      guard case .unknown(let effect, .policy) = try fixture.beginning("k") else {
        throw BrokenRule(description: "it was not refused")
      }
      try requireEqual(effect.facts.state, .unknown, "state")
      try requireEqual(effect.facts.intent, begun.facts.intent, "intent")
      try requireEqual(try fixture.effect("k"), effect, "what is stored")
    },
    ConformanceRule("one key is one command, unless the effect is known not to have happened") {
      fixture in
      func begin(_ word: String, _ policy: UnknownPolicy = .refuse) throws -> EffectBeginning {
        try fixture.store.beginEffect(
          EffectRequest(
            name: fixture.name("k"), attempt: nil, policy: policy, command: ["send", word]),
          by: fixture.alice, at: fixture.now)
      }
      _ = try begin("alice")
      func requireConflict(_ state: EffectState) throws {
        try requireEqual(
          try fixture.refusal { _ = try begin("bob", .rerun) },
          .effectOfOtherCommand(
            fixture.name("k"), state: state,
            difference: #"command: ["send","alice"] there, ["send","bob"] here"#))
      }
      try requireConflict(.intended)
      _ = try fixture.end("k", .unknown(status: 1, signal: nil), intent: 1)
      try requireConflict(.unknown)
      _ = try begin("alice", .rerun)
      _ = try fixture.end("k", .confirmed(status: 0), intent: 2)
      try requireConflict(.confirmed)
      guard case .confirmed = try begin("alice") else {
        throw BrokenRule(description: "the same command is refused")
      }
      // A handler that carries an effect out itself names no command.
      guard case .confirmed = try fixture.beginning("k") else {
        throw BrokenRule(description: "no command is refused")
      }
      try requireEqual(try fixture.effect("k")?.command, ["send", "alice"])
    },
    ConformanceRule("a command that has not happened may be replaced by another one") { fixture in
      func begin(_ word: String) throws {
        _ = try fixture.store.beginEffect(
          EffectRequest(name: fixture.name("k"), attempt: nil, command: [word]),
          by: fixture.alice, at: fixture.now)
      }
      try begin("sned")
      _ = try fixture.end("k", .notDone(status: 127), intent: 1)
      try begin("send")
      try requireEqual(try fixture.effect("k")?.command, ["send"])
      _ = try fixture.end("k", .abandoned, intent: 2)
      try begin("mail")
      try requireEqual(try fixture.effect("k")?.command, ["mail"])
    },
    ConformanceRule("to be asked about changes nothing") { fixture in
      let begun = try fixture.begin("k")
      guard case .ask = try fixture.beginning("k", .check("c")) else {
        throw BrokenRule(description: "nobody is to be asked")
      }
      try requireEqual(try fixture.effect("k"), begun, "the effect")
    },
    ConformanceRule("a rerun is a new intent that remembers the earliest doubt") { fixture in
      let first = try fixture.begin("k")
      fixture.advance(by: .minutes(5))
      _ = try fixture.begin("k", .rerun)
      fixture.advance(by: .minutes(5))
      let third = try fixture.begin("k", .rerun)
      try requireEqual(third.facts.intent, 3, "intent")
      try requireEqual(third.facts.doubtSince, first.facts.startedAt, "doubt")
      let ended = try fixture.end("k", .notDone(status: 7), intent: 3)
      try requireEqual(ended.facts.state, .unknown, "state after a try that was not done")
      try requireEqual(ended.facts.doubtSince, first.facts.startedAt, "doubt after it")
      guard case .unknown(_, .windowOver) = try fixture.beginning("k", .rerun, window: .minutes(9))
      else { throw BrokenRule(description: "the window is not counted from the first try") }
    },
    ConformanceRule("a check that says no clears the doubt") { fixture in
      _ = try fixture.begin("k")
      let again = try fixture.begin("k", .check("c"), answer: .didNotHappen)
      try requireEqual(again.facts.intent, 2, "intent")
      try requireEqual(again.facts.doubtSince, nil, "doubt")
    },
    ConformanceRule("only the live attempt of a job begins an effect") { fixture in
      let job = try fixture.enqueue { $0.policy.maxAttempts = 5 }
      let first = try fixture.claimOne(only: job).reference
      _ = try fixture.begin("k", attempt: first)
      try fixture.settle(first, .retry)
      fixture.advance(by: .hours(2))
      for attempt in [first] {
        guard
          case .stale(job, first.fence, _) = try fixture.refusal({
            _ = try fixture.begin("other", attempt: attempt)
          })
        else { throw BrokenRule(description: "an ended attempt was not refused as stale") }
      }
      let second = try fixture.claimOne(only: job).reference
      guard
        case .stale(job, first.fence, second.fence) = try fixture.refusal({
          _ = try fixture.begin("k", .rerun, attempt: first)
        })
      else { throw BrokenRule(description: "a late attempt was not refused as stale") }
      _ = try fixture.begin("k", .rerun, attempt: second)
      try requireEqual(try fixture.effect("k", of: job)?.fence, second.fence, "fence")
      try fixture.requireSound()
    },
    ConformanceRule("what a live attempt of another job has begun by hand is left to it") {
      fixture in
      let attempt = try fixture.claimOne(only: fixture.enqueue()).reference
      _ = try fixture.begin("k", attempt: attempt, byHandler: true, inWorkspace: true)
      guard case .carriedOut = try fixture.beginning("k", .rerun) else {
        throw BrokenRule(description: "it was not left alone")
      }
      try fixture.settle(attempt, .succeeded)
      guard case .unknown = try fixture.beginning("k") else {
        throw BrokenRule(description: "it was not unknown after the attempt")
      }
    },
    ConformanceRule("an archived workspace begins nothing") { fixture in
      try fixture.store.archiveWorkspace(fixture.acme, by: fixture.alice, at: fixture.now)
      try requireEqual(
        try fixture.refusal { _ = try fixture.begin("k") }, .archivedWorkspace(fixture.acme))
    },
  ]

  private static let endRules: [ConformanceRule] = [
    ConformanceRule("a confirmed output comes back byte for byte, and nothing is begun again") {
      fixture in
      let bytes = (0...255).map(UInt8.init) + [0, 10, 255]
      _ = try fixture.begin("k")
      let ended = try fixture.end("k", .confirmed(status: 0), output: bytes)
      try requireEqual(ended.facts.state, .confirmed, "state")
      try requireEqual(ended.outputBytes, Int64(bytes.count), "bytes")
      try requireEqual(
        try fixture.openAgain().output(of: ended.id, in: fixture.acme), bytes, "output")
      for policy in [UnknownPolicy.refuse, .rerun, .check("c")] {
        try requireEqual(try fixture.beginning("k", policy), .confirmed(ended), "beginning")
      }
      try fixture.requireSound()
    },
    ConformanceRule("an empty output is kept, one that was not kept says so") { fixture in
      _ = try fixture.begin("empty")
      let empty = try fixture.end("empty", .confirmed(status: 0))
      try require(empty.keepsOutput && empty.outputBytes == 0, "the empty output is kept")
      _ = try fixture.begin("large")
      let large = try fixture.store.endEffect(
        EffectReport(
          name: fixture.name("large"), end: .confirmed(status: 0),
          output: EffectOutput(bytes: nil, count: 5_000_000)), by: fixture.alice, at: fixture.now)
      try require(!large.keepsOutput, "it is kept")
      try requireEqual(large.outputBytes, 5_000_000, "bytes")
      try requireEqual(try fixture.store.output(of: large.id, in: fixture.acme), nil, "output")
    },
    ConformanceRule("a confirmation said twice is no error, and the first word stays") { fixture in
      _ = try fixture.begin("k")
      let first = try fixture.end("k", .confirmed(status: 0), output: [1])
      try requireEqual(try fixture.end("k", .confirmed(status: 0), output: [1]), first, "second")
      try requireEqual(try fixture.end("k", .confirmed(status: nil)), first, "without output")
    },
    ConformanceRule("a further confirmation with another output is refused, and says in what") {
      fixture in
      _ = try fixture.begin("k")
      let first = try fixture.end("k", .confirmed(status: 0), output: [1, 2, 3])
      func difference(_ output: [UInt8]) throws -> String {
        let refusal = try fixture.refusal {
          _ = try fixture.end("k", .confirmed(status: 0), output: output)
        }
        guard case .effectConfirmedOtherwise(first.name, let difference) = refusal else {
          throw BrokenRule(description: "refused with \(refusal)")
        }
        return difference
      }
      try requireEqual(try difference([1]), "3 bytes are recorded, and these are 1")
      try requireEqual(
        try difference([1, 9, 3]), "both are 3 bytes, and differ from byte 2 on")
      try requireEqual(try fixture.effect("k"), first, "the effect")
      try requireEqual(
        try fixture.store.output(of: first.id, in: fixture.acme), [1, 2, 3], "output")
    },
    ConformanceRule("a late attempt may confirm the intent of its own that is still open") {
      fixture in
      let job = try fixture.enqueue { $0.policy.replay = .safe }
      let first = try fixture.claimOne(only: job).reference
      _ = try fixture.begin("k", attempt: first)
      _ = try fixture.begin("taken", attempt: first)
      try fixture.settle(first, .unknown)
      fixture.advance(by: .hours(2))
      let second = try fixture.claimOne(only: job).reference
      _ = try fixture.begin("taken", .rerun, attempt: second)
      let ended = try fixture.end("k", .confirmed(status: 0), attempt: first)
      try requireEqual(ended.facts.state, .confirmed, "state")
      guard
        case .stale = try fixture.refusal({
          _ = try fixture.end("taken", .confirmed(status: 0), attempt: first)
        })
      else { throw BrokenRule(description: "it spoke for a newer attempt's intent") }
    },
    ConformanceRule("an end names the intent it means") { fixture in
      _ = try fixture.begin("k")
      _ = try fixture.begin("k", .rerun)
      let refusal = try fixture.refusal {
        _ = try fixture.end("k", .unknown(status: 1, signal: nil), intent: 1)
      }
      try requireEqual(
        refusal, .effectNotOpen(try fixture.name("k"), state: .intended, intent: 2))
    },
    ConformanceRule("what was called off is begun anew, and cannot be confirmed") { fixture in
      _ = try fixture.begin("k")
      _ = try fixture.end("k", .abandoned)
      guard
        case .effectNotOpen = try fixture.refusal({
          _ = try fixture.end("k", .confirmed(status: 0))
        })
      else { throw BrokenRule(description: "it was confirmed") }
      try requireEqual(try fixture.begin("k").facts.intent, 2, "intent")
    },
    ConformanceRule("nothing ends that was never begun") { fixture in
      try requireEqual(
        try fixture.refusal { _ = try fixture.end("k", .confirmed(status: 0)) },
        .unknownEffect(try fixture.name("k")))
    },
  ]

  private static let scopeRules: [ConformanceRule] = [
    ConformanceRule("the same key is another effect in another job, scope and workspace") {
      fixture in
      let first = try fixture.claimOne(only: fixture.enqueue()).reference
      let second = try fixture.claimOne(only: fixture.enqueue()).reference
      _ = try fixture.begin("k")
      _ = try fixture.begin("k", attempt: first)
      _ = try fixture.begin("k", attempt: second)
      let there = try requireValue(
        EffectName(workspace: fixture.beta, scope: .workspace, key: "k"))
      _ = try fixture.store.beginEffect(
        EffectRequest(name: there, attempt: nil), by: fixture.alice, at: fixture.now)
      let all = try fixture.list()
      try requireEqual(all.map(\.name.scopeName), ["job", "job", "workspace"], "scopes")
      try requireEqual(try fixture.list(of: first.job).count, 1, "effects of one job")
      try requireEqual(try fixture.store.effect(there)?.facts.intent, 1, "intent elsewhere")
    },
    ConformanceRule("no effect belongs to a job of another workspace") { fixture in
      let job = try fixture.enqueue(in: fixture.beta)
      let name = try requireValue(
        EffectName(workspace: fixture.acme, scope: .job(job), key: "k"))
      let refusal = try fixture.refusal {
        _ = try fixture.store.beginEffect(
          EffectRequest(name: name, attempt: nil), by: fixture.alice, at: fixture.now)
      }
      try requireEqual(refusal, .otherWorkspace(job, owner: fixture.beta))
    },
    ConformanceRule("lists are newest first, by state, and page by ID") { fixture in
      for key in ["a", "b", "c", "d"] { _ = try fixture.begin(key) }
      _ = try fixture.end("b", .confirmed(status: 0))
      _ = try fixture.end("c", .unknown(status: 3, signal: nil))
      func keys(_ states: Set<EffectState>, before: EffectID? = nil, limit: Int = 50) throws
        -> [String]
      { try fixture.list(states, before: before, limit: limit).map(\.name.key) }
      try requireEqual(try keys([]), ["d", "c", "b", "a"])
      try requireEqual(try keys([.intended, .unknown]), ["d", "c", "a"])
      try requireEqual(try keys([.unknown]), ["c"])
      try requireEqual(try keys([.confirmed]), ["b"])
      let page = try fixture.list([], limit: 2)
      try requireEqual(try keys([], before: page.last?.id, limit: 2), ["b", "a"])
    },
    ConformanceRule("effects of a job go with it, those of the workspace stay") { fixture in
      let attempt = try fixture.claimOne(only: fixture.enqueue()).reference
      _ = try fixture.begin("own", attempt: attempt)
      _ = try fixture.end("own", .confirmed(status: 0), output: [1], attempt: attempt)
      _ = try fixture.begin("shared", attempt: attempt, inWorkspace: true)
      try fixture.settle(attempt, .succeeded)
      fixture.advance(by: .days(15))
      _ = try fixture.store.prune(
        in: nil, by: .standard(at: fixture.now), limit: 10, dryRun: false, actor: nil,
        at: fixture.now)
      try requireEqual(try fixture.list().map(\.name.key), ["shared"], "effects that are left")
      try fixture.requireSound()
    },
    ConformanceRule("the effects of a job are its own, and those of the workspace that it began") {
      fixture in
      let first = try fixture.claimOne(only: fixture.enqueue()).reference
      let second = try fixture.claimOne(only: fixture.enqueue()).reference
      _ = try fixture.begin("own", attempt: first)
      _ = try fixture.begin("shared", attempt: first, inWorkspace: true)
      _ = try fixture.begin("nobody's")
      _ = try fixture.begin("other", attempt: second, inWorkspace: true)
      func keys(_ states: Set<EffectState> = [], limit: Int = 50) throws -> [String] {
        try fixture.list(states, of: first.job, limit: limit).map(\.name.key)
      }
      try requireEqual(try keys(), ["shared", "own"], "effects of the job")
      try requireEqual(try keys(limit: 1), ["shared"], "a page of them")
      try requireEqual(try keys([.confirmed]), [], "those that are confirmed")
      // Whoever begins it anew has it.
      _ = try fixture.begin("shared", .rerun, attempt: second, inWorkspace: true)
      try requireEqual(try keys(), ["own"], "effects after another job began one anew")
    },
    ConformanceRule("a job with an effect whose end nobody knows is not removed until it is known")
    {
      fixture in
      let attempt = try fixture.claimOne(only: fixture.enqueue()).reference
      _ = try fixture.begin("doubtful", attempt: attempt)
      try fixture.settle(attempt, .succeeded)
      let plain = try fixture.claimOne(only: fixture.enqueue()).reference
      try fixture.settle(plain, .succeeded)
      fixture.advance(by: .days(400))
      for dryRun in [true, false] {
        try requireEqual(try fixture.prune(dryRun: dryRun).jobs, [plain.job], "what is removed")
      }
      _ = try fixture.end("doubtful", .confirmed(status: nil), attempt: attempt)
      try requireEqual(try fixture.prune().jobs, [attempt.job], "what is removed then")
      try fixture.requireSound()
    },
    ConformanceRule("effects of the workspace are forgotten after a year, and never unknown ones") {
      fixture in
      for key in ["done", "failed", "abandoned", "unknown", "intended"] {
        _ = try fixture.begin(key)
      }
      _ = try fixture.end("done", .confirmed(status: 0), output: [1])
      _ = try fixture.end("failed", .notDone(status: 7))
      _ = try fixture.end("abandoned", .abandoned)
      _ = try fixture.end("unknown", .unknown(status: 1, signal: nil))
      fixture.advance(by: .days(365))
      try requireEqual(try fixture.prune().effects, 0, "what is forgotten within the year")
      fixture.advance(by: .days(2))
      try requireEqual(try fixture.prune(limit: 2).effects, 2, "a small step")
      try requireEqual(try fixture.prune(dryRun: true).effects, 1, "what would be forgotten")
      try requireEqual(try fixture.prune().effects, 1, "the rest")
      try requireEqual(
        try fixture.list().map(\.name.key), ["intended", "unknown"], "effects that are left")
      try fixture.requireSound()
    },
  ]
}

extension StoreFixture {
  fileprivate func name(_ key: String, of job: JobID? = nil) throws -> EffectName {
    try requireValue(
      EffectName(workspace: acme, scope: job.map { .job($0) } ?? .workspace, key: key))
  }

  fileprivate func effect(_ key: String, of job: JobID? = nil) throws -> Effect? {
    try store.effect(name(key, of: job))
  }

  fileprivate func beginning(
    _ key: String, _ policy: UnknownPolicy = .refuse, window: Span? = nil,
    answer: CheckAnswer? = nil, attempt: AttemptReference? = nil, byHandler: Bool = false,
    inWorkspace: Bool = false
  ) throws -> EffectBeginning {
    try store.beginEffect(
      EffectRequest(
        name: name(key, of: inWorkspace ? nil : attempt?.job), attempt: attempt, policy: policy,
        window: window, answer: answer, isBegunByHandler: byHandler), by: alice, at: now)
  }

  @discardableResult
  fileprivate func begin(
    _ key: String, _ policy: UnknownPolicy = .refuse, answer: CheckAnswer? = nil,
    attempt: AttemptReference? = nil, byHandler: Bool = false, inWorkspace: Bool = false
  ) throws -> Effect {
    let beginning = try beginning(
      key, policy, answer: answer, attempt: attempt, byHandler: byHandler,
      inWorkspace: inWorkspace)
    guard case .begun(let effect) = beginning else {
      throw BrokenRule(description: "'\(key)' was not begun: \(beginning)")
    }
    return effect
  }

  @discardableResult
  fileprivate func end(
    _ key: String, _ end: EffectEnd, intent: Int? = nil, output: [UInt8] = [],
    attempt: AttemptReference? = nil
  ) throws -> Effect {
    try store.endEffect(
      EffectReport(
        name: name(key, of: attempt?.job), end: end, intent: intent, attempt: attempt,
        output: EffectOutput(bytes: output, count: Int64(output.count))), by: alice, at: now)
  }

  fileprivate func prune(limit: Int = 10, dryRun: Bool = false) throws -> PruneResult {
    try store.prune(
      in: nil, by: .standard(at: now), limit: limit, dryRun: dryRun, actor: nil, at: now)
  }

  fileprivate func list(
    _ states: Set<EffectState> = [], of job: JobID? = nil, before: EffectID? = nil,
    limit: Int = 50
  ) throws -> [Effect] {
    try store.effects(in: acme, of: job, states: states, before: before, limit: limit)
  }
}
