import HotglueCore
import HotglueSinger
import HotglueStore

/// Takes records again that were set aside, as a sync job that runs here.
struct RejectRetryCommand {
  let session: WorkspaceSession
  let source: Source
  let order: RejectRetryOrder

  private var selection: RejectSelection { order.selection(of: source) }

  func run(at host: WorkerHost, isVerbose: Bool) throws -> ExitStatus {
    var syncOrder = SyncOrder(source: source.id)
    syncOrder.retry = order
    let counts = try session.store.rejectCounts(selection)
    guard counts.possible > 0 else {
      show(RejectRetryReport(source: source, standing: nil, streams: [], counts: counts))
      return .done
    }
    let taken = try SyncTaking(session: session, source: source).take(syncOrder)
    let foreground = SyncForeground(
      session: session, source: source, host: host, isVerbose: isVerbose)
    switch taken {
    case .new(let job), .pending(let job): return try work(job, foreground, isOurs: true)
    case .running(let job, isSame: true): return try work(job, foreground, isOurs: false)
    case .running(let job, isSame: false):
      throw CommandError.syncRuns(
        source, job, hint: "'hotglue job wait \(job)', then try again")
    case .uncertain(let job): throw CommandError.syncUncertain(source, job)
    }
  }

  private func work(
    _ job: JobID, _ foreground: SyncForeground, isOurs: Bool
  ) throws -> ExitStatus {
    try foreground.work(job, isOurs: isOurs) { standing in
      let report = RejectRetryReport(
        source: source, standing: standing, streams: standing.told.streams.map { $0.report },
        counts: try session.store.rejectCounts(selection))
      show(report)
      if standing.job?.state != .succeeded {
        SyncSummary(output: session.output).conclude(standing)
      }
    }
  }

  /// Checks the records, and stores nothing.
  func tryOut() throws -> ExitStatus {
    let retry = RejectRetry(
      session: nil, streams: try RetryWork.streams(of: source, in: session),
      validates: source.definition.validates, now: session.environment.now)
    try RejectPages(store: session.store, selection: selection).walk { page in
      try retry.take(page)
      return true
    }
    show(
      RejectRetryReport(
        source: source, standing: nil, streams: retry.reports,
        counts: try session.store.rejectCounts(selection), isDryRun: true))
    return .done
  }

  private func show(_ report: RejectRetryReport) {
    let output = session.output
    if output.isJSON {
      output.object(report.json)
    } else if output.isQuiet {
      if let job = report.standing?.job { output.rawLine(String(job.id)) }
    } else {
      if !report.streams.isEmpty { output.table(report.headings, report.rows) }
      output.line(report.text)
    }
  }
}

/// What a retry came to, or would.
struct RejectRetryReport {
  let source: Source
  let standing: SyncStanding?
  let streams: [StreamReport]
  /// What is set aside still.
  let counts: RejectCounts
  var isDryRun = false

  var json: JSON {
    .object([
      JSON.Member("source", .string(source.name)),
      JSON.Member("workspace", .string(source.workspace.text)),
      JSON.Member("dry_run", .bool(isDryRun)),
      JSON.Member("job", .optional(standing?.job?.id)),
      JSON.Member("state", .text(standing?.state)),
      JSON.Member("started_at", .text(standing?.startedAt?.rfc3339)),
      JSON.Member("finished_at", .text(standing?.finishedAt?.rfc3339)),
      JSON.Member("runs", .array((standing?.told.runs ?? []).map { .integer($0.id) })),
      JSON.Member("streams", .array(streams.map(streamJSON))),
      JSON.Member(
        "remaining",
        .object([
          JSON.Member("possible", .integer(counts.possible)),
          JSON.Member("truncated", .integer(counts.truncated)),
          JSON.Member("outdated", .integer(counts.outdated)),
        ])),
    ])
  }

  /// A mere check does not compare with what is stored.
  private func streamJSON(_ report: StreamReport) -> JSON {
    func compared(_ count: Int64) -> JSON { isDryRun ? .null : .integer(count) }
    return .object([
      JSON.Member("stream", .string(report.stream)),
      JSON.Member("received", .integer(report.tally.received)),
      JSON.Member("accepted", .integer(report.tally.received - report.tally.rejected)),
      JSON.Member("added", compared(report.tally.added)),
      JSON.Member("changed", compared(report.tally.changed)),
      JSON.Member("unchanged", compared(report.tally.unchanged)),
      JSON.Member("rejected", .integer(report.tally.rejected)),
    ])
  }

  var headings: [String] {
    isDryRun
      ? ["stream", "received", "accepted", "rejected"]
      : ["stream", "received", "added", "changed", "unchanged", "rejected"]
  }

  var rows: [[Cell]] {
    streams.map { report in
      let tally = report.tally
      let rejected = Cell(tally.rejected, tally.rejected > 0 ? .doubtful : nil)
      if isDryRun {
        return [
          Cell(report.stream), Cell(tally.received), Cell(tally.received - tally.rejected),
          rejected,
        ]
      }
      return [
        Cell(report.stream), Cell(tally.received), Cell(tally.added), Cell(tally.changed),
        Cell(tally.unchanged), rejected,
      ]
    }
  }

  var text: String {
    let place = "of source '\(source.name)' in workspace '\(source.workspace)'"
    let total = streams.reduce(StreamTally()) { $0 + $1.tally }
    guard total.received > 0 || counts.all > 0 else { return "no record \(place) is set aside" }
    let stored = total.received - total.rejected
    let left = counts.all - (isDryRun ? stored : 0)
    let kinds = [(counts.truncated, "truncated"), (counts.outdated, "outdated")]
      .filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
    return (isDryRun ? "would store " : "stored ")
      + "\(stored) of \(Count.of(total.received, "rejected record")) \(place); \(left) "
      + (isDryRun ? "would remain" : left == 1 ? "remains" : "remain")
      + (kinds.isEmpty ? "" : " (\(kinds.joined(separator: ", ")))")
  }
}

extension SyncTold.Stream {
  var report: StreamReport { StreamReport(stream: name, tally: tally) }
}

extension CommandError {
  static func targetJudges(
    _ run: SyncRunID, _ target: SyncTargetID, _ source: Source
  ) -> CommandError {
    .refused(
      "run \(run) of source '\(source.name)' went into target \(target), which judges records itself",
      hint: "to send records again: 'hotglue sync reset \(Shell.quoted(source.name)) --target "
        + "\(target) --to start', then the sync into that target")
  }
}
