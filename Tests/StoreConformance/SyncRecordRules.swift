import HotglueCore
import HotglueStore

extension SyncStoreConformance {
  static let comparisonRules: [ConformanceRule] = [
    ConformanceRule("a record that comes again as it was costs no write") { fixture in
      let source = try fixture.source()
      try fixture.succeed(try fixture.filled(source, [(1, "a"), (2, "b")]))
      let session = try fixture.session(source)
      let result = try session.stage(
        StoreFixture.batch([(1, "a"), (2, "b")]), publishing: nil, at: fixture.now)
      try requireEqual(result.counts[0]?.unchanged, 2, "unchanged")
      try requireEqual(result.heldMicroseconds, 0, "time in a writing transaction")
      var turned = RecordBatch()
      let data = turned.add(Array("{\"w\":\"\\u0061\",\"id\":1}".utf8))
      turned.append(stream: 0, key: .integer(1), data: data)
      let second = try session.stage(turned, publishing: nil, at: fixture.now)
      try requireEqual(second.counts[0]?.unchanged, 1, "the order and spelling of members")
    },
    ConformanceRule("of records with one key the last counts, and each is counted") { fixture in
      let source = try fixture.source()
      let session = try fixture.session(source)
      let counts = try fixture.stage(
        session, [(2, "a"), (1, "a"), (2, "b"), (2, "b"), (2, "c"), (1, "a")])
      try requireEqual(counts.added, 2, "added")
      try requireEqual(counts.changed, 2, "changed")
      try requireEqual(counts.unchanged, 2, "unchanged")
      let more = try fixture.stage(session, [(2, "d"), (2, "c"), (2, "e")])
      try requireEqual(more.changed, 3, "changed in a second batch")
      try fixture.succeed(session)
      try requireEqual(try fixture.visible(source), ["1a", "2e"], "what is visible")
      try fixture.sweepAll(source)
    },
    ConformanceRule("keys of different kinds are different, and come in one order") { fixture in
      let source = try fixture.source()
      let session = try fixture.session(source)
      var batch = RecordBatch()
      for word in ["t1", "t", "t\"🙂"] {
        let key = batch.add(Array(word.utf8))
        batch.append(stream: 0, key: .text(key), data: batch.add(Array("\"\(word.count)\"".utf8)))
      }
      let empty = batch.add([UInt8]())
      batch.append(stream: 0, key: .text(empty), data: batch.add(Array("\"empty\"".utf8)))
      let bytes = batch.add(Array("1".utf8))
      batch.append(stream: 0, key: .bytes(bytes), data: batch.add(Array("\"bytes\"".utf8)))
      batch.append(stream: 0, key: .integer(1), data: batch.add(Array("\"one\"".utf8)))
      batch.append(stream: 0, key: .integer(-5), data: batch.add(Array("\"minus\"".utf8)))
      _ = try session.stage(batch, publishing: nil, at: fixture.now)
      try fixture.succeed(session)
      try requireEqual(
        try fixture.visible(source), ["minus", "one", "empty", "1", "3", "2", "bytes"], "order")
    },
    ConformanceRule("without a key, copies are counted: a repetition adds what is new") { fixture in
      let source = try fixture.source()
      let first = try fixture.begin(source)
      _ = try fixture.declare(first, key: [])
      let counts = try fixture.stage(first, words: ["a", "b", "a", "a"], bookmark: "{\"at\":1}")
      try requireEqual(counts.added, 4, "added")
      try fixture.stage(first, words: ["dead", "a"])
      let second = try fixture.begin(source)
      _ = try fixture.declare(second, key: [])
      let again = try fixture.stage(second, words: ["a", "a"])
      try requireEqual(again.unchanged, 2, "copies that were there")
      let more = try fixture.stage(second, words: ["a", "b", "a", "c"])
      try requireEqual(more.unchanged, 2, "the third copy, and b")
      try requireEqual(more.added, 2, "the fourth copy, and c")
      try fixture.succeed(second)
      try requireEqual(
        try fixture.visible(source).sorted(), ["a", "a", "a", "a", "b", "c"], "at the end")
      try fixture.sweepAll(source)
    },
    ConformanceRule("a thousand copies of one record are a thousand records") { fixture in
      let source = try fixture.source()
      for run in 1...2 {
        let session = try fixture.begin(source)
        _ = try fixture.declare(session, key: [])
        for _ in 0..<4 {
          let counts = try fixture.stage(session, words: Array(repeating: "x", count: 250))
          try requireEqual(run == 1 ? counts.added : counts.unchanged, 250, "run \(run)")
        }
        try fixture.succeed(session)
      }
      try requireEqual(try fixture.visible(source).count, 1000, "records")
    },
  ]

