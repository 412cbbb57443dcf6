import HotglueCore
import HotglueStore

extension SyncStoreConformance {
  static let rejectRules: [ConformanceRule] = [
    ConformanceRule(
      "a record that was set aside is stored and ceases to be set aside in one step, once"
    ) { fixture in
      let source = try fixture.source()
      let session = try fixture.session(source)
      try fixture.stage(session, batch: .setAside([(1, "a"), (2, "b")]))
      try fixture.succeed(session, bookmark: "{\"at\":1}")
      let found = try fixture.possible(source)
      try requireEqual(found.map(\.key), [.integer(1), .integer(2)], "keys")
      let retry = try fixture.beginRetry(source)
      try fixture.take(found.prefix(1).map(\.self), retry)
      // A crash here leaves the first taken, and the second as it was.
      try requireEqual(try fixture.visible(source), ["1a"], "what is visible")
      try requireEqual(try fixture.possible(source).map(\.line), [2], "what is set aside still")
      let second = try fixture.beginRetry(source)
      try fixture.take(fixture.possible(source), second)
      try fixture.succeed(second)
      try requireEqual(try fixture.visible(source), ["1a", "2b"], "at the end")
      try requireEqual(try fixture.counts(source).all, 0, "what is set aside")
      try requireEqual(try fixture.bookmark(source), "{\"at\":1}", "bookmark")
      try fixture.sweepAll(source)
    },
    ConformanceRule("another run that begins ends a retry, and what it took remains taken") {
      fixture in
      let source = try fixture.source()
      let session = try fixture.session(source)
      try fixture.stage(session, batch: .setAside([(1, "a"), (2, "b")]))
      try fixture.succeed(session)
      let found = try fixture.possible(source)
      let retry = try fixture.beginRetry(source)
      try fixture.take([found[0]], retry)
      let other = try fixture.session(source)
      guard case .staleSync = try fixture.refusal({ try fixture.take([found[1]], retry) }) else {
        throw BrokenRule(description: "a late retry was not refused")
      }
      try fixture.succeed(other)
      try requireEqual(try fixture.visible(source), ["1a"], "what is visible")
      try requireEqual(try fixture.possible(source).map(\.line), [2], "what is set aside still")
    },
    ConformanceRule("a record that came later makes what was set aside under its key outdated") {
      fixture in
      let source = try fixture.source()
      let first = try fixture.session(source)
      // Of one batch: the record before it is not later, the one after it is.
      var batch = StoreFixture.batch([(1, "before"), (2, "before")])
      batch.reject(1, "a", line: 3)
      batch.reject(2, "b", line: 4)
      batch.add(2, "after")
      batch.reject(3, "c", line: 6)
      batch.reject(4, "d", line: 7)
      _ = try first.stage(batch, publishing: nil, at: fixture.now)
      try fixture.succeed(first)
      try requireEqual(try fixture.possible(source).map(\.line), [3, 6, 7], "after the first run")
      // What was received and never published was not received.
      let dead = try fixture.session(source)
      try fixture.stage(dead, [(3, "dead")])
      try requireEqual(try fixture.possible(source).map(\.line), [3, 7], "while it runs")
      let next = try fixture.session(source)
      try requireEqual(try fixture.possible(source).map(\.line), [3, 6, 7], "given up")
      try fixture.stage(next, [(1, "before"), (9, "x")])
      try fixture.succeed(next)
      // A record that was there already came again: it is the later one all the same.
      try requireEqual(try fixture.possible(source).map(\.line), [6, 7], "after an unchanged one")
      try requireEqual(try fixture.counts(source).outdated, 2, "outdated")
      try requireEqual(
        try fixture.visible(source), ["1before", "2after", "9x"], "what is visible")
    },
    ConformanceRule("of two that were set aside under one key the earlier never replaces the later")
    { fixture in
      let source = try fixture.source()
      for word in ["a", "b"] {
        let session = try fixture.session(source)
        try fixture.stage(session, batch: .setAside([(Int64(1), word)]))
        try fixture.succeed(session)
      }
      let found = try fixture.possible(source)
      let retry = try fixture.beginRetry(source)
      try fixture.take([found[1]], retry)
      try fixture.succeed(retry)
      try requireEqual(try fixture.possible(source), [], "what can be taken")
      try requireEqual(try fixture.visible(source), ["1b"], "what is visible")
    },
    ConformanceRule("without a key, a record that comes again is the one that was set aside") {
      fixture in
      let source = try fixture.source()
      func run(rejected: [String], accepted: [String]) throws {
        let session = try fixture.begin(source)
        _ = try fixture.declare(session, key: [])
        var batch = StoreFixture.batch(words: accepted)
        for word in rejected { batch.reject(word: word) }
        _ = try session.stage(batch, publishing: nil, at: fixture.now)
        try fixture.succeed(session)
      }
      try run(rejected: ["a", "a", "b"], accepted: ["x"])
      try requireEqual(try fixture.possible(source).count, 3, "of one run each is a record")
      // Set aside again, by a run that sent it again.
      try run(rejected: ["a"], accepted: [])
      try requireEqual(
        try fixture.possible(source).map(\.data), ["\"a\"", "\"b\"", "\"a\""], "again")
      try run(rejected: [], accepted: ["b"])
      try requireEqual(try fixture.possible(source).map(\.data), ["\"a\"", "\"a\""], "accepted")
      let retry = try fixture.begin(source, retriesRejects: true)
      _ = try fixture.declare(retry, key: [])
      var batch = RecordBatch()
      for reject in try fixture.possible(source) {
        batch.add(word: "a", repetition: .never)
        batch.append(RetriedReject(id: reject.id, .taken(isKeyed: false)))
      }
      let result = try retry.stage(
        batch, publishing: Publication(bookmark: nil, tallies: [:]), at: fixture.now)
      try requireEqual(result.counts[0]?.added, 2, "added")
      try fixture.succeed(retry)
      try requireEqual(try fixture.visible(source), ["x", "b", "a", "a"], "what is visible")
    },
    ConformanceRule("a stream that was sent whole outdates what was set aside before it") {
      fixture in
      let source = try fixture.source()
      let first = try fixture.session(source)
      try fixture.stage(first, batch: .setAside([(1, "a")]))
      try fixture.succeed(first)
      // The run that began it dies; the next goes on and completes it. What both set aside remains.
      let second = try fixture.session(source)
      _ = try second.replace(stream: 0, token: "v1", from: .place(isSameVersion: false))
      _ = try second.stage(
        .setAside([(2, "b")]),
        publishing: Publication(bookmark: Bookmark(text: "{\"at\":1}"), tallies: [:]),
        at: fixture.now)
      try requireEqual(try fixture.possible(source).count, 2, "before it is complete")
      let third = try fixture.session(source)
      _ = try third.replace(stream: 0, token: "v1", from: .place(isSameVersion: false))
      try fixture.stage(third, batch: .setAside([(3, "c")]))
      _ = try fixture.removals(third, limit: 100)
      try fixture.succeed(third)
      try requireEqual(
        try fixture.possible(source).map(\.key), [.integer(2), .integer(3)], "what can be taken")
      try requireEqual(try fixture.counts(source).outdated, 1, "outdated")
    },
    ConformanceRule("a record of which the beginning was kept cannot be taken again") { fixture in
      let source = try fixture.source()
      let session = try fixture.session(source)
      var batch = RecordBatch()
      batch.append(
        RejectedRecord(
          stream: 0, line: 1, path: "", reason: "no", data: "{\"id\"", isWhole: false,
          key: .integer(1)))
      try fixture.stage(session, batch: batch)
      let run = try fixture.succeed(session)
      try requireEqual(try fixture.possible(source), [], "what can be taken")
      let kept = try fixture.store.rejects(of: run.id, in: fixture.acme, after: nil, limit: 9)
      try requireEqual(kept.map(\.retry), [.truncated], "what is set aside")
    },
    ConformanceRule("records that were set aside are pruned with the retention of their run") {
      fixture in
      let source = try fixture.source()
      let good = try fixture.session(source)
      try fixture.stage(good, batch: .setAside([(1, "a"), (2, "b"), (3, "c")]))
      try fixture.succeed(good)
      let bad = try fixture.session(source)
      try fixture.stage(bad, batch: .setAside([(4, "d")]))
      _ = try bad.finish(
        .failed(
          Job.Failure(code: "no", message: "no", kind: "failed"), tallies: [:], notes: []),
        at: fixture.now)
      func prune(days: Int64, dryRun: Bool = false) throws -> Int {
        try fixture.store.prune(
          in: nil,
          by: .standard(
            at: Timestamp(milliseconds: fixture.now.milliseconds + Span.days(days).milliseconds)),
          limit: 2, dryRun: dryRun, actor: nil, at: fixture.now
        ).rejects
      }
      try requireEqual(try prune(days: 13), 0, "before their time")
      try requireEqual(try prune(days: 15, dryRun: true), 2, "told")
      try requireEqual(
        try [prune(days: 15), prune(days: 15), prune(days: 15)], [2, 1, 0], "steps")
      try requireEqual(try fixture.possible(source).map(\.key), [.integer(4)], "of the failed run")
      try requireEqual(try prune(days: 91), 1, "of the failed run")
      try requireEqual(
        try fixture.store.lastRunWithRejects(of: source.id, in: fixture.acme), nil, "last run")
    },
    ConformanceRule("records that were set aside are of one source and one workspace") { fixture in
      let source = try fixture.source()
      let other = try fixture.source("other")
      let session = try fixture.session(source)
      try fixture.stage(session, batch: .setAside([(1, "a")]))
      let run = try fixture.succeed(session)
      try requireEqual(try fixture.possible(other), [], "of another source")
      var selection = RejectSelection(source: source.id, workspace: fixture.beta)
      try requireEqual(try fixture.store.rejectCounts(selection).all, 0, "in another workspace")
      selection.workspace = fixture.acme
      selection.run = run.id
      selection.streams = ["t", "s"]
      try requireEqual(try fixture.store.rejectCounts(selection).possible, 1, "of the run")
      selection.streams = ["t"]
      try requireEqual(try fixture.store.rejectCounts(selection).possible, 0, "of another stream")
    },
  ]
}

