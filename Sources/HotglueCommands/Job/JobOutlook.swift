import HotglueCore
import HotglueStore

/// What happens to a job next and when, in a line; 'job explain' says all of it.
struct JobOutlook {
  let job: Job
  let now: Timestamp
  /// The command line that asks, for which what it suggests works as it stands.
  let given: GivenArguments

  var next: String {
    let explanation = JobExplanation(job.circumstances, at: now)
    guard job.state == .pending || job.state == .running || job.state == .blocked else {
      guard let next = explanation.next.first else { return "nothing" }
      return next.text + (next.command.map { ": \(quoted($0))" } ?? "")
    }
    guard let reason = explanation.why.first else { return "attempt \(job.attempt) is running" }
    let command = reason.command.map { "; \(quoted($0)) changes that" } ?? ""
    let deadline =
      job.request.expiresAt.map { ", unless it has not started by \($0.text(seenFrom: now))" }
    return reason.text + command + (deadline ?? "")
  }

  private func quoted(_ command: SuggestedCommand) -> String {
    let hint: Hint = "'\(Hint(command, insideQuotes: true))'"
    return hint.text(for: given)
  }

  /// When it would be run again if it failed from now on, as it would be decided.
  var ifItFails: String? { job.circumstances.facts.failureOutlook }
}

extension JobPolicy {
  /// The policy for a person, a line for each thing it decides.
  var inWords: [(name: String, text: String)] {
    var lines: [(String, String)] = []
    let within = retryFor.map { ", begun within \($0.text)" } ?? ""
    lines.append(
      (
        "attempts",
        "\(maxAttempts) at most\(within), \(Count.of(maxLosses, "loss")), "
          + Count.of(maxSnoozes, "snooze")
      ))
    if maxAttempts > 1 || replay.allowsRerunAfterUnknown {
      lines.append(("back-off", "\(backoff.text), jitter \(jitter.rawValue)"))
    }
    lines.append(("replay", replayInWords))
    if onExit != .none { lines.append(("on exit", onExit.text)) }
    lines.append(("stop", "\(stop.text), \(timeout.map { "after \($0.text)" } ?? "no time-out")"))
    lines.append(("lease", lease.text))
    lines.append(
      (
        "output",
        "\(ByteCount.text(logCap)) at most"
          + (keepChildren ? ", what it leaves running is kept" : "")
      ))
    return lines
  }

  private var replayInWords: String {
    switch replay {
    case .safe: return "safe: run again after an unknown outcome"
    case .keyed: return "keyed: run again after an unknown outcome, with the same key"
    case .unsafe:
      guard let verify else { return "unsafe: not run again after an unknown outcome" }
      return "unsafe: after an unknown outcome 'sh -c \(Shell.quoted(verify))' is asked"
    }
  }
}
