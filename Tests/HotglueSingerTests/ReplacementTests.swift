import HotglueCore
import HotglueSinger
import HotglueStore
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
    try engine.take(run(2, [1, 2, 11]) + Lines.state("{\"a\":1}"))
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
}
