import HotglueCore
import Testing

@testable import HotglueProcess

@Suite("Silence")
struct SilenceTests {
  @Test("looks that find nothing add up, and a word ends it")
  func addsUp() {
    var silence = Silence()
    for _ in 0..<29 { silence.goOn(100) }
    #expect(!silence.isAtLeast(.seconds(3)))
    silence.goOn(100)
    #expect(silence.isAtLeast(.seconds(3)))
    silence.end()
    #expect(!silence.isAtLeast(Span(milliseconds: 1)))
  }

  @Test("a machine that was asleep has made nobody hang: what a gap adds is bounded")
  func gap() {
    var silence = Silence()
    silence.goOn(100)
    silence.goOn(8 * 60 * 60 * 1000)
    #expect(!silence.isAtLeast(.seconds(3)))
    #expect(silence.isAtLeast(Span(milliseconds: 1100)))
  }
}
