import HotglueCore
import Testing

@Suite("Budgets of the readers")
struct BudgetTests {
  @Test("TOML nests as deep as its bound, and no deeper text ends the program")
  func depth() throws {
    func text(_ depth: Int) -> String {
      "a = " + String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    _ = try TOMLFile(reading: text(TOMLFile.deepest).utf8)
    let unclosed = "a = " + String(repeating: "[", count: 1 << 20)
    for deep in [text(TOMLFile.deepest + 1), text(1 << 20), unclosed] {
      #expect {
        try TOMLFile(reading: deep.utf8)
      } throws: { error in
        (error as? TOMLFile.Problem)?.reason == "nested too deeply"
      }
    }
  }

  @Test("a key or table that is there twice is found among thousands")
  func manyKeys() throws {
    let keys = (0..<20_000).map { "k\($0) = 1\n" }.joined()
    let tables = (0..<20_000).map { "[t\($0)]\n" }.joined()
    let file = try TOMLFile(reading: (keys + tables).utf8)
    #expect(file.tables.count == 20_001)
    for (text, reason) in [
      (keys + "k7 = 2", "key 'k7' is there twice, first in line 8"),
      (tables + "[t9]", "table [t9] is there twice, first in line 10"),
    ] {
      #expect {
        try TOMLFile(reading: text.utf8)
      } throws: { error in
        (error as? TOMLFile.Problem)?.reason == reason
      }
    }
  }

  @Test("a length of time is bounded, so that sums of times do not overflow")
  func spans() {
    for span in [Span(milliseconds: .max), .days(.max), .seconds(.max), .minutes(1 << 60)] {
      #expect(span.milliseconds < Int64.max / 1000)
      #expect(Timestamp(milliseconds: 0).advanced(by: span) > Timestamp(milliseconds: 0))
      let lease = BootTime(bootID: "b", milliseconds: 1 << 52).advanced(by: span)
      #expect(lease.milliseconds > span.milliseconds)
    }
    #expect(Span.days(.min) == .zero)
  }
}
