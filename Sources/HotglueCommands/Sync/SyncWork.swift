import HotglueCore
import HotglueProcess
import HotglueSinger
import HotglueStore

/// One run of a source: from the tap into the store.
struct SyncWork {
  enum Result {
    case done(SyncRun)
    /// `kind` of the failure is the outcome.
    case failed(Job.Failure, ExitStatus)
    /// `leavesDoubt`: whether it may be done again has to be decided by a person.
    case told(signal: Int32, leavesDoubt: Bool)
  }

  let session: WorkspaceSession
  let source: Source
  let order: SyncOrder
  let attempt: AttemptReference
  let voice: AttemptVoice
  let signals: LeavingSignals

  /// How long the room of what nobody sees is given back at the end.
  private static let sweptForMs: Int64 = 5000

  func run() throws -> Result {
    let store = session.store
    let startsOver = try startsOver()
    let run = try store.beginSync(
      SyncRequest(
        workspace: session.workspace, source: source.id, attempt: attempt,
        isFull: startsOver && order.isFull,
        fullStreams: startsOver ? source.definition.names(of: order.fullStreams) : []),
      by: session.actor, at: session.now)
    let engine = SyncEngine(
      session: run, options: try options, now: session.environment.now,
      observe: SyncProgressText.teller(voice))
    let earlier = try session.failure(of: attempt.job, before: run.run)
    let watch = StoreWatch(of: session)
    let launch = TapLaunch(source, in: session)
    let end: TapRun.End
    var log: String?
    do {
      let tap = try launch.start(
        launch.catalogArguments() + launch.stateArguments(run.run.given))
      let reading = launch.read(
        tap, idleTimeout: order.idleBound(of: source), signals: signals)
      end = try reading.run(
        take: { (bytes) throws(SyncError) in
          try watch.look()
          try engine.take(bytes)
        },
        pause: { () throws(SyncError) in
          try watch.look()
          try engine.pause()
        })
      log = reading.lastLine
    } catch let failure as TapFailure {
      return try fail(engine, failure)
    }
    let result: Result
    switch end {
    case .finished, .enough:
      do throws(SyncError) {
        result = .done(try engine.succeed(log: log))
      } catch {
        result = try fail(engine, error)
      }
    case .failed(let failure):
      let isBeforeFirst = engine.progress.lines == 0
      result = try fail(
        engine, isBeforeFirst ? failure.beforeFirstMessage(after: earlier) : failure)
    case .told(let signal):
      _ = try engine.fail(
        Job.Failure(code: "stopped", message: "stopped by signal \(signal)", kind: "retry"))
      return .told(signal: signal, leavesDoubt: false)
    case .refused(let error): result = try fail(engine, error)
    }
    if case .done = result { try giveRoomBack() }
    return result
  }

  /// A full run begins from nothing, once: what it published before it was killed is where its next
  /// attempt goes on.
  private func startsOver() throws -> Bool {
    guard order.isFull || !order.fullStreams.isEmpty else { return false }
    let job = try session.store.job(attempt.job, in: session.workspace)
    let earlier = try SyncStanding(of: job, source, in: session).told.runs
    return !earlier.contains { $0.bookmark != nil }
  }

  private var options: SyncOptions {
    get throws {
      var options = SyncOptions()
      let stored = try session.store.recordStreams(of: source.id, in: session.workspace)
      options.resolver = source.definition.resolver(stored: Set(stored.map(\.name)))
      options.keys = source.definition.keys
      options.ignored = source.definition.ignored
      options.validates = source.definition.validates
      options.lineLimit = source.definition.lineBound
      options.rejects = order.rejects ?? source.definition.rejects
      options.missing = source.definition.missing
      options.resumesAtEnd = source.definition.resumesAtEnd
      options.mayChangeKeys = order.isFull
      options.fullStreams = Set(order.fullStreams)
      return options
    }
  }

  private func fail(_ engine: SyncEngine, _ failure: TapFailure) throws -> Result {
    let told = Job.Failure(
      code: failure.kind.rawValue, message: failure.message,
      kind: failure.mayPass ? "retry" : "failed")
    _ = try engine.fail(told)
    return .failed(told, failure.exit)
  }

  /// What a tap writes is judged alike each time, but for an output that was cut off.
  private func fail(_ engine: SyncEngine, _ error: SyncError) throws -> Result {
    if case .store = error { throw error }
    var mayPass = false
    if case .cutOff = error { mayPass = true }
    let told = Job.Failure(
      code: error.code, message: error.message, kind: mayPass ? "retry" : "failed")
    _ = try engine.fail(told)
    if case .keyChanged = error { return .failed(told, .refused) }
    return .failed(told, mayPass ? .tryLater : .badInput)
  }

  /// In small steps, for a while; what is left is the next run's.
  private func giveRoomBack() throws {
    let until = BootClock.now() + Self.sweptForMs
    while try session.store.sweepSyncs(limit: 500), BootClock.now() < until {}
  }
}

extension SourceDefinition {
  /// All that these streams are called.
  func names(of streams: [String]) -> [String] {
    let known = knownCatalog?.streams ?? []
    return streams
      + known.filter { $0.names.contains(where: streams.contains) }.flatMap(\.names)
  }
}

extension WorkspaceSession {
  /// How the attempt of the job before `run` failed; `nil` when it did not, or there was none.
  func failure(
    of job: JobID, before run: SyncRun
  ) throws -> (code: String, message: String)? {
    try store.syncRuns(of: run.source, in: workspace, before: run.id, limit: 10)
      .first { $0.job == job }?.error.map { ($0.code, $0.message) }
  }
}