extension RecordBatch {
  /// Records that are set aside, the line of each the number of its key.
  fileprivate static func setAside(_ records: [(Int64, String)]) -> RecordBatch {
    var batch = RecordBatch()
    for (id, word) in records { batch.reject(id, word, line: id) }
    return batch
  }

  fileprivate mutating func reject(_ id: Int64, _ word: String, line: Int64) {
    append(
      RejectedRecord(
        stream: 0, line: line, path: "w", reason: "no", data: "{\"id\":\(id),\"w\":\"\(word)\"}",
        key: .integer(id)))
    append(stream: 0, key: .integer(id), data: 0..<0, isPresenceOnly: true)
  }

  fileprivate mutating func reject(word: String) {
    guard case .content(let high, let low)? = StoreFixture.batch(words: [word]).entries.first?.key
    else { return }
    append(
      RejectedRecord(
        stream: 0, line: 1, path: "", reason: "no", data: "\"\(word)\"", key: .content(high, low)))
  }

  fileprivate mutating func add(_ id: Int64, _ word: String) {
    let data = add(Array("{\"id\":\(id),\"w\":\"\(word)\"}".utf8))
    append(stream: 0, key: .integer(id), data: data)
  }

  fileprivate mutating func add(word: String, repetition: Repetition) {
    guard let key = StoreFixture.batch(words: [word]).entries.first?.key else { return }
    append(
      stream: 0, key: key, data: add(Array("\"\(word)\"".utf8)), repetition: repetition)
  }
}

