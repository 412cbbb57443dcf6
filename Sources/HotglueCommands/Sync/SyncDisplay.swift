import HotglueCore
import HotglueStore

/// Shows how far a sync is: redrawn in place on a terminal, now and then a line elsewhere.
final class SyncDisplay {
  private let session: WorkspaceSession
  private let job: JobID
  private let source: Source
  private let isLive: Bool
  private var shown: JobProgress?
  private var shownAt: Timestamp?
  private var rateFrom: (at: Timestamp, records: Int64)?
  private var rate: Int64 = 0
  private var block = LiveBlock()
  private var attempt = 0
  private var hasHinted = false
  private var state: JobState?

  init(_ session: WorkspaceSession, job: JobID, of source: Source) {
    self.session = session
    self.job = job
    self.source = source
    isLive =
      session.environment.isTerminal(.error)
      && !["", "dumb"].contains(session.environment.variables["TERM"] ?? "")
  }

  /// How soon it is to be looked at again.
  var interval: Span { isLive ? Span(milliseconds: 200) : .seconds(1) }
  private var isTold: Bool { !session.output.isQuiet && !session.output.isJSON }

  func step() throws {
    guard isTold else { return }
    let job = try session.store.job(job, in: session.workspace)
    if job.attempt != attempt || job.state != state { try tellTurn(job) }
    guard let progress = job.progress, progress != shown else { return }
    let now = session.now
    if let shownAt, !isLive, now.milliseconds - shownAt.milliseconds < 10_000 { return }
    measure(progress, now)
    shown = progress
    shownAt = now
    draw(lines(progress))
  }

  /// An attempt that failed, and when it is tried again.
  private func tellTurn(_ job: Job) throws {
    defer {
      attempt = job.attempt
      state = job.state
    }
    guard job.state == .pending, let error = job.error, job.attempt > 0, state != nil else {
      return
    }
    clear()
    session.output.note(
      "attempt \(job.attempt): \(error.message); again at \(job.runAt.rfc3339)")
    let hint = TapHint(source: source).text(
      error.code, error.message, hasSent: job.progress != nil)
    if !hasHinted, let hint {
      session.output.hint(hint)
      hasHinted = true
    }
    rateFrom = nil
  }

  private func measure(_ progress: JobProgress, _ now: Timestamp) {
    let records = progress.current ?? 0
    guard let from = rateFrom, records >= from.records else {
      rateFrom = (now, records)
      return
    }
    let spent = now.milliseconds - from.at.milliseconds
    guard spent >= 500 else { return }
    rate = (records - from.records) * 1000 / spent
    if spent > 5000 { rateFrom = (now, records) }
  }

  private func lines(_ progress: JobProgress) -> [String] {
    var parts = SyncProgressText.parts(of: progress)
    let bytes = parts.isEmpty ? "" : ", " + parts.removeLast()
    let total = "\(progress.current ?? 0) records\(bytes)" + (rate > 0 ? ", \(rate) records/s" : "")
    guard isLive else { return [([total] + parts).joined(separator: SyncProgressText.separator)] }
    return SyncProgressText.newest(parts, most: LiveBlock.room(on: size) - 1) + [total]
  }

  private var size: TerminalSize {
    session.environment.terminalSize(.error) ?? TerminalSize(columns: 80, rows: 24)
  }

  private func draw(_ lines: [String]) {
    guard isLive else {
      for line in lines { session.output.note(line) }
      return
    }
    session.environment.errorOutput.append(block.draw(lines, on: size))
    flush()
  }

  /// Before anything else is written to the terminal.
  func clear() {
    session.environment.errorOutput.append(block.clear(size))
    flush()
  }

  /// A standard error that is gone is nobody's loss.
  private func flush() { try? session.environment.errorOutput.flush() }

  /// What was drawn gives way to the summary.
  func end() { clear() }
}

/// What a sync came to.
struct SyncSummary {
  let output: Output

  func show(_ standing: SyncStanding, _ now: Timestamp) {
    if output.isJSON {
      output.object(standing.json)
    } else if output.isQuiet {
      if let job = standing.job { output.rawLine(String(job.id)) }
    } else {
      output.table(standing.told.headings, standing.told.rows)
    }
    for note in standing.told.notes { output.note("note: \(note)") }
    conclude(standing)
  }

  /// Whether it succeeded, and else why not and what helps.
  func conclude(_ standing: SyncStanding) {
    guard let job = standing.job else { return }
    let place = "of source '\(standing.source.name)' in workspace '\(standing.source.workspace)'"
    if job.state == .succeeded {
      let spent = zip(job.startedAt, job.finishedAt).map {
        Span(milliseconds: $1.milliseconds - $0.milliseconds).approximateText
      }
      output.note(
        "sync \(place) succeeded" + (spent.map { " in \($0)" } ?? "") + " (job \(job.id))")
      return
    }
    output.warning(
      CommandError(
        job.error?.code ?? "sync_\(job.state.rawValue)", .unsuccessful,
        "sync \(place) \(job.state == .failed ? "" : "is ")\(job.state.rawValue)"
          + (job.error.map { ": \($0.message)" } ?? ""),
        hint: Self.hint(standing, job),
        facts: [JSON.Member("job", .integer(job.id))]))
  }

  private static func hint(_ standing: SyncStanding, _ job: Job) -> Hint {
    let name = Shell.exact(standing.source.name, insideQuotes: true)
    if let hint = standing.hint {
      return "\(hint); else see 'hotglue job logs \(job.id)'"
    }
    switch job.error?.code {
    case "key_changed":
      return "'hotglue sync run \(name) --full' takes the stream under its new key"
    case "rejected", "too_many_rejects":
      return "'hotglue sync rejects \(name)' shows them; '--on-reject' says how many are set aside"
    default: return "see 'hotglue job show \(job.id)' and 'hotglue job logs \(job.id)'"
    }
  }

  private func zip<A, B>(_ a: A?, _ b: B?) -> (A, B)? {
    guard let a, let b else { return nil }
    return (a, b)
  }
}
