import HotglueCore
import HotglueSinger
import HotglueStore
import StoreConformance
import Testing

@Suite("streams without keys")
struct KeylessTests {
  let harbour: Harbour
  init() throws { harbour = try Harbour() }

  private let schema = Lines.schema(
    key: "[]", properties: #"{"w":{"type":"string"},"at":{"type":"integer"}}"#)

  private func words(_ words: [String]) -> String {
    words.map { Lines.record("{\"w\":\"\($0)\"}") }.joined()
  }

  private func rows(_ rows: [(Int, String)]) -> String {
    rows.map { Lines.record("{\"at\":\($0.0),\"w\":\"\($0.1)\"}") }.joined()
  }

  private func held() throws -> [String] {
    try harbour.records("s").map { record in
      let json = try JSON.parse(record)
      return (json["at"].map { $0.text } ?? "") + (json["w"]?.stringValue ?? "")
    }
  }

  @Test("a record that is sent again later, past its bookmark, is another record")
  func genuine() throws {
    try harbour.sync(
      schema + words(["a"]) + Lines.state("{\"offset\":1}") + words(["b"])
        + Lines.state("{\"offset\":2}"))
    let second = try harbour.sync(schema + words(["a", "b", "b"]) + Lines.state("{\"offset\":5}"))
    #expect(second.streams.first?.tally == StreamTally(received: 3, added: 3))
    #expect(try held() == ["a", "b", "a", "b", "b"])
  }

  @Test(
    "a stream whose bookmark never changes is not doubled, and one copy more than there were is news"
  )
  func constantBookmark() throws {
    let state = Lines.state("{\"offset\":5}")
    try harbour.sync(schema + words(["a", "b", "a"]) + state)
    for _ in 1...3 {
      let again = try harbour.sync(schema + words(["a", "b", "a"]) + state)
      #expect(again.streams.first?.tally == StreamTally(received: 3, unchanged: 3))
    }
    let more = try harbour.sync(schema + words(["b", "a", "c", "b"]) + state)
    #expect(more.streams.first?.tally == StreamTally(received: 4, added: 2, unchanged: 2))
    #expect(try held().sorted() == ["a", "a", "b", "b", "c"])
    // A bookmark that moves is taken at its word again.
    let moved = try harbour.sync(schema + words(["a"]) + Lines.state("{\"offset\":6}"))
    #expect(moved.streams.first?.tally == StreamTally(received: 1, added: 1))
    while try harbour.store.sweepSyncs(limit: 2) {}
    #expect(try held().count == 6)
    #expect(try harbour.store.check() == [])
  }

  @Test("what was published after the bookmark comes again, and is there once")
  func tail() throws {
    let tail = words(["b", "c"])
    try harbour.sync(schema + words(["a"]) + Lines.state("{\"offset\":1}") + tail)
    let second = try harbour.sync(schema + tail + words(["b", "a"]))
    // No bookmark came: the tap may have sent everything, and "a" is not taken for another record yet.
    #expect(second.streams.first?.tally == StreamTally(received: 4, added: 1, unchanged: 3))
    // With one that moves it is known that all of it comes after the place.
    let third = try harbour.sync(
      schema + tail + words(["b", "a", "c"]) + Lines.state("{\"offset\":6}"))
    #expect(third.streams.first?.tally == StreamTally(received: 5, added: 2, unchanged: 3))
    let fourth = try harbour.sync(schema + words(["c", "a"]) + Lines.state("{\"offset\":8}"))
    #expect(fourth.streams.first?.tally == StreamTally(received: 2, added: 2))
    #expect(try held() == ["a", "b", "c", "b", "a", "c", "c", "a"])
  }

  @Test(
    "what is expected still when a resumed run dies at its next bookmark is expected of the next")
  func diedOnTheWay() throws {
    try harbour.sync(
      schema + rows([(1, "a")]) + Lines.state("{\"at\":1}") + rows([(2, "b"), (3, "c")]))
    let dying = try harbour.engine()
    try dying.take(schema + rows([(2, "b")]) + Lines.state("{\"at\":2}"))
    let next = try harbour.sync(schema + rows([(3, "c"), (4, "d")]) + Lines.state("{\"at\":4}"))
    #expect(next.given?.text == "{\"at\":2}")
    #expect(next.streams.first?.tally == StreamTally(received: 2, added: 1, unchanged: 1))
    #expect(try held() == ["1a", "2b", "3c", "4d"])
  }

  @Test("what died before its bookmark was never seen, and is new when it comes again")
  func diedBefore() throws {
    let dying = try harbour.engine()
    try dying.take(
      schema + rows([(1, "a")]) + Lines.state("{\"at\":1}") + rows([(2, "b"), (2, "b")]))
    let next = try harbour.sync(schema + rows([(2, "b"), (2, "b")]) + Lines.state("{\"at\":2}"))
    #expect(next.streams.first?.tally == StreamTally(received: 2, added: 2))
    #expect(try held() == ["1a", "2b", "2b"])
  }

  @Test(
    "records of the bookmark's value and those from before it are repetitions; one copy more is news"
  )
  func ties() throws {
    try harbour.sync(
      schema + rows([(1, "a"), (2, "b"), (2, "b"), (2, "c")]) + Lines.state("{\"at\":2}"))
    let second = try harbour.sync(
      schema + rows([(1, "a"), (2, "b"), (2, "b"), (2, "b"), (2, "c"), (3, "a")])
        + Lines.state("{\"at\":3}"))
    #expect(second.streams.first?.tally == StreamTally(received: 6, added: 2, unchanged: 4))
    let third = try harbour.sync(schema + rows([(3, "a")]) + Lines.state("{\"at\":3}"))
    #expect(third.streams.first?.tally == StreamTally(received: 1, unchanged: 1))
    #expect(try held() == ["1a", "2b", "2b", "2c", "2b", "3a"])
  }

  @Test(
    "a tap whose bookmark tells no place sends everything, and a copy is news past what is held",
    arguments: [
      #"{"bookmarks":{"s":{"file_hashes":{"/f":"7dec14"}}}}"#,
      #"{"bookmarks":{"s":{"version":7}}}"#,
      #"{"bookmarks":{"other":{"at":3}}}"#, "{}",
    ])
  func everything(_ bookmark: String) throws {
    try harbour.sync(schema + words(["a", "b", "a"]) + Lines.state(bookmark))
    let second = try harbour.sync(
      schema + words(["b", "a", "a", "a"])
        + Lines.state(bookmark.replacing("7", with: "8").replacing("3", with: "4")))
    #expect(second.streams.first?.tally == StreamTally(received: 4, added: 1, unchanged: 3))
  }

  @Test("a stream that the catalog calls FULL_TABLE is sent whole, whatever its bookmark says")
  func fullTable() throws {
    let text = schema + words(["a"]) + Lines.state("{\"offset\":1}") + words(["b"])
    for run in 1...2 {
      let ended = try harbour.sync(text + Lines.state("{\"offset\":\(run + 1)}")) {
        $0.resolver = StreamResolver(
          catalog: Lines.catalog([("s", "s", true)], method: "FULL_TABLE"))
      }
      #expect(ended.streams.first?.tally.added == (run == 1 ? 2 : 0))
    }
  }

  @Test(
    "after a reset what came since that run's bookmark comes again, and what was before it does not"
  )
  func reset() throws {
    let first = try harbour.sync(schema + words(["a", "b"]) + Lines.state("{\"offset\":2}"))
    try harbour.sync(schema + words(["b", "c"]) + Lines.state("{\"offset\":4}"))
    _ = try harbour.store.resetBookmark(
      of: harbour.source.id, to: first.id, in: harbour.acme, by: StoreFixture.alice,
      at: harbour.clock.now)
    let again = try harbour.sync(
      schema + words(["b", "c", "a"]) + Lines.state("{\"offset\":5}"))
    #expect(again.streams.first?.tally == StreamTally(received: 3, added: 1, unchanged: 2))
    _ = try harbour.store.resetBookmark(
      of: harbour.source.id, to: nil, in: harbour.acme, by: StoreFixture.alice,
      at: harbour.clock.now)
    let whole = try harbour.sync(
      schema + words(["a", "b", "b", "c", "a"]) + Lines.state("{\"offset\":5}"))
    #expect(whole.streams.first?.tally == StreamTally(received: 5, unchanged: 5))
    let later = try harbour.sync(schema + words(["a"]) + Lines.state("{\"offset\":6}"))
    #expect(later.streams.first?.tally == StreamTally(received: 1, added: 1))
  }

  @Test("a full run that dies goes on where it was, and nothing is there twice")
  func fullRun() throws {
    let all = ["a", "b", "a", "c", "b"]
    try harbour.sync(schema + words(all) + Lines.state("{\"offset\":5}"))
    let dying = try harbour.engine(isFull: true)
    try dying.take(schema + words(["a", "b"]) + Lines.state("{\"offset\":2}") + words(["a"]))
    let next = try harbour.sync(schema + words(["a", "c", "b"]) + Lines.state("{\"offset\":5}"))
    #expect(next.streams.first?.tally == StreamTally(received: 3, unchanged: 3))
    let later = try harbour.sync(schema + words(["c", "b"]) + Lines.state("{\"offset\":7}"))
    #expect(later.streams.first?.tally.added == 2)
  }

  @Test("a stream that is replaced and dies goes on with its copies counted")
  func replaced() throws {
    let start = schema + Lines.activate(1)
    let value = { (at: Int) in Lines.state("{\"at\":\(at)}") }
    try harbour.sync(start + rows([(1, "x"), (2, "y"), (2, "y"), (3, "z")]) + value(3))
    let dying = try harbour.engine(isFull: true)
    try dying.take(schema + Lines.activate(2) + rows([(1, "x"), (2, "y")]) + value(2))
    let next = try harbour.sync(
      schema + Lines.activate(2) + rows([(2, "y"), (2, "y"), (4, "n")]) + value(4))
    #expect(
      next.streams.first?.tally == StreamTally(received: 3, added: 1, unchanged: 2, removed: 1))
    #expect(try held() == ["1x", "2y", "2y", "4n"])
  }

