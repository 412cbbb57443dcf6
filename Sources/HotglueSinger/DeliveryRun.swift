public import HotglueCore
public import HotglueProcess

/// Minds a tap and a target until both have ended, and judges how they did.
public final class DeliveryRun {
  public enum End: Equatable {
    /// Both said that all is well, and the target took all that there was.
    case finished
    case failed(TapFailure)
    /// A signal asked this process to leave; the target has finished what it was given, or had time to.
    /// `isClean`: it said that all is well.
    case told(signal: Int32, isClean: Bool)
    /// What one of them wrote cannot be taken; they were stopped.
    case refused(SyncError)
  }

  private let pipe: DeliveryPipe
  private let relay: TargetRelay
  private let idleTimeout: Span?
  private let grace: Span
  private let signals: LeavingSignals
  /// Gets what the two write to standard error.
  private let log: (UnsafeBufferPointer<UInt8>) -> Void
  /// The ends of what they wrote there.
  private var tails: (tap: [UInt8], target: [UInt8]) = ([], [])
  private static let tailBytes = 16 << 10
  /// What the tap complained of last on standard error.
  public var lastTapLine: String? { TapFailure.lastCriticalLine(of: text(tails.tap)) }
  private static let stopSequence = StopSequence("TERM,5s,KILL") ?? .standard

  public init(
    _ pipe: DeliveryPipe, relay: TargetRelay, idleTimeout: Span?, grace: Span,
    signals: LeavingSignals, log: @escaping (UnsafeBufferPointer<UInt8>) -> Void
  ) {
    self.pipe = pipe
    self.relay = relay
    self.idleTimeout = idleTimeout
    self.grace = grace
    self.signals = signals
    self.log = log
  }

  /// `look` is called now and then, and may end it.
  public func run(
    look: () throws(SyncError) -> Void
  ) throws(ProcessError) -> End {
    var refusal: SyncError?
    var cutOff: SyncError?
    let ends = try pipe.run(
      idle: idleTimeout, grace: grace, stopSequence: Self.stopSequence, stoppingOn: signals
    ) { piece in
      do throws(SyncError) {
        try look()
        switch piece {
        case .output(.tap, let bytes): try relay.take(ofTap: bytes)
        case .output(.target, let bytes): try relay.take(ofTarget: bytes)
        case .errors(.tap, let bytes): keep(bytes, \.tap)
        case .errors(.target, let bytes):
          keep(bytes, \.target)
          try relay.take(ofTargetLog: bytes)
        case .endOfTap(let end):
          if end == .exited(0) { cutOff = try relay.endOfTap() }
          relay.repeatBookmark()
        case .pause: relay.pause()
        }
      } catch {
        refusal = refusal ?? error
        return false
      }
      return true
    }
    do throws(SyncError) {
      try relay.endOfTarget()
    } catch {
      refusal = refusal ?? error
    }
    if let refusal { return .refused(refusal) }
    return judge(ends, cutOff)
  }

  private func judge(_ ends: DeliveryPipe.Ends, _ cutOff: SyncError?) -> End {
    if case .signal(let signal) = ends.stop {
      return .told(signal: signal, isClean: ends.target == .exited(0) && !ends.targetLeftEarly)
    }
    switch ends.stop {
    case .tapIdle:
      return .failed(
        TapFailure(.hang, "the tap said nothing for \(idleTimeout?.text ?? "too long")"))
    case .targetIdle:
      return .failed(
        TapFailure(
          .targetHang,
          "the target neither read nor said anything for \(idleTimeout?.text ?? "too long")"))
    case .signal, .refused, nil: break
    }
    let target = failure(of: ends.target, tails.target, isTarget: true)
    if ends.targetLeftEarly {
      // How the tap ended is our doing then.
      return .failed(
        target
          ?? TapFailure(
            .targetEarly,
            "the target ended with status 0 before it had read everything"
              + (TapFailure.lastCriticalLine(of: text(tails.target)).map { ": \($0)" } ?? "")))
    }
    switch (failure(of: ends.tap, tails.tap, isTarget: false), target) {
    case (let tap?, let target?): return .failed(TapFailure(tap, and: target))
    case (let failure?, nil), (nil, let failure?): return .failed(failure)
    case (nil, nil): return cutOff.map { .refused($0) } ?? .finished
    }
  }

  private func failure(
    of end: ChildEnd, _ tail: [UInt8], isTarget: Bool
  ) -> TapFailure? {
    switch end {
    case .exited(0): nil
    case .exited(let status): TapFailure(status: status, log: text(tail), ofTarget: isTarget)
    case .killed(let signal):
      TapFailure(signal: Signal(number: signal), ofTarget: isTarget)
    }
  }

  private func text(_ tail: [UInt8]) -> String { String(decoding: tail, as: UTF8.self) }

  private func keep(
    _ bytes: UnsafeBufferPointer<UInt8>,
    _ part: WritableKeyPath<(tap: [UInt8], target: [UInt8]), [UInt8]>
  ) {
    log(bytes)
    tails[keyPath: part].append(contentsOf: bytes.suffix(Self.tailBytes))
    let excess = tails[keyPath: part].count - Self.tailBytes
    if excess > Self.tailBytes { tails[keyPath: part].removeFirst(excess) }
  }
}
