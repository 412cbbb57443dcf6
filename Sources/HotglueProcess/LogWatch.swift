import Glibc

/// Tells that the write-ahead log of a store was written, by inotify on its path.
///
/// Nobody has to ring a bell after a commit, so none can die before ringing it, and no descriptor is
/// opened on a file of the database: closing one would drop SQLite's locks.
///
/// A write to the log is told before its commit can be seen: the writer syncs the log first and only
/// then moves the log's index, which it does in shared memory, unseen by inotify. A process that
/// ends closes the log after that, and is told as well; for one that lives on, whoever was woken
/// looks again until the change is there.
public final class LogWatch {
  /// Readable when the log was written since the last `drain`.
  public let fileDescriptor: Int32

  /// Watches the log of the store at `storePath`, its real path.
  public init(storePath: String) throws(ProcessError) {
    let path = storePath + "-wal"
    fileDescriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
    guard fileDescriptor >= 0 else {
      throw .system(call: "inotify_init1", path: nil, errno: errno)
    }
    guard inotify_add_watch(fileDescriptor, path, UInt32(IN_MODIFY | IN_CLOSE_WRITE)) >= 0 else {
      throw .system(call: "inotify_add_watch", path: path, errno: errno)
    }
  }

  deinit { close(fileDescriptor) }

  /// Forgets what was told so far.
  public func drain() { drainEvents(fileDescriptor) }
}
