import HotglueCore
import Testing

@Suite("values of syncs")
struct SyncValueTests {
  @Test("one value of a number is one value, however it is spelled")
  func spelling() throws {
    for (left, right) in [
      ("1.50", "15e-1"), ("0", "-0.000"), ("1E3", "1000"), ("100e-2", "1"), ("-1.0", "-1"),
    ] {
      #expect(ExactDecimal(left.utf8) == ExactDecimal(right.utf8), "\(left) and \(right)")
    }
    #expect(ExactDecimal("9007199254740993".utf8) != ExactDecimal("9007199254740992".utf8))
    #expect(ExactDecimal("x".utf8) == nil)
    #expect(ExactDecimal("".utf8) == nil)
    #expect(ExactDecimal("-9223372036854775808".utf8)?.integer == .min)
    #expect(ExactDecimal("9223372036854775808".utf8)?.integer == nil)
    #expect(ExactDecimal("92e2".utf8)?.integer == 9200)
  }

  @Test("numbers are in their order, at any size")
  func order() throws {
    let texts = [
      "-1e40", "-2", "-1.5", "-1e-9", "0", "1e-9", "0.1", "1", "1.01", "9", "10", "1e40",
    ]
    let values = try texts.map { try #require(ExactDecimal($0.utf8)) }
    #expect(values.shuffled().sorted() == values)
  }

  @Test("multiples are exact")
  func multiples() throws {
    func isMultiple(_ value: String, _ divisor: String) throws -> Bool? {
      try #require(ExactDecimal(value.utf8)).isMultiple(
        of: try #require(ExactDecimal(divisor.utf8)))
    }
    #expect(try isMultiple("0.3", "0.1") == true)
    #expect(try isMultiple("19.99", "0.01") == true)
    #expect(try isMultiple("0.35", "0.1") == false)
    #expect(try isMultiple("12345678901234567890123456789", "3") == true)
    #expect(try isMultiple("1e300", "7") == false)
    #expect(try isMultiple("0", "7") == true)
    #expect(try isMultiple("1", "0") == nil)
  }

  @Test("an empty bookmark never replaces a filled one")
  func emptyBookmark() throws {
    let filled = Bookmark(text: "{\"a\":1}")
    for text in ["{}", "null", "[]", "{\"bookmarks\":{\"a\":{},\"b\":null}}"] {
      #expect(Bookmark.after(try JSON.parse(text), current: filled) == filled, "\(text)")
    }
    #expect(Bookmark.after(try JSON.parse("{}"), current: nil)?.text == "{}")
    #expect(Bookmark.after(try JSON.parse("{\"a\":0}"), current: filled)?.text == "{\"a\":0}")
  }

  @Test("what a bookmark says of a stream without keys")
  func places() throws {
    func place(_ bookmark: String, _ property: String? = nil) throws -> ReplicationPlace {
      let part = BookmarkPart(of: try JSON.parse(bookmark), names: ["s"], others: ["t"])
      return ReplicationPlace(part, property: property, properties: ["at", "name"])
    }
    for text in [
      "null", "{}", #"{"bookmarks":{"t":{"at":1}}}"#, #"{"bookmarks":{"s":{}}}"#,
      #"{"bookmarks":{"s":{"version":3}}}"#, #"{"bookmarks":{"s":{"hash":"7e"}}}"#,
    ] {
      #expect(try place(text) == .beginning, "\(text)")
    }
    #expect(
      try place(#"{"bookmarks":{"s":{"progress_markers":{"n":1}}}}"#, "at") == .beginning)
    for text in [
      #"{"bookmarks":{"s":{"replication_key":"at","replication_key_value":5}}}"#,
      #"{"bookmarks":{"s":{"at":5}}}"#, #"{"s":{"at":5}}"#, #"{"at":5}"#,
    ] {
      #expect(try place(text) == .value(.number("5"), property: "at"), "\(text)")
      #expect(try place(text, "at") == .value(.number("5"), property: "at"), "\(text)")
    }
    guard case .position = try place(#"{"bookmarks":{"s":{"lsn":5}}}"#),
      case .position = try place(#"{"since":"2026-01-01T00:00:00Z"}"#)
    else {
      Issue.record("an offset and a time are places")
      return
    }
  }

  @Test(
    "whether one value comes after another: numbers, times, texts by their bytes",
    arguments: [
      ("9", "10", true), ("1.5", "1.50", true), ("10", "9", false), (#""a""#, #""b""#, true),
      (#""b""#, #""a""#, false), (#""9""#, #""10""#, false), (#""10""#, #""9""#, false),
      (#""8""#, #""9""#, true), (#""2026-01-01T00:00:00Z""#, #""2026-01-01T00:00:00+00:00""#, true),
      (#""2026-01-01T00:00:00.000900Z""#, #""2026-01-01T00:00:00.0001Z""#, false),
      (#""2026-01-01T00:00:00.0001Z""#, #""2026-01-01T00:00:00.000900Z""#, true),
    ])
  func ascending(_ last: String, _ next: String, _ isAscending: Bool) throws {
    #expect(
      ReplicationOrder.isAscending(from: try JSON.parse(last), to: try JSON.parse(next))
        == isAscending)
  }

  @Test("a bookmark names a place in a stream when its own entry holds a value that may be one")
  func namedPlaces() throws {
    func names(_ bookmark: String) throws -> Bool {
      BookmarkPart(of: try JSON.parse(bookmark), names: ["s"], others: ["t"])?.namesPlace == true
    }
    for text in [
      "{}", #"{"t":99}"#, #"{"t":{"since":99}}"#, #"{"state":{"t":{"at":1}}}"#,
      #"{"bookmarks":{"t":{"at":1}}}"#, #"{"bookmarks":{"u":{"at":1}}}"#,
      #"{"s":{"xmin":null}}"#, #"{"s":{"last_replication_method":"INCREMENTAL"}}"#,
      #"{"s":{"mode":"FULL_TABLE","done":true,"version":5}}"#, #"{"currently_syncing":"s"}"#,
    ] {
      #expect(try !names(text), "\(text)")
    }
    for text in [
      #"{"s":99}"#, #"{"s":{"since":99}}"#, #"{"state":{"s":{"at":1}}}"#, #"{"offset":5}"#,
      #"{"bookmarks":{"s":{"hash":"7e"}}}"#, #"{"s":{"xmin":"999"}}"#,
    ] {
      #expect(try names(text), "\(text)")
    }
  }

  @Test("a record is before its bookmark, or not; what cannot be compared is")
  func beforeBookmark() {
    func isBefore(_ value: JSON?, _ bound: JSON) -> Bool {
      ReplicationPlace.value(bound, property: "at").isAfter(value)
    }
    #expect(isBefore(.number("9007199254740992"), .number("9007199254740993")))
    #expect(!isBefore(.number("5.0"), .number("5")))
    #expect(!isBefore(.string("2026-01-01T02:00:00+02:00"), .string("2026-01-01T00:00:00Z")))
    #expect(isBefore(.string("2025-12-31"), .string("2026-01-01")))
    #expect(!isBefore(.string("2026-01-02"), .string("2026-01-01")))
    #expect(isBefore(nil, .number("5")) && isBefore(.null, .number("5")))
    #expect(isBefore(.string("5"), .number("5")))
  }

  @Test("a definition of a source is read as it was written")
  func definition() throws {
    var source = SourceDefinition(command: ["tap", "é"], directory: "/srv")
    source.keys = ["b": ["x"], "a": []]
    source.rejects = .fail
    source.idleTimeout = .seconds(90)
    source.catalog = .object([])
    #expect(SourceDefinition(json: source.json) == source)
    #expect(RejectRule("0") == .setAside(limit: 0))
    #expect(RejectRule("-1") == nil)
    #expect(RejectRule("soon") == nil)
  }
}
