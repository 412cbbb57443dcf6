import HotglueCore
import Testing

@Suite("jobs of a stream")
struct StreamTests {
  private func outcome(
    _ how: AttemptEnd.How, stop: AttemptEnd.StopReason? = nil, result: AttemptOutcome? = nil,
    rules: String? = nil
  ) throws -> AttemptOutcome {
    let end = AttemptEnd(
      how: how, stop: stop, result: result.map { HandlerResult(outcome: $0) }, isStreamed: true)
    return end.verdict(by: try rules.map { try #require(ExitRules($0)) } ?? .none).outcome
  }

  @Test("an answer is the outcome, also after a stop order", arguments: HandlerLine.outcomes)
  func answers(_ result: AttemptOutcome) throws {
    #expect(try outcome(.answered, result: result) == result)
    #expect(try outcome(.answered, stop: .cancel, result: result) == result)
  }

  @Test(
    "a handler that exits without an answer leaves its job unknown; one that was not run fails it")
  func ends() throws {
    for status in [Int32(0), 9, 65, 75] {
      #expect(try outcome(.exited(status), rules: "9=failed") == .unknown)
    }
    #expect(try outcome(.signaled(.kill)) == .unknown)
    #expect(try outcome(.notExecutable(errno: 2)) == .failed)
    // An answer that cannot be read says nothing.
    #expect(try outcome(.answered) == .unknown)
  }

  @Test("exit 0 without an answer does not count after a stop order either")
  func stopped() throws {
    #expect(try outcome(.exited(0), stop: .cancel) == .cancelled)
    #expect(try outcome(.exited(0), stop: .timeout) == .unknown)
  }

  @Test("a result that nobody understands is no success, however the handler ends")
  func unclear() throws {
    func verdict(
      _ how: AttemptEnd.How, _ result: AttemptOutcome? = nil, stop: AttemptEnd.StopReason? = nil,
      isStreamed: Bool = false
    ) -> Verdict {
      AttemptEnd(
        how: how, stop: stop, result: result.map { HandlerResult(outcome: $0) },
        isStreamed: isStreamed, hasUnclearResult: true
      ).verdict(by: .none)
    }
    for end in [
      verdict(.exited(0)), verdict(.exited(0), .succeeded), verdict(.answered, isStreamed: true),
      verdict(.exited(0), isStreamed: true),
    ] {
      #expect(end.outcome == .unknown && end.reason == "unclear_result")
    }
    #expect(verdict(.exited(75)).outcome == .retry)
    #expect(verdict(.exited(0), .failed).outcome == .failed)
    #expect(verdict(.exited(0), stop: .cancel).outcome == .cancelled)
    #expect(verdict(.signaled(.kill)).reason == "signal")
  }

  @Test("the pace doubles while jobs are quick, holds 50 ms of work, and falls at once")
  func pace() {
    var pace = StreamPace()
    #expect(pace.depth == 1)
    for expected in [2, 4, 8, 16, 32, 64, 64] {
      pace.note(answers: 10, milliseconds: 1)
      #expect(pace.depth == expected)
    }
    pace.note(answers: 4, milliseconds: 40)
    #expect(pace.depth == 5)
    pace.note(answers: 1, milliseconds: 3000)
    #expect(pace.depth == 1)
    pace.note(answers: 1, milliseconds: 0)
    pace.note(answers: 0, milliseconds: 0)
    #expect(pace.depth == 2)
    pace.noteSlow()
    #expect(pace.depth == 1)
    // A clock that was set back is no reason to wait.
    pace.note(answers: 1, milliseconds: -5)
    #expect(pace.depth == 2)
  }
}
