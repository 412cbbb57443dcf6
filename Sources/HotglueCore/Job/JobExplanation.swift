/// Why a job is where it is, why it was run again, and what happens next: in words for people, each
/// with a stable code for scripts.
public struct JobExplanation: Hashable, Sendable {
  public struct Statement: Hashable, Sendable {
    /// A stable word.
    public var code: String
    public var text: String
    /// When it comes or came, where it has a time.
    public var at: Timestamp?
    /// The command that would change it.
    public var command: SuggestedCommand?

    public init(
      _ code: String, _ text: String, at: Timestamp? = nil, command: SuggestedCommand? = nil
    ) {
      self.code = code
      self.text = text
      self.at = at
      self.command = command
    }
  }

  /// Why it does not run, or why it is in its state; what holds it back first.
  public let why: [Statement]
  /// For each attempt that was not the last: why the job was run again.
  public let retried: [Statement]
  /// What happens next, and when.
  public let next: [Statement]

  /// Pure: it reads no clock, and everything it knows is in the arguments.
  public init(_ job: JobCircumstances, at now: Timestamp) {
    let words = ExplanationWords(job: job, now: now)
    why = words.why
    retried = words.retried
    next = words.next
  }
}

/// The words of an explanation.
private struct ExplanationWords {
  let job: JobCircumstances
  let now: Timestamp

  typealias Statement = JobExplanation.Statement

  private var id: JobID { job.facts.id }
  private var policy: JobPolicy { job.facts.policy }

  var why: [Statement] {
    switch job.facts.state {
    case nil: []
    case .blocked: [Statement("blocked", "waits for other jobs")]
    case .pending: pending
    case .running: running
    case .succeeded: [Statement("succeeded", "it has succeeded" + by, at: job.finishedAt)]
    case .failed:
      [
        budget.map { Statement(job.reason ?? "failed", "\($0): \(failure)", at: job.finishedAt) }
          ?? Statement("failed", "it has failed for good: \(failure)", at: job.finishedAt)
      ]
    case .uncertain:
      [
        Statement(
          job.reason == "restored" ? "restored" : "outcome_unknown",
          job.reason == "restored"
            ? "it was pending in a backup that was restored and may have run since, and it is not "
              + "safe to run twice"
            : "the outcome of its last attempt is unknown (\(failure)), and it is not safe to run "
              + "twice",
          at: job.finishedAt,
          command: resolving)
      ]
    case .cancelled:
      [Statement(job.reason ?? "cancelled", cancellation, at: job.finishedAt)]
    }
  }

  // MARK: Pending

  private var pending: [Statement] {
    var reasons: [Statement] = []
    if job.workspaceIsArchived {
      reasons.append(
        Statement(
          "workspace_archived", "workspace '\(job.workspace)' is archived: nothing is run there"))
    }
    if job.runAt > now {
      reasons.append(wait)
    }
    if job.waitsForType {
      reasons.append(
        Statement(
          "type_undefined",
          "waits for its type: '\(job.type)' is not defined in workspace '\(job.workspace)'",
          command: .hotglue(["type", "set", job.type], form: "-- COMMAND…")))
    }
    reasons += limits
    if reasons.isEmpty, job.jobsAhead > 0 {
      let count =
        job.jobsAhead >= JobCircumstances.mostAhead
        ? "\(job.jobsAhead) or more due jobs" : Self.count(job.jobsAhead, "due job")
      reasons.append(
        Statement(
          "behind_others",
          "\(count) of its queue and type \(job.jobsAhead == 1 ? "is" : "are") "
            + "claimed before it"))
    }
    if let workers = job.liveWorkers, workers == 0 {
      reasons.append(
        Statement(
          "no_worker", "no worker is alive on this machine",
          command: .hotglue(["job", "work", "-w", job.workspace.text])))
    }
    if reasons.isEmpty {
      reasons.append(Statement("due", "is due: the next free worker that takes it runs it"))
    }
    return reasons
  }

  /// What it waits for until `runAt`.
  private var wait: Statement {
    let when = at(job.runAt)
    if job.attempts.last?.outcome == .snooze {
      return Statement(
        "snoozing",
        "has put itself off (\(Self.count(job.facts.snoozes, "time")) of \(policy.maxSnoozes)), and "
          + "is run again at \(when)", at: job.runAt)
    }
    let isRetry = job.facts.failures + job.facts.losses + job.facts.snoozes > 0
    return Statement(
      isRetry ? "retrying" : "scheduled",
      "\(job.facts.attempt > 0 ? "is run again" : "is run") at \(when)", at: job.runAt)
  }

