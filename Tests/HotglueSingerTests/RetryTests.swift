import HotglueCore
import HotglueSinger
import HotglueStore
import StoreConformance
import Testing

@Suite("records that were set aside are taken again")
struct RetryTests {
  let harbour: Harbour
  init() throws { harbour = try Harbour() }

  private static let strict = Lines.schema(properties: #"{"w":{"type":"integer"}}"#)
  private static let loose = Lines.schema(properties: #"{"w":{"type":["integer","string"]}}"#)

  private var selection: RejectSelection {
    RejectSelection(source: harbour.source.id, workspace: harbour.acme)
  }

  /// Takes all again that can be, under the present schema of their streams.
  @discardableResult
  private func retry(validates: Bool = true, isDryRun: Bool = false) throws -> [StreamReport] {
    let store = harbour.store
    let streams = try store.recordStreams(of: harbour.source.id, in: harbour.acme).map { stream in
      let schemas = try store.schemas(
        of: harbour.source.id, stream: stream.name, in: harbour.acme)
      let schema = try #require(schemas.first { $0.version == stream.schemaVersion })
      return RetriedStream(
        name: stream.name, schema: try JSON.parse(schema.schema), key: stream.key, ignored: [])
    }
    let session =
      isDryRun
      ? nil
      : try store.beginSync(
        SyncRequest(
          workspace: harbour.acme, source: harbour.source.id, attempt: nil, retriesRejects: true),
        by: StoreFixture.alice, at: harbour.clock.now)
    let clock = harbour.clock
    let retry = RejectRetry(
      session: session, streams: streams, validates: validates, now: { clock.now })
    var after: Int64 = 0
    while true {
      let page = try store.rejects(selection, onlyPossible: true, after: after, limit: 2)
      guard let last = page.last else { break }
      after = last.id
      try retry.take(page)
    }
    let run = try retry.succeed()
    if let run { #expect(run.streams.allSatisfy { $0.tally.addsUp }) }
    return run?.streams ?? retry.reports
  }

  private func left() throws -> [SetAsideRecord] {
    try harbour.store.rejects(selection, onlyPossible: false, after: 0, limit: 99)
  }

  @Test("those that pass the present schema are stored, the others remain with their new reason")
  func schemaCorrected() throws {
    try harbour.sync(
      Self.strict + Lines.record(#"{"id":1,"w":1}"#) + Lines.record(#"{"id":2, "w": "b"}"#)
        + Lines.record(#"{"id":3,"w":true}"#) + Lines.record(#"{"id":1,"w":"c"}"#)
        + Lines.state("{\"at\":1}"))
    #expect(try retry().first?.tally == StreamTally(received: 3, rejected: 3))
    try harbour.sync(Self.loose + Lines.record(#"{"id":9}"#) + Lines.state("{\"at\":2}"))
    #expect(try retry(isDryRun: true).first?.tally == StreamTally(received: 3, rejected: 1))
    #expect(try left().count == 3)
    #expect(
      try retry().first?.tally == StreamTally(received: 3, added: 1, changed: 1, rejected: 1))
    #expect(
      try harbour.records("s")
        == [#"{"id":1,"w":"c"}"#, #"{"id":2,"w":"b"}"#, #"{"id":9}"#])
    #expect(try left().map(\.line) == [4])
    #expect(try left().first?.reason == "a boolean where integer or string is expected")
    #expect(try harbour.sight().bookmark == "{\"at\":2}")
    // A second time takes nothing twice.
    #expect(try retry().first?.tally == StreamTally(received: 1, rejected: 1))
    #expect(try retry(validates: false).first?.tally == StreamTally(received: 1, added: 1))
    #expect(try left().isEmpty)
    #expect(try harbour.store.check() == [])
  }

  @Test("a record that cannot be read as one remains, whatever is mended")
  func unreadable() throws {
    let records = [#"{"id":2,"n":NaN}"#, #"{"id":3,"w":"\ud800"}"#, "[1]", #"{"w":1}"#]
    try harbour.sync(Lines.schema() + records.map { Lines.record($0) }.joined())
    #expect(
      try retry(validates: false).first?.tally == StreamTally(received: 4, rejected: 4))
    #expect(try left().map(\.data) == records)
  }

  @Test("a record never goes under another key than it was set aside under")
  func otherKey() throws {
    try harbour.sync(
      Self.strict + Lines.record(#"{"id":1,"w":"a","k":7}"#) + Lines.record(#"{"w":"b","k":8}"#))
    // The stream holds nothing yet, so its key may change.
    try harbour.sync(Lines.schema(key: #"["k"]"#) + Lines.record(#"{"k":9}"#))
    #expect(try retry().first?.tally == StreamTally(received: 2, rejected: 2))
    #expect(
      try left().map(\.reason)
        == Array(repeating: "its key is another than when it was set aside", count: 2))
    #expect(try harbour.records("s") == [#"{"k":9}"#])
  }

  @Test("past 16 KiB only the beginning of a record is kept, and it is not taken again")
  func truncated() throws {
    func record(_ id: Int, _ length: Int) -> String {
      let start = "{\"id\":\(id),\"w\":\""
      return start + String(repeating: "x", count: length - start.utf8.count - 2) + "\"}"
    }
    try harbour.sync(
      Self.strict + Lines.record(record(1, 16 << 10)) + Lines.record(record(2, 16 << 10 + 1)))
    #expect(try left().map(\.retry) == [.possible, .truncated])
    #expect(try retry(validates: false).first?.tally == StreamTally(received: 1, added: 1))
    #expect(try harbour.records("s") == [record(1, 16 << 10)])
  }

  @Test("without keys, a run that resumes and one that sends everything again double nothing")
  func keyless() throws {
    let strict = Lines.schema(key: "[]", properties: #"{"w":{"type":"integer"}}"#)
    let bad = Lines.record(#"{"w":"a"}"#) + Lines.record(#"{"w":"a"}"#)
    // It fails behind the records, and the next sends them again.
    let engine = try harbour.engine()
    try engine.take(strict + bad)
    _ = try engine.fail(Job.Failure(code: "x", message: "", kind: "retry"))
    try harbour.sync(strict + bad + Lines.state("{\"offset\":2}"))
    #expect(
      try retry(validates: false).first?.tally == StreamTally(received: 2, added: 2))
    #expect(try harbour.records("s") == [#"{"w":"a"}"#, #"{"w":"a"}"#])
    // Those that were taken again are held: what is sent again is one of them.
    let loose = Lines.schema(key: "[]")
    let again = try harbour.sync(loose + bad, isFull: true)
    #expect(again.streams.first?.tally == StreamTally(received: 2, unchanged: 2))
  }

  @Test("a record key is the same however its numbers are written")
  func keyNumbers() throws {
    let schema = Lines.schema(key: #"["a","b"]"#)
    try harbour.sync(schema + Lines.record(#"{"a":1,"b":2}"#))
    for (a, b) in [("1.0", "2"), ("1", "2e0"), ("10e-1", "2.00")] {
      let run = try harbour.sync(schema + Lines.record("{\"a\":\(a),\"b\":\(b)}"))
      #expect(run.streams.first?.tally.added == 0, "\(a), \(b)")
    }
    let single = Lines.schema("t", key: #"["a"]"#)
    try harbour.sync(single + Lines.record(#"{"a":[1,2]}"#, stream: "t"))
    let other = try harbour.sync(
      single + Lines.record(#"{"a":[1.0,2]}"#, stream: "t")
        + Lines.record(#"{"a":["1",2]}"#, stream: "t"))
    #expect(other.streams.first { $0.stream == "t" }?.tally.added == 1)
    #expect(try harbour.records("t").count == 2)
  }
}
