import Glibc
import HotglueCore
import HotglueStore

/// Sleeps until the store has changed, at next to no cost.
///
/// The write-ahead log is watched by inotify on its path, so that no descriptor is opened on a file
/// of the database: closing one would drop SQLite's locks. Where that cannot be had, the store's
/// change counter is asked every few hundredths of a second.
final class StoreChanges {
  private let store: any Store
  private let inotify: Int32
  private var counter: Int64
  /// The longest sleep between two looks at the counter: without inotify, and as a net below it.
  private static let shortSleep: Int64 = 30
  private static let longSleep: Int64 = 1000
  /// How long the next sleep may be. The log is written before the commit in it is durable and
  /// visible: a write that wakes us is followed by looks at growing distances, until the commit is
  /// there or it is clear that none comes.
  private var patience: Int64

  init(of store: any Store, at path: String) throws(StoreError) {
    self.store = store
    var inotify = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
    if inotify >= 0, let real = realpath(path, nil) {
      defer { free(real) }
      if inotify_add_watch(inotify, String(cString: real) + "-wal", UInt32(IN_MODIFY)) < 0 {
        close(inotify)
        inotify = -1
      }
    }
    self.inotify = inotify
    patience = inotify >= 0 ? Self.longSleep : Self.shortSleep
    counter = try store.changeCounter()
  }

  deinit {
    if inotify >= 0 { close(inotify) }
  }

  /// Returns when another connection has changed the store, or at `deadline` on the steady clock:
  /// false then. Look at the store once more after the first call has been prepared for: a change
  /// between making this object and the call is told at once.
  func wait(until deadline: SteadyMoment?) throws(StoreError) -> Bool {
    while true {
      let current = try store.changeCounter()
      if current != counter {
        counter = current
        return true
      }
      let left = deadline?.millisecondsLeft
      if let left, left <= 0 { return false }
      sleep(atMost: min(left ?? .max, patience))
    }
  }

  /// A signal or a write to the log ends the sleep early.
  private func sleep(atMost milliseconds: Int64) {
    var polled = pollfd(fd: inotify, events: Int16(POLLIN), revents: 0)
    _ = poll(&polled, inotify >= 0 ? 1 : 0, Int32(clamping: milliseconds))
    if polled.revents != 0 {
      withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { buffer in
        while read(inotify, buffer.baseAddress, buffer.count) > 0 {}
      }
      patience = 1
    } else if inotify >= 0 {
      patience = min(patience * 2, Self.longSleep)
    }
  }
}

/// A moment of the clock that nobody sets.
struct SteadyMoment {
  private let milliseconds: Int64

  /// `span` from now.
  init(in span: Span) { milliseconds = Self.now + span.milliseconds }

  var millisecondsLeft: Int64 { milliseconds - Self.now }

  private static var now: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
  }
}
