import HotglueCore
import HotglueStore

/// What must be true after every step.
extension Universe {
  /// The transition table, written out here once more.
  private static let edges: Set<String> = [
    "- enqueue pending", "- enqueue blocked", "blocked dependencies_ended pending",
    "blocked dependency_failed cancelled", "blocked dependency_failed pending",
    "pending claim running", "running adopt running", "running renew running",
    "running succeeded succeeded", "running retry pending", "running retry failed",
    "running retry cancelled", "running failed failed", "running snooze pending",
    "running snooze failed", "running snooze cancelled", "running never_started pending",
    "running never_started cancelled", "running unknown pending", "running unknown failed",
    "running unknown uncertain", "running unknown succeeded", "running unknown cancelled",
    "running cancel running", "running cancelled cancelled", "pending cancel cancelled",
    "blocked cancel cancelled", "pending expire cancelled", "blocked expire cancelled",
    "pending restored uncertain", "blocked restored uncertain",
    "uncertain resolve succeeded", "uncertain resolve failed", "uncertain resolve pending",
    "failed retry_again pending", "cancelled retry_again pending",
  ]

  func look(whole: Bool) throws {
    let new = try reader.snapshot(after: seen, whole: whole)
    if new.dataVersion == seen.dataVersion, !whole {
      pruned = []
      return
    }
    for (id, story) in stories.sorted(by: { $0.key < $1.key }) {
      guard let job = new.jobs[id] else {
        throw Violation(rule: "I7 what is acknowledged is there", text: "job \(id) is gone")
      }
      if seen.jobs[id] != job || whole { try checkRequest(job, story) }
    }
    for id in new.ids {
      guard let job = new.jobs[id] else { continue }
      try require(stories[id] != nil, "nothing comes from nowhere", "job \(id)")
      let old = seen.jobs[id]
      if old == job, !whole { continue }
      try check(job, old, new)
    }
    for id in seen.ids where new.jobs[id] == nil {
      try require(pruned.contains(id), "I7 what is acknowledged is there", "job \(id) is gone")
    }
    try checkLimits(new)
    if whole {
      let findings = try store.check()
      try require(findings.isEmpty, "the store is sound", findings.joined(separator: "; "))
    }
    pruned = []
    seen = new
  }

  private func checkRequest(_ job: JobRow, _ story: Story) throws {
    let request = story.request
    try require(
      job.workspace == story.workspace && job.type == request.type && job.key == request.key
        && job.payload == request.payload && job.queue == request.queue
        && job.limitKey == request.limitKey, "what is acknowledged stays as it was asked for",
      "\(job) was \(request)")
    if request.overrides == nil {
      try require(
        job.command == JSON.strings(request.command).text, "I7 what is acknowledged is there",
        "\(job)")
    }
  }

  private func check(_ job: JobRow, _ old: JobRow?, _ new: Snapshot) throws {
    let id = job.id
    let attempts = new.attempts[id] ?? []
    let open = attempts.filter { $0.outcome == nil }
    try require(
      open.count == (job.state == "running" ? 1 : 0)
        && (open.isEmpty || open[0].fence == job.fence), "I3 at most one live claim",
      "\(job) with open attempts \(open)")
    try require(
      job.state != "pending" || job.cancelRequestedAt == nil, "a cancel ends with its attempt",
      "\(job)")
    try require(job.fence >= old?.fence ?? 0, "fences never fall", "\(job)")
    if job.state == "running", job.leaseMs != old?.leaseMs || job.fence != old?.fence {
      try require(
        job.leaseMs == boot.milliseconds + job.policy.lease.milliseconds,
        "a lease is as long as it was wished", "\(job) until \(job.leaseMs ?? 0): \(boot)")
    }
    try require(
      job.state != "pending" || job.runAt > 0, "I8 a pending job has its time", "\(job)")
    try require(
      job.failures <= max(job.policy.maxAttempts, old?.failures ?? 0)
        || job.type != "exec", "I8 attempts are bounded", "\(job)")
    if let old, old.holdsKey, !job.holdsKey { try checkKeyLetGo(job) }
    try checkHistory(job, new)
    try checkAttempts(job, old, attempts)
  }

