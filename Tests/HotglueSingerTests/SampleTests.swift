import HotglueCore
import HotglueSinger
import HotglueStore
import Testing

@Suite("output of real taps")
struct SampleTests {
  struct Expected: Sendable {
    var sample: String
    var stream: String
    var received: Int64
    var bookmark: String?
  }

  static let samples = [
    Expected(sample: "jsonl/run1.singer", stream: "contacts", received: 1200),
    Expected(sample: "csv-folder/run1.singer", stream: "orders", received: 300),
    Expected(sample: "jsonfile/run1.singer", stream: "stock", received: 20),
    Expected(sample: "dbf/run1.singer", stream: "places", received: 50),
    Expected(sample: "activate-version/run1.singer", stream: "stock", received: 20),
    Expected(sample: "activate-version/dbf.singer", stream: "places", received: 50),
    Expected(sample: "sdk-own/unsorted-resume.singer", stream: "contacts", received: 1203),
  ]

  @Test("a sample is taken in whole, and again it changes nothing", arguments: samples)
  func whole(_ expected: Expected) throws {
    let harbour = try Harbour()
    let text = try Samples.text(expected.sample)
    let first = try harbour.sync(text)
    let tally = try #require(first.streams.first)
    #expect(tally.stream == expected.stream)
    #expect(tally.tally == StreamTally(received: expected.received, added: expected.received))
    let sight = try harbour.sight()
    let second = try harbour.sync(text)
    #expect(
      second.streams.first?.tally
        == StreamTally(received: expected.received, unchanged: expected.received))
    #expect(try harbour.sight() == sight)
    #expect(try harbour.store.check() == [])
    // Each record lies in the line it came in, byte for byte.
    let records = sight.streams[expected.stream] ?? []
    #expect(records.count == Int(expected.received))
    #expect(records.allSatisfy { text.contains($0) })
  }

  @Test("a run without a STATE at its end keeps what the STATE at its beginning said")
  func stateFirst() throws {
    let harbour = try Harbour()
    try harbour.sync(Samples.text("jsonl/run1.singer"))
    let bookmark = try harbour.sight().bookmark
    #expect(bookmark?.contains("2026-11-22T13:07:27") == true)
    let run = try harbour.sync(Samples.text("jsonl/run2-nochange.singer"))
    #expect(run.streams.first?.tally == StreamTally(received: 1200, unchanged: 1200))
    #expect(try harbour.sight().bookmark == bookmark)
  }

  @Test("an empty bookmark never replaces a filled one")
  func emptyBookmark() throws {
    let harbour = try Harbour()
    try harbour.sync(Samples.text("csv-folder/run2.singer"))
    let bookmark = try #require(try harbour.sight().bookmark)
    let engine = try harbour.engine()
    // The tap's first line is `STATE {}`; then it dies.
    try engine.take(Samples.text("csv-folder/run1.singer").prefix(5000).description)
    #expect(try harbour.sight().bookmark == bookmark)
    _ = try engine.fail(Job.Failure(code: "tap", message: "", kind: "retry"))
    #expect(try harbour.sight().bookmark == bookmark)
  }

  @Test("a full run starts without a bookmark, and keeps the old one until it has another")
  func full() throws {
    let harbour = try Harbour()
    try harbour.sync(Lines.schema() + Lines.record("{\"id\":1}") + Lines.state("{\"at\":1}"))
    let run = try harbour.sync(
      Lines.state("{}") + Lines.schema() + Lines.record("{\"id\":2}"), isFull: true)
    #expect(run.given == nil)
    #expect(try harbour.sight().bookmark == "{\"at\":1}")
  }

  @Test("what comes after the last STATE is taken, with the bookmark before it")
  func multi() throws {
    let harbour = try Harbour()
    let run = try harbour.sync(Samples.text("multi.singer"))
    #expect(run.streams.first?.tally == StreamTally(received: 3, added: 2, changed: 1))
    #expect(try harbour.records("a") == ["{\"id\":1,\"m\":9}", "{\"id\":2,\"m\":1}"])
    #expect(try harbour.sight().bookmark == "{\"a\":2}")
  }

  @Test("a tap that died resumes where its last STATE was, and ties add nothing")
  func resume() throws {
    let harbour = try Harbour()
    let engine = try harbour.engine()
    try engine.take(Samples.text("sdk-own/sorted-die450.singer"))
    let died = try engine.fail(Job.Failure(code: "tap", message: "status 1", kind: "retry"))
    #expect(died.state == .failed)
    #expect(try harbour.records("contacts").count == 400)
    let resumed = try harbour.sync(Samples.text("sdk-own/sorted-resume.singer"))
    #expect(resumed.given?.text.contains("2026-01-13T12:09:00Z") == true)
    #expect(resumed.streams.first?.tally.unchanged == 1)
    let whole = try Harbour()
    try whole.sync(Samples.text("sdk-own/unsorted-resume.singer"))
    #expect(try harbour.records("contacts") == whole.records("contacts"))
    let ties = try harbour.sync(Samples.text("sdk-own/nochange.singer"))
    #expect(ties.streams.first?.tally == StreamTally(received: 3, unchanged: 3))
  }

  @Test("a BATCH message's files are taken in, compressed or not")
  func batch() throws {
    let harbour = try Harbour()
    let path = Samples.folder + "/batch/places.json.gz"
    let text = try Samples.text("batch/run1.singer").split(separator: "\n").map { line in
      guard line.contains("BATCH") else { return String(line) }
      return "{\"type\":\"BATCH\",\"stream\":\"places\",\"encoding\":{\"format\":\"jsonl\","
        + "\"compression\":\"gzip\"},\"manifest\":[\"file://\(path)\"]}"
    }.joined(separator: "\n")
    let run = try harbour.sync(text + "\n")
    #expect(run.streams.first?.tally == StreamTally(received: 50, added: 50))
    let same = try Harbour()
    try same.sync(Samples.text("dbf/run1.singer"))
    #expect(try harbour.records("places").count == same.records("places").count)
  }

  @Test("a BATCH file that is missing or elsewhere fails the run with its name")
  func badBatch() throws {
    let harbour = try Harbour()
    for url in ["file:///nowhere/x.gz", "s3://bucket/x.gz", "file://host/x", "file:///%zz"] {
      let failure = try harbour.failure(
        Lines.schema()
          + "{\"type\":\"BATCH\",\"stream\":\"s\",\"encoding\":{\"format\":\"jsonl\"},"
          + "\"manifest\":[\"\(url)\"]}\n")
      guard case .batchFile(2, url, _) = failure else {
        Issue.record("\(url): \(failure)")
        continue
      }
    }
  }
}
