import Glibc
import HotglueProcess

/// What wakes a sleeping worker besides its supervisors: writes to the store's log, and signals.
final class Wakeups {
  private let log: LogWatch
  private let signals: LeavingSignals

  /// Watches the log of the store at `storePath`.
  init(storePath: String, signals: LeavingSignals) throws(ProcessError) {
    log = try LogWatch(storePath: storePath)
    self.signals = signals
  }

  /// Sleeps until one of `descriptors` can be read, the log was written, a signal came, or
  /// `milliseconds` have passed. Returns whether the log was written.
  func wait(_ descriptors: [Int32], milliseconds: Int64) -> Bool {
    var polled = ([log.fileDescriptor, signals.fileDescriptor] + descriptors).map {
      pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
    }
    _ = poll(&polled, nfds_t(polled.count), Int32(clamping: milliseconds))
    guard polled[0].revents != 0 else { return false }
    log.drain()
    return true
  }

  /// The signals that have come since the last call, oldest first.
  func receivedSignals() -> [Int32] { signals.take() }
}
