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
    #expect((read("{\"type\":\"result\",\"outcome\":\"\(word)\"}") != nil) == isKnown)
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
    ])
  func problems(text: String) throws {
    guard case .result(let result, let problems)? = read(text) else {
      Issue.record("not understood: \(text)")
      return
    }
    #expect(problems.count == 1)
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