  private var limits: [Statement] {
    var reasons: [Statement] = []
    if let limit = job.queueLimit, limit.isFull {
      reasons.append(
        Statement(
          "queue_limit", "waits for its queue: \(fullness(limit)) of queue '\(limit.name)'",
          command: .hotglue(["queue", "limit", limit.name], form: "N")))
    }
    if let limit = job.typeLimit, limit.isFull {
      reasons.append(
        Statement(
          "type_limit", "waits for its type: \(fullness(limit)) of type '\(limit.name)'",
          command: .hotglue(["type", "set", limit.name], form: "--limit N")))
    }
    if let limit = job.keyLimit, limit.isFull || job.waitsForKey {
      reasons.append(
        Statement(
          "limit_key", "waits for limit key '\(limit.name)': \(fullness(limit)) of it",
          command: limit.running?.first.map { .hotglue(["job", "cancel", String($0)]) }))
    }
    return reasons
  }

  /// `2 jobs run (41, 42), and at most 2 may`
  private func fullness(_ limit: JobCircumstances.Limit) -> String {
    guard let running = limit.running, !running.isEmpty else {
      return "at most \(Self.count(limit.limit, "job"))"
    }
    let shown = running.prefix(5).map(String.init).joined(separator: ", ")
    return "\(Self.count(running.count, "job")) \(running.count == 1 ? "runs" : "run") (\(shown)"
      + "\(running.count > 5 ? ", …" : "")), the most there may be"
  }

  // MARK: Running

  private var running: [Statement] {
    var reasons: [Statement] = []
    if job.facts.cancelRequested {
      reasons.append(
        Statement(
          "being_cancelled", "attempt \(job.facts.attempt) is being stopped: \(policy.stop.text)"))
    }
    guard let live = job.live else { return reasons }
    guard let evidence = live.evidence else {
      let lease = live.leaseExpiresAt.map { "; its lease holds until \(at($0))" } ?? ""
      return reasons + [Statement("running", runs(live) + lease)]
    }
    return reasons + judged(evidence, live)
  }

  private func runs(_ live: JobCircumstances.LiveAttempt) -> String {
    "attempt \(job.facts.attempt) runs under worker \(live.worker) since \(at(live.startedAt))"
  }

  /// The same judgement as that of `doctor`, `job reclaim` and every worker.
  private func judged(
    _ evidence: AttemptEvidence, _ live: JobCircumstances.LiveAttempt
  ) -> [Statement] {
    let attempt = "attempt \(job.facts.attempt)"
    let reclaim = SuggestedCommand.hotglue(
      ["job", "reclaim", "-w", job.workspace.text, String(id)])
    switch evidence.judgement {
    case .held(let processes):
      let pids = processes.map { String($0.pid) }
      return [
        Statement(
          "held",
          "\(attempt) has ended and waits for processes it left, which could not be stopped: "
            + LeftoverProcess.text(processes),
          command: .other(["sudo", "kill", "-KILL"] + pids))
      ]
    case .over:
      return [
        Statement(
          "attempt_dead",
          "\(attempt) is over and not recorded: its worker \(live.worker) and its supervisor are "
            + "gone; the next worker records it", command: reclaim)
      ]
    case .orphaned:
      return [
        Statement(
          "orphaned",
          "\(attempt) is orphaned: worker \(live.worker) is gone, and the attempt keeps running "
            + "under its supervisor; the next worker adopts it or records its end",
          command: reclaim)
      ]
    case .owned, .silent, .resolving, .elsewhere:
      let findings = evidence.findings.map {
        Statement($0.rawValue, "\(attempt): \($0.meaning)")
      }
      return [Statement("running", runs(live))] + findings
    }
  }

  // MARK: Ended

  private var failure: String { job.failure ?? "no reason is recorded" }

  private var by: String {
    switch job.reason {
    case "resolved": ": a person said so"
    case "verified": ": its check command said so"
    default: ""
    }
  }

  /// Which budget is used up; `nil` where the failure itself is final.
  private var budget: String? {
    let facts = job.facts
    return switch job.reason {
    case "max_losses":
      "it was lost \(Self.count(facts.losses, "time")), more than \(policy.maxLosses)"
    case "max_snoozes":
      "it put itself off \(Self.count(facts.snoozes, "time")), more than \(policy.maxSnoozes)"
    case "retry_for":
      "the next attempt could not begin within \(policy.retryFor?.text ?? "its time")"
    case "max_attempts":
      "it failed \(Self.count(facts.failures, "time")), the most of \(policy.maxAttempts)"
    default: nil
    }
  }

  private var cancellation: String {
    switch job.reason {
    case "expired": "its deadline passed before it could start"
    case "dependency": "a job that it waited for ended badly"
    default: "it was cancelled"
    }
  }

  // MARK: Why it was run again

