import HotglueCore
import Testing

@Suite("What an attempt's end means")
struct AttemptEndTests {
  private func outcome(
    _ how: AttemptEnd.How, stop: AttemptEnd.StopReason? = nil, reachedKill: Bool = false,
    result: AttemptOutcome? = nil, rules: ExitRules = .none
  ) -> AttemptOutcome {
    let end = AttemptEnd(
      how: how, stop: stop, reachedKill: reachedKill,
      result: result.map { HandlerResult(outcome: $0) })
    return end.verdict(by: rules).outcome
  }

  static let stops: [AttemptEnd.StopReason] = [.timeout, .cancel, .stopRunning, .reclaim]

  @Test("without an order and without a result line, the rules judge")
  func byRules() throws {
    #expect(outcome(.exited(0)) == .succeeded)
    #expect(outcome(.exited(1)) == .retry)
    #expect(outcome(.exited(65)) == .failed)
    #expect(outcome(.exited(83)) == .unknown)
    #expect(outcome(.signaled(.kill)) == .unknown)
    // A status that looks like a death by signal is a status.
    #expect(outcome(.exited(137)) == .retry)
    let rules = try #require(ExitRules("SIGKILL=retry,127=retry"))
    #expect(outcome(.signaled(.kill), rules: rules) == .retry)
    #expect(outcome(.notExecutable(errno: 2), rules: rules) == .retry)
  }

  @Test(
    "a command that cannot be executed has failed, as a shell would say it",
    arguments: [
      (Int32(2), Int32(127), "command_not_found"), (20, 127, "command_not_found"),
      (13, 126, "not_executable"), (8, 126, "not_executable"),
    ])
  func notExecutable(errno: Int32, status: Int32, reason: String) {
    let end = AttemptEnd(how: .notExecutable(errno: errno))
    #expect(end.verdict(by: .none).outcome == .failed)
    #expect(end.verdict(by: .none).reason == reason)
    #expect(end.exitStatus == status)
  }

