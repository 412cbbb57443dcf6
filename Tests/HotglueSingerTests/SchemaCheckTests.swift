import HotglueCore
import Testing

@testable import HotglueSinger

@Suite("schemas and lines")
struct SchemaCheckTests {
  /// The flaw of a value under a schema, as `path: reason`; `nil` for a good one.
  private func flaw(_ schema: String, _ value: String) throws -> String? {
    let node = SchemaNode.read(try JSON.parse(schema)).node
    var tape = JSONTape()
    let bytes = Array(value.utf8)
    return try bytes.withUnsafeBufferPointer { bytes in
      try tape.scan(bytes)
      var check = RecordCheck()
      do throws(RecordFlaw) {
        try check.check(0, of: tape, against: node)
        return nil
      } catch {
        return error.place + ": " + error.reason
      }
    }
  }

  @Test(
    "alternatives within alternatives end at the budget of steps, and the next record is checked anew",
    arguments: ["oneOf", "anyOf", "allOf"])
  func steps(word: String) throws {
    var definitions = [#""l0":{"type":"integer","minimum":0}"#]
    for level in 1..<30 {
      let below = ##"{"$ref":"#/definitions/l\##(level - 1)"}"##
      let other = word == "anyOf" ? below : #"{"not":\#(below)}"#
      definitions.append(#""l\#(level)":{"\#(word)":[\#(below),\#(other)]}"#)
    }
    let schema =
      ##"{"definitions":{\##(definitions.joined(separator: ","))},"properties":{"##
      + ##""v":{"$ref":"#/definitions/l29"},"n":{"type":"integer"}}}"##
    let node = SchemaNode.read(try JSON.parse(schema)).node
    var check = RecordCheck()
    func flaw(_ value: String) throws -> String? {
      var tape = JSONTape()
      let bytes = Array(value.utf8)
      return try bytes.withUnsafeBufferPointer { bytes in
        try tape.scan(bytes)
        check.startOver()
        do throws(RecordFlaw) {
          try check.check(0, of: tape, against: node)
          return nil
        } catch {
          return error.place + ": " + error.reason
        }
      }
    }
    if word != "allOf" {
      #expect(try flaw(#"{"v":"x"}"#) == "v: the check against the schema takes too many steps")
    } else {
      #expect(try flaw(#"{"v":"x"}"#) != nil)
    }
    #expect(try flaw(#"{"n":1}"#) == nil)
  }

  @Test("one of many values is found by what it means")
  func manyChoices() throws {
    let texts = (0..<50_000).map { "\"value \($0)\"" }.joined(separator: ",")
    let schema = #"{"items":{"enum":[1.0,{"a":[1,2e1],"b":null},"é",\#(texts)]}}"#
    let good = #"[1,1e0,{"b":null,"a":[1.0,20]},"\u00e9","value 49999","value\u0020 7"]"#
    #expect(try flaw(schema, good.replacing("\\u0020 ", with: "\\u0020")) == nil)
    for bad in [#"["value 50000"]"#, "[2]", #"["1"]"#, #"[{"a":[1,20]}]"#] {
      #expect(try flaw(schema, bad) == "0: not one of the values that are allowed")
    }
  }

  @Test(
    "what a schema allows",
    arguments: [
      ("{}", #"{"a":1}"#), ("true", "1"), (#"{"type":["null","string"]}"#, "null"),
      (#"{"type":"integer"}"#, "1.0"), (#"{"type":"integer"}"#, "12345678901234567890123"),
      (#"{"type":"number"}"#, "1"), (#"{"type":"object","required":["a"]}"#, #"{"a":null}"#),
      (#"{"properties":{"a":{"properties":{"b":{"type":"string"}}}}}"#, #"{"a":{"b":"x"}}"#),
      (#"{"items":{"type":"integer"}}"#, "[1,2]"), (#"{"enum":["a",1.0,null]}"#, "1"),
      (#"{"const":{"a":[1]}}"#, #"{"a":[1]}"#), (#"{"maxLength":2}"#, #""🦊é""#),
      (#"{"maxLength":2}"#, #""\u00e9\ud83e\udd8a""#), (#"{"multipleOf":0.01}"#, "19.99"),
      (#"{"multipleOf":1e-38,"maximum":1e62,"exclusiveMaximum":true}"#, "1.5"),
      (#"{"minimum":9007199254740993}"#, "9007199254740993"),
      (#"{"anyOf":[{"type":"null"},{"type":"string","format":"date-time"}]}"#, #""x""#),
      (#"{"oneOf":[{"type":"string"},{"type":["integer","null"]}]}"#, #""x""#),
      (
        #"{"oneOf":[{"type":"string","format":"date-time"},{"type":"string","title":"t"}]}"#,
        #""2026-01-01T00:00:00Z""#
      ), (#"{"not":{"type":"null"}}"#, "1"), (#"{"minProperties":1}"#, #"{"a":1}"#),
      (
        ##"{"definitions":{"a/b":{"type":"integer"}},"items":{"$ref":"#/definitions/a~1b"}}"##,
        "[1]"
      ),
      (
        ##"{"properties":{"child":{"$ref":"#"},"n":{"type":"integer"}}}"##,
        #"{"n":1,"child":{"n":2,"child":{"n":3}}}"#
      ), (##"{"$ref":"http://elsewhere/schema"}"##, "1"), (##"{"$ref":"#/nowhere"}"##, "1"),
      (#"{"patternProperties":{"^x":{}},"additionalProperties":false}"#, #"{"xa":1}"#),
      (#"{"additionalProperties":false,"properties":{"a":{}}}"#, #"{"a":1}"#),
      (#"{"properties":{"a":{"type":"string","format":"date"}}}"#, #"{"a":"soon"}"#),
      (#"{"pattern":"^x$"}"#, #""y""#),
      (#"{"properties":{"é":{"type":"null"}}}"#, #"{"\u00e9":null}"#),
    ])
  func allowed(_ schema: String, _ value: String) throws {
    #expect(try flaw(schema, value) == nil)
  }

  @Test(
    "what a schema refuses, where and why",
    arguments: [
      (#"{"type":["null","string"]}"#, "1", ": an integer where null or string is expected"),
      (#"{"type":"integer"}"#, "1.5", ": a number where integer is expected"),
      (
        #"{"properties":{"a":{"properties":{"b":{"type":"string"}}}}}"#, #"{"a":{"b":1}}"#,
        "a.b: an integer where string is expected"
      ),
      (
        #"{"properties":{"l":{"items":{"type":"integer"}}}}"#, #"{"l":[1,"x"]}"#,
        "l.1: a string where integer is expected"
      ),
      (#"{"required":["a","b"]}"#, #"{"a":1}"#, "b: a required property is missing"),
      (
        #"{"additionalProperties":false,"properties":{"a":{}}}"#, #"{"a":1,"b":2}"#,
        "b: the schema has no such property"
      ),
      (
        #"{"additionalProperties":{"type":"string"}}"#, #"{"b":2}"#,
        "b: an integer where string is expected"
      ),
      (#"{"enum":["a"]}"#, #""b""#, ": not one of the values that are allowed"),
      (#"{"const":1}"#, "2", ": not one of the values that are allowed"),
      (#"{"maxLength":2}"#, #""abc""#, ": 3 characters, and at most 2 are allowed"),
      (#"{"minLength":2}"#, #""a""#, ": 1 characters, and at least 2 are expected"),
      (#"{"multipleOf":0.01}"#, "19.999", ": not a multiple of 1e-2"),
      (
        #"{"minimum":9007199254740993}"#, "9007199254740992",
        ": below the minimum 9007199254740993"
      ),
      (#"{"exclusiveMaximum":1}"#, "1.000", ": above the maximum 1"),
      (#"{"maxItems":1}"#, "[1,2]", ": a list of 2, which is too long"),
      (
        #"{"anyOf":[{"type":"null"},{"type":"string"}]}"#, "1",
        ": fits none of the alternatives: an integer where null is expected"
      ),
      (
        #"{"oneOf":[{"type":"string"},{"type":["string","null"]}]}"#, #""x""#,
        ": fits more than one of the alternatives, of which it may fit one"
      ),
      (
        #"{"oneOf":[{"const":1},{"const":2}]}"#, "3",
        ": fits none of the alternatives: not one of the values that are allowed"
      ), (#"{"not":{"type":"null"}}"#, "null", ": fits what it must not fit"),
      (#"{"maxProperties":1}"#, #"{"a":1,"b":2}"#, ": 2 properties, which are too many"),
      (
        ##"{"$defs":{"n":{"type":"integer"}},"properties":{"a":{"$ref":"#/$defs/n"}}}"##,
        #"{"a":"x"}"#, "a: a string where integer is expected"
      ),
      (
        ##"{"properties":{"child":{"$ref":"#"},"n":{"type":"integer"}}}"##,
        #"{"child":{"child":{"n":"x"}}}"#, "child.child.n: a string where integer is expected"
      ),
      (
        ##"{"$defs":{"n":{"minimum":2}},"type":"integer","$ref":"#/$defs/n"}"##, "1",
        ": below the minimum 2"
      ),
      (
        ##"{"anyOf":[{"$ref":"#"},{"$ref":"#"}]}"##, "1",
        ": the schema refers to itself without end"
      ),
      (#"{"allOf":[{"type":"integer"},{"minimum":3}]}"#, "2", ": below the minimum 3"),
      ("false", "1", ": an integer where  is expected"),
      (
        #"{"properties":{"é":{"type":"null"}}}"#, #"{"\u00e9":1}"#,
        "é: an integer where null is expected"
      ),
    ])
  func refused(_ schema: String, _ value: String, _ flaw: String) throws {
    #expect(try self.flaw(schema, value) == flaw)
  }

  @Test(
    "a word of a schema that is not understood is unchecked, with the path of its property",
    arguments: [
      (
        #"{"properties":{"name":{"type":["null","string"],"maxLength":-1}}}"#, "name (maxLength -1)"
      ),
      (#"{"properties":{"at":{"type":["null","date-time"]}}}"#, #"at (type ["null","date-time"])"#),
      (#"{"properties":{"at":{"type":[null,"string"]}}}"#, #"at (type [null,"string"])"#),
      (
        #"{"properties":{"l":{"items":{"properties":{"n":{"type":"decimal"}}}}}}"#,
        #"l.*.n (type "decimal")"#
      ),
      (#"{"properties":{"a":{"minLength":3,"maxLength":2}}}"#, "a (minLength above maxLength)"),
      (#"{"properties":{"a":"string"}}"#, #"a (the schema "string")"#),
      (#"{"properties":{"a":{"required":true}}}"#, "a (required true)"),
      (#"{"properties":{"a":{"multipleOf":0}}}"#, "a (multipleOf 0)"),
      (#"{"properties":{"a":{"minimum":"1"}}}"#, #"a (minimum "1")"#),
      (#"{"properties":{"a":{"enum":"x"}}}"#, #"a (enum "x")"#),
      (#"{"properties":{"a":{"not":{"type":"varchar"}}}}"#, #"a (type "varchar")"#),
      (
        #"{"properties":{"a":{"oneOf":[{"type":"varchar"},{"type":"string"}]}}}"#,
        #"a (type "varchar")"#
      ),
      (#"{"properties":[]}"#, "the record (properties [])"), ("7", "the record (the schema 7)"),
    ])
  func oddWords(_ schema: String, _ oddity: String) throws {
    #expect(SchemaNode.read(try JSON.parse(schema)).oddities == [oddity])
    // Every record is taken: what is not understood refuses nothing.
    #expect(try flaw(schema, #"{"name":"long","at":"x","l":[{"n":1}],"a":"text"}"#) == nil)
  }

  @Test("a schema that says nothing by a word, null, says nothing odd")
  func nullWords() throws {
    let schema =
      #"{"type":"object","properties":{"a":{"type":"string","maxLength":null,"items":null}}}"#
    #expect(SchemaNode.read(try JSON.parse(schema)).oddities == [])
    #expect(try flaw(schema, #"{"a":1}"#) != nil)
  }

  @Test("an odd word in a schema never stops a source: the record is stored and the run says so")
  func oddWordInSync() throws {
    let harbour = try Harbour()
    let run = try harbour.sync(
      Lines.schema(properties: #"{"name":{"type":["null","string"],"maxLength":-1}}"#)
        + Lines.record(#"{"id":1,"name":"x"}"#))
    #expect(run.streams.first?.tally == StreamTally(received: 1, added: 1))
    #expect(
      run.notes == [
        "the schema of stream 's' is unchecked where it is not understood: name (maxLength -1)"
      ])
  }

  @Test("what a schema says beyond what is checked is counted, with its place")
  func uncheckedWords() throws {
    let harbour = try Harbour()
    let run = try harbour.sync(
      Lines.schema(
        properties: #"""
          {"a":{"type":"string","pattern":"^x"},
           "o":{"type":"object","properties":{"l":{"type":"array","uniqueItems":true}}},
           "d":{"anyOf":[{"type":"null"},{"type":"string","format":"date-time"}]}}
          """#.replacing("\n", with: ""))
        + Lines.record(#"{"id":1,"a":"y","o":{"l":[1,1]},"d":"soon"}"#)
        + Lines.record(#"{"id":2,"a":"y","d":null}"#))
    #expect(
      run.notes == [
        "values that are not of their declared format in stream 's', d (date-time): 1",
        "values of which the schema says more than is checked in stream 's', a (pattern): 2",
        "values of which the schema says more than is checked in stream 's', o.l (uniqueItems): 1",
      ])
  }

  @Test(
    "formats are looked at and never refused",
    arguments: [
      (TextFormat.dateTime, "1969-12-31T23:59:59Z", true),
      (.dateTime, "2024-02-29T00:00:00.123456+05:30", true), (.dateTime, "2026-01-02", false),
      (.dateTime, "2023-02-29T00:00:00Z", false), (.dateTime, "0001-01-01 00:00:00", true),
      (.date, "2026-13-01", false), (.date, "1600-02-29", true), (.time, "24:00:00", false),
      (.time, "23:59:60Z", true), (.uuid, "123e4567-e89b-12d3-a456-426614174000", true),
      (.uuid, "123e4567", false), (.email, "a@b", true),
    ])
  func formats(_ format: TextFormat, _ text: String, _ isGood: Bool) {
    let bytes = Array(text.utf8)
    #expect(bytes.withUnsafeBufferPointer { format.accepts($0) } == isGood)
  }

  @Test(
    "half of a surrogate pair is told, and where it lies",
    arguments: [
      (#"{"a":{"l":["x","-\ud800"]}}"#, ["a", "l", "1"]), (#"{"a":"\udc00"}"#, ["a"]),
      (#"{"a":"\ud83e\u0041","b":"\ud83e\udd8a"}"#, ["a"]), (#"{"b":{"\uDbff":1}}"#, ["b"]),
      (#"{"a":1,"b":"\ud800\ud800\udc00"}"#, ["b"]), (#""\udfff""#, []),
      (#"[{},[],"\ud800\n"]"#, ["2"]),
    ])
  func halves(_ text: String, _ path: [String]) throws {
    var tape = JSONTape()
    let bytes = Array(text.utf8)
    try bytes.withUnsafeBufferPointer { bytes in
      try tape.scan(bytes)
      let found = tape.halves.map { tape.path(to: $0.lowerBound, in: 0) }
      #expect(found == path)
      let isTold = tape.oddity(in: tape[0])?.reason == Message.halfReason
      #expect(isTold)
    }
    let whole = Array(#"{"a":"\ud83e\udd8a"}"#.utf8)
    try whole.withUnsafeBufferPointer { try tape.scan($0) }
    let isWhole = tape.oddity == nil
    #expect(isWhole)
  }

  @Test("the tape takes exactly what the reader takes", arguments: [UInt64](1...4))
  func sameAsReader(seed: UInt64) {
    var random = Seeded(seed)
    let seeds = [
      #"{"a":[1,-2.5e+3,true,false,null],"b":{"c":"x\n\"\u00e9\ud83e\udd8a","d":""}} "#,
      #"[[[]],{},"é🦊",0,-0,1e5,0.1]"#, #"{"type":"RECORD","stream":"s","record":{"id":1}}"#,
    ].map { Array($0.utf8) }
    let palette = Array("{}[]\",:\\u0d8ae1-+.tfn \n\t\u{1}é🦊".utf8) + [0xFF, 0xC0, 0xED]
    var tape = JSONTape()
    for _ in 0..<4000 {
      var bytes = seeds[random.below(seeds.count)]
      for _ in 0..<1 + random.below(3) {
        let place = random.below(bytes.count)
        switch random.below(3) {
        case 0: bytes[place] = palette[random.below(palette.count)]
        case 1: bytes.insert(palette[random.below(palette.count)], at: place)
        default: bytes.remove(at: place)
        }
      }
      let hasForm = bytes.withUnsafeBufferPointer { (try? tape.scan($0)) != nil }
      let isTaken = hasForm && tape.oddity == nil
      let isRead = (try? JSON.parse(bytes)) != nil
      #expect(isTaken == isRead, "\(String(decoding: bytes, as: UTF8.self))")
    }
  }
}
