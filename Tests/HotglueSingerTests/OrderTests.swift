import HotglueCore
import HotglueSinger
import HotglueStore
import StoreConformance
import Testing

@Suite("bookmarks of a run")
struct OrderTests {
  let harbour: Harbour
  init() throws { harbour = try Harbour() }

  private static let schema = schema("s")

  private static func schema(_ stream: String, key: String = "[\"id\"]") -> String {
    "{\"type\":\"SCHEMA\",\"stream\":\"\(stream)\",\"key_properties\":\(key),"
      + "\"bookmark_properties\":[\"at\"],\"schema\":{\"type\":\"object\","
      + "\"properties\":{\"id\":{},\"at\":{}}}}\n"
  }

  private static func row(_ id: Int, _ at: String, stream: String = "s") -> String {
    Lines.record("{\"id\":\(id),\"at\":\(at)}", stream: stream)
  }

  private static func state(_ places: [String: String]) -> String {
    let parts = places.sorted { $0.key < $1.key }.map {
      "\"\($0.key)\":{\"replication_key\":\"at\",\"replication_key_value\":\($0.value)}"
    }
    return Lines.state("{\"bookmarks\":{\(parts.joined(separator: ","))}}")
  }

  private func place(_ stream: String = "s") throws -> String? {
    let bookmark = try harbour.store.syncPosition(of: harbour.source.id, in: harbour.acme)?.bookmark
    return try bookmark.flatMap {
      try JSON.parse($0.text)["bookmarks"]?[stream]?["replication_key_value"]?.text
    }
  }

  @Test("while records come in the order of the replication key, a bookmark counts at once")
  func inOrder() throws {
    let engine = try harbour.engine()
    try engine.take(
      Self.schema + Self.row(1, "5") + Self.state(["s": "5"]) + Self.row(2, "5")
        + Self.row(3, "12") + Self.state(["s": "12"]))
    #expect(try place() == "12")
    #expect(try harbour.records("s").count == 3)
  }

  @Test(
    "a record below one before it: no bookmark of the run counts before its end",
    arguments: [
      ("5", "3"), ("12", "9"), ("-3", "-12"), ("1.50", "1.5e-1"), ("5", "null"), ("5", "\"6\""),
      ("\"2026-01-02T00:00:00Z\"", "\"2026-01-01T00:00:00Z\""),
      ("\"2026-01-02T00:00:00+00:00\"", "\"2026-01-02T01:00:00+02:00\""),
      ("\"2026-01-01T00:00:00.000002Z\"", "\"2026-01-01T00:00:00.000001Z\""),
      ("\"b\"", "\"a\""),
    ])
  func outOfOrder(_ first: String, _ second: String) throws {
    let before = try harbour.sync(Self.schema + Self.row(0, "0") + Self.state(["s": "0"]))
    let engine = try harbour.engine()
    try engine.take(Self.schema + Self.row(1, first) + Self.state(["s": first]))
    #expect(try place() == first)
    try engine.take(Self.row(2, second))
    #expect(try place() == "0", "it is withdrawn at once")
    try engine.take(Self.state(["s": "99"]) + Self.row(3, first))
    try engine.pause()
    #expect(try place() == "0")
    let ended = try engine.fail(Job.Failure(code: "tap", message: "", kind: "retry"))
    #expect(ended.bookmark == nil)
    #expect(ended.notes.contains { $0.contains("not in the order") })
    let next = try harbour.sync(
      Self.schema + Self.row(1, first) + Self.row(2, second) + Self.row(3, first)
        + Self.state(["s": first]))
    #expect(next.given == before.bookmark)
    #expect(try place() == first, "at the end it counts")
    #expect(try harbour.records("s").count == 4)
    #expect(try harbour.store.check() == [])
  }

  @Test("a bookmark ahead of the records counts once they have reached it")
  func bookmarkAhead() throws {
    let engine = try harbour.engine()
    try engine.take(Self.schema + Self.row(1, "2") + Self.state(["s": "9"]))
    #expect(try place() == nil)
    try engine.take(Self.row(2, "4") + Self.state(["s": "9"]))
    #expect(try place() == nil)
    try engine.take(Self.row(3, "9") + Self.state(["s": "9"]))
    #expect(try place() == "9")
  }

