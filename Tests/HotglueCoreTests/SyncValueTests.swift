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
