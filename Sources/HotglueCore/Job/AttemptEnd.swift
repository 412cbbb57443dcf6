/// How an attempt ended, as its supervisor or whoever came after it saw it.
public struct AttemptEnd: Hashable, Sendable {
  public enum How: Hashable, Sendable {
    case exited(Int32)
    case signaled(Signal)
    /// The command could not be executed: 127 when there is none, 126 when it may not be run.
    case notExecutable(errno: Int32)
    /// The recorded folder is gone or may not be entered.
    case directoryGone(errno: Int32)
    /// The handler was certainly not started. 0: for no error of the system.
    case neverStarted(errno: Int32)
    /// Supervisor and handler are gone and left no outcome.
    case lost
    /// A stream's handler answered the job, and went on.
    case answered
  }

  /// Why a handler was stopped, recorded by who stopped it: never guessed from a status.
  public enum StopReason: String, CaseIterable, Sendable {
    case timeout
    case cancel
    case stopRunning = "stop_running"
    case reclaim
  }

  public var how: How
  public var stop: StopReason?
  /// Whether the stop sequence had reached its KILL before the main process ended.
  public var reachedKill: Bool
  /// A valid result line that came before the stop sequence's KILL.
  public var result: HandlerResult?
  /// The job was in the hand of a persistent handler. How that process ends is not about the job:
  /// without an answer its outcome is unknown, whatever the status or signal.
  public var isStreamed = false
  /// It said that it has a result, and nobody knows which: whatever else there is, that is no success.
  public var hasUnclearResult = false
  /// It was not started because its persistent handler was busy with another job: no fault of anything.
  public var wasGivenBack = false
  /// Whether the kernel killed processes of the attempt's control group for want of memory.
  public var ranOutOfMemory: Bool
  /// What the system said where nothing was run: `permission denied`.
  public var refusal: String?
  /// The interpreter that the first line of a script names which could not be executed.
  public var interpreter: String?

  public init(
    how: How, stop: StopReason? = nil, reachedKill: Bool = false, result: HandlerResult? = nil,
    isStreamed: Bool = false, hasUnclearResult: Bool = false, ranOutOfMemory: Bool = false
  ) {
    self.how = how
    self.stop = stop
    self.reachedKill = reachedKill
    self.result = result
    self.isStreamed = isStreamed
    self.hasUnclearResult = hasUnclearResult
    self.ranOutOfMemory = ranOutOfMemory
  }
}

/// What a handler said of itself in its result line.
public struct HandlerResult: Hashable, Sendable {
  public var outcome: AttemptOutcome
  public var value: JSON?
  public var errorCode: String?
  public var errorMessage: String?
  public var after: Span?

  public init(
    outcome: AttemptOutcome, value: JSON? = nil, errorCode: String? = nil,
    errorMessage: String? = nil, after: Span? = nil
  ) {
    self.outcome = outcome
    self.value = value
    self.errorCode = errorCode
    self.errorMessage = errorMessage
    self.after = after
  }
}

/// The judgement of an attempt's end: the outcome, and why in a word and in a sentence.
public struct Verdict: Hashable, Sendable {
  public let outcome: AttemptOutcome
  /// A stable word: `exit`, `signal`, `timeout`, `cancel`, `command_not_found`, …
  public let reason: String
  public let message: String

  public init(outcome: AttemptOutcome, reason: String, message: String) {
    self.outcome = outcome
    self.reason = reason
    self.message = message
  }
}

extension AttemptEnd {
  /// Judges the end by the stop order, the result line and the exit rules, in that order.
  public func verdict(by rules: ExitRules) -> Verdict {
    switch how {
    case .neverStarted where wasGivenBack:
      return Verdict(
        outcome: .neverStarted, reason: Verdict.givenBack,
        message: "its handler was busy with another job")
    case .neverStarted:
      return Verdict(
        outcome: .neverStarted, reason: "never_started",
        message: "the handler was not started" + because)
    case .lost:
      return Verdict(
        outcome: .unknown, reason: "lost",
        message: "the attempt is gone and left no outcome")
    case .directoryGone:
      return Verdict(
        outcome: .failed, reason: "directory_gone",
        message: refusal == nil
          ? "the recorded directory is gone or may not be entered"
          : "cannot enter the recorded directory" + because)
    case .exited, .signaled, .notExecutable, .answered: break
    }
    if let stop, !countsByItself {
      switch stop {
      case .cancel:
        return Verdict(outcome: .cancelled, reason: "cancel", message: "stopped by a cancel")
      case .timeout:
        return Verdict(outcome: .unknown, reason: "timeout", message: "stopped on time-out")
      case .stopRunning:
        return Verdict(
          outcome: .unknown, reason: "stop_running", message: "stopped with its worker")
      case .reclaim:
        return Verdict(outcome: .unknown, reason: "reclaim", message: "stopped by a reclaim")
      }
    }
    let verdict = result.map(verdict(of:)) ?? verdictWithoutResult(by: rules)
    guard hasUnclearResult, verdict.outcome == .succeeded || verdict.reason == "no_answer" else {
      return verdict
    }
    return Verdict(
      outcome: .unknown, reason: "unclear_result",
      message: "the handler reported a result whose outcome is not known")
  }

