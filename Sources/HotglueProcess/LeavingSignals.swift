import CSupervisor

/// TERM, INT and HUP as something to read: while this value lives they interrupt nothing.
public final class LeavingSignals {
  /// Readable when one has come.
  public let fileDescriptor: Int32

  public init() throws(ProcessError) {
    var descriptor: Int32 = -1
    try ProcessError.check(hg_signals_open(&descriptor), "signalfd")
    fileDescriptor = descriptor
  }

  deinit { hg_signals_close(fileDescriptor) }

  /// Those that have come since the last call, oldest first.
  public func take() -> [Int32] {
    var signals: [Int32] = []
    while true {
      let signal = hg_signals_next(fileDescriptor)
      if signal == 0 { return signals }
      signals.append(signal)
    }
  }
}
