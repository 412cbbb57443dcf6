import HotglueCore
import HotglueStore

/// What any store keeps of syncs.
public enum SyncStoreConformance {
  public static let rules: [ConformanceRule] =
    publicationRules + deathRules + comparisonRules + replacementRules + recordRules
    + targetRules + rejectRules

  private static let publicationRules: [ConformanceRule] = [
    ConformanceRule("records and bookmark become visible together, and not before") { fixture in
      let source = try fixture.source()
      let session = try fixture.session(source)
      try fixture.stage(session, [(1, "a"), (2, "b")])
      try requireEqual(try fixture.visible(source), [], "what is visible")
      try requireEqual(try fixture.bookmark(source), nil, "bookmark")
      try fixture.stage(session, [(3, "c")], bookmark: "{\"at\":3}")
      try requireEqual(try fixture.visible(source), ["1a", "2b", "3c"], "what is visible")
      try requireEqual(try fixture.bookmark(source), "{\"at\":3}", "bookmark")
      try fixture.stage(session, [(1, "x"), (4, "d")])
      try requireEqual(try fixture.visible(source), ["1a", "2b", "3c"], "what is visible")
      try fixture.succeed(session)
      try requireEqual(try fixture.visible(source), ["1x", "2b", "3c", "4d"], "at the end")
      try requireEqual(try fixture.bookmark(source), "{\"at\":3}", "bookmark")
      try fixture.sweepAll(source)
    },
    ConformanceRule("a publication without a bookmark keeps the one that is there") { fixture in
      let source = try fixture.source()
      try fixture.stage(try fixture.session(source), [(1, "a")], bookmark: "{\"at\":1}")
      let second = try fixture.session(source)
      try requireEqual(second.run.given?.text, "{\"at\":1}", "what the run starts from")
      try fixture.succeed(second)
      try requireEqual(try fixture.bookmark(source), "{\"at\":1}", "bookmark")
      try requireEqual(try fixture.begin(source, isFull: true).run.given, nil, "a full run's")
    },
    ConformanceRule("every bookmark is kept with its run, and one can be gone back to") { fixture in
      let source = try fixture.source()
      let first = try fixture.session(source)
      for place in 1...3 {
        try fixture.stage(first, [(Int64(place), "a")], bookmark: "{\"at\":\(place)}")
      }
      let run = try fixture.succeed(first)
      try requireEqual(run.state, .succeeded, "state")
      try requireEqual(run.bookmark?.text, "{\"at\":3}", "the run's last bookmark")
      try requireEqual(
        try fixture.store.bookmarks(of: run.id, in: fixture.acme).map(\.bookmark.text),
        ["{\"at\":1}", "{\"at\":2}", "{\"at\":3}"], "bookmarks")
      try fixture.succeed(try fixture.session(source), bookmark: "{\"at\":9}")
      _ = try fixture.store.resetBookmark(
        of: source.id, to: run.id, in: fixture.acme, by: fixture.alice, at: fixture.now)
      try requireEqual(try fixture.begin(source).run.given?.text, "{\"at\":3}", "after a reset")
      _ = try fixture.store.resetBookmark(
        of: source.id, to: nil, in: fixture.acme, by: fixture.alice, at: fixture.now)
      try requireEqual(try fixture.begin(source).run.given, nil, "after a reset to nothing")
      try requireEqual(try fixture.visible(source).count, 3, "records after a reset")
      let runs = try fixture.store.syncRuns(
        of: source.id, in: fixture.acme, before: nil, limit: 10)
      try requireEqual(runs.map(\.state).suffix(2), [.succeeded, .succeeded], "states")
    },
    ConformanceRule("a source is of one workspace") { fixture in
      let source = try fixture.source()
      let other = SyncRequest(workspace: fixture.beta, source: source.id, attempt: nil)
      guard
        case .unknownSource = try fixture.refusal({
          _ = try fixture.store.beginSync(other, by: fixture.alice, at: fixture.now)
        })
      else { throw BrokenRule(description: "it was found in another workspace") }
      try requireEqual(
        try fixture.store.syncRuns(of: source.id, in: fixture.beta, before: nil, limit: 5), [],
        "runs in another workspace")
    },
    ConformanceRule("only the live attempt of a job begins a sync") { fixture in
      let source = try fixture.source()
      let attempt = try fixture.claimOne(only: fixture.enqueue()).reference
      let session = try fixture.begin(source, attempt: attempt)
      try requireEqual(session.run.job, attempt.job, "job")
      guard
        case .syncRuns = try fixture.refusal({
          _ = try fixture.store.resetBookmark(
            of: source.id, to: nil, in: fixture.acme, by: fixture.alice, at: fixture.now)
        })
      else { throw BrokenRule(description: "a running sync's bookmark was reset") }
      guard
        case .syncRuns = try fixture.refusal({
          _ = try fixture.store.removeSource(
            "crm", in: fixture.acme, by: fixture.alice, at: fixture.now)
        })
      else { throw BrokenRule(description: "a source was removed under a running sync") }
      try fixture.settle(attempt, .succeeded)
      guard
        case .stale = try fixture.refusal({ _ = try fixture.begin(source, attempt: attempt) })
      else { throw BrokenRule(description: "an ended attempt was not refused as stale") }
    },
  ]