  /// Whether a valid result line, or exit 0 before the stop sequence's KILL, speaks for the attempt, even
  /// after a stop order.
  private var countsByItself: Bool {
    result != nil || (how == .exited(0) && !reachedKill && !isStreamed && !hasUnclearResult)
  }

  private func verdict(of result: HandlerResult) -> Verdict {
    // After a stop order the end is the order's doing, and contradicts nothing that was said before.
    if result.outcome == .succeeded, how != .exited(0), how != .answered, stop == nil {
      return Verdict(
        outcome: .unknown, reason: "contradiction",
        message: "the handler reported succeeded, but ended with \(endText)")
    }
    return Verdict(
      outcome: result.outcome, reason: "result",
      message: result.errorMessage ?? "the handler reported \(result.outcome.rawValue)")
  }

  private func verdictWithoutResult(by rules: ExitRules) -> Verdict {
    switch how {
    case .signaled(.kill) where isStreamed && ranOutOfMemory:
      return Verdict(
        outcome: .unknown, reason: "out_of_memory",
        message: "the handler ran out of memory and was killed before it answered this job")
    case .exited where isStreamed, .signaled where isStreamed:
      return Verdict(
        outcome: .unknown, reason: "no_answer",
        message: "the handler ended with \(endText) without an answer to this job")
    case .answered:
      return Verdict(
        outcome: .unknown, reason: "no_answer", message: "the handler gave no answer to this job")
    case .signaled(let signal):
      let (outcome, _) = rules.outcome(ofSignal: signal)
      if signal == .kill, ranOutOfMemory {
        return Verdict(
          outcome: outcome, reason: "out_of_memory", message: "killed: it ran out of memory")
      }
      return Verdict(outcome: outcome, reason: "signal", message: "ended by \(endText)")
    case .notExecutable(let errno):
      let status: Int32 = errno == 2 || errno == 20 ? 127 : 126
      let (outcome, _) = rules.outcome(ofStatus: status)
      let isMissing = status == 127 && interpreter == nil
      return Verdict(
        outcome: outcome, reason: isMissing ? "command_not_found" : "not_executable",
        message: isMissing && refusal == nil
          ? "the command does not exist" : "the command cannot be executed" + because)
    case .exited(let status):
      let (outcome, _) = rules.outcome(ofStatus: status)
      return Verdict(outcome: outcome, reason: "exit", message: "exited with status \(status)")
    case .directoryGone, .neverStarted, .lost:
      preconditionFailure("judged before")
    }
  }

  /// Why nothing was run, as the system says it. A script whose interpreter is missing is there itself.
  private var because: String {
    if interpreter == nil, refusal == nil { return "" }
    return ": " + Self.reason(refusal ?? "it is missing", interpreter: interpreter)
  }

  /// Why a command could not be executed: the system's reason, and the interpreter of a script.
  public static func reason(_ refusal: String, interpreter: String?) -> String {
    guard let interpreter else { return refusal }
    return "its interpreter '\(interpreter)': \(refusal)"
      + (interpreter.hasSuffix("\r") ? " (the script has CRLF line ends)" : "")
  }

  private var endText: String {
    switch how {
    case .exited(let status): "status \(status)"
    case .signaled(let signal): "signal SIG\(signal.name)"
    case .notExecutable: "a command that cannot be executed"
    case .directoryGone: "a folder that is gone"
    case .neverStarted, .lost, .answered: "no end seen"
    }
  }

  /// The exit status as a shell would show it, where there is one.
  public var exitStatus: Int32? {
    switch how {
    case .exited(let status): status
    case .notExecutable(let errno): errno == 2 || errno == 20 ? 127 : 126
    case .signaled, .directoryGone, .neverStarted, .lost, .answered: nil
    }
  }

  public var signal: Signal? {
    if case .signaled(let signal) = how { return signal }
    return nil
  }
}

extension Verdict {
  /// The reason of an attempt that never started and says nothing of the next one.
  public static let givenBack = "given_back"

  /// Why its failure is final.
  private var failure: JobEvent.Failure {
    switch reason {
    case "result": .declared
    case "not_executable", "command_not_found", "directory_gone": .notExecutable
    default: .exit
    }
  }

  /// The event that this outcome is to its job.
  public func event(after wish: Span?, verification: JobEvent.Verification? = nil) -> JobEvent {
    switch outcome {
    case .succeeded: .succeeded
    case .retry: .retry(after: wish)
    case .failed: .failed(failure)
    case .snooze: .snooze(after: wish)
    case .unknown: .unknown(verification: verification)
    case .cancelled: .stoppedByCancel
    case .neverStarted: .neverStarted
    }
  }
}