  @Test("one that goes backwards, below records in order, is a place to resume from")
  func backwards() throws {
    try harbour.sync(Self.schema + Self.row(1, "7") + Self.state(["s": "7"]))
    let engine = try harbour.engine()
    try engine.take(
      Self.schema + Self.row(1, "5") + Self.state(["s": "5"]))
    #expect(try place() == "5")
    try engine.take(Self.row(2, "6") + Self.state(["s": "3"]))
    #expect(try place() == "3")
    let ended = try engine.succeed()
    #expect(ended.notes == ["the bookmark of stream 's' went backwards"])
  }

  @Test("a stream that is out of order takes back its own place alone")
  func others() throws {
    let engine = try harbour.engine()
    try engine.take(
      Self.schema("a") + Self.schema("b") + Self.row(1, "1", stream: "a")
        + Self.row(2, "2", stream: "a") + Self.state(["a": "2"]))
    try engine.take(Self.row(1, "5", stream: "b") + Self.state(["a": "2", "b": "5"]))
    #expect(try place("b") == "5")
    try engine.take(Self.row(2, "4", stream: "b") + Self.state(["a": "2", "b": "9"]))
    #expect(try place("a") == "2")
    #expect(try place("b") == nil)
    // Killed here. The next run goes on with what was in order.
    let next = try harbour.sync(Self.schema("a"))
    let given = try JSON.parse(next.given?.text ?? "{}")["bookmarks"]
    #expect(given?["a"]?["replication_key_value"]?.text == "2")
    #expect(given?["b"] == nil)
  }

