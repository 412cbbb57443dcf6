import HotglueCore
import Testing

@Suite("Spans")
struct SpanTests {
  @Test(
    "a span is read exactly",
    arguments: [
      ("0", 0), ("500ms", 500), ("30s", 30_000), ("5m", 300_000), ("2h", 7_200_000),
      ("7d", 604_800_000), ("1.5s", 1500), ("1h30m", 5_400_000), ("0.001s", 1), ("0s", 0),
      ("36500d", 3_153_600_000_000), ("1.999999d", 172_799_913),
    ] as [(String, Int64)])
  func reads(text: String, milliseconds: Int64) throws {
    #expect(try #require(Span(text)).milliseconds == milliseconds)
  }

  @Test(
    "what is no span is refused",
    arguments: [
      "", "5", "s", "-5s", "+5s", "5S", "1.s", ".5s", "1..5s", "1.2.3s", "5m5",
      "1,5s", "1.0000001s", "36501d", "99999999999999999999s", "1e3s", "٣s", "0️⃣s", "5s ",
      "NaNs", "0x5s",
    ])
  func refuses(text: String) { #expect(Span(text) == nil) }

  @Test(
    "a span is written in the largest unit that is exact, and reads back",
    arguments: [
      (0, "0s"), (1, "1ms"), (1000, "1s"), (1500, "1500ms"), (90_000, "90s"), (120_000, "2m"),
      (3_600_000, "1h"), (86_400_000, "1d"), (90_000_000, "25h"),
    ] as [(Int64, String)])
  func writes(milliseconds: Int64, text: String) {
    let span = Span(milliseconds: milliseconds)
    #expect(span.text == text)
    #expect(Span(text) == span)
  }

  @Test(
    "for people a span shows its two largest units",
    arguments: [
      (40, "40ms"), (999, "999ms"), (3210, "3.2s"), (59_999, "59s"), (61_000, "1m 1s"),
      (3_900_000, "1h 5m"), (90_000_000, "1d 1h"),
    ] as [(Int64, String)])
  func approximate(milliseconds: Int64, text: String) {
    #expect(Span(milliseconds: milliseconds).approximateText == text)
  }

  @Test("a span is never negative")
  func neverNegative() { #expect(Span(milliseconds: -1) == .zero) }
}

@Suite("Timestamps")
struct TimestampTests {
  @Test(
    "a moment is written in RFC 3339, UTC, with milliseconds, and reads back",
    arguments: [
      (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
      (951_827_696_789, "2000-02-29T12:34:56.789Z"),
      (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
      (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
      (-62_135_596_800_000, "0001-01-01T00:00:00.000Z"),
    ] as [(Int64, String)])
  func writes(milliseconds: Int64, text: String) {
    let moment = Timestamp(milliseconds: milliseconds)
    #expect(moment.rfc3339 == text)
    #expect(Timestamp(rfc3339: text) == moment)
  }

  @Test(
    "offsets and fractions are read",
    arguments: [
      ("2026-03-01T08:30:00Z", "2026-03-01T08:30:00.000Z"),
      ("2026-03-01t08:30:00z", "2026-03-01T08:30:00.000Z"),
      ("2026-03-01 08:30:00.5+01:00", "2026-03-01T07:30:00.500Z"),
      ("2026-03-01T00:15:00-05:30", "2026-03-01T05:45:00.000Z"),
      ("2026-01-01T00:00:00.1239Z", "2026-01-01T00:00:00.123Z"),
      ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.000Z"),
    ])
  func reads(text: String, written: String) throws {
    #expect(try #require(Timestamp(rfc3339: text)).rfc3339 == written)
  }

  @Test(
    "what is no moment is refused",
    arguments: [
      "", "now", "2026-03-01", "2026-03-01T08:30Z", "2026-03-01T08:30:00", "2026-13-01T00:00:00Z",
      "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z",
      "2026-04-31T00:00:00Z", "2026-03-01T24:00:00Z", "2026-03-01T00:60:00Z",
      "2026-03-01T00:00:61Z", "2026-03-01T00:00:00.Z", "2026-03-01T00:00:00+010",
      "2026-03-01T00:00:00+24:00", "2026-03-01T00:00:00Z ", "26-03-01T00:00:00Z",
      "2026-03-01X00:00:00Z", "2026-3-01T00:00:00Z0",
    ])
  func refuses(text: String) { #expect(Timestamp(rfc3339: text) == nil) }

  @Test("every day of four centuries reads back")
  func everyDay() {
    for day in stride(from: Int64(-146_097), to: 146_097, by: 1) {
      let moment = Timestamp(milliseconds: day * 86_400_000)
      #expect(Timestamp(rfc3339: moment.rfc3339) == moment)
    }
  }

  @Test("a sum past the calendar stops at its end")
  func saturates() {
    let last = Timestamp(milliseconds: 253_402_300_799_999)
    #expect(last.advanced(by: .days(1)) == last)
    #expect(Timestamp(milliseconds: .max).advanced(by: .seconds(1)) == last)
  }
}

@Suite("Stop stop sequences and signals")
struct StopSequenceTests {
  @Test(
    "a stop sequence ends with KILL and reads what it writes",
    arguments: [
      ("TERM,10s,KILL", "TERM,10s,KILL"), ("TERM", "TERM,10s,KILL"), ("TERM,3s", "TERM,3s,KILL"),
      ("KILL", "KILL"), ("INT,2s,TERM,5s,KILL", "INT,2s,TERM,5s,KILL"),
      ("SIGINT,TERM,1m", "INT,TERM,1m,KILL"), ("15,1s,9", "TERM,1s,KILL"),
      ("HUP,0,KILL", "HUP,KILL"),
    ])
  func roundTrip(text: String, written: String) throws {
    let stopSequence = try #require(StopSequence(text))
    #expect(stopSequence.text == written)
    #expect(stopSequence.steps.last?.signal == .kill)
    #expect(StopSequence(written) == stopSequence)
  }

  @Test(
    "what is no stop sequence is refused",
    arguments: [
      "", ",", "10s", "TERM,", "TERM,10s,10s,KILL", "KILL,10s", "KILL,TERM", "KILL,KILL", "NOPE",
      "TERM,ten,KILL", "TERM,5,KILL", "term", "0", "65", "TERM 10s KILL", "-9",
    ])
  func bad(text: String) { #expect(StopSequence(text) == nil) }

  @Test("a stop sequence of more steps than an order has room for is refused, not cut")
  func tooLong() throws {
    let most = Array(repeating: "USR1,100ms,", count: StopSequence.mostSteps - 1).joined()
    #expect(try #require(StopSequence(most + "KILL")).steps.count == StopSequence.mostSteps)
    #expect(StopSequence(most + "USR1,1s,KILL") == nil)
    #expect(StopSequence(most + "USR1") == nil)
  }

  @Test("the standard stop sequence is TERM, ten seconds, KILL")
  func standard() { #expect(StopSequence.standard.text == "TERM,10s,KILL") }

  @Test("signals have the names and numbers of Linux")
  func signals() throws {
    for number in 1...31 as ClosedRange<Int32> {
      let signal = Signal(number: number)
      #expect(Signal(name: signal.name) == signal)
      #expect(Signal(name: "SIG" + signal.name) == signal)
      #expect(Signal(name: String(number)) == signal)
    }
    #expect(Signal(number: 64).name == "64")
    #expect(try #require(Signal(name: "USR1")).number == 10)
  }
}

@Suite("Names and links")
struct NameTests {
  @Test(
    "workspace IDs are slugs",
    arguments: ["a", "0", "acme", "a-b-c", "a-", String(repeating: "x", count: 63)])
  func workspaceIDs(text: String) throws {
    #expect(try #require(WorkspaceID(text)).text == text)
  }

  @Test(
    "what is no slug is no workspace ID",
    arguments: [
      "", "-a", "A", "a b", "a_b", "a.b", "a/b", "ä", "a\n", String(repeating: "x", count: 64),
    ])
  func badWorkspaceIDs(text: String) { #expect(WorkspaceID(text) == nil) }

  @Test(
    "a link names workspace, kind and ID, and reads what it writes",
    arguments: ["hotglue://acme/job/42", "hotglue://a/effect/7/charge", "hotglue://a/source/x%20y"])
  func links(text: String) throws {
    #expect(try #require(EntityLink(text)).text == text)
  }

  @Test(
    "what is no link is refused",
    arguments: [
      "", "42", "hotglue://", "hotglue://acme", "hotglue://acme/job", "hotglue://acme/job/",
      "hotglue://ACME/job/42", "hotglue:///job/42", "hotglue://acme/worker/1",
      "https://acme/job/42", " hotglue://acme/job/42",
    ])
  func badLinks(text: String) { #expect(EntityLink(text) == nil) }

  @Test("near matches: what starts so, or differs by a third of its letters; nearest first")
  func nearMatches() {
    let names = ["acme", "acme-eu", "beta", "production", "prod", "xyz"]
    #expect(NearMatch.among(names, to: "acm") == ["acme", "acme-eu"])
    #expect(NearMatch.among(names, to: "amce") == ["acme"])
    #expect(NearMatch.among(names, to: "prodction") == ["production"])
    #expect(NearMatch.among(names, to: "prod") == ["prod", "production"])
    #expect(NearMatch.among(names, to: "gamma") == [])
    #expect(NearMatch.among(names, to: "") == [])
    #expect(NearMatch.among([], to: "acme") == [])
    #expect(NearMatch.among(names, to: String(repeating: "acme", count: 1 << 20)) == [])
    #expect(NearMatch.among(["aa", "ab", "ac", "ad"], to: "a").count == 3)
  }

  @Test("a moment of another boot has passed, and none of this boot before its time")
  func bootTime() {
    let now = BootTime(bootID: "a", milliseconds: 1000)
    #expect(BootTime(bootID: "b", milliseconds: 5000).hasPassed(at: now))
    #expect(BootTime(bootID: "a", milliseconds: 1000).hasPassed(at: now))
    #expect(!now.advanced(by: Span(milliseconds: 1)).hasPassed(at: now))
  }
}
