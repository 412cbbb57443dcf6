import HotglueCore
import HotglueProcess
import HotglueSinger
import HotglueStore

/// Which records that were set aside are taken again.
struct RejectRetryOrder: Equatable {
  /// `nil`: of all runs that are kept.
  var run: SyncRunID?
  /// Names under which streams are stored; `nil`: all.
  var streams: [String]?

  var json: JSON {
    .object([
      JSON.Member("run", .optional(run)),
      JSON.Member("streams", streams.map(JSON.strings) ?? .null),
    ])
  }

  init(run: SyncRunID?, streams: [String]?) {
    self.run = run
    self.streams = streams
  }

  /// `nil` when the text is not what `json` writes.
  init?(_ json: JSON) {
    guard case .object = json else { return nil }
    run = json["run"]?.integerValue
    streams = json["streams"]?.stringArray
  }

  func selection(of source: Source) -> RejectSelection {
    RejectSelection(source: source.id, workspace: source.workspace, run: run, streams: streams)
  }
}

/// Records that were set aside, in pages, from the first to the last that was there at the start.
struct RejectPages {
  let store: any Store
  let selection: RejectSelection
  /// A record that is kept has at most 16 KiB.
  private static let page = 200

  /// `take` returns false to end.
  func walk(_ take: ([SetAsideRecord]) throws -> Bool) throws {
    let last = try store.rejectCounts(selection).last
    var after: Int64 = 0
    while true {
      let page = try store.rejects(
        selection, onlyPossible: true, after: after, limit: Self.page)
      let due = page.filter { $0.id <= last }
      guard !due.isEmpty, try take(due), page.count == Self.page, let end = page.last?.id else {
        return
      }
      after = end
    }
  }
}

/// One run of a source that takes records again that were set aside.
///
/// It is the attempt of a sync job, so it runs beside no other sync of the source. Killed at any point it
/// leaves whole pages taken and the rest set aside; the next attempt takes those.
struct RetryWork {
  let session: WorkspaceSession
  let source: Source
  let order: RejectRetryOrder
  let attempt: AttemptReference
  let voice: AttemptVoice
  let signals: LeavingSignals

  func run() throws -> SyncWork.Result {
    let run = try session.store.beginSync(
      SyncRequest(
        workspace: session.workspace, source: source.id, attempt: attempt, retriesRejects: true),
      by: session.actor, at: session.now)
    let retry = RejectRetry(
      session: run, streams: try Self.streams(of: source, in: session),
      validates: source.definition.validates, now: session.environment.now,
      observe: SyncProgressText.teller(voice))
    let watch = StoreWatch(of: session)
    var signal: Int32?
    do {
      try RejectPages(store: session.store, selection: order.selection(of: source)).walk { page in
        try watch.look()
        signal = signals.take().first
        guard signal == nil else { return false }
        try retry.take(page)
        return true
      }
      guard let signal else { return .done(try retry.succeed() ?? run.run) }
      try retry.fail(
        Job.Failure(code: "stopped", message: "stopped by signal \(signal)", kind: "retry"))
      return .told(signal: signal, leavesDoubt: false)
    } catch let error as SyncError {
      if case .store = error { throw error }
      let failure = Job.Failure(code: error.code, message: error.message, kind: "failed")
      try retry.fail(failure)
      return .failed(failure, .badInput)
    }
  }

  /// The streams of the source as they are stored: under which schema and key their records come.
  static func streams(
    of source: Source, in session: WorkspaceSession
  ) throws -> [RetriedStream] {
    let stored = try session.store.recordStreams(of: source.id, in: session.workspace)
    let resolver = source.definition.resolver(stored: Set(stored.map(\.name)))
    return try stored.compactMap { stream in
      let schemas = try session.store.schemas(
        of: source.id, stream: stream.name, in: session.workspace)
      guard let schema = schemas.first(where: { $0.version == stream.schemaVersion }) else {
        return nil
      }
      var identity = StreamResolver.Stream(id: stream.name, name: stream.name, title: stream.name)
      if case .selected(let known) = resolver.match(stream.name) { identity = known }
      return RetriedStream(
        name: stream.name, schema: try JSON.parse(schema.schema), key: stream.key,
        ignored: source.definition.ignored.setting(for: identity) ?? [])
    }
  }
}
