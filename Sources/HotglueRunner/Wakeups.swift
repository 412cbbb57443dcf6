import Glibc

/// What wakes a sleeping worker besides its supervisors: writes to the store's log, and signals.
///
/// The write-ahead log is watched by inotify on its path: nobody has to ring a bell after a commit,
/// so none can die before ringing it. inotify opens no descriptor on the file, which would drop
/// SQLite's locks when it is closed.
final class Wakeups {
  private let inotify: Int32
  private let signals: Int32
  private var previousMask = sigset_t()

  /// Watches the log of the store at `storePath`, and takes TERM, INT and HUP for the loop.
  /// `nil` when the system gives no descriptor for it; `errno` says why.
  init?(storePath: String) {
    inotify = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
    guard inotify >= 0 else { return nil }
    var mask = sigset_t()
    sigemptyset(&mask)
    for signal in [SIGTERM, SIGINT, SIGHUP] { sigaddset(&mask, signal) }
    pthread_sigmask(SIG_BLOCK, &mask, &previousMask)
    signals = signalfd(-1, &mask, Int32(SFD_NONBLOCK) | Int32(SFD_CLOEXEC))
    guard signals >= 0, inotify_add_watch(inotify, storePath + "-wal", UInt32(IN_MODIFY)) >= 0
    else {
      close(inotify)
      if signals >= 0 { close(signals) }
      return nil
    }
  }

  deinit {
    close(inotify)
    close(signals)
    pthread_sigmask(SIG_SETMASK, &previousMask, nil)
  }

  /// Sleeps until one of `descriptors` can be read, the log was written, a signal came, or
  /// `milliseconds` have passed (negative: for ever).
  func wait(_ descriptors: [Int32], milliseconds: Int64) {
    var polled = ([inotify, signals] + descriptors).map {
      pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
    }
    _ = poll(&polled, nfds_t(polled.count), Int32(clamping: milliseconds))
    if polled[0].revents != 0 { drainInotify() }
  }

  private func drainInotify() {
    withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { buffer in
      while read(inotify, buffer.baseAddress, buffer.count) > 0 {}
    }
  }

  /// The signals that have come since the last call, oldest first.
  func receivedSignals() -> [Int32] {
    var received: [Int32] = []
    var info = signalfd_siginfo()
    while read(signals, &info, MemoryLayout<signalfd_siginfo>.size)
      == MemoryLayout<signalfd_siginfo>.size
    {
      received.append(Int32(info.ssi_signo))
    }
    return received
  }
}
