public import HotglueCore
public import HotglueProcess

/// Reads a running tap until its end, and judges how it ended.
public final class TapRun {
  public enum End: Equatable {
    /// It ended by itself and said that all is well; all that it wrote was taken.
    case finished
    /// It failed, in a way that is told.
    case failed(TapFailure)
    /// It was stopped, since no more was wanted.
    case enough
    /// A signal asked this process to leave; the tap was stopped.
    case told(signal: Int32)
    /// What it wrote cannot be taken; it was stopped.
    case refused(SyncError)
  }

  private let tap: TapProcess
  private let signals: LeavingSignals?
  private let idleTimeout: Span?
  /// Gets what the tap writes to standard error.
  private let log: (UnsafeBufferPointer<UInt8>) -> Void
  /// The end of what it wrote there.
  private var tail: [UInt8] = []
  private static let tailBytes = 16 << 10
  /// What the tap complained of last on standard error.
  public var lastLine: String? {
    TapFailure.lastCriticalLine(of: String(decoding: tail, as: UTF8.self))
  }

  public init(
    _ tap: TapProcess, idleTimeout: Span?, signals: LeavingSignals?,
    log: @escaping (UnsafeBufferPointer<UInt8>) -> Void
  ) {
    self.tap = tap
    self.idleTimeout = idleTimeout
    self.signals = signals
    self.log = log
  }

  /// Less than the standard stop sequence of a job gives: what the tap is refused, its job has still time to
  /// record.
  private static let stopSequence = StopSequence("TERM,5s,KILL") ?? .standard

  /// Gives `take` what comes, and calls `pause` when there is nothing at the moment. After each piece
  /// `isEnough` says whether to stop there.
  public func run(
    take: (UnsafeBufferPointer<UInt8>) throws(SyncError) -> Void,
    pause: () throws(SyncError) -> Void, isEnough: () -> Bool = { false }
  ) throws(ProcessError) -> End {
    var refusal: SyncError?
    var hasEnough = false
    let (end, stop) = try tap.wait(
      idle: idleTimeout, stopSequence: Self.stopSequence, stoppingOn: signals
    ) { piece in
      do throws(SyncError) {
        switch piece {
        case .output(let bytes): try take(bytes)
        case .errors(let bytes): keep(bytes)
        case .pause: try pause()
        }
      } catch {
        refusal = refusal ?? error
        return false
      }
      hasEnough = hasEnough || isEnough()
      return !hasEnough
    }
    if let refusal { return .refused(refusal) }
    switch stop {
    case .idle:
      return .failed(
        TapFailure(.hang, "the tap said nothing for \(idleTimeout?.text ?? "too long")"))
    case .signal(let signal): return .told(signal: signal)
    case .refused: return .enough
    case nil: break
    }
    switch end {
    case .exited(0): return hasEnough ? .enough : .finished
    case .exited(let status):
      return .failed(TapFailure(status: status, log: String(decoding: tail, as: UTF8.self)))
    case .killed(let signal): return .failed(TapFailure(signal: Signal(number: signal)))
    }
  }

  private func keep(_ bytes: UnsafeBufferPointer<UInt8>) {
    log(bytes)
    tail.append(contentsOf: bytes.suffix(Self.tailBytes))
    if tail.count > 2 * Self.tailBytes { tail.removeFirst(tail.count - Self.tailBytes) }
  }
}
