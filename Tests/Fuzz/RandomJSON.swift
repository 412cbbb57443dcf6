import HotglueCore

/// JSON by chance, with the numbers and texts that readers trip over.
enum RandomJSON {
  static let numbers = [
    "0", "-0", "1", "-1", "1.0", "0.1", "1e2", "1E+2", "15e-1", "9007199254740993",
    "9223372036854775807", "-9223372036854775808", "9223372036854775808", "1e400", "1e-400",
    "1e999999999", "10e999999998", "1e99999999999999999999", "-0.00e-0", "4294967296", "2147483648",
    "0.10000000000000000000000000000000000001",
  ]
  static let texts = [
    "", "a", "id", "é", "e\u{301}", "🦊", "\u{9b}2J", "\u{202e}", "\u{1b}[31m", "\n", "\u{0}", "a/b",
    "a'b", "a\"b", "null", "2026-01-01T00:00:00Z", "9999-99-99", "30s", "-1", "..", "../../x",
  ]

  static func value(_ chance: inout Chance, depth: Int = 0, names: [String] = texts) -> JSON {
    switch chance.below(depth > 5 ? 5 : 8) {
    case 0: return .null
    case 1: return .bool(chance.percent(50))
    case 2: return .number(chance.pick(numbers))
    case 3, 4: return .string(chance.pick(names))
    case 5:
      var values: [JSON] = []
      for _ in 0..<chance.size(20) {
        values.append(value(&chance, depth: depth + 1, names: names))
      }
      return .array(values)
    default:
      var members: [JSON.Member] = []
      for _ in 0..<chance.size(20) {
        members.append(
          JSON.Member(chance.pick(names), value(&chance, depth: depth + 1, names: names)))
      }
      return .object(members)
    }
  }

  /// The same value in other letters: spaces, escapes, other spellings.
  static func spelled(_ json: JSON, _ chance: inout Chance) -> String {
    func space(_ chance: inout Chance) -> String {
      chance.percent(10) ? chance.pick([" ", "\n", "\t", "\r"]) : ""
    }
    switch json {
    case .array(let values):
      var parts: [String] = []
      for value in values {
        parts.append(space(&chance) + spelled(value, &chance) + space(&chance))
      }
      return "[" + parts.joined(separator: ",") + "]"
    case .object(let members):
      var parts: [String] = []
      for member in members {
        parts.append(
          space(&chance) + spelled(.string(member.key), &chance) + space(&chance) + ":"
            + spelled(member.value, &chance))
      }
      return "{" + parts.joined(separator: ",") + space(&chance) + "}"
    case .string(let text) where chance.percent(20):
      var out = "\""
      for unit in text.utf16 {
        let digits = String(unit, radix: 16, uppercase: chance.percent(50))
        out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }
      return out + "\""
    default: return json.text
    }
  }
}
