import Glibc
import HotglueCore
import HotglueSinger
import HotglueStore
import StoreConformance
import Testing

@Suite("a tap's quirk costs a record or a note")
struct QuirkTests {
  let harbour: Harbour
  init() throws { harbour = try Harbour() }

  /// Lines after `good`, and what each costs.
  enum Cost: Equatable {
    /// A record that is set aside.
    case record(String)
    case note(String)
    /// Both: a record may be in it.
    case line(String)
    case nothing
  }

  private static func record(_ record: String, _ more: String = "") -> String {
    "{\"type\":\"RECORD\",\"stream\":\"s\",\"record\":\(record)\(more)}"
  }

  static let quirks: [(String, Cost)] = [
    // Of a record.
    (record(#"{"id":2,"n":01}"#), .record("a number cannot start with 0")),
    (record("{\"id\":2,\"n\":\"a\tb\"}"), .record("control character in a string")),
    (record("{\"id\":2,\"n\":\"a\u{0}b\"}"), .record("control character in a string")),
    (record(#"{"id":nan}"#), .record("unexpected word")),
    (record(#"{"id":2,"n":}"#), .record("unexpected character")),
    (record(#"{"id":2,"n":"a"b"}"#), .record("expected ',' or '}'")),
    (
      record(
        "{\"id\":2,\"n\":" + String(repeating: "[", count: 600)
          + String(repeating: "]", count: 600) + "}"), .record("nested too deeply")
    ),
    (record(#"{"id":2}"#, #","time_extracted":01"#), .record("a number cannot start with 0")),
    (#"{"type":"RECORD","stream":"s"}"#, .record("it has no 'record'")),
    (#"{"type":"RECORD","stream":"s","record":{"id":2"#, .record("expected ',' or '}'")),
    // What is not used of a message may be odd.
    (record(#"{"id":2}"#, #","at":NaN"#), .nothing),
    (record(#"{"id":2}"#, #","at":"\udc00""#), .nothing),
    (record(#"{"id":2}"#, #","version":NaN"#), .nothing),
    // Of a stream that cannot be seen.
    (#"{"type":"RECORD","record":{}}"#, .line("it has no 'stream'")),
    (#"{"type":"RECORD","stream":"\ud800","record":{"id":2}}"#, .line("'stream' cannot be read")),
    (#"{"type":"RECORD""#, .line("expected ',' or '}'")),
    (#"INFO {"type":"RECORD","stream":"s","record":{}}"#, .line("unexpected")),
    (#"{"stream":"s","record":{}}"#, .line("it has no 'type'")),
    // Bookmarks: the one before stays.
    (#"{"type":"STATE"}"#, .note("STATE messages that cannot be read")),
    (#"{"type":"STATE","value":{"at":NaN}}"#, .note("STATE messages that cannot be read")),
    (#"{"type":"STATE","value":"\ud800"}"#, .note("STATE messages that cannot be read")),
    (#"{"type":"STATE","value":{"at":07}}"#, .note("STATE messages that cannot be read")),
    ("{\"type\":\"STATE\",\"value\":\"\u{0}\"}", .note("STATE messages that cannot be read")),
    // Versions.
    (
      #"{"type":"ACTIVATE_VERSION","stream":"s"}"#,
      .note("ACTIVATE_VERSION messages that cannot be read")
    ),
    (
      #"{"type":"ACTIVATE_VERSION","stream":"s","version":NaN}"#,
      .note("ACTIVATE_VERSION messages that cannot be read")
    ),
    // Schemas.
    (#"{"type":"SCHEMA"}"#, .note("SCHEMA messages that cannot be read")),
    (#"{"type":"SCHEMA","stream":"t"}"#, .note("SCHEMA messages of stream 't'")),
    // No messages.
    ("INFO tap started", .note("lines that are not messages, and were skipped: 1")),
    ("[1]", .note("it is not an object")), (#"{"a":1}"#, .note("it has no 'type'")),
    ("{} {}", .line("unexpected text after the value")),
    (#"{"type":"FOO","a":01}"#, .note("lines that are not messages")),
  ]

  @Test(
    "a tap's quirk costs a record or a note, never the source, and nothing else",
    arguments: quirks.indices)
  func quirk(_ index: Int) throws {
    let (line, cost) = Self.quirks[index]
    let run = try harbour.sync(
      BadInputTests.good + line + "\n" + Lines.record("{\"id\":3}") + Lines.state("{\"at\":2}"))
    let tally = try #require(run.streams.first?.tally)
    let rejects = try harbour.store.rejects(of: run.id, in: harbour.acme, after: nil, limit: 9)
    #expect(try harbour.sight().bookmark == "{\"at\":2}")
    switch cost {
    case .record(let reason):
      #expect(tally == StreamTally(received: 3, added: 2, rejected: 1))
      #expect(rejects.map(\.line) == [4])
      #expect(rejects.first?.reason.contains(reason) == true, "\(rejects)")
      #expect(run.notes == [])
    case .note(let text), .line(let text):
      #expect(tally == StreamTally(received: 2, added: 2))
      #expect(run.notes.count == 1 && run.notes[0].contains("line 4"))
      #expect(run.notes[0].contains(text), "\(run.notes)")
    case .nothing:
      #expect(tally == StreamTally(received: 3, added: 3))
      #expect(run.notes == [])
    }
    // A run that takes no rejects fails for what may be one.
    let failing = try Harbour()
    let text = BadInputTests.good + line + "\n"
    switch cost {
    case .record: #expect(try failing.failure(text) { $0.rejects = .fail }.code == "rejected")
    case .line:
      let code = try failing.failure(text) { $0.rejects = .fail }.code
      #expect(["not_json", "not_a_message"].contains(code))
    case .note, .nothing: try failing.sync(text) { $0.rejects = .fail }
    }
  }

  @Test("after a STATE that cannot be read, and none that can, the bookmark before it stays")
  func unreadableState() throws {
    let run = try harbour.sync(
      BadInputTests.good + Lines.record("{\"id\":2}") + Lines.state("{\"at\":09}"))
    #expect(try harbour.sight().bookmark == "{\"at\":1}")
    #expect(run.notes.first?.contains("the bookmark before them stays") == true)
  }

  @Test("lines that may hold a record count against the bound of rejected ones, logs do not")
  func lostLines() throws {
    func text(_ line: String) -> String {
      BadInputTests.good + String(repeating: line + "\n", count: 20)
    }
    #expect(
      try harbour.failure(text("{\"a")) { $0.rejects = .setAside(limit: 19) }
        == .tooManyRejects(line: 23, limit: 19))
    try harbour.sync(text("{\"a")) { $0.rejects = .setAside(limit: 20) }
    let run = try harbour.sync(text("INFO 1 of 2")) { $0.rejects = .setAside(limit: 1) }
    #expect(run.notes.first?.contains("were skipped: 20; the first is line 4") == true)
  }

  @Test("nothing is removed for not having been sent where a line may have held it")
  func lostLineOfReplaced() throws {
    try harbour.sync(Lines.schema() + Lines.activate(1) + Lines.record("{\"id\":1}"))
    for line in ["{\"a", Self.record(#"{"id":01}"#)] {
      let run = try harbour.sync(Lines.schema() + Lines.activate(2) + line + "\n")
      #expect(run.streams.first?.tally.removed == 0)
      #expect(run.notes.contains { $0.contains("keeps records that were not sent") })
    }
    let run = try harbour.sync(Lines.schema() + Lines.activate(3))
    #expect(run.streams.first?.tally.removed == 1)
  }

  @Test(
    "a schema that is nearly JSON is taken without what cannot be read of it",
    arguments: [
      #"{"type":"integer","maximum":NaN}"#, #"{"type":"integer","default":01}"#,
      #"{"type":"integer","title":"\ud800"}"#, "{\"type\":\"integer\",\"title\":\"a\tb\"}",
      #"{"type":"integer","title":"\x"}"#,
      "{\"type\":\"integer\",\"x\":" + String(repeating: "[\"]\",", count: 600) + "0"
        + String(repeating: "]", count: 600) + "}",
    ])
  func repairedSchema(_ property: String) throws {
    let run = try harbour.sync(
      Lines.schema(properties: "{\"n\":\(property)}") + Lines.record(#"{"id":1,"n":5}"#)
        + Lines.record(#"{"id":2,"n":"x"}"#) + Lines.state("{\"at\":1}"))
    #expect(run.streams.first?.tally == StreamTally(received: 2, added: 1, rejected: 1))
    #expect(run.notes.first?.contains("the SCHEMA of stream 's' in line 1 is not JSON") == true)
    #expect(run.streams.first?.stream == "s")
  }

  @Test("after a schema that cannot be read at all the one before it stays")
  func unreadableSchema() throws {
    let broken = #"{"type":"SCHEMA","stream":"s","schema":{"properties":{"id":{"type""# + "\n"
    let run = try harbour.sync(BadInputTests.good + broken + Lines.record("{\"id\":2}"))
    #expect(run.streams.first?.tally == StreamTally(received: 2, added: 2))
    #expect(run.notes.first?.contains("the schema before them stays") == true)
    #expect(
      try harbour.failure(broken + Lines.record("{\"id\":2}"))
        == .recordBeforeSchema(line: 2, stream: "s"))
  }

  @Test("a record with bytes that are not UTF-8 is set aside")
  func invalidUTF8() throws {
    let sequences: [[UInt8]] = [
      [0xFF], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80],
    ]
    for bytes in sequences {
      let engine = try harbour.engine()
      try engine.take(BadInputTests.good)
      let line =
        Array("{\"type\":\"RECORD\",\"stream\":\"s\",\"record\":{\"id\":2,\"w\":\"".utf8) + bytes
        + Array("\"}}\n".utf8)
      try engine.take(line[...])
      let run = try engine.succeed()
      #expect(run.streams.first?.tally.rejected == 1)
      let reject = try #require(
        try harbour.store.rejects(of: run.id, in: harbour.acme, after: nil, limit: 9).first)
      #expect(reject.reason.contains("invalid UTF-8"))
      #expect(reject.data == "{\"id\":2,\"w\":\"\u{FFFD}\"}" || bytes.count > 1)
      // What was kept is not what came.
      #expect(reject.retry == .truncated)
    }
  }

  @Test("a line of a BATCH file that is not JSON is a record that is set aside")
  func lineOfBatch() throws {
    let path = harbour.folder.file("batch.jsonl")
    let file = try #require(fopen(path, "we"))
    fputs("{\"id\":2}\n{\"id\":03}\n{\"id\":4}\n", file)
    fclose(file)
    let run = try harbour.sync(
      BadInputTests.good
        + #"{"type":"BATCH","stream":"s","encoding":{"format":"jsonl"},"manifest":["\#(path)"]}"#
        + "\n")
    #expect(run.streams.first?.tally == StreamTally(received: 4, added: 3, rejected: 1))
    let reject = try harbour.store.rejects(of: run.id, in: harbour.acme, after: nil, limit: 9).first
    #expect(reject?.data == "{\"id\":03}" && reject?.reason.contains("line 2 of") == true)
  }

  @Test("a BATCH that cannot be read fails the run: its records would be lost")
  func unreadableBatch() throws {
    for line in [
      #"{"type":"BATCH","stream":"s"}"#, #"{"type":"BATCH","stream":"s","manifest":[01]}"#,
      #"{"type":"BATCH","stream":"s","manifest":5}"#, #"{"type":"BATCH","manifest":[]}"#,
    ] {
      let code = try harbour.failure(BadInputTests.good + line + "\n").code
      #expect(["not_json", "not_a_message"].contains(code))
    }
    #expect(try harbour.sight().bookmark == "{\"at\":1}")
  }

  @Test("on the way to a target a record goes as it came, and what cannot be read costs a note")
  func relay() throws {
    let session = try harbour.store.beginDelivery(
      SyncRequest(workspace: harbour.acme, source: harbour.source.id, attempt: nil),
      into: ["target"], by: StoreFixture.alice, at: harbour.clock.now)
    var options = RelayOptions()
    options.rejects = .setAside(limit: 1)
    var sent: [UInt8] = []
    let relay = TargetRelay(
      session: session, options: options, now: { [clock = harbour.clock] in clock.now },
      send: { sent += $0 })
    func take(_ text: String) throws(SyncError) {
      let bytes = Array(text.utf8)
      try bytes.withUnsafeBufferPointer { (bytes) throws(SyncError) in try relay.take(ofTap: bytes)
      }
    }
    let odd = Self.record(#"{"id":01}"#) + "\n"
    let left = [
      "INFO log", #"{"type":"STATE","value":{"at":02}}"#, #"{"type":"STATE"}"#,
      #"{"type":"SCHEMA"}"#,
      #"{"type":"ACTIVATE_VERSION","stream":"s"}"#, "{\"a",
    ]
    try take(
      BadInputTests.good + odd + left.map { $0 + "\n" }.joined() + Lines.record("{\"id\":3}"))
    #expect(
      String(decoding: sent, as: UTF8.self) == BadInputTests.good + odd + Lines.record("{\"id\":3}")
    )
    #expect(throws: SyncError.tooManyRejects(line: 12, limit: 1)) { try take("{\"b\n") }
    let run = try relay.fail(Job.Failure(code: "x", message: "", kind: "failed"))
    #expect(run.streams.first?.tally.received == 3)
    #expect(run.notes.count == 5, "\(run.notes)")
  }

  @Test("a trial notes what a sync would note, and counts records that can be read")
  func trial() throws {
    var counter = MessageCounter()
    let text =
      BadInputTests.good + Self.record(#"{"id":01}"#) + "\nINFO log\n" + Lines.record("{\"id\":3}")
    let bytes = Array(text.utf8)
    try bytes.withUnsafeBufferPointer { (bytes) throws(SyncError) in try counter.take(bytes) }
    try counter.finish()
    #expect(counter.records == 2)
    #expect(counter.notes.count == 2 && counter.notes[0].contains("RECORD messages of stream 's'"))
  }
}
