import HotglueCore
import HotglueStore

/// What happens to a job next and when, in words; and what would change that.
struct JobOutlook {
  let job: Job
  let now: Timestamp

  var next: String {
    switch job.state {
    case .blocked: return "waits for other jobs"
    case .pending: return pending
    case .running:
      return job.cancelRequestedAt == nil
        ? "attempt \(job.attempt) is running" : "attempt \(job.attempt) is being stopped"
    case .succeeded: return "nothing: it has ended"
    case .failed, .exhausted, .cancelled:
      return "nothing by itself; 'hotglue job retry \(job.id)' gives it fresh budgets"
    case .uncertain:
      return "nothing by itself: nobody knows what the last attempt did; 'hotglue job resolve "
        + "\(job.id) --as succeeded|failed|retry --reason TEXT' says so"
    }
  }

  private var pending: String {
    let deadline = job.request.expiresAt.map { ", unless it has not started by \(at($0))" } ?? ""
    if job.runAt > now {
      let again = job.attempt > 0 ? "is run again" : "is run"
      return "\(again) at \(at(job.runAt))\(deadline)"
    }
    if job.waitsForType {
      return "waits for its type: '\(job.request.type)' is not defined in workspace "
        + "'\(job.workspace)'; 'hotglue type set \(job.request.type) -- COMMAND…' defines "
        + "it\(deadline)"
    }
    if job.waitsForLimit, let key = job.request.limitKey {
      return "waits for limit key '\(key)': at most \(job.request.limitMax) of its jobs run at "
        + "once\(deadline)"
    }
    let limit = job.typeLimit.map { ", \($0) of its type at once" } ?? ""
    return "is due: the next free worker runs it\(limit)\(deadline)"
  }

  /// When it would be run again if it failed from now on, as it would be decided.
  var ifItFails: String? {
    guard job.state == .pending || job.state == .running else { return nil }
    let policy = job.request.policy
    var attempt = job.state == .running ? job.attempt : job.attempt + 1
    var failures = job.failures + 1
    var waits: [String] = []
    while failures < policy.maxAttempts, waits.count < 5 {
      waits.append(
        policy.delay(afterFailure: failures, job: job.id, attempt: attempt).approximateText)
      failures += 1
      attempt += 1
    }
    let end = failures >= policy.maxAttempts ? "exhausted" : "…"
    guard !waits.isEmpty else { return "exhausted: no attempt is left" }
    return "again after \(waits.joined(separator: ", then ")), then \(end)"
  }

  /// A moment as it is stored, and how far away it is.
  private func at(_ moment: Timestamp) -> String {
    let distance = Span(milliseconds: abs(moment.milliseconds - now.milliseconds)).approximateText
    return moment > now
      ? "\(moment.rfc3339) (in \(distance))" : "\(moment.rfc3339) (\(distance) ago)"
  }
}

extension JobPolicy {
  /// The policy for a person, a line for each thing it decides.
  var inWords: [(name: String, text: String)] {
    var lines: [(String, String)] = []
    let within = retryFor.map { ", begun within \($0.text)" } ?? ""
    lines.append(
      (
        "attempts",
        "\(maxAttempts) at most\(within), \(maxLosses) losses, \(maxSnoozes) snoozes"
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
