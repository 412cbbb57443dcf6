import HotglueCore
import Testing

@Suite("JSON")
struct JSONTests {
  @Test(
    "a valid text reads, and writes back byte for byte",
    arguments: [
      "null", "true", "false", "0", "-0", "1.0", "1e5", "-1.25E-7", "\"\"", "\"a\"", "[]", "{}",
      "[1,2,[3]]", "{\"b\":1,\"a\":2}", "{\"a\":1,\"a\":2}", "\"ä€😀\"", "\"\\\"\\\\/\"",
      "123456789012345678901234567890.123456789012345678901234567890", "\"\\u0000\"",
    ])
  func roundTrip(text: String) throws {
    #expect(try JSON.parse(text).text == text)
    #expect(try JSON.parse(JSON.parse(text).prettyText).text == text)
  }

  @Test("white space around values does not matter")
  func whiteSpace() throws {
    #expect(try JSON.parse(" \n\r\t{ \"a\" : [ 1 , 2 ] } \n").text == "{\"a\":[1,2]}")
  }

  @Test("escapes are read, surrogate pairs too")
  func escapes() throws {
    #expect(try JSON.parse(#""\u0041\n\/\ud83d\ude00""#) == .string("A\n/😀"))
  }

  @Test("control characters are written as escapes")
  func controlCharacters() {
    #expect(JSON.string("\u{1b}[31m\u{7f}\u{0}\n").text == #""\u001b[31m\u007f\u0000\n""#)
  }

  @Test(
    "what is not JSON is refused with its place",
    arguments: [
      ("", 1, 1), ("{", 1, 2), ("[1,]", 1, 4), ("{\"a\":1,}", 1, 8), ("{a:1}", 1, 2),
      ("[1 2]", 1, 4), ("01", 1, 2), ("+1", 1, 1), (".5", 1, 1), ("1.", 1, 3), ("1e", 1, 3),
      ("-", 1, 2), ("nul", 1, 1), ("nulll", 1, 5), ("True", 1, 1), ("'a'", 1, 1),
      ("\"a", 1, 3), ("\"\\x\"", 1, 4), ("\"\\u12g4\"", 1, 6), ("\"\\ud800\"", 1, 8),
      ("\"\\ud800\\u0041\"", 1, 14), ("\"\\udc00\"", 1, 8), ("\"a\nb\"", 1, 3),
      ("{\"a\" 1}", 1, 6), ("{\"a\":1 \"b\":2}", 1, 8), ("1 2", 1, 3), ("{\n \"a\": x\n}", 2, 7),
      ("NaN", 1, 1), ("Infinity", 1, 1), ("\u{feff}1", 1, 1), ("// c\n1", 1, 1), ("[1]]", 1, 4),
    ] as [(String, Int, Int)])
  func bad(text: String, line: Int, column: Int) {
    let error = #expect(throws: JSONError.self) { try JSON.parse(text) }
    #expect(error?.line == line, "\(text)")
    #expect(error?.column == column, "\(text)")
  }

  @Test("bytes that are no UTF-8 are refused")
  func badUTF8() {
    for bytes: [UInt8] in [[0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xC0, 0x80], [0xF8, 0x88, 0x80]] {
      #expect(throws: JSONError.self) { try JSON.parse([0x22] + bytes + [0x22]) }
      #expect(throws: JSONError.self) { try JSON.parse([0x22, 0x5C, 0x6E] + bytes + [0x22]) }
    }
  }