extension StoreFixture {
  fileprivate func beginRetry(_ source: Source) throws -> any SyncSession {
    let session = try begin(source, retriesRejects: true)
    _ = try declare(session)
    return session
  }

  fileprivate func begin(_ source: Source, retriesRejects: Bool) throws -> any SyncSession {
    try store.beginSync(
      SyncRequest(
        workspace: source.workspace, source: source.id, attempt: nil,
        retriesRejects: retriesRejects), by: alice, at: now)
  }

  fileprivate func stage(_ session: any SyncSession, batch: RecordBatch) throws {
    _ = try session.stage(batch, publishing: nil, at: now)
  }

  /// Takes records with whole numbers as their keys, in one step.
  fileprivate func take(_ rejects: [SetAsideRecord], _ session: any SyncSession) throws {
    var batch = RecordBatch()
    for reject in rejects {
      guard case .integer(let id)? = reject.key else { continue }
      batch.append(
        stream: 0, key: .integer(id), data: batch.add(Array(reject.data.utf8)), repetition: .never)
      batch.append(RetriedReject(id: reject.id, .taken(isKeyed: true)))
    }
    _ = try session.stage(
      batch, publishing: Publication(bookmark: nil, tallies: [:]), at: now)
  }

  fileprivate func possible(_ source: Source) throws -> [SetAsideRecord] {
    try store.rejects(
      RejectSelection(source: source.id, workspace: source.workspace), onlyPossible: true,
      after: 0, limit: 100)
  }

  fileprivate func counts(_ source: Source) throws -> RejectCounts {
    try store.rejectCounts(RejectSelection(source: source.id, workspace: source.workspace))
  }
}