  private static let deathRules: [ConformanceRule] = [
    ConformanceRule("what a dead run staged is seen by nobody, ever, and is swept") { fixture in
      let source = try fixture.source()
      let first = try fixture.session(source)
      try fixture.stage(first, [(1, "a"), (2, "b")], bookmark: "{\"at\":2}")
      try fixture.stage(first, [(2, "dead"), (3, "dead")])
      let second = try fixture.session(source)
      try requireEqual(try fixture.visible(source), ["1a", "2b"], "after a death")
      try fixture.stage(second, [(4, "d")], bookmark: "{\"at\":4}")
      try requireEqual(try fixture.visible(source), ["1a", "2b", "4d"], "past the dead")
      try fixture.sweepAll(source)
      try requireEqual(try fixture.visible(source), ["1a", "2b", "4d"], "after the sweep")
      let counts = try fixture.stage(second, [(2, "b"), (3, "c")], bookmark: "{\"at\":5}")
      try requireEqual(counts.unchanged, 1, "unchanged")
      try requireEqual(counts.added, 1, "added")
      try fixture.succeed(second)
      try requireEqual(try fixture.visible(source), ["1a", "2b", "3c", "4d"], "at the end")
      let runs = try fixture.store.syncRuns(
        of: source.id, in: fixture.acme, before: nil, limit: 5)
      try requireEqual(runs.map(\.state), [.succeeded, .interrupted], "states")
    },
    ConformanceRule("a sweep before the next publication keeps what the dead were to replace") {
      fixture in
      let source = try fixture.source()
      try fixture.succeed(try fixture.filled(source, [(1, "a"), (2, "b"), (3, "c")]))
      let dead = try fixture.session(source)
      try fixture.stage(dead, [(1, "x"), (2, "x")])
      let next = try fixture.session(source)
      try fixture.sweepAll(source)
      try fixture.stage(next, [(3, "d")], bookmark: "{}")
      try fixture.sweepAll(source)
      try requireEqual(try fixture.visible(source), ["1a", "2b", "3d"], "after both sweeps")
    },
    ConformanceRule("deaths one after the other leave nothing") { fixture in
      let source = try fixture.source()
      for word in ["a", "b", "c"] {
        try fixture.stage(try fixture.session(source), [(1, word), (2, word)])
      }
      try fixture.succeed(try fixture.filled(source, [(1, "z")]))
      try requireEqual(try fixture.visible(source), ["1z"], "what is visible")
      try fixture.sweepAll(source)
      try requireEqual(try fixture.visible(source), ["1z"], "after the sweep")
    },
    ConformanceRule("an earlier run changes nothing once another has begun") { fixture in
      let source = try fixture.source()
      let first = try fixture.session(source, fixture.openAgain())
      try fixture.stage(first, [(1, "a")])
      let second = try fixture.session(source)
      for late in [
        { _ = try fixture.stage(first, [(2, "late")]) },
        { _ = try fixture.stage(first, [(2, "late")], bookmark: "{\"at\":9}") },
        { _ = try fixture.succeed(first, bookmark: "{\"at\":9}") },
      ] {
        guard case .staleSync(first.run.id, second.run.id) = try fixture.refusal(late) else {
          throw BrokenRule(description: "a late run was not refused")
        }
      }
      try fixture.succeed(second)
      try requireEqual(try fixture.visible(source), [], "what is visible")
      try requireEqual(try fixture.bookmark(source), nil, "bookmark")
    },
    ConformanceRule("a failed run gives up what it had not published") { fixture in
      let source = try fixture.source()
      let session = try fixture.session(source)
      try fixture.stage(session, [(1, "a")], bookmark: "{\"at\":1}")
      try fixture.stage(session, [(1, "b"), (2, "b")])
      let failure = Job.Failure(code: "tap_failed", message: "it died", kind: "retry")
      let run = try session.finish(
        .failed(failure, tallies: [0: StreamTally(received: 3)], notes: ["n"]), at: fixture.now)
      try requireEqual(run.error, failure, "error")
      try requireEqual(run.notes, ["n"], "notes")
      try requireEqual(run.streams.first?.tally.received, 3, "received")
      try fixture.sweepAll(source)
      try requireEqual(try fixture.visible(source), ["1a"], "what is visible")
      guard case .staleSync = try fixture.refusal({ _ = try fixture.stage(session, [(5, "x")]) })
      else { throw BrokenRule(description: "an ended run was not refused") }
    },
  ]
}

extension StoreFixture {
  func filled(_ source: Source, _ records: [(Int64, String)]) throws -> any SyncSession {
    let session = try session(source)
    try stage(session, records)
    return session
  }
}