  @Test("nesting is bounded, so that hostile input cannot exhaust the stack")
  func nesting() throws {
    func nested(_ depth: Int, _ open: String, _ close: String) -> String {
      String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
    }
    #expect(throws: Never.self) { try JSON.parse(nested(512, "[", "]")) }
    #expect(throws: JSONError.self) { try JSON.parse(nested(513, "[", "]")) }
    #expect(throws: JSONError.self) { try JSON.parse(nested(100_000, "{\"a\":", "}")) }
    #expect(throws: Never.self) {
      try JSON.parse("[" + Array(repeating: "[]", count: 5000).joined(separator: ",") + "]")
    }
  }

  @Test("every prefix and every one-byte change of a text reads or is refused, and never traps")
  func mutations() throws {
    let text = Array(#"{"a":[1,-2.5e3,true,null,"\u00e9\n"],"b":{"c":""}}"#.utf8)
    var accepted = 0
    for length in 0...text.count {
      if (try? JSON.parse(text[..<length])) != nil { accepted += 1 }
    }
    #expect(accepted == 1)
    for index in text.indices {
      for byte in UInt8.min...UInt8.max {
        var changed = text
        changed[index] = byte
        guard let value = try? JSON.parse(changed) else { continue }
        #expect(try JSON.parse(value.text) == value)
      }
    }
  }

  @Test("of repeated members the last one counts")
  func repeatedMembers() throws {
    #expect(try JSON.parse(#"{"a":1,"a":2}"#)["a"] == .integer(2))
  }

  @Test("values mean the same when only the order of members differs")
  func equivalence() throws {
    let left = try JSON.parse(#"{"a":[{"x":1,"y":2}],"b":3}"#)
    #expect(left.isEquivalent(to: try JSON.parse(#"{"b":3,"a":[{"y":2,"x":1}]}"#)))
    #expect(!left.isEquivalent(to: try JSON.parse(#"{"b":3,"a":[{"y":2,"x":2}]}"#)))
    #expect(
      !JSON.array([.integer(1), .integer(2)]).isEquivalent(to: .array([.integer(2), .integer(1)])))
    #expect(left.canonical.text == #"{"a":[{"x":1,"y":2}],"b":3}"#)
  }

  @Test("a letter with two spellings is two letters, also as a key of the canonical form")
  func canonicalKeys() throws {
    let value = JSON.object([
      JSON.Member("e\u{301}", .integer(1)), JSON.Member("\u{e9}", .integer(2)),
    ])
    #expect(value.canonical.members?.count == 2)
    #expect(value.canonical.isEquivalent(to: value))
    #expect(value.canonical.equivalenceForm == value.equivalenceForm)
  }

  @Test(
    "values mean the same however their numbers are spelled, and with every digit",
    arguments: [
      (#"{"a":1.0}"#, #"{"a":1}"#, true), ("[100]", "[1e2]", true), ("-0", "0.00", true),
      ("1.50", "15E-1", true), ("9007199254740993", "9007199254740992", false),
      ("0.1", "0.10000000000000000001", false), ("1", "\"1\"", false), ("0", "false", false),
      (#"{"a":1}"#, #"{"a":1,"b":null}"#, false), (#"{"a":2,"a":1}"#, #"{"a":1.0}"#, true),
      ("1e99999999999", "1e99999999999", true), ("1e99999999999", "1e99999999998", false),
      ("10e9999999998", "1e9999999999", true), ("0.1e-99999999999", "1e-100000000000", true),
      (#""a""#, #""b""#, false), ("[[1],2]", "[1,[2]]", false), (#"["1"]"#, "[1]", false),
    ])
  func numbers(left: String, right: String, isSame: Bool) throws {
    let (left, right) = (try JSON.parse(left), try JSON.parse(right))
    #expect(left.isEquivalent(to: right) == isSame)
    #expect(right.isEquivalent(to: left) == isSame)
    #expect((left.equivalenceForm == right.equivalenceForm) == isSame)
    #expect(left.isEquivalent(to: left, numbersAsWritten: true))
  }

  @Test("where the spelling of numbers counts, another spelling is another value")
  func numbersAsWritten() throws {
    let written = try JSON.parse(#"{"a":[1.0],"b":2}"#)
    for (text, isSame) in [(#"{"b":2,"a":[1.0]}"#, true), (#"{"b":2,"a":[1]}"#, false)] {
      #expect(written.isEquivalent(to: try JSON.parse(text), numbersAsWritten: true) == isSame)
    }
  }

  @Test("two spellings of a letter are two texts, as values and as keys")
  func spellingsOfLetters() throws {
    let (one, two) = ("\u{E9}", "e\u{301}")
    #expect(!JSON.string(one).isEquivalent(to: .string(two)))
    func object(_ key: String) -> JSON { .object([JSON.Member(key, .null)]) }
    #expect(!object(one).isEquivalent(to: object(two)))
    let both = JSON.object([JSON.Member(one, .null), JSON.Member(two, .bool(true))])
    #expect(both.isEquivalent(to: try JSON.parse(both.text)))
  }

  @Test("a number is an integer only where it is exactly one")
  func integers() throws {
    #expect(try JSON.parse("9223372036854775807").integerValue == .max)
    #expect(try JSON.parse("9223372036854775808").integerValue == nil)
    #expect(try JSON.parse("1.0").integerValue == nil)
    #expect(try JSON.parse("\"1\"").integerValue == nil)
  }
}
