import Glibc
import HotglueCore
import HotglueProcess
import HotglueStore

/// An attempt's end in the store's words: what a supervisor left, judged by the job's policy.
struct AttemptReport {
  let end: AttemptEnd
  let verdict: Verdict
  private(set) var usage: AttemptUsage
  private(set) var warnings: [String]
  /// The last that it said of how far it is.
  let progress: JobProgress?
  let endedAt: Timestamp
  /// Processes of it may live where they cannot be seen: no check command may have it run again.
  var leftoversAreUnseen = false

  /// What the supervisor saw. `log` is where the attempt's log is when there is one.
  init(_ outcome: EndedAttempt, policy: JobPolicy, log: String) {
    let said = Said(outcome.report)
    var seen = AttemptEnd(
      how: outcome.end, stop: outcome.stop?.reason,
      reachedKill: outcome.killReached, result: said.result, isStreamed: outcome.isOfStream,
      hasUnclearResult: said.isUnclear, ranOutOfMemory: outcome.memoryKills > 0)
    seen.refusal = outcome.end.refusal
    seen.interpreter = outcome.interpreter
    seen.wasGivenBack = outcome.isOfStream && outcome.end == .neverStarted(errno: 0)
    // A result that was there and cannot be read leaves the end unknown, whatever the status says.
    end = said.resultIsLost ? AttemptEnd(how: .lost) : seen
    verdict = end.verdict(by: policy.onExit)
    progress = said.progress
    usage = AttemptUsage(
      exitStatus: seen.exitStatus.map(Int.init), signal: seen.signal.map { Int($0.number) },
      log: outcome.logPlace == .none ? nil : log)
    // What a stream's handler uses is not one job's.
    if !outcome.isOfStream {
      usage.userMilliseconds = outcome.userMs
      usage.systemMilliseconds = outcome.systemMs
      usage.peakMemoryBytes = outcome.peakBytes
    }
    warnings = Self.warnings(outcome) + said.warnings
    endedAt = Timestamp(milliseconds: outcome.endedMs)
  }

  /// An end that nobody saw: certainly never started, or lost.
  init(_ how: AttemptEnd.How, log: String?, warnings: [String] = [], at now: Timestamp) {
    var end = AttemptEnd(how: how)
    end.refusal = how.refusal
    self.end = end
    verdict = end.verdict(by: .none)
    progress = nil
    usage = AttemptUsage(log: log)
    self.warnings = warnings
    endedAt = now
  }

  private static func warnings(_ outcome: EndedAttempt) -> [String] {
    var warnings: [String] = []
    if outcome.straysKilled > 0 {
      warnings.append("\(outcome.straysKilled) processes were left behind and stopped")
    }
    if outcome.logLeftOutBytes > 0 {
      warnings.append("\(outcome.logLeftOutBytes) bytes of the output are not in the log")
    }
    if outcome.memoryKills > 0 {
      warnings.append(
        "the kernel killed \(outcome.memoryKills) processes of its control group for want of memory"
      )
    }
    if let stop = outcome.stop { warnings.append("stopped by \(stop.who)") }
    return warnings
  }

  func withWarning(_ warning: String) -> AttemptReport {
    var report = self
    report.warnings.append(warning)
    return report
  }

  /// The report once what the attempt left behind was stopped.
  func withRemains(_ remains: AttemptRemains.Result, log: String?) -> AttemptReport {
    var report = self
    report.usage.log = log
    if remains.killed > 0 {
      report.warnings.append("\(remains.killed) processes were left behind and stopped")
    }
    return report
  }

  func withLog(_ log: String) -> AttemptReport {
    var report = self
    report.usage.log = log
    return report
  }

  func settlement(
    of attempt: AttemptReference, by who: String, verification: VerifyAnswer? = nil
  ) -> Settlement {
    var settlement = Settlement(
      attempt: attempt, end: end, verdict: verdict, verification: verification?.verification,
      usage: usage, warnings: warnings, progress: progress, endedAt: endedAt, by: who)
    settlement.verifyAnswer = verification?.text
    return settlement
  }

  /// Whether the job's `--verify` command is to be asked before this is recorded.
  func needsVerification(_ policy: JobPolicy) -> Bool {
    verdict.outcome == .unknown && policy.replay == .unsafe && policy.verify != nil
      && !leftoversAreUnseen
  }
}

extension AttemptEnd.How {
  /// The system's reason where nothing was run.
  fileprivate var refusal: String? {
    switch self {
    case .notExecutable(let errno), .directoryGone(let errno), .neverStarted(let errno):
      return errno > 0 ? ExecutionFailure.reason(errno) : nil
    case .exited, .signaled, .answered, .lost: return nil
    }
  }
}
