import HotglueCore
import HotglueStore

/// What runs did, summed over the attempts of one job.
struct SyncTold {
  struct Stream {
    var name: String
    var tally: StreamTally
    var counted: Int64?
    var bookmark: JSON?
  }

  private(set) var streams: [Stream] = []
  private(set) var notes: [String] = []
  /// Oldest first.
  let runs: [SyncRun]

  init(runs: [SyncRun]) {
    self.runs = runs
    for run in runs {
      for report in run.streams {
        if let known = streams.firstIndex(where: { $0.name == report.stream }) {
          streams[known].tally = streams[known].tally + report.tally
          if let counted = report.counted {
            streams[known].counted = (streams[known].counted ?? 0) + counted
          }
        } else {
          streams.append(
            Stream(name: report.stream, tally: report.tally, counted: report.counted))
        }
      }
      for note in run.notes where !notes.contains(note) { notes.append(note) }
    }
    let bookmark = runs.compactMap { $0.bookmark ?? $0.given }.last.flatMap(Self.value)
    for index in streams.indices {
      streams[index].bookmark = bookmark?["bookmarks"]?[streams[index].name]
    }
    streams.sort { $0.name < $1.name }
  }

  /// The target that the records went to; `nil`: the store.
  var target: SyncTargetID? { runs.last?.target }

  /// A bookmark as the value that it is.
  static func value(_ bookmark: Bookmark) -> JSON? {
    do {
      return try JSON.parse(bookmark.text)
    } catch {
      return nil
    }
  }

  var streamsJSON: JSON {
    .array(
      streams.map { stream in
        guard target == nil else { return deliveryJSON(stream) }
        return .object([
          JSON.Member("stream", .string(stream.name)),
          JSON.Member("received", .integer(stream.tally.received)),
          JSON.Member("added", .integer(stream.tally.added)),
          JSON.Member("changed", .integer(stream.tally.changed)),
          JSON.Member("unchanged", .integer(stream.tally.unchanged)),
          JSON.Member("removed", .integer(stream.tally.removed)),
          JSON.Member("rejected", .integer(stream.tally.rejected)),
          JSON.Member("bookmark", stream.bookmark ?? .null),
        ])
      })
  }

  /// What a target made of the records it does not say, but for how many it took.
  private func deliveryJSON(_ stream: Stream) -> JSON {
    .object([
      JSON.Member("stream", .string(stream.name)),
      JSON.Member("received", .integer(stream.tally.received)),
      JSON.Member("added", .null), JSON.Member("changed", .null),
      JSON.Member("unchanged", .null), JSON.Member("removed", .null),
      JSON.Member("rejected", .null), JSON.Member("counted", .optional(stream.counted)),
      JSON.Member("bookmark", stream.bookmark ?? .null),
    ])
  }

  /// The result of the job: what fits into a line.
  var value: JSON {
    let total = streams.reduce(StreamTally()) { $0 + $1.tally }
    if let target {
      return .object([
        JSON.Member("run", .optional(runs.last?.id)), JSON.Member("target", .integer(target)),
        JSON.Member("streams", .integer(streams.count)),
        JSON.Member("received", .integer(total.received)),
      ])
    }
    return .object([
      JSON.Member("run", .optional(runs.last?.id)),
      JSON.Member("streams", .integer(streams.count)),
      JSON.Member("received", .integer(total.received)),
      JSON.Member("added", .integer(total.added)),
      JSON.Member("changed", .integer(total.changed)),
      JSON.Member("unchanged", .integer(total.unchanged)),
      JSON.Member("removed", .integer(total.removed)),
      JSON.Member("rejected", .integer(total.rejected)),
    ])
  }

  var headings: [String] {
    target == nil
      ? ["stream", "received", "added", "changed", "unchanged", "removed", "rejected"]
      : ["stream", "sent", "counted by target"]
  }