  // MARK: Nothing is doubled

  private func flat(_ state: String) -> String {
    Lines.schema("orders") + Lines.record("{\"id\":9}", stream: "orders")
      + Lines.schema("items", key: "[]") + Lines.record("{\"w\":\"a\"}", stream: "items")
      + Lines.record("{\"w\":\"a\"}", stream: "items") + state
  }

  @Test(
    "a bookmark of other streams alone is no place: the stream comes from its beginning",
    arguments: [#"{"orders":{"since":99}}"#, #"{"orders":99}"#, #"{"x":{"orders":{"id":9}}}"#])
  func otherStreams(_ state: String) throws {
    for _ in 1...3 {
      try harbour.sync(flat(Lines.state(state)))
      #expect(try harbour.records("items").count == 2)
    }
  }

  @Test("runs without a STATE double nothing", arguments: [#"{"offset":5}"#, #"{"s":{"lsn":5}}"#])
  func noState(_ state: String) throws {
    try harbour.sync(schema + words(["a", "b", "a"]) + Lines.state(state))
    for _ in 1...3 {
      try harbour.sync(schema + words(["a", "b", "a"]))
      #expect(try held().count == 3)
    }
  }

  @Test("runs that fail double nothing", arguments: ["5", "6"])
  func failing(_ next: String) throws {
    try harbour.sync(schema + words(["a", "b"]) + Lines.state(#"{"offset":5}"#))
    for _ in 1...3 {
      let engine = try harbour.engine()
      try engine.take(schema + words(["a", "b"]) + Lines.state("{\"offset\":\(next)}"))
      _ = try engine.fail(Job.Failure(code: "tap", message: "", kind: "retry"))
      #expect(try held().count == 2)
    }
  }

  @Test("a place in the tap's own terms counts at the end of a run")
  func positionAtEnd() throws {
    let dying = try harbour.engine()
    try dying.take(schema + words(["a"]) + Lines.state(#"{"offset":1}"#) + words(["b"]))
    let next = try harbour.sync(schema + words(["a", "b"]) + Lines.state(#"{"offset":2}"#))
    #expect(next.given == nil)
    #expect(try held() == ["a", "b"])
  }

  /// Rows with many copies, in the order of `at`.
  private static func table(_ random: inout Seeded, _ count: Int) -> [(Int, String)] {
    (0..<count).map { ($0 / 4, ["a", "b", "c"][random.below(3)]) }
  }

  @Test(
    "wherever runs die, a stream of copies ends as it was sent", arguments: [UInt64](1...6),
    [true, false])
  func anywhere(seed: UInt64, isOffset: Bool) throws {
    var random = Seeded(seed)
    var table = Self.table(&random, 150)
    func output() throws -> [UInt8] {
      let given = try harbour.store.syncPosition(of: harbour.source.id, in: harbour.acme)?.bookmark
      let name = isOffset ? "offset" : "at"
      let place = try given.flatMap { try JSON.parse($0.text)[name]?.integerValue } ?? 0
      var text = schema
      for (number, row) in table.enumerated()
      where isOffset ? number >= place : row.0 >= place {
        text += isOffset ? words([row.1]) : rows([row])
        if number % 7 == 6 {
          text += Lines.state("{\"\(name)\":\(isOffset ? Int64(number + 1) : Int64(row.0))}")
        }
      }
      return Array(text.utf8)
    }
    for round in 0..<24 {
      let bytes = try output()
      let engine = try harbour.engine { $0.publishInterval = .seconds(round % 2 == 0 ? 0 : 100) }
      switch random.below(4) {
      case 0:
        // It ends well, and its last records are published without a bookmark of theirs.
        try engine.take(bytes[...])
        _ = try engine.succeed()
        table += Self.table(&random, 20).map { ($0.0 + table.count / 4, $0.1) }
      case 1:
        try engine.take(bytes[..<random.below(bytes.count)])
        try engine.pause()
      default: try engine.take(bytes[..<random.below(bytes.count)])
      }
      if random.below(3) == 0 { _ = try harbour.store.sweepSyncs(limit: 10) }
    }
    let engine = try harbour.engine()
    try engine.take(try output()[...])
    _ = try engine.succeed()
    let expected = table.map { isOffset ? $0.1 : "\($0.0)\($0.1)" }
    #expect(try held() == expected, "seed \(seed)")
    #expect(try harbour.store.check() == [])
  }
}