  /// A key is held as long as was asked for, and as nobody knows whether its job has happened.
  private func checkKeyLetGo(_ job: JobRow) throws {
    guard let story = stories[job.id] else { return }
    let mayGo: Bool =
      switch story.request.keyHold {
      case .whileKept: false
      case .untilDone: job.isFinished && job.state != "uncertain"
      case .span(let span): story.at.advanced(by: span) <= now
      }
    try require(mayGo, "a key is held", "\(story.request.keyHold): let go of by \(job)")
  }

  /// I5: every change is a row of the table, and is in the history, which only grows.
  private func checkHistory(_ job: JobRow, _ new: Snapshot) throws {
    let history = new.history[job.id] ?? []
    let known = seen.history[job.id] ?? []
    try require(
      Array(history.prefix(known.count)) == known, "I5 history only grows",
      "of job \(job.id): \(known) became \(history)")
    var state: String?
    for entry in history {
      try require(
        entry.from == state, "I5 history is one chain", "of job \(job.id): \(history)")
      let edge = "\(entry.from ?? "-") \(entry.event) \(entry.to)"
      try require(
        Self.edges.contains(edge), "I5 only what the table allows", "job \(job.id): \(edge)")
      state = entry.to
    }
    try require(
      state == job.state, "I5 every change is in the history",
      "job \(job.id) is \(job.state), its history ends in \(state ?? "nothing")")
  }

  private func checkAttempts(
    _ job: JobRow, _ old: JobRow?, _ attempts: [AttemptRow]
  ) throws {
    let known = seen.attempts[job.id] ?? []
    var claims = 0
    for attempt in attempts {
      let before = known.first { $0.fence == attempt.fence }
      if before == nil {
        claims += 1
        try require(
          attempt.fence > fences[job.id] ?? 0, "fences never repeat",
          "fence \(attempt.fence) of job \(job.id) after \(fences[job.id] ?? 0)")
        fences[job.id] = attempt.fence
      }
      if let before, before.outcome != nil {
        try require(before == attempt, "an outcome is recorded once", "\(before), \(attempt)")
        continue
      }
      guard let outcome = attempt.outcome, let old else { continue }
      try checkTruth(job.id, attempt, outcome)
      try checkBudgets(job, old, attempt, outcome)
    }
    try require(
      claims <= 1, "I3 at most one live claim", "job \(job.id) was claimed \(claims) times")
    if let old, job.fence != old.fence {
      try require(
        claims == 1 && job.fence == old.fence + 1, "a claim raises the fence by one",
        "\(old) became \(job)")
    }
  }

  /// I14, and nothing is guessed: what is recorded of an attempt is what happened to it.
  private func checkTruth(_ id: JobID, _ attempt: AttemptRow, _ outcome: String) throws {
    let run = runs.last { $0.reference.job == id && $0.reference.fence == attempt.fence }
    if let run {
      try require(
        !run.isAlive && !run.hasRemains, "I12 what is over is not alive",
        "attempt \(attempt.fence) of job \(id) is recorded as \(outcome), and lives")
    }
    let truth = "attempt \(attempt.fence) of job \(id) is recorded as \(outcome), and was "
    switch outcome {
    case "never_started":
      try require(run == nil, "nothing is guessed", truth + "started")
    case "unknown":
      guard let run else {
        let slot = slots.first { $0.name == attempt.slot }
        try require(
          slot == nil || slot?.bootID != boot.bootID || slot?.isFileLost == true,
          "I14 no attempt is lost without a cause",
          truth + "never started")
        return
      }
      try require(
        run.isDisturbed || run.expected == .unknown, "I14 no attempt is lost without a cause",
        truth + (run.expected.map { "\($0)" } ?? "alive"))
    default:
      try require(
        run?.expected?.rawValue == outcome, "nothing is guessed",
        truth + (run?.expected.map { "\($0)" } ?? "without an end"))
    }
  }

