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
    let run = try store.beginSync(
      SyncRequest(
        workspace: session.workspace, source: source.id, attempt: attempt,
        isFull: try startsOver()),
      by: session.actor, at: session.now)
    let engine = SyncEngine(
      session: run, options: options, now: session.environment.now,
      observe: SyncProgressText.teller(voice))
    let watch = StoreWatch(of: session)
    let launch = TapLaunch(source, in: session)
    let end: TapRun.End
    do {
      let tap = try launch.start(
        launch.catalogArguments() + launch.stateArguments(run.run.given))
      end = try launch.read(tap, idleTimeout: order.idleBound(of: source), signals: signals).run(
        take: { (bytes) throws(SyncError) in
          try watch.look()
          try engine.take(bytes)
        },
        pause: { () throws(SyncError) in
          try watch.look()
          try engine.pause()
        })
    } catch let failure as TapFailure {
      return try fail(engine, failure)
    }
    let result: Result
    switch end {
    case .finished, .enough:
      do throws(SyncError) {
        result = .done(try engine.succeed())
      } catch {
        result = try fail(engine, error)
      }
    case .failed(let failure): result = try fail(engine, failure)
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
    guard order.isFull else { return false }
    let job = try session.store.job(attempt.job, in: session.workspace)
    let earlier = try SyncStanding(of: job, source, in: session).told.runs
    return !earlier.contains { $0.isFull && $0.bookmark != nil }
  }

  private var options: SyncOptions {
    var options = SyncOptions()
    options.keys = source.definition.keys
    options.streams = source.definition.streams.map { Set($0) }
    options.fullTables = Set(
      (source.definition.knownCatalog?.streams ?? []).filter { $0.method == "FULL_TABLE" }
        .map(\.name))
    options.rejects = order.rejects ?? source.definition.rejects
    options.mayChangeKeys = order.isFull
    return options
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
    return .failed(told, mayPass ? .tryLater : .badInput)
  }

  /// In small steps, for a while; what is left is the next run's.
  private func giveRoomBack() throws {
    let until = BootClock.now() + Self.sweptForMs
    while try session.store.sweepSyncs(limit: 500), BootClock.now() < until {}
  }
}
