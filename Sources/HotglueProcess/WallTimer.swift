import CSupervisor
import Glibc

/// Wakes at a moment of the wall clock, also after a suspend, and at once when that clock is set.
///
/// Nothing runs meanwhile: the kernel holds the moment.
public final class WallTimer {
  /// Readable when the moment has come or the clock was set, until `drain`.
  public let fileDescriptor: Int32
  private var moment: Int64?

  public init() throws(ProcessError) {
    fileDescriptor = hg_wall_timer()
    guard fileDescriptor >= 0 else {
      throw .system(call: "timerfd_create", path: nil, errno: errno)
    }
  }

  deinit { close(fileDescriptor) }

  /// Wakes at `milliseconds` since 1970 UTC, or never.
  public func set(_ milliseconds: Int64?) throws(ProcessError) {
    guard milliseconds != moment else { return }
    guard hg_wall_timer_set(fileDescriptor, milliseconds.map { max(0, $0) } ?? -1) == 0 else {
      throw .system(call: "timerfd_settime", path: nil, errno: errno)
    }
    moment = milliseconds
  }

  /// Whether it woke since it was asked last. It must then be set again.
  public func drain() -> Bool {
    guard moment != nil, hg_wall_timer_drain(fileDescriptor) else { return false }
    moment = nil
    return true
  }
}
