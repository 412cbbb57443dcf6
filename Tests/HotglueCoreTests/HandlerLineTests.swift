import HotglueCore
import Testing

@Suite("What a handler says of itself")
struct HandlerLineTests {
  private func read(_ text: String) -> HandlerLine? { HandlerLine(Array(text.utf8)) }

  @Test("progress has two numbers and a message, each of which may be absent")
  func progress() {
    #expect(
      read(#"{"type":"progress","current":4,"total":10,"message":"x"}"#)
        == .progress(JobProgress(current: 4, total: 10, message: "x")))
    #expect(
      read(#"{"type":"progress","current":null}"#)
        == .progress(JobProgress(current: nil, total: nil, message: nil)))
  }

  @Test(
    "a result has one of the five outcomes that a handler may declare",
    arguments: [
      ("succeeded", true), ("retry", true), ("failed", true), ("snooze", true), ("unknown", true),
      ("cancelled", false), ("never_started", false), ("", false), ("Succeeded", false),
    ])
  func outcomes(word: String, isKnown: Bool) {
    let line = read("{\"type\":\"result\",\"outcome\":\"\(word)\"}")
    #expect((line == .unclear) == !isKnown)
    #expect(line != nil)
  }

  @Test(
    "what says that it is a result and has no outcome that is known is unclear, never nothing",
    arguments: [
      #"{"type":"result"}"#, #"{"type":"result","outcome":null}"#,
      #"{"type":"result","outcome":1}"#, #"{"type":"result","outcome":"failed","value":NaN}"#,
      #"{"type":"result","outcome":"fai"#, #"{"type":"result","outcome":"failed"} x"#,
      #"{"ty\u0070e":"\u0072esult"}"#, #"{"type":"progress","type":"result"}"#,
    ])
  func unclear(text: String) {
    #expect(read(text) == .unclear)
  }

  @Test("letters may be written as escapes, in names and in values")
  func escapes() {
    #expect(
      read(#"{"t\u0079pe":"\u0072esult","outcom\u0065":"\u0066ailed"}"#)
        == .result(HandlerResult(outcome: .failed), problems: []))
  }

  @Test("of a result that is not UTF-8 the outcome counts, its error is shown, its value left out")
  func notText() throws {
    let bytes =
      Array(#"{"type":"result","outcome":"failed","value":1,"error":{"message":""#.utf8)
      + [0xE9] + Array(#""}}"#.utf8)
    guard case .result(let result, let problems)? = HandlerLine(bytes) else {
      Issue.record("not understood")
      return
    }
    #expect(result == HandlerResult(outcome: .failed, errorMessage: "\u{FFFD}"))
    #expect(problems.count == 1)
    let progress = Array(#"{"type":"progress","message":""#.utf8) + [0xE9, 0x22, 0x7D]
    #expect(HandlerLine(progress) == nil)
  }

  @Test("a result carries value, error and delay")
  func result() throws {
    let line = try #require(
      read(
        #"{"type":"result","outcome":"retry","value":[1.50],"error":{"code":"E","message":"m"},"after":"90s"}"#
      ))
    let expected = HandlerResult(
      outcome: .retry, value: .array([.number("1.50")]), errorCode: "E", errorMessage: "m",
      after: .seconds(90))
    #expect(line == .result(expected, problems: []))
    // What is said is what is heard.
    #expect(read(line.json.text) == line)
  }

  @Test(
    "what is wrong beside the outcome is told and does not change it",
    arguments: [
      #"{"type":"result","outcome":"retry","after":"soon"}"#,
      #"{"type":"result","outcome":"retry","after":"400d"}"#,
      #"{"type":"result","outcome":"failed","after":"3s"}"#,
      #"{"type":"result","outcome":"failed","error":{"code":7}}"#,
      #"{"type":"result","outcome":"failed","error":{}}"#,
      #"{"type":"result","outcome":"failed","error":"text"}"#,
      #"{"type":"result","outcome":"failed","error":{"code":"E","message":["m"]}}"#,
      #"{"type":"result","outcome":"retry","after":5}"#,
    ])
  func problems(text: String) throws {
    guard case .result(let result, let problems)? = read(text) else {
      Issue.record("not understood: \(text)")
      return
    }
    #expect(problems.count == 1, "\(problems)")
    #expect(result.outcome == .retry || result.outcome == .failed)
  }

  @Test("what is stored of an error is bounded")
  func bounds() throws {
    let long = String(repeating: "é", count: 10_000)
    guard
      case .result(let result, _)? = read(
        #"{"type":"result","outcome":"failed","error":{"code":"\#(long)","message":"\#(long)"}}"#)
    else {
      Issue.record("not understood")
      return
    }
    #expect(result.errorCode?.count == HandlerLine.longestCode)
    #expect(result.errorMessage?.count == HandlerLine.longestMessage)
  }
}
