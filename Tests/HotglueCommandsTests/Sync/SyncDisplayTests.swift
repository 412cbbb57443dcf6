import HotglueCore
import HotglueStore
import Testing

@testable import HotglueCommands

@Suite("How far a sync is, as it is shown")
struct SyncDisplayTests {
  @Test(
    "a text is as wide as a terminal shows it",
    arguments: [
      ("", 0), ("orders", 6), ("é", 1), ("e\u{301}", 1), ("日本", 4), ("😀", 2), ("❤\u{fe0f}", 2),
      ("…", 1), ("Ω", 1),
    ])
  func width(_ text: String, _ columns: Int) {
    #expect(TextWidth.of(text) == columns)
  }

  @Test("what is cut never takes more room than there is")
  func cut() {
    #expect(TextWidth.cut("orders", to: 6) == "orders")
    #expect(TextWidth.cut("orders", to: 5) == "orde…")
    for room in 1...8 { #expect(TextWidth.of(TextWidth.cut("a日本語e", to: room)) <= room) }
  }

  @Test("no more lines are drawn than are taken away again, and none is wider than the terminal")
  func block() {
    var block = LiveBlock()
    let size = TerminalSize(columns: 10, rows: 4)
    #expect(block.clear(size) == "")
    let lines = ["one", "日本語日本語日本語", "three", "four", "five"]
    let first = block.draw(lines, on: size)
    let next = "\u{1b}[K\n"
    #expect(first == "one\(next)日本語日…\(next)three\(next)")
    let second = block.draw(["a"], on: size)
    #expect(second == "\u{1b}[3A\ra\(next)\(next)\(next)\u{1b}[2A\r")
    #expect(block.clear(size) == "\u{1b}[1A\r\(next)\u{1b}[1A\r")
    #expect(block.clear(size) == "")
  }

  @Test("a terminal that became narrower has wrapped what stood there")
  func narrower() {
    var block = LiveBlock()
    _ = block.draw(["123456789", "12"], on: TerminalSize(columns: 10, rows: 24))
    #expect(block.clear(TerminalSize(columns: 4, rows: 24)).hasPrefix("\u{1b}[4A\r"))
  }

  @Test("of many streams the newest are shown, and how many there are besides")
  func newest() {
    let parts = (1...30).map { "s\($0): 1 received" }
    let told = SyncProgressText.newest(parts, most: 20)
    #expect(told.count == 20 && told.first == "11 more streams" && told.last == parts.last)
    let fewer = SyncProgressText.newest(told, most: 3)
    #expect(fewer == ["28 more streams"] + parts.suffix(2))
    #expect(SyncProgressText.newest(parts, most: 1) == [parts[29]])
    #expect(SyncProgressText.newest(parts, most: 0) == [])
    #expect(SyncProgressText.newest(told, most: 20) == told)
  }

  @Test("a stream's name never makes two parts of one")
  func separator() {
    let part = SyncProgressText.part("we\"ird; name", StreamTally(received: 2, added: 2), rate: 310)
    #expect(part == "we\"ird;\u{a0}name: 2 received (310/s), 2 added")
    let message = part + SyncProgressText.separator + "12 kB"
    let progress = JobProgress(current: 2, total: nil, message: message)
    #expect(SyncProgressText.parts(of: progress) == [part, "12 kB"])
  }

  @Test("the rate of a stream is that of the last second, and goes when the stream has ended")
  func pace() {
    func report(_ name: String, _ received: Int64) -> StreamReport {
      StreamReport(stream: name, tally: StreamTally(received: received))
    }
    var pace = SyncRates()
    pace.look(at: [report("a", 100)], 5000)
    pace.look(at: [report("a", 300)], 5900)
    #expect(pace.rates == [:])
    pace.look(at: [report("a", 500), report("b", 50)], 6000)
    #expect(pace.rates == ["a": 400, "b": 50])
    pace.look(at: [report("a", 500), report("b", 250)], 8000)
    #expect(pace.rates == ["a": 0, "b": 100])
  }
}