  static let replacementRules: [ConformanceRule] = [
    ConformanceRule("what a replaced stream did not send goes with its last publication") {
      fixture in
      let source = try fixture.source()
      try fixture.succeed(
        try fixture.filled(source, [(1, "a"), (2, "b"), (3, "c"), (4, "d"), (5, "e")]))
      let session = try fixture.session(source)
      _ = try session.replace(stream: 0, token: "v1", from: .place(isSameVersion: false))
      try fixture.stage(session, [(1, "a"), (3, "x"), (6, "f")], bookmark: "{\"at\":1}")
      try requireEqual(try fixture.removals(session, limit: 2), 3, "removed")
      try requireEqual(
        try fixture.visible(source), ["1a", "2b", "3x", "4d", "5e", "6f"], "before the end")
      try fixture.succeed(session)
      try requireEqual(try fixture.visible(source), ["1a", "3x", "6f"], "at the end")
      try fixture.sweepAll(source)
      try fixture.succeed(try fixture.filled(source, [(2, "back")]))
      try requireEqual(try fixture.visible(source), ["1a", "2back", "3x", "6f"], "later")
      try fixture.sweepAll(source)
    },
    ConformanceRule("a run that dies removes nothing, and the next with its token goes on") {
      fixture in
      let source = try fixture.source()
      try fixture.succeed(try fixture.filled(source, [(1, "a"), (2, "b"), (3, "c"), (4, "d")]))
      let first = try fixture.session(source)
      _ = try first.replace(stream: 0, token: "v1", from: .place(isSameVersion: false))
      try fixture.stage(first, [(1, "a"), (2, "x"), (7, "g")], bookmark: "{\"at\":2}")
      _ = try fixture.removals(first, limit: 100)
      try requireEqual(try fixture.visible(source), ["1a", "2x", "3c", "4d", "7g"], "dead")
      let second = try fixture.session(source)
      _ = try second.replace(stream: 0, token: "v1", from: .place(isSameVersion: false))
      try fixture.stage(second, [(3, "c")])
      try requireEqual(try fixture.removals(second, limit: 100), 1, "removed")
      try fixture.succeed(second)
      try requireEqual(try fixture.visible(source), ["1a", "2x", "3c", "7g"], "at the end")
      let third = try fixture.session(source)
      _ = try third.replace(stream: 0, token: "v1", from: .place(isSameVersion: false))
      try fixture.stage(third, [(8, "h")])
      try requireEqual(try fixture.removals(third, limit: 100), 0, "removed under the same token")
      try fixture.succeed(third)
      try requireEqual(
        try fixture.visible(source), ["1a", "2x", "3c", "7g", "8h"], "the token was completed")
      try fixture.sweepAll(source)
    },
    ConformanceRule("a token of its own starts over, whatever a dead run saw") { fixture in
      let source = try fixture.source()
      try fixture.succeed(try fixture.filled(source, [(1, "a"), (2, "b")]))
      let first = try fixture.session(source)
      _ = try first.replace(stream: 0, token: "v1", from: .place(isSameVersion: false))
      try fixture.stage(first, [(1, "a"), (3, "c")], bookmark: "{\"at\":1}")
      let second = try fixture.session(source)
      _ = try second.replace(stream: 0, token: "v2", from: .place(isSameVersion: false))
      try fixture.stage(second, [(2, "b")])
      try requireEqual(try fixture.removals(second, limit: 100), 2, "removed")
      try fixture.succeed(second)
      try requireEqual(try fixture.visible(source), ["2b"], "at the end")
    },
    ConformanceRule("a record that was set aside keeps what is stored under its key") { fixture in
      let source = try fixture.source()
      try fixture.succeed(try fixture.filled(source, [(1, "a"), (2, "b")]))
      let session = try fixture.session(source)
      _ = try session.replace(stream: 0, token: "v1", from: .place(isSameVersion: false))
      var batch = RecordBatch()
      batch.append(stream: 0, key: .integer(1), data: 0..<0, isPresenceOnly: true)
      batch.append(
        RejectedRecord(stream: 0, line: 7, path: "w", reason: "no", data: "{\"id\":1}"))
      let result = try session.stage(batch, publishing: nil, at: fixture.now)
      try requireEqual(result.counts[0] ?? .init(), .init(), "counts")
      try requireEqual(try fixture.removals(session, limit: 100), 1, "removed")
      let run = try fixture.succeed(session)
      try requireEqual(try fixture.visible(source), ["1a"], "at the end")
      let kept = try fixture.store.rejects(of: run.id, in: fixture.acme, after: nil, limit: 10)
      try requireEqual(kept.map(\.line), [7], "lines")
      try requireEqual(kept.map(\.path), ["w"], "paths")
      try requireEqual(
        try fixture.store.rejects(of: run.id, in: fixture.beta, after: nil, limit: 10), [],
        "in another workspace")
    },
  ]

