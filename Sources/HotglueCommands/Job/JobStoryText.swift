import HotglueCore
import HotglueStore

/// A job's story for people. Off a terminal every line of a part begins with the part's name, so that
/// it can be picked out.
struct JobStoryText {
  let story: JobStory
  let output: Output
  let now: Timestamp

  private var job: Job { story.job }

  func print() {
    output.fields(facts)
    policy()
    part(
      "attempts", name: "attempt",
      headings: [
        "number", "outcome", "reason", "started", "took", "exit", "cpu", "memory", "worker", "log",
      ] + (showsRevisions ? ["revision"] : []),
      rows: story.attempts.map(attempt))
    part(
      "warnings", name: "warning", headings: ["attempt", "warning"],
      rows: story.attempts.flatMap { attempt in
        attempt.warnings.map { [Cell(attempt.number), Cell($0)] }
      })
    part(
      "effects", name: "effect", headings: EffectTable.headings,
      rows: story.effects.map(EffectTable.row))
    part(
      "history", headings: ["at", "event", "from", "to", "by", "reason"],
      rows: story.history.map {
        [
          Cell($0.at.rfc3339), Cell($0.event), Cell($0.from?.rawValue), Cell($0.to), Cell($0.by),
          Cell($0.reason),
        ]
      })
    part(
      "late reports", name: "late_report", headings: ["at", "fence", "report"],
      rows: story.lateReports.map { [Cell($0.at.rfc3339), Cell($0.fence), Cell($0.report.text)] })
  }

  private var facts: [(name: String, cell: Cell)] {
    let request = job.request
    let outlook = JobOutlook(job: job, now: now, given: output.environment.given)
    var facts: [(name: String, cell: Cell)] = [("job", Cell(job.id))]
    func add(_ name: String, _ text: String?) {
      if let text { facts.append((name, Cell(text))) }
    }
    func add(_ name: String, _ time: Timestamp?) {
      if let time { facts.append((name, Cell(time))) }
    }
    add("link", EntityLink.job(job.id, in: job.workspace).text)
    add("workspace", job.workspace.text)
    facts.append(("state", Cell(stateOf: job, at: now)))
    add("reason", job.reason)
    add("next", outlook.next)
    add("if it fails", outlook.ifItFails)
    add("error", job.error.map { "\($0.message) (\($0.code), \($0.kind))" })
    add("result", job.result?.text)
    add("progress", job.progress.map(ProgressText.of))
    add("type", request.type + (job.typeRevision.map { ", revision \($0)" } ?? ""))
    add("command", request.command.isEmpty ? nil : ShellWords.joined(request.command))
    add("folder", request.directory)
    add("umask", request.umask.text)
    // Values may be secrets: the names say enough.
    if !request.environment.isEmpty {
      add(
        "variables",
        request.environment.map { String($0.prefix { $0 != "=" }) }
          .joined(separator: ", "))
    }
    add("payload", request.payload.map(payload))
    add(
      "queue",
      request.priority == 0
        ? request.queue : "\(request.queue), priority \(request.priority)")
    add("limit", request.limitKey.map { "\($0), \(request.limitMax) at once" })
    add("key", request.key)
    add("run at", job.runAt)
    add("expires at", request.expiresAt)
    add("created at", job.createdAt)
    add("started at", job.startedAt)
    add("finished at", job.finishedAt)
    add(
      "spent",
      [(job.failures, "failure"), (job.losses, "loss"), (job.snoozes, "snooze")]
        .map { Count.of($0, $1) }.joined(separator: ", "))
    if job.state == .running {
      add("worker", job.worker)
      add("fence", String(job.fence))
      add("lease expires at", job.leaseExpiresAt)
    }
    return facts
  }

  private func payload(_ text: String) -> String {
    guard text.utf8.count > 200 else { return text }
    return "\(text.prefix(160))… (\(ByteCount.approximateText(Int64(text.utf8.count))))"
  }

  private func attempt(_ attempt: Attempt) -> [Cell] {
    let usage = attempt.usage
    let took = attempt.finishedAt.map {
      Span(milliseconds: $0.milliseconds - attempt.startedAt.milliseconds).approximateText
    }
    let exit =
      usage.exitStatus.map(String.init)
      ?? usage.signal.map { "SIG\(Signal(stored: $0).name)" }
    var cpu: String?
    if let user = usage.userMilliseconds, let system = usage.systemMilliseconds {
      cpu = Span(milliseconds: user + system).approximateText
    }
    return [
      Cell(attempt.number), Cell(attempt.outcome?.rawValue ?? "running", style(attempt.outcome)),
      Cell(attempt.reason), Cell(attempt.startedAt), Cell(took), Cell(exit), Cell(cpu),
      Cell(usage.peakMemoryBytes.map(ByteCount.approximateText)), Cell(attempt.worker),
      Cell(usage.log),
    ] + (showsRevisions ? [Cell(attempt.typeRevision.map(String.init))] : [])
  }

  private var showsRevisions: Bool { story.attempts.contains { $0.typeRevision != nil } }

  private func style(_ outcome: AttemptOutcome?) -> Style? {
    switch outcome {
    case .succeeded: .good
    case .failed, .retry: .bad
    case .unknown: .doubtful
    case .cancelled, .neverStarted, .snooze: .faint
    case nil: .active
    }
  }

  private func policy() {
    let lines = job.request.policy.inWords
    if output.isTable {
      heading("policy")
      output.fields(lines.map { ($0.name, Cell($0.text)) })
    } else {
      output.table([], lines.map { [Cell("policy"), Cell($0.name), Cell($0.text)] })
    }
  }

  private func heading(_ title: String) {
    output.rawLine("")
    output.rawLine(output.styled(title, .faint))
  }

  private func part(
    _ title: String, name: String? = nil, headings: [String], rows: [[Cell]]
  ) {
    guard !rows.isEmpty else { return }
    if output.isTable {
      heading(title)
      output.table(headings, rows)
    } else {
      output.table(headings, rows.map { [Cell(name ?? title)] + $0 })
    }
  }
}
