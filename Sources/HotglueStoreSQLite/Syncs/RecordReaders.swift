import CSQLite
import Glibc
import HotglueStore

/// Who reads the records of a source as they were published at one moment: kernel locks, a byte of one
/// file for each source.
///
/// ```
///   reader                          sweeper, under the gate
///   takes the lock
///   sees publication 7                                          8 is published, and replaces rows
///   reads pages as of 7             sees the lock: leaves them
///   frees the lock, or dies         gives their room back
/// ```
///
/// A reader that takes its lock after the sweeper has looked sees the publication that the sweeper
/// sees, since nobody publishes under the sweeper's gate: it needs nothing that is swept.
struct RecordReaders {
  let path: String
  let isShared: Bool

  init(folder: String, isShared: Bool) {
    path = folder + "/readers"
    self.isShared = isShared
  }

  /// Keeps what is visible of the source from being swept until the result is let go of.
  func hold(_ source: Int64) throws(StoreError) -> RecordReader {
    let descriptor = try StoreFiles.open(path, isShared: isShared)
    let reader = RecordReader(descriptor)
    // Nobody takes it exclusively, so it is always to be had.
    let code = csqlite_share_byte(descriptor, source)
    guard code == 0 else { throw StoreError(errno: code, path: path) }
    return reader
  }

  /// Those of the sources that nobody reads so.
  func unread(_ sources: [Int64]) throws(StoreError) -> [Int64] {
    guard !sources.isEmpty else { return [] }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else {
      if errno == ENOENT { return sources }
      throw StoreError(errno: errno, path: path)
    }
    defer { close(descriptor) }
    var found: [Int64] = []
    for source in sources {
      switch csqlite_is_byte_shared(descriptor, source) {
      case 0: found.append(source)
      case 1: break
      default: throw StoreError(errno: errno, path: path)
      }
    }
    return found
  }
}

/// One reader's lock. The kernel frees it when its process dies.
final class RecordReader {
  private let descriptor: Int32
  init(_ descriptor: Int32) { self.descriptor = descriptor }
  deinit { close(descriptor) }
}