  static let recordRules: [ConformanceRule] = [
    ConformanceRule("a schema that changes is recorded, and one that does not is not") { fixture in
      let source = try fixture.source()
      let first = try fixture.begin(source)
      let declared = try fixture.declare(first, schema: "{\"a\":1}")
      try require(declared.isNew && !declared.schemaChanged, "a new stream is no change")
      try require(!(try fixture.declare(first, schema: "{\"a\":1}").schemaChanged), "the same")
      try require(try fixture.declare(first, schema: "{\"a\":2}").schemaChanged, "another")
      let second = try fixture.begin(source)
      try require(!(try fixture.declare(second, schema: "{\"a\":2}").schemaChanged), "later")
      let all = try fixture.store.schemas(of: source.id, stream: nil, in: fixture.acme)
      try requireEqual(all.map(\.version), [1, 2], "versions")
      try requireEqual(all.map(\.schema), ["{\"a\":1}", "{\"a\":2}"], "schemas")
      try requireEqual(all.map(\.run), [first.run.id, first.run.id], "runs")
    },
    ConformanceRule("another key is refused, unless the stream is to be replaced") { fixture in
      let source = try fixture.source()
      try fixture.succeed(try fixture.filled(source, [(1, "a"), (2, "b")]))
      let session = try fixture.begin(source)
      guard
        case .streamKeyChanged("s", ["id"], ["k"]) = try fixture.refusal({
          _ = try fixture.declare(session, key: ["k"])
        })
      else { throw BrokenRule(description: "another key was not refused") }
      let declared = try fixture.declare(session, key: ["k"], mayChangeKey: true)
      try require(declared.keyChanged, "the change is told")
      _ = try session.replace(
        stream: declared.index, token: "key", from: .place(isSameVersion: false))
      try fixture.stage(session, [(9, "z")])
      _ = try fixture.removals(session, limit: 10)
      try fixture.succeed(session)
      try requireEqual(try fixture.visible(source), ["9z"], "at the end")
      try requireEqual(
        try fixture.store.recordStreams(of: source.id, in: fixture.acme).map(\.key), [["k"]],
        "key")
    },
    ConformanceRule("an unknown stream is named with those that are near") { fixture in
      let source = try fixture.source()
      _ = try fixture.declare(try fixture.begin(source), "contacts")
      let page = RecordPage(
        source: source.id, workspace: fixture.acme, stream: "contact", limit: 1)
      guard
        case .unknownStream("contact", _, ["contacts"]) = try fixture.refusal({
          _ = try fixture.store.records(page)
        })
      else { throw BrokenRule(description: "it was not refused with a near name") }
    },
    ConformanceRule("who holds a publication reads it whole, whatever comes after it") { fixture in
      let source = try fixture.source()
      let other = try fixture.source("other")
      try fixture.succeed(try fixture.filled(source, [(1, "a"), (2, "b"), (3, "c")]))
      try fixture.succeed(try fixture.filled(other, [(1, "a")]))
      let reader = try fixture.openAgain()
      var moment: RecordMoment? = try reader.holdRecords(of: source.id, in: fixture.acme)
      let publication = try requireValue(moment?.publication, "publication")
      let session = try fixture.session(source)
      _ = try session.replace(stream: 0, token: "v1", from: .place(isSameVersion: false))
      try fixture.stage(session, [(1, "x"), (4, "d")])
      _ = try fixture.removals(session, limit: 10)
      try fixture.succeed(session)
      try fixture.succeed(try fixture.filled(other, [(1, "z")]))
      func held() throws -> [String] {
        try reader.records(
          RecordPage(
            source: source.id, workspace: fixture.acme, stream: "s", limit: 10,
            publication: publication)
        ).map(\.data)
      }
      let expected = [(1, "a"), (2, "b"), (3, "c")].map { "{\"id\":\($0.0),\"w\":\"\($0.1)\"}" }
      var steps = 0
      while try fixture.store.sweepSyncs(limit: 1) {
        try requireEqual(try held(), expected, "what is held")
        steps += 1
      }
      try require(steps > 0, "the source that nobody reads was not swept")
      try requireEqual(try fixture.visible(source), ["1x", "4d"], "what is published")
      _ = try fixture.store.removeSource(
        "crm", in: fixture.acme, by: fixture.alice, at: fixture.now)
      try require(!(try fixture.store.sweepSyncs(limit: 9)), "what is held was swept")
      try requireEqual(try held(), expected, "what is held of a source that was removed")
      try require(moment != nil, "the moment is held until here")
      moment = nil
      try require(try fixture.store.sweepSyncs(limit: 9), "what is let go of is swept")
      while try fixture.store.sweepSyncs(limit: 9) {}
      try requireEqual(
        try fixture.store.recordStreams(of: source.id, in: fixture.acme), [], "what is left")
      try fixture.requireSound()
    },
    ConformanceRule("streams of two sources with one name are apart") { fixture in
      let one = try fixture.source("one")
      let two = try fixture.source("two")
      let first = try fixture.filled(one, [(1, "a")])
      let second = try fixture.filled(two, [(1, "b")])
      try fixture.stage(first, [(2, "a")])
      try fixture.succeed(second)
      try fixture.succeed(first)
      try requireEqual(try fixture.visible(one), ["1a", "2a"], "one")
      try requireEqual(try fixture.visible(two), ["1b"], "two")
      _ = try fixture.store.removeSource(
        "one", in: fixture.acme, by: fixture.alice, at: fixture.now)
      while try fixture.store.sweepSyncs(limit: 1) {}
      try requireEqual(try fixture.visible(two), ["1b"], "two, after one is gone")
      try requireEqual(
        try fixture.store.recordStreams(of: one.id, in: fixture.acme), [], "what is left of one")
      try fixture.requireSound()
    },
  ]
}

extension StoreFixture {
  func removals(_ session: any SyncSession, limit: Int) throws -> Int {
    var removed = 0
    while true {
      let step = try session.stageRemovals(stream: 0, limit: limit, at: now)
      removed += step.removed
      if step.isDone { return removed }
    }
  }
}
