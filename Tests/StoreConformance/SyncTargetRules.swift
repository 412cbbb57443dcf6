import HotglueCore
import HotglueStore

/// Syncs into targets.
extension SyncStoreConformance {
  static let targetRules: [ConformanceRule] = [
    ConformanceRule("each target has a bookmark of its own, and the store's is another") {
      fixture in
      let source = try fixture.source()
      try fixture.stage(try fixture.session(source), [(1, "a")], bookmark: "{\"at\":1}")
      let first = try fixture.deliver(source, "one")
      try requireEqual(first.run.given, nil, "what the first target starts from")
      try first.confirm(Bookmark(text: "{\"at\":5}"), [], at: fixture.now)
      let report = StreamReport(stream: "s", tally: StreamTally(received: 7), counted: 7)
      let ended = try first.finish(nil, [report], notes: ["n"], at: fixture.now)
      try requireEqual(ended.state, .succeeded, "state")
      try requireEqual(ended.streams, [report], "counts")
      try requireEqual(ended.notes, ["n"], "notes")
      let second = try fixture.deliver(source, "two")
      try requireEqual(second.run.given, nil, "what another target starts from")
      try requireEqual(
        try fixture.deliver(source, "one").run.given?.text, "{\"at\":5}", "the first one's next")
      try requireEqual(
        try fixture.deliver(source, "one", isFull: true).run.given, nil, "a full run's")
      try requireEqual(try fixture.begin(source).run.given?.text, "{\"at\":1}", "the store's")
      let targets = try fixture.store.syncTargets(of: source.id, in: fixture.acme)
      try requireEqual(targets.map(\.command), [["one"], ["two"]], "commands")
      try requireEqual(targets.map(\.bookmark?.text), ["{\"at\":5}", nil], "bookmarks")
      try requireEqual(targets[0].confirmedRun, ended.id, "the run that confirmed")
      try requireEqual(
        try fixture.store.syncTargets(of: source.id, in: fixture.beta), [],
        "targets in another workspace")
    },
    ConformanceRule("a run into a target that another has replaced confirms nothing") { fixture in
      let source = try fixture.source()
      let late = try fixture.deliver(source, "one")
      try late.confirm(Bookmark(text: "{\"at\":1}"), [], at: fixture.now)
      let other = try fixture.deliver(source, "two")
      let next = try fixture.deliver(source, "one")
      guard
        case .staleSync = try fixture.refusal({
          try late.confirm(Bookmark(text: "{\"at\":2}"), [], at: fixture.now)
        }),
        case .staleSync = try fixture.refusal({
          _ = try late.finish(nil, [], notes: [], at: fixture.now)
        })
      else { throw BrokenRule(description: "a late run was not refused") }
      // The run into the other target goes on.
      try other.confirm(Bookmark(text: "{\"at\":9}"), [], at: fixture.now)
      try requireEqual(next.bookmark?.text, "{\"at\":1}", "bookmark")
      let runs = try fixture.store.syncRuns(
        of: source.id, in: fixture.acme, before: nil, limit: 5)
      try requireEqual(runs.map(\.state), [.running, .running, .interrupted], "states")
      try requireEqual(runs.map(\.target), [1, 2, 1], "targets")
    },
    ConformanceRule("a target is reset to what one of its own runs has confirmed") { fixture in
      let source = try fixture.source()
      let first = try fixture.deliver(source, "one")
      try first.confirm(Bookmark(text: "{\"at\":1}"), [], at: fixture.now)
      _ = try first.finish(nil, [], notes: [], at: fixture.now)
      let second = try fixture.deliver(source, "one")
      try second.confirm(Bookmark(text: "{\"at\":2}"), [], at: fixture.now)
      _ = try second.finish(
        Job.Failure(code: "c", message: "m", kind: "retry"), [], notes: [], at: fixture.now)
      let other = try fixture.deliver(source, "two")
      let reset = try fixture.store.resetTarget(
        1, of: source.id, to: first.run.id, in: fixture.acme, by: fixture.alice, at: fixture.now)
      try requireEqual(reset.bookmark?.text, "{\"at\":1}", "after a reset")
      for (target, run) in [(1, other.run.id), (2, first.run.id), (9, nil)] as [(Int64, Int64?)] {
        switch try fixture.refusal({
          _ = try fixture.store.resetTarget(
            target, of: source.id, to: run, in: fixture.acme, by: fixture.alice, at: fixture.now)
        }) {
        case .unknownSyncRun, .unknownTarget: continue
        default: throw BrokenRule(description: "target \(target) was reset to run \(run ?? 0)")
        }
      }
      guard
        case .unknownSyncRun = try fixture.refusal({
          _ = try fixture.store.resetBookmark(
            of: source.id, to: first.run.id, in: fixture.acme, by: fixture.alice, at: fixture.now)
        })
      else { throw BrokenRule(description: "the store took a target's bookmark") }
      let empty = try fixture.store.resetTarget(
        1, of: source.id, to: nil, in: fixture.acme, by: fixture.alice, at: fixture.now)
      try requireEqual(empty.bookmark, nil, "after a reset to nothing")
    },
    ConformanceRule("only the live attempt of a job begins a sync into a target, and guards it") {
      fixture in
      let source = try fixture.source()
      let attempt = try fixture.claimOne(only: fixture.enqueue()).reference
      _ = try fixture.deliver(source, "one", attempt: attempt)
      guard
        case .syncRuns = try fixture.refusal({
          _ = try fixture.store.resetTarget(
            1, of: source.id, to: nil, in: fixture.acme, by: fixture.alice, at: fixture.now)
        }),
        case .syncRuns = try fixture.refusal({
          _ = try fixture.store.removeSource(
            "crm", in: fixture.acme, by: fixture.alice, at: fixture.now)
        })
      else { throw BrokenRule(description: "a running sync was not guarded") }
      try fixture.settle(attempt, .succeeded)
      guard
        case .stale = try fixture.refusal({
          _ = try fixture.deliver(source, "one", attempt: attempt)
        })
      else { throw BrokenRule(description: "an ended attempt was not refused as stale") }
      _ = try fixture.store.removeSource(
        "crm", in: fixture.acme, by: fixture.alice, at: fixture.now)
      let runs = try fixture.store.syncRuns(
        of: source.id, in: fixture.acme, before: nil, limit: 5)
      try requireEqual(runs.map(\.state), [.interrupted], "states after the removal")
    },
  ]
}

extension StoreFixture {
  fileprivate func deliver(
    _ source: Source, _ command: String, isFull: Bool = false, attempt: AttemptReference? = nil
  ) throws -> any DeliverySession {
    try store.beginDelivery(
      SyncRequest(
        workspace: source.workspace, source: source.id, attempt: attempt, isFull: isFull),
      into: [command], by: alice, at: now)
  }
}
