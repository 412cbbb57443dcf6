import HotglueCore
import HotglueStore

extension SQLiteStore {
  /// Records an attempt's end inside the caller's transaction.
  ///
  /// The job must still be running under the settlement's fence. Otherwise the attempt's own row says
  /// whether this very outcome was recorded before; anything else is late and kept for people.
  func record(_ settlement: Settlement, at now: Timestamp) throws(StoreError) -> SettlementResult {
    let reference = settlement.attempt
    // A job that was pruned or restored away has nothing left to report to.
    guard var job = try record(of: reference.job) else { return .late(current: 0) }
    guard job.workspace == reference.workspace else {
      throw StoreError.otherWorkspace(reference.job, owner: job.workspace)
    }
    guard job.state == .running, job.fence == reference.fence else {
      return try recordAgain(settlement, job, at: now)
    }
    let event = settlement.verdict.event(
      after: settlement.end.result?.after, verification: settlement.verification)
    if settlement.verdict.outcome == .neverStarted,
      settlement.verdict.reason != Verdict.givenBack
    {
      // Counted when it happens: a job's row need not carry what is nearly always 0.
      let before = try connection.first(
        ClaimSQL.neverStartedInARow, [.integer(job.facts.id)], { Int($0.integer(0)) })
      job.facts.neverStarted = (before ?? 0) + 1
    }
    let transition = try decide(job, event, at: now)
    if let answer = settlement.verifyAnswer { try record(answer, of: settlement) }
    try apply(transition, of: settlement, to: job)
    try endAttempt(settlement, transition)
    if let limitKey = job.limitKey { try unpark(limitKey, in: job.workspace, at: now) }
    if let automation = job.automation, transition.to.isFinished {
      try pauseAfterFailures(automation, endedIn: transition.to, at: now)
    }
    if let actor = settlement.actor {
      try logActivity(actor, in: job.workspace, subject: "job/\(job.facts.id)", at: now)
    }
    return .recorded(transition.to, runAt: transition.runAt)
  }

  private func apply(
    _ transition: JobTransition, of settlement: Settlement, to job: JobRecord
  ) throws(StoreError) {
    let verdict = settlement.verdict
    let result = settlement.end.result
    let endedWell = transition.to == .succeeded
    let changed = try connection.run(
      ClaimSQL.settle,
      [
        .integer(job.facts.id), .integer(job.fence), .text(transition.to.rawValue),
        .optional(transition.reason?.rawValue), .integer(transition.attempt),
        .integer(transition.failures), .integer(transition.losses),
        .integer(transition.snoozes), .optional(transition.runAt?.milliseconds),
        transition.to.isFinished ? .integer(settlement.endedAt.milliseconds) : .null,
        .flag(job.holdsKey(in: transition.to)),
        endedWell ? .null : .text(result?.errorCode ?? verdict.reason),
        endedWell ? .null : .text(verdict.message),
        endedWell ? .null : .text(verdict.outcome.rawValue),
        .optional(settlement.usage.exitStatus), .optional(settlement.usage.signal),
        .optional(result?.value?.text), .optional(settlement.progress?.column),
      ])
    guard changed == 1 else {
      throw StoreError.stale(job.facts.id, fence: settlement.attempt.fence, current: job.fence)
    }
  }

  /// The answer of the `--verify` command stands in the history beside the outcome that it decided.
  private func record(_ answer: String, of settlement: Settlement) throws(StoreError) {
    let reference = settlement.attempt
    let running = JobState.running.rawValue
    try connection.run(
      JobSQL.addEvent,
      [
        .integer(reference.job), .text(reference.workspace.text), .integer(reference.fence),
        .integer(settlement.endedAt.milliseconds), .text(Lifecycle.verifyEvent), .text(running),
        .text(running), .text(settlement.by), .text(answer),
      ])
  }

  private func endAttempt(
    _ settlement: Settlement, _ transition: JobTransition
  ) throws(StoreError) {
    let usage = settlement.usage
    let changed = try connection.run(
      ClaimSQL.endAttempt,
      [
        .integer(settlement.attempt.job), .integer(settlement.attempt.fence),
        .integer(settlement.endedAt.milliseconds), .text(settlement.verdict.outcome.rawValue),
        .text(settlement.verdict.reason), .text(transition.to.rawValue), .text(settlement.by),
        .optional(usage.exitStatus), .optional(usage.signal), .optional(usage.userMilliseconds),
        .optional(usage.systemMilliseconds), .optional(usage.peakMemoryBytes),
        .optional(usage.log),
        settlement.warnings.isEmpty ? .null : .text(JSON.strings(settlement.warnings).text),
      ])
    guard changed == 1 else {
      throw StoreError.corrupt(
        path: path,
        detail:
          "attempt \(settlement.attempt.fence) of job \(settlement.attempt.job) is not open")
    }
  }

  private func recordAgain(
    _ settlement: Settlement, _ job: JobRecord, at now: Timestamp
  ) throws(StoreError) -> SettlementResult {
    let reference = settlement.attempt
    let known = try connection.first(
      ClaimSQL.attemptOutcome, [.integer(reference.job), .integer(reference.fence)],
      { $0.optionalText(0) })
    if let known, known == settlement.verdict.outcome.rawValue {
      return .alreadyRecorded(job.state)
    }
    try connection.run(
      JobSQL.addLateEnd,
      [
        .integer(reference.job), .text(reference.workspace.text), .integer(reference.fence),
        .integer(now.milliseconds), .text(settlement.report.text),
      ])
    return .late(current: job.fence)
  }
}

extension Settlement {
  /// What a late attempt wanted to say.
  fileprivate var report: JSON {
    .object([
      JSON.Member("outcome", .string(verdict.outcome.rawValue)),
      JSON.Member("reason", .string(verdict.reason)),
      JSON.Member("message", .string(verdict.message)),
      JSON.Member("exit_status", .optional(usage.exitStatus)),
      JSON.Member("signal", .optional(usage.signal)),
      JSON.Member("value", end.result?.value ?? .null),
      JSON.Member("error_code", .text(end.result?.errorCode)),
      JSON.Member("ended_at", .string(endedAt.rfc3339)),
      JSON.Member("by", .string(by)),
    ])
  }
}
