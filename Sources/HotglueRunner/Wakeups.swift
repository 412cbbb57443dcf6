import Glibc
import HotglueProcess

/// What wakes a sleeping worker besides its supervisors: writes to the store's log, and signals.
///
/// The write-ahead log is watched by inotify on its path: nobody has to ring a bell after a commit,
/// so none can die before ringing it. inotify opens no descriptor on the file, which would drop
/// SQLite's locks when it is closed.
///
/// A write to the log is told before its commit can be seen: the writer syncs the log first and only
/// then moves the log's index, which it does in shared memory, unseen by inotify. A process that
/// ends closes the log after that, and is told as well; for one that lives on, whoever was woken
/// looks again until the change is there.
public final class Wakeups {
  private let inotify: Int32
  private let signals: LeavingSignals?

  /// Watches the log of the store at `storePath`; with `takesSignals` also TERM, INT and HUP.
  public init(storePath: String, takesSignals: Bool) throws(RunnerError) {
    signals =
      takesSignals ? try processStep { () throws(ProcessError) in try LeavingSignals() } : nil
    inotify = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
    guard inotify >= 0 else { throw .system("inotify_init1: \(String(cString: strerror(errno)))") }
    guard inotify_add_watch(inotify, storePath + "-wal", UInt32(IN_MODIFY | IN_CLOSE_WRITE)) >= 0
    else {
      let reason = String(cString: strerror(errno))
      throw .system("cannot watch '\(storePath)-wal': \(reason)")
    }
  }

  deinit { close(inotify) }

  /// Sleeps until one of `descriptors` can be read, the log was written, a signal came, or
  /// `milliseconds` have passed. Returns whether the log was written.
  public func wait(_ descriptors: [Int32], milliseconds: Int64) -> Bool {
    let all = [inotify] + (signals.map { [$0.fileDescriptor] } ?? []) + descriptors
    var polled = all.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    _ = poll(&polled, nfds_t(polled.count), Int32(clamping: milliseconds))
    guard polled[0].revents != 0 else { return false }
    drainInotify()
    return true
  }

  private func drainInotify() {
    withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { buffer in
      while read(inotify, buffer.baseAddress, buffer.count) > 0 {}
    }
  }

  /// The signals that have come since the last call, oldest first.
  func receivedSignals() -> [Int32] { signals?.take() ?? [] }
}
