import Glibc

/// Tells that one of some files was written, by inotify: what follows the log of a running attempt
/// sleeps until there is more.
///
/// A file that is moved or truncated stays watched; one that cannot be watched is said to be so.
public final class FileWatch {
  /// Readable when one of the files was written since the last `drain`.
  public let fileDescriptor: Int32

  public init() throws(ProcessError) {
    fileDescriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
    guard fileDescriptor >= 0 else {
      throw .system(call: "inotify_init1", path: nil, errno: errno)
    }
  }

  deinit { close(fileDescriptor) }

  /// False: whoever waits has to look by itself. Twice the same file is once.
  public func add(_ path: String) -> Bool {
    inotify_add_watch(fileDescriptor, path, UInt32(IN_MODIFY)) >= 0
  }

  /// Forgets what was told so far.
  public func drain() { drainEvents(fileDescriptor) }
}

/// Reads all that an inotify descriptor has to tell.
func drainEvents(_ descriptor: Int32) {
  withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { buffer in
    while read(descriptor, buffer.baseAddress, buffer.count) > 0 {}
  }
}
