import HotglueCore

/// Schemas and the records that are checked against them.
final class SchemaTarget: FuzzTarget {
  private let reader = MessageReader()
  private static let words = [
    "type", "properties", "items", "required", "oneOf", "anyOf", "allOf", "not", "enum", "const",
    "$ref",
    "definitions", "additionalProperties", "minimum", "exclusiveMaximum", "multipleOf", "maxLength",
    "minItems", "maxProperties", "format", "date-time", "integer", "string", "object", "null", "a",
    "b",
    "#", "#/definitions/a", "#/properties/b", "pattern", "if",
  ]

  func input(_ chance: inout Chance) -> [UInt8] {
    let schema = schema(&chance, depth: 0)
    var text =
      RandomJSON.spelled(
        .object([
          JSON.Member("type", .string("SCHEMA")), JSON.Member("stream", .string("s")),
          JSON.Member("schema", schema), JSON.Member("key_properties", .array([])),
        ]), &chance
      ).replacing("\n", with: " ") + "\n"
    for _ in 0..<(1 + chance.size(5)) {
      let record = JSON.object([
        JSON.Member("a", RandomJSON.value(&chance, depth: 2, names: Self.words)),
        JSON.Member("b", RandomJSON.value(&chance, depth: 3, names: Self.words)),
      ])
      text += #"{"type":"RECORD","stream":"s","record":\#(record.text)}"# + "\n"
    }
    let bytes = Array(text.utf8)
    return chance.percent(80) ? bytes : Mutation.of(bytes, words: Self.words, &chance)
  }

  /// A schema that mostly is one.
  private func schema(_ chance: inout Chance, depth: Int) -> JSON {
    var members: [JSON.Member] = []
    func list(_ chance: inout Chance) -> JSON {
      var values: [JSON] = []
      for _ in 0...chance.size(8) { values.append(schema(&chance, depth: depth + 1)) }
      return .array(values)
    }
    for _ in 0..<(depth > 6 ? 1 : 1 + chance.size(4)) {
      let value: JSON
      let word = chance.pick(Self.words)
      switch word {
      case "oneOf", "anyOf", "allOf": value = depth > 6 ? .array([]) : list(&chance)
      case "not", "items", "additionalProperties":
        value = depth > 6 ? .bool(true) : schema(&chance, depth: depth + 1)
      case "properties", "definitions":
        value = .object(
          depth > 6
            ? []
            : [
              JSON.Member("a", schema(&chance, depth: depth + 1)),
              JSON.Member("b", schema(&chance, depth: depth + 1)),
            ])
      case "$ref":
        value = .string(
          chance.pick([
            "#", "#/definitions/a", "#/definitions/b", "#/properties/a", "#/x", "http://x",
          ]))
      case "type":
        value = .string(chance.pick(["object", "integer", "string", "null", "array", "number"]))
      case "enum":
        value = .array([RandomJSON.value(&chance, depth: 4), RandomJSON.value(&chance, depth: 4)])
      case "minimum", "multipleOf", "exclusiveMaximum":
        value = .number(chance.pick(RandomJSON.numbers))
      case "maxLength", "minItems", "maxProperties":
        value = .number(chance.pick(["0", "1", "3", "99999999999"]))
      default: value = RandomJSON.value(&chance, depth: 3, names: Self.words)
      }
      members.append(JSON.Member(word, value))
    }
    return .object(members)
  }

  func run(_ input: [UInt8]) throws { try MessageRules.check(reader, input) }
}

/// Messages of taps.
final class MessageTarget: FuzzTarget {
  private let reader = MessageReader()
  private static let words = [
    #"{"type":"STATE","value":{"a":1}}"#, #"{"type":"STATE","value":{}}"#,
    #"{"type":"ACTIVATE_VERSION","stream":"s","version":7}"#,
    #"{"type":"RECORD","stream":"s","record":{"id":1}}"#,
    #"{"type":"RECORD","stream":"k","record":{"id":"\ud800"}}"#,
    #"{"type":"BATCH","stream":"s","encoding":{"format":"jsonl"},"manifest":["/dev/zero"]}"#,
    #"{"type":"SCHEMA","stream":"k","schema":{"properties":{"id":{"type":"string"}}},"key_properties":["id"]}"#,
    #""version":1"#, #""time_extracted":"2026-01-01T00:00:00Z""#, "\n", "\r\n", "NaN",
    "\"stream\":\"k\"", "{", "}",
  ]
  private static let seed =
    #"{"type":"SCHEMA","stream":"s","schema":{"type":"object","properties":{"id":{"type":"integer"}}},"#
    + #""key_properties":["id"],"bookmark_properties":["id"]}"# + "\n"
    + #"{"type":"SCHEMA","stream":"k","schema":{},"key_properties":[]}"# + "\n"

  func input(_ chance: inout Chance) -> [UInt8] {
    var text = Self.seed
    for _ in 0..<chance.size(20) { text += chance.pick(Self.words) + "\n" }
    return Mutation.of(Array(text.utf8), words: Self.words, &chance)
  }

  func run(_ input: [UInt8]) throws { try MessageRules.check(reader, input) }
}

enum MessageRules {
  /// A record that is taken can be read again, and where the output is cut makes no difference.
  static func check(_ reader: MessageReader, _ input: [UInt8]) throws {
    let whole = reader.read(input)
    for record in whole.taken {
      do {
        _ = try JSON.parse(record)
      } catch {
        throw Finding("a record that was taken cannot be read: \(error.reason)")
      }
    }
    if input.count < 4000, reader.read(input, pieces: 7) != whole {
      throw Finding("in pieces it is read as something else")
    }
  }
}
