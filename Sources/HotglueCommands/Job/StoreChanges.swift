import Glibc
import HotglueCore
import HotglueProcess
import HotglueStore

/// Sleeps until the store has changed, at next to no cost. Where the log cannot be watched, the
/// store's change counter is asked every few hundredths of a second.
final class StoreChanges {
  private let store: any Store
  private let path: String
  private let file: FileIdentity?
  private let log: LogWatch?
  /// Where what is shown goes: nobody waits for a change once its reader is gone.
  private let output: ByteSink?
  /// What else ends a sleep when it can be read; the caller reads it.
  private let other: Int32
  private var counter: Int64
  /// The longest sleep between two looks at the counter: without a watch, and as a net below it.
  private static let shortSleep: Int64 = 30
  private static let longSleep: Int64 = 1000
  /// How long the next sleep may be. A write that wakes us is followed by looks at growing
  /// distances, until the commit is there or it is clear that none comes.
  private var patience: Int64

  /// `output`: of what follows the store for a reader. What waits for the sake of its status has none.
  init(
    of store: any Store, at path: String, output: ByteSink? = nil, other: Int32 = -1
  ) throws(StoreError) {
    self.store = store
    self.output = output
    self.other = other
    self.path = Self.realPath(path)
    file = FileIdentity(self.path)
    do throws(ProcessError) {
      log = try LogWatch(storePath: self.path)
    } catch {
      log = nil
    }
    patience = log == nil ? Self.shortSleep : Self.longSleep
    counter = try store.changeCounter()
  }

  private static func realPath(_ path: String) -> String {
    guard let real = realpath(path, nil) else { return path }
    defer { free(real) }
    return String(cString: real)
  }

  /// Returns when another connection has changed the store, the reader of the output is gone, the other
  /// descriptor can be read, or at `deadline` on the steady clock: false then. Look at the store once more after the first call has been prepared for: a change
  /// between making this object and the call is told at once. A store whose file was deleted, or
  /// replaced, changes no more: that is an error.
  func wait(until deadline: SteadyMoment?) throws(StoreError) -> Bool {
    while true {
      guard FileIdentity(path) == file else { throw .missing(path: path) }
      let current = try store.changeCounter()
      if current != counter {
        counter = current
        return true
      }
      let left = deadline?.millisecondsLeft
      if let left, left <= 0 { return false }
      if sleep(atMost: min(left ?? .max, patience)) { return true }
    }
  }

  /// A signal or a write to the log ends the sleep early. True: something else than the store is to be
  /// looked at.
  private func sleep(atMost milliseconds: Int64) -> Bool {
    var polled = [
      pollfd(fd: log?.fileDescriptor ?? -1, events: Int16(POLLIN), revents: 0),
      pollfd(fd: other, events: Int16(POLLIN), revents: 0),
      output?.watched ?? pollfd(fd: -1, events: 0, revents: 0),
    ]
    _ = poll(&polled, nfds_t(polled.count), Int32(clamping: milliseconds))
    if polled[0].revents != 0 {
      log?.drain()
      patience = 1
    } else if log != nil {
      patience = min(patience * 2, Self.longSleep)
    }
    output?.take(polled[2])
    return polled[1].revents != 0 || output?.isClosed == true
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