  @Test("an unsorted stream whose bookmark says no place in mid-run holds up no other stream")
  func progressMarkers() throws {
    let engine = try harbour.engine()
    try engine.take(
      Self.schema("b") + Self.row(1, "5", stream: "b") + Self.row(2, "4", stream: "b")
        + Lines.state(#"{"bookmarks":{"b":{"progress_markers":{"replication_key_value":5}}}}"#)
        + Self.schema("a") + Self.row(1, "1", stream: "a")
        + Lines.state(
          #"{"bookmarks":{"a":{"replication_key":"at","replication_key_value":1},"b":{"progress_markers":{"replication_key_value":5}}}}"#
        ))
    #expect(try place("a") == "1")
  }

  @Test("with 'resume: end' only the bookmark at the end of a run counts")
  func resumesAtEnd() throws {
    let engine = try harbour.engine { $0.resumesAtEnd = true }
    try engine.take(Self.schema + Self.row(1, "1") + Self.state(["s": "1"]) + Self.row(2, "2"))
    #expect(try place() == nil)
    _ = try engine.succeed()
    #expect(try place() == "1")
  }

  @Test("a stream that is sent whole and has no bookmark holds up no other stream")
  func fullTable() throws {
    let engine = try harbour.engine { $0.resolver = Lines.fullTable("b", and: "a") }
    try engine.take(
      Self.schema("b") + Self.row(1, "5", stream: "b") + Self.row(2, "4", stream: "b")
        + Self.schema("a") + Self.row(1, "1", stream: "a") + Self.state(["a": "1"]))
    #expect(try place("a") == "1")
  }

  @Test("a value outside of all entries counts of one stream, and not of two")
  func manyStreams() throws {
    let engine = try harbour.engine()
    try engine.take(
      Self.schema("a") + Self.row(1, "1", stream: "a") + Lines.state("{\"at\":1}"))
    #expect(try harbour.sight().bookmark == "{\"at\":1}")
    try engine.take(Self.schema("b"))
    #expect(try harbour.sight().bookmark == nil, "it is withdrawn at once")
    try engine.take(Self.row(1, "1", stream: "b") + Lines.state("{\"at\":1}"))
    #expect(try harbour.sight().bookmark == nil)
    _ = try engine.succeed()
    #expect(try harbour.sight().bookmark == "{\"at\":1}")
  }

  @Test("a stream of which no record came holds up a bookmark that moves it")
  func unseen() throws {
    let engine = try harbour.engine()
    try engine.take(
      Self.schema("a") + Self.schema("b") + Self.row(1, "1", stream: "a")
        + Self.state(["a": "1", "b": "8"]))
    #expect(try place("a") == nil)
    try engine.take(Self.state(["a": "1"]))
    #expect(try place("a") == "1")
  }

  private static let parts = Lines.schema(
    properties: #"{"id":{},"at":{},"org":{}}"#)

  private static func part(_ id: Int, _ org: String, _ at: Int) -> String {
    Lines.record("{\"id\":\(id),\"org\":\"\(org)\",\"at\":\(at)}")
  }

  private static func places(_ parts: [(String, Int)]) -> String {
    let texts = parts.map {
      "{\"context\":{\"org\":\"\($0.0)\"},\"replication_key\":\"at\",\"replication_key_value\":\($0.1)}"
    }
    return "{\"bookmarks\":{\"s\":{\"partitions\":[\(texts.joined(separator: ","))]}}}"
  }

  @Test("each part of a stream has an order of its own")
  func partitions() throws {
    try harbour.sync(
      Self.parts + Self.part(1, "a", 1) + Self.part(2, "b", 1)
        + Lines.state(Self.places([("a", 1), ("b", 1)])))
    let engine = try harbour.engine()
    try engine.take(
      Self.parts + Self.part(3, "a", 5) + Lines.state(Self.places([("a", 5), ("b", 1)])))
    #expect(try harbour.sight().bookmark == Self.places([("a", 5), ("b", 1)]))
    try engine.take(Self.part(4, "b", 2) + Lines.state(Self.places([("a", 5), ("b", 2)])))
    #expect(try harbour.sight().bookmark == Self.places([("a", 5), ("b", 2)]))
    try engine.take(
      Self.part(5, "c", 4) + Self.part(6, "c", 3)
        + Lines.state(Self.places([("a", 5), ("b", 2), ("c", 4)])))
    #expect(try harbour.sight().bookmark == Self.places([("a", 5), ("b", 2)]))
  }

  @Test("without keys, any record of a run that came in no order may come again")
  func keyless() throws {
    let schema = Self.schema("s", key: "[]")
    try harbour.sync(
      schema + Self.row(1, "9") + Self.state(["s": "9"]) + Self.row(2, "3") + Self.row(3, "5")
        + Self.state(["s": "9"]))
    let second = try harbour.sync(
      schema + Self.row(1, "9") + Self.row(4, "10") + Self.state(["s": "10"]))
    #expect(second.streams.first?.tally == StreamTally(received: 2, added: 1, unchanged: 1))
    #expect(try harbour.records("s").count == 4)
  }

  @Test("wherever runs of an unsorted tap die, no record is missing", arguments: [UInt64](1...6))
  func anywhere(seed: UInt64) throws {
    var random = Seeded(seed)
    let isKeyless = seed % 2 == 0
    let rows = (0..<80).map { (id: $0, at: random.below(30)) }
    func output() throws -> [UInt8] {
      let low = Int(try place() ?? "-1") ?? -1
      var text = Self.schema("s", key: isKeyless ? "[]" : "[\"id\"]")
      var high = low
      for (number, row) in rows.enumerated() where row.at >= low {
        text += Self.row(row.id, String(row.at))
        high = max(high, row.at)
        if number % 5 == 4 { text += Self.state(["s": String(row.at)]) }
      }
      return Array((text + Self.state(["s": String(high)])).utf8)
    }
    for _ in 0..<10 {
      let bytes = try output()
      let engine = try harbour.engine()
      // The first rows may be in order by chance, and then nothing tells that the others are not.
      let least = 1 + (bytes.firstRange(of: Array("\"id\":12,".utf8))?.lowerBound ?? 0)
      try engine.take(bytes[..<(least + random.below(bytes.count - least))])
      if random.below(3) == 0 { _ = try harbour.store.sweepSyncs(limit: 10) }
    }
    let engine = try harbour.engine()
    try engine.take(try output()[...])
    _ = try engine.succeed()
    #expect(try harbour.records("s").count == rows.count, "seed \(seed)")
    #expect(try harbour.store.check() == [])
  }
}