  @Test("what cannot be executed says why: the system's reason, and a script's interpreter")
  func reasonOfNotExecuted() {
    func message(_ how: AttemptEnd.How, _ refusal: String?, _ interpreter: String? = nil) -> String
    {
      var end = AttemptEnd(how: how)
      end.refusal = refusal
      end.interpreter = interpreter
      return end.verdict(by: .none).message
    }
    #expect(
      message(.notExecutable(errno: 13), "permission denied")
        == "the command cannot be executed: permission denied")
    #expect(
      message(.notExecutable(errno: 7), "argument list too long")
        == "the command cannot be executed: argument list too long")
    #expect(
      message(.notExecutable(errno: 2), "no such file or directory", "/bin/sh\r")
        == "the command cannot be executed: its interpreter '/bin/sh\r': no such file or directory "
        + "(the script has CRLF line ends)")
    #expect(
      message(.directoryGone(errno: 2), "no such file or directory")
        == "cannot enter the recorded directory: no such file or directory")
    #expect(
      message(.neverStarted(errno: 0), "cannot allocate memory")
        == "the handler was not started: cannot allocate memory")
    var script = AttemptEnd(how: .notExecutable(errno: 2))
    script.interpreter = "/no/such"
    // The file that was named is there.
    #expect(script.verdict(by: .none).reason == "not_executable")
    #expect(script.exitStatus == 127)
  }

  @Test(
    "an exit of a persistent handler without an answer is unknown, whatever status, signal or rule",
    arguments: [
      AttemptEnd.How.exited(0), .exited(1), .exited(65), .exited(75), .exited(83),
      .signaled(.kill), .signaled(.term), .answered,
    ])
  func persistentHandler(how: AttemptEnd.How) throws {
    let rules = try #require(ExitRules("SIGKILL=retry,1=succeeded,*=failed"))
    var end = AttemptEnd(how: how, isStreamed: true)
    #expect(end.verdict(by: rules).outcome == .unknown)
    #expect(end.verdict(by: rules).reason == "no_answer")
    // An answer counts, however the process ends afterwards.
    if how != .exited(0), how != .answered {
      end.result = HandlerResult(outcome: .failed)
      #expect(end.verdict(by: rules).outcome == .failed)
    }
  }

  @Test("a folder that is gone is a failure, whatever was ordered", arguments: stops)
  func directoryGone(stop: AttemptEnd.StopReason) {
    #expect(outcome(.directoryGone(errno: 2)) == .failed)
    #expect(outcome(.directoryGone(errno: 2), stop: stop) == .failed)
  }

  @Test("what was not started is never_started, and what is gone is unknown", arguments: stops)
  func withoutAnEnd(stop: AttemptEnd.StopReason) {
    #expect(outcome(.neverStarted(errno: 0)) == .neverStarted)
    #expect(outcome(.neverStarted(errno: 0), stop: stop) == .neverStarted)
    #expect(outcome(.lost) == .unknown)
    #expect(outcome(.lost, stop: stop) == .unknown)
  }

  @Test("exit 0 before the KILL counts, also after a stop order", arguments: stops)
  func exitZeroAfterStop(stop: AttemptEnd.StopReason) {
    #expect(outcome(.exited(0), stop: stop) == .succeeded)
  }

  @Test("any other end after a stop order is what the order says", arguments: stops)
  func stopped(stop: AttemptEnd.StopReason) {
    let ordered: AttemptOutcome = stop == .cancel ? .cancelled : .unknown
    #expect(outcome(.exited(1), stop: stop) == ordered)
    #expect(outcome(.exited(75), stop: stop) == ordered)
    #expect(outcome(.exited(65), stop: stop) == ordered)
    #expect(outcome(.signaled(.term), stop: stop) == ordered)
    #expect(outcome(.signaled(.kill), stop: stop, reachedKill: true) == ordered)
    #expect(outcome(.exited(0), stop: stop, reachedKill: true) == ordered)
  }

  @Test("the order wins over the exit rules")
  func orderBeforeRules() throws {
    let rules = try #require(ExitRules("SIGTERM=succeeded,1=succeeded"))
    #expect(outcome(.signaled(.term), stop: .timeout, rules: rules) == .unknown)
    #expect(outcome(.exited(1), stop: .cancel, rules: rules) == .cancelled)
  }

  @Test("retry, failed and snooze of a result line win over exit 0 and over a signal")
  func resultLine() {
    for said in [AttemptOutcome.retry, .failed, .snooze] {
      #expect(outcome(.exited(0), result: said) == said)
      #expect(outcome(.exited(1), result: said) == said)
      #expect(outcome(.signaled(.kill), result: said) == said)
    }
  }

  @Test("without a stop order, succeeded with another end than status 0 is unknown")
  func contradiction() {
    #expect(outcome(.exited(0), result: .succeeded) == .succeeded)
    #expect(outcome(.exited(1), result: .succeeded) == .unknown)
    #expect(outcome(.signaled(.kill), result: .succeeded) == .unknown)
    let end = AttemptEnd(how: .exited(1), result: HandlerResult(outcome: .succeeded))
    #expect(end.verdict(by: .none).reason == "contradiction")
  }

  @Test("a result line before the KILL is the outcome, also after a stop order", arguments: stops)
  func resultAfterStop(stop: AttemptEnd.StopReason) {
    for said in [AttemptOutcome.succeeded, .retry, .failed, .snooze] {
      #expect(outcome(.exited(0), stop: stop, result: said) == said)
      #expect(outcome(.exited(143), stop: stop, result: said) == said)
      #expect(outcome(.signaled(.term), stop: stop, result: said) == said)
      #expect(outcome(.signaled(.kill), stop: stop, reachedKill: true, result: said) == said)
    }
  }

  @Test("each outcome is one event of the job")
  func events() {
    let kinds = AttemptOutcome.allCases.map { outcome in
      Verdict(outcome: outcome, reason: "", message: "").event(after: nil).kind
    }
    #expect(
      kinds == [
        .succeeded, .retry, .failed, .snooze, .unknown, .stoppedByCancel, .neverStarted,
      ])
  }

  @Test(
    "a failure is declared by the handler, by an exit rule, or since nothing could be run",
    arguments: [
      (
        AttemptEnd(how: .exited(0), result: HandlerResult(outcome: .failed)),
        JobEvent.Failure.declared
      ),
      (AttemptEnd(how: .exited(65)), .exit),
      (AttemptEnd(how: .notExecutable(errno: 2)), .notExecutable),
      (AttemptEnd(how: .notExecutable(errno: 13)), .notExecutable),
      (AttemptEnd(how: .directoryGone(errno: 2)), .notExecutable),
    ])
  func failures(end: AttemptEnd, why: JobEvent.Failure) {
    #expect(end.verdict(by: .none).event(after: nil) == .failed(why))
  }

  @Test("status and signal are those of the main process, where it has one")
  func statusAndSignal() {
    #expect(AttemptEnd(how: .exited(3)).exitStatus == 3)
    #expect(AttemptEnd(how: .exited(3)).signal == nil)
    #expect(AttemptEnd(how: .signaled(.kill)).exitStatus == nil)
    #expect(AttemptEnd(how: .signaled(.kill)).signal == .kill)
    #expect(AttemptEnd(how: .lost).exitStatus == nil)
  }
}
