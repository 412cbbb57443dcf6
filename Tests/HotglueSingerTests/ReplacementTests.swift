import HotglueCore
import HotglueSinger
import HotglueStore
import StoreConformance
import Testing

@Suite("streams that are sent whole")
struct ReplacementTests {
  let harbour: Harbour
  init() throws { harbour = try Harbour() }

  private func run(_ version: Int, _ ids: [Int]) -> String {
    Lines.schema() + Lines.activate(version)
      + ids.map { Lines.record("{\"id\":\($0)}", version: version) }.joined()
  }

  @Test("old rows go when the stream came to its end, and not before")
  func end() throws {
    try harbour.sync(run(1, Array(1...10)))
    let engine = try harbour.engine()
    try engine.take(run(2, [1, 2, 11]) + Lines.state("{\"id\":11}"))
    #expect(try harbour.records("s").count == 11)
    let ended = try engine.succeed()
    #expect(
      ended.streams.first?.tally == StreamTally(received: 3, added: 1, unchanged: 2, removed: 8))
    #expect(try harbour.records("s") == [1, 2, 11].map { "{\"id\":\($0)}" })
  }

  @Test("a tap that dies after ACTIVATE_VERSION empties no table")
  func death() throws {
    try harbour.sync(run(1, Array(1...10)))
    let engine = try harbour.engine()
    try engine.take(run(2, [1]))
    _ = try engine.fail(Job.Failure(code: "tap", message: "", kind: "retry"))
    #expect(try harbour.records("s").count == 10)
  }

  @Test("the same version again removes nothing: it is an increment")
  func increment() throws {
    try harbour.sync(run(1, [1, 2, 3]))
    let second = try harbour.sync(run(1, [3, 4]))
    #expect(second.streams.first?.tally.removed == 0)
    #expect(try harbour.records("s").count == 4)
  }

  @Test("ACTIVATE_VERSION after the records removes as it does before them")
  func after() throws {
    try harbour.sync(run(1, [1, 2, 3]))
    let ended = try harbour.sync(
      Lines.schema() + Lines.record("{\"id\":3}", version: 2) + Lines.activate(2))
    #expect(ended.streams.first?.tally.removed == 2)
  }

  @Test("without keys, rows that are gone are removed and copies are counted")
  func keyless() throws {
    func text(_ version: Int, _ words: [String]) -> String {
      Lines.schema(key: "[]") + Lines.activate(version)
        + words.map { Lines.record("{\"w\":\"\($0)\"}") }.joined()
    }
    try harbour.sync(text(1, ["a", "a", "b", "c"]))
    let ended = try harbour.sync(text(2, ["b", "a", "d"]))
    #expect(
      ended.streams.first?.tally == StreamTally(received: 3, added: 1, unchanged: 2, removed: 2))
    #expect(
      try harbour.records("s").sorted() == ["a", "b", "d"].map { "{\"w\":\"\($0)\"}" })
  }

  @Test("a rejected record is not taken for one that is gone")
  func rejected() throws {
    try harbour.sync(run(1, [1, 2, 3]))
    let schema = Lines.schema(properties: #"{"n":{"type":"integer"}}"#)
    let one = try harbour.sync(
      schema + Lines.activate(2) + Lines.record(#"{"id":1,"n":"x"}"#) + Lines.record("{\"id\":2}"))
    #expect(
      one.streams.first?.tally == StreamTally(received: 2, unchanged: 1, rejected: 1, removed: 1))
    #expect(try harbour.records("s").count == 2)
    let two = try harbour.sync(schema + Lines.activate(3) + Lines.record("{}"))
    #expect(two.streams.first?.tally.removed == 0)
    #expect(two.notes.contains { $0.contains("keeps records that were not sent") })
    #expect(try harbour.records("s").count == 2)
  }

  // MARK: By the catalog

  private func table(_ ids: [Int], key: String = "[\"id\"]", state: String? = nil) -> String {
    Lines.schema(key: key) + ids.map { Lines.record("{\"id\":\($0)}") }.joined()
      + (state.map { Lines.state($0) } ?? "")
  }

  @Test(
    "a table that was begun without a place and sent to its end loses what was not sent",
    arguments: ["[\"id\"]", "[]"],
    [
      nil, #"{"bookmarks":{"s":{}}}"#, #"{"bookmarks":{"s":{"version":7}}}"#,
      #"{"bookmarks":{"s":{"last_replication_method":"FULL_TABLE","version":7,"xmin":null}}}"#,
      #"{"bookmarks":{"s":{"method":"FULL_TABLE"},"t":{"at":5}},"currently_syncing":"s"}"#,
    ])
  func fullTable(key: String, state: String?) throws {
    try harbour.sync(table([1, 2, 3], key: key, state: state)) {
      $0.resolver = Lines.fullTable("s")
    }
    let dying = try harbour.engine { $0.resolver = Lines.fullTable("s") }
    try dying.take(table([2], key: key, state: state))
    _ = try dying.fail(Job.Failure(code: "tap", message: "", kind: "retry"))
    #expect(try harbour.records("s").count == 3, "the tap did not come to its end")
    let ended = try harbour.sync(table([2, 4], key: key, state: state)) {
      $0.resolver = Lines.fullTable("s")
    }
    #expect(
      ended.streams.first?.tally == StreamTally(received: 2, added: 1, unchanged: 1, removed: 2))
    #expect(try harbour.records("s") == ["{\"id\":2}", "{\"id\":4}"])
    #expect(ended.notes == [])
    #expect(try harbour.store.check() == [])
  }

  @Test(
    "a table that was resumed from a place keeps what was not sent, and that is noted",
    arguments: [
      #"{"last_pk_fetched":{"id":2}}"#, #"{"last_pk_fetched":{"id":"b"}}"#, #"{"xmin":"900"}"#,
      #"{"file_hashes":{"/f":"7dec14dd9b423efa7ced11852eab0c66"}}"#,
    ])
  func resumedTable(place: String) throws {
    let state = "{\"bookmarks\":{\"s\":\(place)}}"
    try harbour.sync(table([1, 2, 3], state: state)) { $0.resolver = Lines.fullTable("s") }
    let ended = try harbour.sync(table([3])) { $0.resolver = Lines.fullTable("s") }
    #expect(ended.streams.first?.tally.removed == 0)
    #expect(ended.notes.contains { $0.contains("keeps records that the tap did not send") })
    #expect(try harbour.records("s").count == 3)
  }

  @Test("'missing: keep' leaves what a stream that was sent whole did not send")
  func keepsMissing() throws {
    let keep = { (options: inout SyncOptions) in
      options.resolver = Lines.fullTable("s")
      options.missing.set(true)
    }
    try harbour.sync(table([1, 2]), keep)
    #expect(try harbour.sync(table([2]), keep).streams.first?.tally.removed == 0)
    try harbour.sync(run(1, [2]), keep)
    #expect(try harbour.sync(run(2, [2]), keep).streams.first?.tally.removed == 0)
    #expect(try harbour.records("s").count == 2)
  }

  @Test("a table of which records were rejected keeps those")
  func rejectedOfTable() throws {
    let full = { (options: inout SyncOptions) in options.resolver = Lines.fullTable("s") }
    try harbour.sync(table([1, 2, 3]), full)
    let ended = try harbour.sync(
      Lines.schema(properties: #"{"n":{"type":"integer"}}"#)
        + Lines.record(#"{"id":1,"n":"x"}"#), full)
    #expect(
      ended.streams.first?.tally == StreamTally(received: 1, rejected: 1, removed: 2))
    #expect(try harbour.records("s") == ["{\"id\":1}"])
  }

  // MARK: What a run has received is never removed

  @Test("what came before ACTIVATE_VERSION in the same run stays", arguments: ["[\"id\"]", "[]"])
  func receivedBefore(key: String) throws {
    try harbour.sync(table([1, 2, 3], key: key))
    let ended = try harbour.sync(
      Lines.schema(key: key) + Lines.record("{\"id\":1}") + Lines.record("{\"id\":8}")
        + Lines.activate(4) + Lines.record("{\"id\":9}"))
    #expect(
      ended.streams.first?.tally == StreamTally(received: 3, added: 2, unchanged: 1, removed: 2))
    #expect(
      try harbour.records("s").sorted() == [1, 8, 9].map { "{\"id\":\($0)}" })
  }

  @Test("what a killed run saw counts only when the next goes on from a place")
  func killedAnew() throws {
    for (number, state) in [
      #"{"bookmarks":{"s":{"version":5}}}"#, #"{"bookmarks":{"s":{"version":5,"last_pk":2}}}"#,
    ].enumerated() {
      let harbour = try Harbour()
      try harbour.sync(Lines.schema() + Lines.activate(4) + Lines.record("{\"id\":1}"))
      let dying = try harbour.engine()
      try dying.take(
        Lines.schema() + Lines.activate(5) + Lines.record("{\"id\":1}")
          + Lines.record("{\"id\":2}") + Lines.state(state))
      let ended = try harbour.sync(
        Lines.schema() + Lines.activate(5) + Lines.record("{\"id\":2}")
          + Lines.record("{\"id\":3}"))
      #expect(ended.streams.first?.tally.removed == (number == 0 ? 1 : 0))
      #expect(try harbour.records("s").count == (number == 0 ? 2 : 3))
    }
  }

  @Test("a version that the bookmark names, of which no run is known, is a part of the stream")
  func unknownPart() throws {
    let first = try harbour.sync(
      Lines.schema() + Lines.activate(5) + Lines.record("{\"id\":1}") + Lines.record("{\"id\":2}")
        + Lines.state(#"{"bookmarks":{"s":{"version":5,"last_pk":2}}}"#))
    try harbour.sync(Lines.schema() + Lines.activate(6) + Lines.record("{\"id\":1}"))
    try harbour.sync(Lines.schema() + Lines.record("{\"id\":2}"))
    _ = try harbour.store.resetBookmark(
      of: harbour.source.id, to: first.id, in: harbour.acme, by: StoreFixture.alice,
      at: harbour.clock.now)
    let ended = try harbour.sync(
      Lines.schema() + Lines.activate(5) + Lines.record("{\"id\":3}"))
    #expect(ended.streams.first?.tally == StreamTally(received: 1, added: 1))
    #expect(try harbour.records("s").count == 3)
  }

  // MARK: Keys

  private func keyed(_ type: String, _ ids: [String]) -> String {
    Lines.schema(properties: "{\"id\":{\"type\":\(type)}}")
      + ids.map { Lines.record("{\"id\":\($0)}") }.joined()
  }

  @Test("a key property of another type is another key: refused, and taken anew by a full run")
  func keyType() throws {
    try harbour.sync(keyed("\"integer\"", ["1", "2"]) + Lines.state("{\"a\":1}"))
    let text = keyed("[\"null\",\"string\"]", ["\"1\""])
    let error = try harbour.failure(text)
    #expect(error.code == "key_changed")
    #expect(error.message.contains("id (integer)") && error.message.contains("id (string)"))
    #expect(try harbour.records("s").count == 2)
    let ended = try harbour.sync(text, isFull: true) { $0.mayChangeKeys = true }
    #expect(ended.streams.first?.tally == StreamTally(received: 1, added: 1, removed: 2))
    #expect(try harbour.records("s") == ["{\"id\":\"1\"}"])
  }

  @Test(
    "a whole number is a number, and null is no type of a key",
    arguments: [#""number""#, #"["integer","null"]"#])
  func sameType(type: String) throws {
    try harbour.sync(keyed("\"integer\"", ["1", "2"]))
    let ended = try harbour.sync(keyed(type, ["1", "2"]))
    #expect(ended.streams.first?.tally.unchanged == 2)
    try harbour.sync(Lines.schema() + Lines.record("{\"id\":1}"))
  }

  @Test(
    "a key property that takes a further type, also in two steps, is another key",
    arguments: [#"["integer","string"]"#, nil])
  func twoSteps(between: String?) throws {
    try harbour.sync(keyed("\"integer\"", ["1"]))
    if let between {
      #expect(try harbour.failure(keyed(between, ["\"1\""])).code == "key_changed")
    } else {
      try harbour.sync(Lines.schema() + Lines.record("{\"id\":1}"))
    }
    #expect(try harbour.failure(keyed("\"string\"", ["\"1\""])).code == "key_changed")
    #expect(try harbour.records("s").count == 1)
  }

  @Test("of one stream a full run takes another key, and the others go on from the bookmark")
  func oneStream() throws {
    let state = { (t: Int) in Lines.state("{\"bookmarks\":{\"s\":{\"at\":3},\"t\":{\"at\":\(t)}}}")
    }
    try harbour.sync(
      keyed("\"integer\"", ["1", "2"]) + Lines.schema("t") + Lines.record("{\"id\":1}", stream: "t")
        + state(1))
    let session = try harbour.store.beginSync(
      SyncRequest(
        workspace: harbour.acme, source: harbour.source.id, attempt: nil, fullStreams: ["s"]),
      by: StoreFixture.alice, at: harbour.clock.now)
    #expect(session.run.given?.text == #"{"bookmarks":{"t":{"at":1}}}"#)
    var options = SyncOptions()
    options.fullStreams = ["s"]
    let engine = SyncEngine(
      session: session, options: options, now: { [clock = harbour.clock] in clock.now })
    try engine.take(keyed("\"string\"", ["\"1\""]) + Lines.schema("t") + state(1))
    _ = try engine.succeed()
    #expect(try harbour.records("s") == ["{\"id\":\"1\"}"])
    #expect(try harbour.records("t").count == 1)
  }

  @Test("a full run that dies before it published leaves the stream under the key of its records")
  func diedUnderAnotherKey() throws {
    try harbour.sync(keyed("\"integer\"", ["1", "2"]) + Lines.state("{\"at\":1}"))
    let text = keyed("\"string\"", ["\"1\""])
    let dying = try harbour.engine(isFull: true) { $0.mayChangeKeys = true }
    try dying.take(text)
    #expect(try harbour.failure(text).code == "key_changed")
    try harbour.sync(keyed("\"integer\"", ["3"]))
    #expect(try harbour.records("s").count == 3)
    try harbour.sync(text, isFull: true) { $0.mayChangeKeys = true }
    #expect(try harbour.records("s") == ["{\"id\":\"1\"}"])
  }

  @Test("one that dies after it published is finished by the next, and the old records go")
  func diedHalfWay() throws {
    try harbour.sync(keyed("\"integer\"", ["1", "2"]) + Lines.state("{\"at\":1}"))
    let dying = try harbour.engine(isFull: true) { $0.mayChangeKeys = true }
    try dying.take(
      keyed("\"string\"", ["\"1\""]) + Lines.state("{\"id\":\"1\"}")
        + Lines.record("{\"id\":\"2\"}"))
    let ended = try harbour.sync(keyed("\"string\"", ["\"2\""])) { $0.mayChangeKeys = true }
    #expect(ended.streams.first?.tally == StreamTally(received: 1, added: 1, removed: 2))
    #expect(try harbour.records("s") == ["{\"id\":\"1\"}", "{\"id\":\"2\"}"])
    #expect(try harbour.store.check() == [])
  }

  @Test("another key in mid-run removes no record of the run")
  func keyInMidRun() throws {
    let text =
      Lines.schema() + Lines.record("{\"id\":1,\"n\":1}") + Lines.record("{\"id\":2,\"n\":1}")
      + Lines.schema(key: "[\"id\",\"n\"]") + Lines.record("{\"id\":3,\"n\":1}")
    for _ in 1...2 {
      try harbour.sync(text, isFull: true) { $0.mayChangeKeys = true }
      #expect(try harbour.records("s").count == 3)
    }
  }
}
