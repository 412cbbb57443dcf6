import HotglueCore
import HotglueProcess
import HotglueSinger
import HotglueStore

/// One run of a source into a target: two processes, and this one between them.
///
/// Killed at any point it leaves the bookmark that the target confirmed last, and takes both with it:
/// the next run sends again what came after that bookmark, so each record arrives at least once.
struct DeliveryWork {
  let session: WorkspaceSession
  let source: Source
  let order: SyncOrder
  let target: [String]
  let attempt: AttemptReference
  let voice: AttemptVoice
  let signals: LeavingSignals

  func run() throws -> SyncWork.Result {
    let startsOver = try startsOver()
    let run = try session.store.beginDelivery(
      SyncRequest(
        workspace: session.workspace, source: source.id, attempt: attempt,
        isFull: startsOver && order.isFull,
        fullStreams: startsOver ? source.definition.names(of: order.fullStreams) : []),
      into: target, by: session.actor, at: session.now)
    let earlier = try session.failure(of: attempt.job, before: run.run)
    let watch = StoreWatch(of: session)
    let launch = TapLaunch(source, in: session)
    var relay: TargetRelay?
    do {
      // The target first: without one nothing is asked of the tap.
      let target = try launch.startTarget(target)
      let tap = try launch.start(
        launch.catalogArguments() + launch.stateArguments(run.run.given))
      let pipe = DeliveryPipe(tap: tap, target: target)
      let made = TargetRelay(
        session: run, options: options, now: session.environment.now, send: pipe.send,
        observe: SyncProgressText.teller(voice))
      relay = made
      let delivery = DeliveryRun(
        pipe, relay: made, idleTimeout: order.idleBound(of: source), grace: order.grace,
        signals: signals, log: launch.log)
      let end = try delivery.run { () throws(SyncError) in try watch.look() }
      return try conclude(end, made, log: delivery.lastTapLine, after: earlier)
    } catch let failure as TapFailure {
      // Nothing was sent.
      let told = Job.Failure(
        code: failure.kind.rawValue, message: failure.message,
        kind: failure.mayPass ? "retry" : "failed")
      _ = try relay?.fail(told) ?? run.finish(told, [], notes: [], at: session.now)
      return .failed(told, failure.exit)
    }
  }

  private func startsOver() throws -> Bool {
    guard order.isFull || !order.fullStreams.isEmpty else { return false }
    let earlier = try session.store.syncRuns(
      of: source.id, in: session.workspace, before: nil, limit: 50)
    return !earlier.contains {
      $0.job == attempt.job && $0.bookmark != nil
    }
  }

  private var options: RelayOptions {
    var options = RelayOptions()
    options.keys = source.definition.keys
    options.resolver = source.definition.resolver()
    options.lineLimit = source.definition.lineBound
    options.resumesAtEnd = source.definition.resumesAtEnd
    options.rejects = source.definition.rejects ?? .standard
    return options
  }

  private func conclude(
    _ end: DeliveryRun.End, _ relay: TargetRelay, log: String?,
    after earlier: (code: String, message: String)?
  ) throws -> SyncWork.Result {
    switch end {
    case .finished:
      do throws(SyncError) {
        return .done(try relay.succeed(log: log))
      } catch {
        return try fail(relay, error)
      }
    case .failed(let failure):
      let isBeforeFirst =
        failure.kind.isOfTarget ? !relay.hasTargetAnswered : relay.progress.lines == 0
      let judged = isBeforeFirst ? failure.beforeFirstMessage(after: earlier) : failure
      return try fail(
        relay, judged.kind.rawValue, judged.message, mayPass: judged.mayPass,
        leavesDoubt: failure.mayPass, judged.exit)
    case .refused(let error): return try fail(relay, error)
    case .told(let signal, let isClean):
      let words = "stopped by signal \(signal)"
      guard isClean, relay.isAllConfirmed else {
        _ = try relay.fail(Job.Failure(code: "stopped", message: words, kind: "unknown"))
        return .told(signal: signal, leavesDoubt: order.mustNotRepeat)
      }
      _ = try relay.fail(Job.Failure(code: "stopped", message: words, kind: "retry"))
      return .told(signal: signal, leavesDoubt: false)
    }
  }

  private func fail(_ relay: TargetRelay, _ error: SyncError) throws -> SyncWork.Result {
    if case .store = error { throw error }
    var mayPass = false
    if case .cutOff = error { mayPass = true }
    return try fail(
      relay, error.code, error.message, mayPass: mayPass, leavesDoubt: mayPass,
      mayPass ? .tryLater : .badInput)
  }

  /// What may pass is tried again automatically only where that sends nothing twice, or may.
  private func fail(
    _ relay: TargetRelay, _ code: String, _ message: String, mayPass: Bool, leavesDoubt: Bool,
    _ status: ExitStatus
  ) throws -> SyncWork.Result {
    let leavesDoubt = leavesDoubt && order.mustNotRepeat && !relay.isAllConfirmed
    let told = Job.Failure(
      code: code,
      message: message
        + (leavesDoubt ? "; the target was sent records that it has not confirmed" : ""),
      kind: leavesDoubt ? "unknown" : mayPass ? "retry" : "failed")
    _ = try relay.fail(told)
    return .failed(told, leavesDoubt ? .outcomeUnknown : status)
  }
}

extension TapFailure {
  /// With what the handler of a sync ends.
  var exit: ExitStatus {
    switch kind {
    case .notFound, .targetNotFound: ExitStatus(rawValue: 127)
    case .config, .targetConfig: .badContext
    case .targetEarly: .unsuccessful
    case .transient, .targetTransient: isRepeated ? .badContext : .tryLater
    case .crash, .hang, .targetCrash, .targetHang: .tryLater
    }
  }
}