  /// The three budgets, and what each outcome leads to.
  private func checkBudgets(
    _ job: JobRow, _ old: JobRow, _ attempt: AttemptRow, _ outcome: String
  ) throws {
    let policy = old.policy
    let isCancelled = old.cancelRequestedAt != nil
    var (failures, losses, snoozes) = (old.failures, old.losses, old.snoozes)
    var allowed: Set<String>
    func again(_ isUsedUp: Bool) -> Set<String> {
      if isCancelled { return ["cancelled"] }
      if isUsedUp { return ["failed"] }
      return policy.retryFor == nil ? ["pending"] : ["pending", "failed"]
    }
    switch outcome {
    case "retry":
      failures += 1
      allowed = again(failures >= policy.maxAttempts)
    case "snooze":
      snoozes += 1
      allowed = again(snoozes > policy.maxSnoozes)
    case "never_started": allowed = isCancelled ? ["cancelled"] : ["pending", "failed"]
    case "unknown":
      losses += 1
      let answer = runs.last { $0.reference.job == job.id && $0.reference.fence == attempt.fence }?
        .answer
      if policy.replay != .unsafe {
        allowed = again(losses > policy.maxLosses)
      } else if policy.verify == nil || answer == nil || answer == .undecided {
        allowed = ["uncertain"]
      } else {
        allowed = answer == .happened ? ["succeeded"] : again(losses > policy.maxLosses)
      }
    default: allowed = [outcome]
    }
    try require(
      allowed.contains(attempt.toState ?? ""), "I5 every outcome has its consequence",
      "\(outcome) led job \(job.id) to \(attempt.toState ?? "nothing") and not to \(allowed.sorted()): \(old)"
    )
    if attempt.toState == "pending", ["retry", "unknown", "snooze"].contains(outcome),
      let bound = policy.retryFor, job.state == "pending"
    {
      try require(
        job.runAt <= (old.budgetsStartedAt ?? 0) + bound.milliseconds, "I8 retries are bounded",
        "after \(outcome) \(old) became \(job)")
    }
    try require(
      (job.failures, job.losses, job.snoozes) == (failures, losses, snoozes),
      "I8 budgets are counted apart", "after \(outcome) \(old) became \(job)")
    let claimed = job.fence > old.fence ? 1 : 0
    let given = outcome == "never_started" ? -1 : 0
    try require(
      job.attempt == old.attempt + given + claimed, "a claim raises the attempt",
      "after \(outcome) \(old) became \(job)")
  }

  /// Limits hold whenever something is claimed.
  private func checkLimits(_ new: Snapshot) throws {
    let running = new.ids.compactMap { new.jobs[$0] }.filter { $0.state == "running" }
    func isNew(_ job: JobRow) -> Bool {
      seen.jobs[job.id].map { $0.state != "running" || $0.fence != job.fence } ?? true
    }
    let claimed = running.filter(isNew).sorted {
      ($0.rank, $0.runAt, $0.id) < ($1.rank, $1.runAt, $1.id)
    }
    var others = running.filter { !isNew($0) }
    for job in claimed {
      if let key = job.limitKey {
        let count = others.count { $0.workspace == job.workspace && $0.limitKey == key }
        try require(count < job.limitMax, "limits hold", "\(job) beside \(count) others")
      }
      if let limit = new.types["\(job.workspace)/\(job.type)"]?.limit, job.type != "exec" {
        let count = others.count { $0.workspace == job.workspace && $0.type == job.type }
        try require(count < limit, "limits hold", "\(job) beside \(count) of its type")
      }
      if let limit = new.queues["\(job.workspace)/\(job.queue)"] {
        let count = others.count { $0.workspace == job.workspace && $0.queue == job.queue }
        try require(count < limit, "limits hold", "\(job) beside \(count) of its queue")
      }
      others.append(job)
    }
  }

  /// I9 and I12: whether the world may start this handler now. What ran before a restore counts as what
  /// runs: the machine is the same.
  func checkStart(_ run: Run) throws {
    let reference = run.reference
    let job = seen.jobs[reference.job]
    try require(
      job?.state == "running" && job?.fence == reference.fence, "I4 only a current attempt starts",
      "fence \(reference.fence) starts, and the job is \(job.map { "\($0)" } ?? "gone")")
    for other in runs where other.reference.job == reference.job {
      let both = "attempts \(other.reference.fence) and \(reference.fence) of job \(reference.job)"
      try require(
        !other.isAlive && !other.hasRemains, "I12 at most one attempt is alive", both)
      if other.isForgiven { continue }
      let recorded = seen.attempts[reference.job]?.first { $0.fence == other.reference.fence }?
        .outcome
      switch recorded {
      case "retry", "snooze": break
      case "unknown":
        // What an attempt ran by decides what becomes of it, whatever its type says by then.
        try require(other.replay != .unsafe, "I9 what is not safe is not run again", both)
      default:
        throw Violation(
          rule: "I9 what is over is not run again", text: "\(both): \(recorded ?? "open")")
      }
    }
  }
}
