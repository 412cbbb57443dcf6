import HotglueCore
import Testing

@testable import HotglueCommands

@Suite("Bytes of others at a terminal")
struct TerminalFilterTests {
  /// All of it at once, and cut at every place.
  private func shown(_ bytes: [UInt8]) -> [String] {
    (0...bytes.count).map { cut in
      var filter = TerminalFilter()
      var out = filter.shown(bytes[..<cut])
      out += filter.shown(bytes[cut...])
      out += filter.end()
      return String(decoding: out, as: UTF8.self)
    }
  }

  @Test(
    "colours and text pass, all else is escaped, however it is cut",
    arguments: [
      ("plain é🦊\tx\n", "plain é🦊\tx\n"), ("a\r\nb\n", "a\nb\n"), ("a\rb", "a\\rb"),
      ("a\r", "a\\r"), ("\u{1b}[1;31mred\u{1b}[0m", "\u{1b}[1;31mred\u{1b}[0m\u{1b}[0m"),
      ("\u{1b}[38:5:1mx", "\u{1b}[38:5:1mx\u{1b}[0m"),
      ("\u{1b}]0;title\u{7}", "\\u001b]0;title\\u0007"), ("\u{1b}[2J", "\\u001b[2J"),
      ("\u{1b}[?25h", "\\u001b[?25h"), ("\u{1b}", "\\u001b"), ("\u{1b}[1", "\\u001b[1"),
      ("\u{9b}2J", "\\u009b2J"), ("\u{202e}x\u{feff}\u{2028}", "\\u202ex\\ufeff\\u2028"),
      ("\u{8}\u{7f}\0", "\\u0008\\u007f\\u0000"),
      (
        "\u{1b}[" + String(repeating: "1;", count: 40) + "m",
        "\\u001b["
          + String(repeating: "1;", count: 40) + "m"
      ),
    ])
  func filtered(text: String, expected: String) {
    for shown in shown(Array(text.utf8)) { #expect(shown == expected) }
  }

  @Test("bytes that are not UTF-8 are escaped one by one")
  func notUTF8() {
    for shown in shown([0x61, 0x9B, 0xC3, 0x28, 0xF0, 0x9F, 0xA6]) {
      #expect(shown == #"a\x9b\xc3(\xf0\x9f\xa6"#)
    }
  }

  @Test("JSON at a terminal has nothing raw, and is the same JSON")
  func json() throws {
    let value = JSON.object([JSON.Member("k\u{9b}", .string("\u{202e}\u{85}é\u{7f}\n"))])
    for text in [value.text, value.prettyText] {
      let shown = Visible.json(text)
      #expect(shown.unicodeScalars.allSatisfy { $0 == "\n" || !Visible.isUnsafe($0) })
      #expect(try JSON.parse(shown) == value)
    }
  }

  @Test("stored text at a terminal is escaped with --json and in exports, and raw in a pipe")
  func commands() throws {
    let world = try JobWorld()
    let hostile = "\u{9b}2J\u{202e}"
    let enqueued = world.run("job", "enqueue", "-q", "--", "echo", hostile)
    #expect(enqueued.status == 0)
    let piped = world.run("job", "list", "--json")
    #expect(piped.out.contains(hostile))
    let seen = world.run("job", "list", "--json", terminal: true)
    #expect(!seen.out.contains("\u{9b}") && seen.out.contains(#"\u009b2J\u202e"#), "\(seen)")
    let refused = world.run("job", "list", "--json", "--type", hostile, terminal: true)
    #expect(!refused.err.contains("\u{9b}") && !refused.out.contains("\u{9b}"))
  }
}