  var retried: [Statement] {
    let ended = job.attempts
    let again = job.facts.state == .pending || job.facts.state == .running
    return (again ? ended[...] : ended.dropLast()).map { attempt in
      Statement(
        attempt.outcome.rawValue, "attempt \(attempt.number) \(Self.sentence(of: attempt, policy))",
        at: attempt.endedAt)
    }
  }

  private static func sentence(
    of attempt: JobCircumstances.PastAttempt, _ policy: JobPolicy
  ) -> String {
    let end = attempt.exitStatus.map { "status \($0)" } ?? attempt.signal.map { "SIG\($0.name)" }
    let how = [attempt.reason, end].compactMap { $0 }.joined(separator: ", ")
    let shown = how.isEmpty ? "" : " (\(how))"
    switch attempt.outcome {
    case .retry: return "failed\(shown), and a failure may be tried again"
    case .snooze: return "put itself off\(shown), which counts as no failure"
    case .neverStarted: return "was not started\(shown), which counts as nothing"
    case .unknown:
      switch policy.replay {
      case .safe: return "ended unknown\(shown), and it is safe to run twice"
      case .keyed: return "ended unknown\(shown), and it is safe to run twice with its key"
      case .unsafe:
        return "ended unknown\(shown), and it was found or said that it had not happened"
      }
    case .failed, .cancelled, .succeeded:
      return "ended \(attempt.outcome.rawValue)\(shown), and a person gave it another try"
    }
  }

  // MARK: What comes

  var next: [Statement] {
    switch job.facts.state {
    case .pending, .blocked, .running: return upcoming
    case .succeeded, nil: return [Statement("nothing", "nothing: it has ended")]
    case .failed, .cancelled:
      return [
        Statement(
          "nothing", "nothing by itself; a retry gives it fresh budgets",
          command: .hotglue(["job", "retry", String(id)]))
      ]
    case .uncertain:
      return [Statement("nothing", "nothing until you say what happened", command: resolving)]
    }
  }

  private var upcoming: [Statement] {
    var steps: [Statement] = []
    switch job.facts.state {
    case .pending?:
      let first = why.first
      let waits = first.map { !["due", "retrying", "scheduled", "snoozing"].contains($0.code) }
      steps.append(
        Statement(
          "run",
          waits == true
            ? "the next free worker runs it once nothing holds it back"
            : first?.text ?? "is due", at: job.runAt))
      if let deadline = job.expiresAt {
        steps.append(
          Statement(
            "expire", "is cancelled if it has not started by \(at(deadline))", at: deadline,
            command: .hotglue(["job", "cancel", String(id)])))
      }
    case .running?:
      if let timeout = policy.timeout, let live = job.live {
        let end = live.startedAt.advanced(by: timeout)
        steps.append(
          Statement("timeout", "is stopped by \(policy.stop.text) at \(at(end))", at: end))
      }
    default: break
    }
    if job.facts.cancelRequested {
      return steps + [Statement("cancelled", "is not run again, whatever its attempt comes to")]
    }
    if let failing = ifItFails { steps.append(Statement("if_it_fails", "if it fails: " + failing)) }
    steps.append(Statement("if_unknown", "if nobody knows how it ended: " + ifUnknown))
    return steps
  }

  private var ifItFails: String? { job.facts.failureOutlook }

  private var ifUnknown: String {
    if policy.replay.allowsRerunAfterUnknown {
      let left = max(0, policy.maxLosses - job.facts.losses)
      return left == 0
        ? "failed: no loss is left" : "it is run again, \(Self.count(left, "more time")) at most"
    }
    return policy.verify == nil ? "uncertain, until a person resolves it" : "its check is asked"
  }

  private func at(_ moment: Timestamp) -> String { moment.text(seenFrom: now) }

  private var resolving: SuggestedCommand {
    .hotglue(
      ["job", "resolve", String(id)], form: "--as succeeded|failed|retry --reason TEXT")
  }

  private static func count(_ number: Int, _ noun: String) -> String {
    number == 1 ? "1 \(noun)" : "\(number) \(noun)s"
  }
}

extension JobFacts {
  /// What a failure from now on leads to, in words; `nil` for a job that has ended.
  public var failureOutlook: String? {
    guard state == .pending || state == .running || state == .blocked else { return nil }
    let (waits, endsFailed) = waitsIfItFails()
    guard !waits.isEmpty else { return "failed: no attempt is left" }
    return "again after \(waits.map(\.approximateText).joined(separator: ", then ")), then "
      + (endsFailed ? "failed" : "…")
  }
}

extension Timestamp {
  /// A moment as it is stored, and how far away it is.
  public func text(seenFrom now: Timestamp) -> String {
    let distance = Span(milliseconds: abs(milliseconds - now.milliseconds)).approximateText
    return self > now ? "\(rfc3339) (in \(distance))" : "\(rfc3339) (\(distance) ago)"
  }
}
