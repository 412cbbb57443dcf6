import Glibc
import HotglueCore
import HotglueSinger
import HotglueStore
import Testing

@Suite("a tap is not trusted")
struct BadInputTests {
  let harbour: Harbour
  static let good = Lines.schema() + Lines.record("{\"id\":1}") + Lines.state("{\"at\":1}")

  init() throws { harbour = try Harbour() }

  @Test("half a line at the end is said to be one; a whole one needs no end")
  func cutOff() throws {
    let line = Lines.record("{\"id\":2}")
    for length in 1..<line.utf8.count - 1 {
      let failure = try harbour.failure(
        Self.good + String(decoding: Array(line.utf8.prefix(length)), as: UTF8.self))
      #expect(failure == .cutOff(line: 4), "after \(length) bytes")
    }
    try harbour.sync(Self.good + String(line.dropLast()))
    #expect(try harbour.records("s").count == 2)
  }

  @Test("a line past the limit fails before it is read whole")
  func tooLong() throws {
    let engine = try harbour.engine { $0.lineLimit = 1 << 20 }
    try engine.take(Self.good)
    let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 64 << 10)
    var taken = 0
    let error = #expect(throws: SyncError.self) {
      while taken < 50 << 20 {
        try engine.take(piece[...])
        taken += piece.count
      }
    }
    #expect(error == .tooLong(line: 4, limit: 1 << 20))
    #expect(taken == 1 << 20)
  }

  @Test("a line of a batch file past the limit is told as that file's")
  func tooLongInBatch() throws {
    let path = harbour.folder.file("batch.jsonl")
    let file = try #require(fopen(path, "we"))
    fputs(#"{"id":2,"w":""# + String(repeating: "x", count: 2 << 20), file)
    fclose(file)
    let failure = try harbour.failure(
      Self.good
        + #"{"type":"BATCH","stream":"s","encoding":{"format":"jsonl"},"manifest":["\#(path)"]}"#
        + "\n"
    ) { $0.lineLimit = 1 << 20 }
    #expect(
      failure == .batchFile(line: 4, path: path, reason: "line 1 is longer than 1 MiB"))
  }

  @Test("a BATCH file must be a regular one: a pipe without a writer does not hang the sync")
  func batchPipe() throws {
    let path = harbour.folder.file("pipe")
    try #require(mkfifo(path, 0o600) == 0)
    for (path, reason) in [
      (path, "it is not a regular file"), ("/dev/null", "it is not a regular file"),
      (harbour.folder.file("none"), "No such file or directory"),
    ] {
      let failure = try harbour.failure(
        Self.good
          + #"{"type":"BATCH","stream":"s","encoding":{"format":"jsonl"},"manifest":["\#(path)"]}"#
          + "\n")
      #expect(failure == .batchFile(line: 4, path: path, reason: reason))
    }
  }

  @Test("a message may be cut anywhere between two reads")
  func pieces() throws {
    let text = Array(try Samples.text("jsonfile/run1.singer").utf8)
    try harbour.sync(Samples.text("jsonfile/run1.singer"))
    let whole = try harbour.sight()
    for size in [1, 7, 100, 1000] {
      let other = try Harbour()
      let engine = try other.engine()
      var place = 0
      while place < text.count {
        let end = min(place + size, text.count)
        try engine.take(text[place..<end])
        place = end
      }
      _ = try engine.succeed()
      #expect(try other.sight() == whole)
    }
  }

  @Test("unknown messages are skipped and counted, types in small letters are known")
  func unknown() throws {
    let run = try harbour.sync(
      Self.good.replacing("RECORD", with: "record") + "{\"type\":\"FOO\"}\n{\"type\":\"FOO\"}\n\n")
    #expect(run.streams.first?.tally.added == 1)
    #expect(run.notes == ["messages of unknown type 'FOO' that were skipped: 2"])
  }

  @Test("numbers keep every digit")
  func numbers() throws {
    let records = [
      #"{"id":9007199254740993,"n":0.1000}"#, #"{"id":9223372036854775808,"n":1E+400}"#,
      #"{"id":123456789012345678901234567890,"n":-0.0}"#, #"{"id":-9223372036854775808}"#,
    ]
    let text = Lines.schema() + records.map { Lines.record($0) }.joined()
    try harbour.sync(text)
    #expect(try Set(harbour.records("s")) == Set(records))
    let again = try harbour.sync(text)
    #expect(again.streams.first?.tally == StreamTally(received: 4, unchanged: 4))
    // One value is one key, however it is spelled.
    let other = try harbour.sync(
      Lines.schema() + Lines.record(#"{"id":9007199254740993.0,"n":1}"#)
        + Lines.record(#"{"id":1.2345678901234567890123456789e29,"n":2}"#))
    #expect(other.streams.first?.tally == StreamTally(received: 2, changed: 2))
  }

  @Test("names of streams with quotes, escapes and emoji are names like others")
  func names() throws {
    let names = ["it's \"quoted\"", "🦊/fox", "a'b\\c", "../../etc", "select"]
    for name in names {
      try harbour.sync(
        Lines.schema(name, properties: #"{"id":{"type":"integer"},"we\"ird":{},"ID":{}}"#)
          + Lines.record("{\"id\":1,\"n\":\(JSON.string(name).text)}", stream: name))
      #expect(try harbour.records(name).count == 1)
    }
    let escaped = "{\"type\":\"RECORD\",\"stream\":\"\\ud83e\\udd8a/fox\",\"record\":{\"id\":2}}\n"
    try harbour.sync(Lines.schema("🦊/fox") + escaped)
    #expect(try harbour.records("🦊/fox").count == 2)
    #expect(try harbour.store.check() == [])
  }

  @Test("a STATE that goes backwards is taken, and noted")
  func backwards() throws {
    func state(_ day: Int) -> String {
      Lines.state(
        "{\"bookmarks\":{\"s\":{\"replication_key_value\":\"2026-01-0\(day)T00:00:00Z\"}}}")
    }
    let run = try harbour.sync(Self.good + state(5) + Lines.record("{\"id\":2}") + state(3))
    #expect(run.notes.first == "the bookmark of stream 's' went backwards")
    #expect(run.notes.count == 1)
    #expect(run.bookmark?.text.contains("2026-01-03") == true)
  }

  @Test("records without a key, or whose key is null, are set aside with reason and line")
  func missingKey() throws {
    let run = try harbour.sync(
      Self.good + Lines.record("{\"w\":1}") + Lines.record("{\"id\":null}")
        + Lines.record("{\"id\":{\"deep\":1}}"))
    #expect(run.streams.first?.tally == StreamTally(received: 4, added: 2, rejected: 2))
    let rejects = try harbour.store.rejects(of: run.id, in: harbour.acme, after: nil, limit: 9)
    #expect(rejects.map(\.line) == [4, 5])
    #expect(rejects.map(\.path) == ["id", "id"])
    #expect(rejects.map(\.reason) == ["the key is missing", "the key is null"])
    #expect(rejects.first?.data == "{\"w\":1}")
  }

  @Test("a record with half of a surrogate pair is set aside, and nothing else is")
  func halves() throws {
    let text =
      Self.good + Lines.record(#"{"id":2,"w":{"l":["x","a\ud800"]}}"#)
      + Lines.record(#"{"id":3,"w":"\ud83e\udd8a"}"#) + Lines.record(#"{"id":4,"\udfff":1}"#)
      + Lines.record(#"{"id":5}"#) + Lines.state("{\"at\":2}")
    let run = try harbour.sync(text)
    #expect(run.streams.first?.tally == StreamTally(received: 5, added: 3, rejected: 2))
    let rejects = try harbour.store.rejects(of: run.id, in: harbour.acme, after: nil, limit: 9)
    #expect(rejects.map(\.line) == [4, 6])
    #expect(rejects.map(\.path) == ["w.l.1", ""])
    #expect(rejects.allSatisfy { $0.reason == "half a surrogate pair" })
    #expect(rejects.last?.data == #"{"id":4,"\udfff":1}"#)
    #expect(try harbour.records("s").count == 3)
    #expect(try harbour.sight().bookmark == "{\"at\":2}")
    #expect(try harbour.failure(text) { $0.rejects = .fail }.code == "rejected")
  }

  @Test("a record that cannot be read as one is set aside, and nothing else is")
  func unreadable() throws {
    let records = [
      #"{"id":2,"n":NaN}"#, #"{"id":3,"n":[1,-Infinity]}"#, #"{"id":4,"n":1}"#, #"{"id":Infinity}"#,
      "[1]", "null", "\"x\"",
    ]
    let run = try harbour.sync(
      Self.good + records.map { Lines.record($0) }.joined() + Lines.state("{\"at\":2}"))
    #expect(run.streams.first?.tally == StreamTally(received: 8, added: 2, rejected: 6))
    let rejects = try harbour.store.rejects(of: run.id, in: harbour.acme, after: nil, limit: 9)
    #expect(rejects.map(\.line) == [4, 5, 7, 8, 9, 10])
    #expect(rejects.map(\.path) == ["n", "n.1", "id", "", "", ""])
    #expect(rejects.first?.reason == "NaN and Infinity are not JSON values")
    #expect(rejects.last?.reason == "the record is not an object")
    #expect(rejects.first?.data == #"{"id":2,"n":NaN}"#)
    #expect(try harbour.sight().bookmark == "{\"at\":2}")
  }

  @Test("a stream that is sent whole keeps what is stored under the key of such a record")
  func halvesOfReplaced() throws {
    let start = Lines.schema() + Lines.activate(1)
    try harbour.sync(
      start + Lines.record("{\"id\":1}") + Lines.record("{\"id\":2}")
        + Lines.record("{\"id\":\"\"}"))
    let next = Lines.schema() + Lines.activate(2) + Lines.record(#"{"id":1,"w":"\ud800"}"#)
    let run = try harbour.sync(next)
    #expect(run.streams.first?.tally == StreamTally(received: 1, rejected: 1, removed: 2))
    #expect(try harbour.records("s") == ["{\"id\":1}"])
    // One whose key cannot be read may be any of them: nothing goes.
    let other = try harbour.sync(
      Lines.schema() + Lines.activate(3) + Lines.record(#"{"id":"\ud800"}"#))
    #expect(other.streams.first?.tally == StreamTally(received: 1, rejected: 1))
    #expect(try harbour.records("s") == ["{\"id\":1}"])
  }

  @Test("a dry run counts a last line that has no end, and tells one that is cut off")
  func countsTheRest() throws {
    func count(_ text: String) throws(SyncError) -> Int64 {
      var counter = MessageCounter()
      let bytes = Array(text.utf8)
      try bytes.withUnsafeBufferPointer { (bytes) throws(SyncError) in try counter.take(bytes) }
      try counter.finish()
      return counter.records
    }
    let text = Self.good + Lines.record("{\"id\":2}")
    #expect(try count(text) == 2)
    #expect(try count(String(text.dropLast())) == 2)
    #expect(throws: SyncError.cutOff(line: 4)) { try count(String(text.dropLast(2))) }
  }

  @Test("rejects fail the run past their bound, or at once")
  func rejectBound() throws {
    let bad = Self.good + Lines.record("{}") + Lines.record("{}")
    #expect(try harbour.failure(bad) { $0.rejects = .fail }.code == "rejected")
    #expect(
      try harbour.failure(bad) { $0.rejects = .setAside(limit: 1) }
        == .tooManyRejects(line: 5, limit: 1))
    #expect(
      try harbour.sync(bad) { $0.rejects = .setAside(limit: 2) }.streams.first?.tally.rejected == 2)
  }

  @Test(
    "a run that fails keeps the records that it had set aside, that which it failed with among them"
  )
  func rejectsOfFailed() throws {
    let bad =
      Self.good + Lines.record("{\"w\":1}") + Lines.record("{\"id\":5}") + Lines.record("{\"w\":2}")
    for (rule, kept) in [(RejectRule.fail, [4]), (.setAside(limit: 1), [4, 6])] {
      let engine = try harbour.engine { $0.rejects = rule }
      #expect(throws: SyncError.self) { try engine.take(bad) }
      let run = try engine.fail(Job.Failure(code: "rejected", message: "", kind: "failed"))
      let rejects = try harbour.store.rejects(of: run.id, in: harbour.acme, after: nil, limit: 9)
      #expect(rejects.map(\.line) == kept.map(Int64.init))
      #expect(run.streams.first?.tally.rejected == Int64(kept.count))
    }
    #expect(try harbour.records("s") == ["{\"id\":1}"])
  }

  @Test(
    "before each publication: most of what a stream received is rejected, and the run fails",
    arguments: [(9, 0, true), (10, 9, true), (10, 8, false), (11, 5, false)])
  func mostlyRejected(_ bad: Int, _ good: Int, _ succeeds: Bool) throws {
    try harbour.sync(Self.good)
    let text =
      Lines.schema() + Lines.record("{\"id\":1}")
      + String(repeating: Lines.record("{}"), count: bad)
      + (0..<good).map { Lines.record("{\"id\":\($0 + 10)}") }.joined() + Lines.state("{\"at\":2}")
    // One good record came before.
    let isJust = bad * 2 <= bad + good + 1 || bad < 10
    #expect(isJust == succeeds)
    guard !succeeds else {
      try harbour.sync(text)
      return
    }
    let engine = try harbour.engine()
    let error = #expect(throws: SyncError.self) { try engine.take(text) }
    #expect(error?.code == "mostly_rejected")
    let run = try engine.fail(
      Job.Failure(code: "mostly_rejected", message: "", kind: "failed"))
    #expect(try harbour.sight().bookmark == "{\"at\":1}", "the bookmark did not move")
    let rejects = try harbour.store.rejects(of: run.id, in: harbour.acme, after: nil, limit: 99)
    #expect(rejects.count == bad)
    // A bound that was given is a decision.
    try harbour.sync(text) { $0.rejects = .setAside(limit: bad) }
    #expect(try harbour.sight().bookmark == "{\"at\":2}")
  }

  @Test("a run whose records are mostly rejected fails at its end, too, without a bookmark")
  func mostlyRejectedAtEnd() throws {
    let text = Lines.schema() + String(repeating: Lines.record("{}"), count: 10)
    #expect(try harbour.failure(text).code == "mostly_rejected")
  }

  @Test(
    "without validation records that break their schema are stored, and keys are required still")
  func unvalidated() throws {
    let text =
      Lines.schema(properties: #"{"n":{"type":"integer"}}"#) + Lines.record(#"{"id":1,"n":"x"}"#)
      + Lines.record("{}")
    let run = try harbour.sync(text) { $0.validates = false }
    #expect(run.streams.first?.tally == StreamTally(received: 2, added: 1, rejected: 1))
  }

  @Test("records that are set aside are stored as they come, however many may be")
  func manyRejects() throws {
    let engine = try harbour.engine { $0.rejects = .setAside(limit: 100_000) }
    try engine.take(Lines.schema() + String(repeating: Lines.record("{}"), count: 3000))
    let run = try #require(
      try harbour.store.syncRuns(
        of: harbour.source.id, in: harbour.acme, before: nil, limit: 1
      ).first)
    var stored = 0
    var after: Int64?
    while true {
      let page = try harbour.store.rejects(of: run.id, in: harbour.acme, after: after, limit: 500)
      stored += page.count
      guard let last = page.last else { break }
      after = last.id
    }
    #expect(stored >= 2500, "of 3000 that came no more than 500 wait in memory")
    #expect(try engine.succeed().streams.first?.tally.rejected == 3000)
  }

  @Test("of records with one key in a run the last counts")
  func duplicates() throws {
    let run = try harbour.sync(
      Lines.schema() + (1...5000).map { Lines.record("{\"id\":\($0 % 7),\"n\":\($0)}") }.joined())
    #expect(run.streams.first?.tally == StreamTally(received: 5000, added: 7, changed: 4993))
    #expect(try harbour.records("s").count == 7)
    #expect(try harbour.records("s").contains("{\"id\":2,\"n\":5000}"))
  }

  @Test("a schema that changes on the way is used from there on, and noted")
  func schemaChange() throws {
    let text =
      Lines.schema(properties: #"{"n":{"type":"integer"}}"#) + Lines.record(#"{"id":1,"n":1}"#)
      + Lines.record(#"{"id":2,"n":"x"}"#)
      + Lines.schema(properties: #"{"n":{"type":["integer","string"]}}"#)
      + Lines.record(#"{"id":2,"n":"x"}"#)
    let run = try harbour.sync(text)
    #expect(run.streams.first?.tally == StreamTally(received: 3, added: 2, rejected: 1))
    #expect(run.notes == ["the schema of stream 's' changed at line 4"])
    let schemas = try harbour.store.schemas(of: harbour.source.id, stream: "s", in: harbour.acme)
    #expect(schemas.map(\.line) == [1, 4])
  }

  @Test("another key fails the run; a full one takes it, and the old records go")
  func keyChange() throws {
    try harbour.sync(Self.good)
    let text = Lines.schema(key: "[\"k\",\"id\"]") + Lines.record("{\"id\":1,\"k\":\"é\"}")
    #expect(try harbour.failure(text).code == "key_changed")
    try harbour.sync(text, isFull: true) { $0.mayChangeKeys = true }
    #expect(try harbour.records("s") == ["{\"id\":1,\"k\":\"é\"}"])
  }

  @Test("a stream that is not selected is skipped and counted")
  func selection() throws {
    let run = try harbour.sync(
      Lines.schema("no") + Lines.record("{\"id\":1}", stream: "no") + Self.good
    ) { $0.resolver = StreamResolver(selection: StreamSelection(patterns: ["s"])) }
    #expect(run.streams.map(\.stream) == ["s"])
    #expect(run.notes == ["messages of stream 'no', which is not selected: 1"])
  }

  @Test("white space between values is of no account")
  func whiteSpace() throws {
    let spaced =
      #"{ "type" : "RECORD", "stream": "s", "record": { "id": 1, "w" : [ 1 , " a \" b " ] } }"#
      + "\t \r\n"
    try harbour.sync(Lines.schema() + spaced)
    #expect(try harbour.records("s") == [#"{"id":1,"w":[1," a \" b "]}"#])
    let again = try harbour.sync(Lines.schema() + Lines.record(#"{"id":1,"w":[1," a \" b "]}"#))
    #expect(again.streams.first?.tally.unchanged == 1)
  }
}