  var rows: [[Cell]] {
    guard target == nil else {
      return streams.map {
        [Cell($0.name), Cell($0.tally.received), Cell($0.counted.map(String.init))]
      }
    }
    return streams.map { stream in
      let tally = stream.tally
      return [
        Cell(stream.name), Cell(tally.received), Cell(tally.added), Cell(tally.changed),
        Cell(tally.unchanged), Cell(tally.removed),
        Cell(tally.rejected, tally.rejected > 0 ? .doubtful : nil),
      ]
    }
  }
}

/// How a sync stands: its job, if there is one still, and what its runs did.
struct SyncStanding {
  var source: Source
  var job: Job?
  var told: SyncTold

  /// Of one job.
  init(of job: Job, _ source: Source, in session: WorkspaceSession) throws {
    self.source = source
    self.job = job
    var runs: [SyncRun] = []
    var before: SyncRunID?
    // An attempt of the job, and so a run of it, is younger than the job.
    while true {
      let page = try session.store.syncRuns(
        of: source.id, in: session.workspace, before: before, limit: 50)
      runs += page.filter { $0.job == job.id }
      guard page.count == 50, let last = page.last, last.startedAt >= job.createdAt else { break }
      before = last.id
    }
    told = SyncTold(runs: runs.reversed())
  }

  private init(of run: SyncRun?, _ source: Source) {
    self.source = source
    told = SyncTold(runs: run.map { [$0] } ?? [])
  }

  /// Of the last sync of a source: the job that has not ended, else the last run's.
  static func last(of source: Source, in session: WorkspaceSession) throws -> SyncStanding {
    if let job = try session.unfinishedSync(of: source.id) {
      return try SyncStanding(of: job, source, in: session)
    }
    let last = try session.store.syncRuns(
      of: source.id, in: session.workspace, before: nil, limit: 1
    ).first
    if let id = last?.job, try session.store.owner(ofJob: id) == session.workspace {
      return try SyncStanding(
        of: session.store.job(id, in: session.workspace), source, in: session)
    }
    return SyncStanding(of: last, source)
  }

  /// What helps against its failure.
  var hint: Hint? {
    TapHint(source: source).text(
      error?.code, error?.message, hasSent: told.streams.contains { $0.tally.received > 0 })
  }

  var state: String? { job?.state.rawValue ?? told.runs.last?.state.rawValue }
  var startedAt: Timestamp? { job?.startedAt ?? told.runs.first?.startedAt }
  var finishedAt: Timestamp? {
    job.map { $0.finishedAt } ?? told.runs.last?.finishedAt
  }
  var error: Job.Failure? { job.map { $0.error } ?? told.runs.last?.error }

  /// With every target that the source ever had.
  func json(with targets: [SyncTarget]) -> JSON {
    let known = targets.map { target in
      JSON.object([
        JSON.Member("target", .integer(target.id)),
        JSON.Member("command", .strings(target.command)),
        JSON.Member("confirmed_at", .text(target.confirmedAt?.rfc3339)),
        JSON.Member("run", .optional(target.confirmedRun)),
        JSON.Member("bookmark", target.bookmark.flatMap(SyncTold.value) ?? .null),
      ])
    }
    return .object((json.members ?? []) + [JSON.Member("targets", .array(known))])
  }

  var json: JSON {
    .object([
      JSON.Member("source", .string(source.name)),
      JSON.Member("workspace", .string(source.workspace.text)),
      JSON.Member("job", .optional(job?.id ?? told.runs.last?.job)),
      JSON.Member("state", .text(state)),
      JSON.Member("started_at", .text(startedAt?.rfc3339)),
      JSON.Member("finished_at", .text(finishedAt?.rfc3339)),
      JSON.Member("target", .optional(told.target)),
      JSON.Member("streams", told.streamsJSON),
      JSON.Member("runs", .array(told.runs.map { .integer($0.id) })),
      JSON.Member(
        "error",
        error.map {
          .object([
            JSON.Member("code", .string($0.code)), JSON.Member("message", .string($0.message)),
            JSON.Member("kind", .string($0.kind)),
          ])
        } ?? .null),
      JSON.Member("notes", .strings(told.notes)),
    ])
  }
}
