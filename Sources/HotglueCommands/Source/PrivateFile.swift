import Glibc
import HotglueCore
import HotglueFiles

/// A file of the store's folder that nobody but its users may read: configurations and what a tap is
/// given.
struct PrivateFile {
  let path: String
  /// Several users share the store.
  let isShared: Bool

  /// Replaces it as a whole, durably; its folder is made when it is missing.
  func write(_ bytes: some Sequence<UInt8>) throws(SystemError) {
    try SystemError.of { () throws(FileError) in
      try SharedFile.createDirectory(Path.folder(of: path), isShared: isShared)
    }
    try SystemError.of { () throws(FileError) in
      try AtomicFile(path, isShared: isShared, temporary: "\(path).\(getpid())")
        .replace(by: Array(bytes))
    }
  }

  /// Takes it away, if it is there.
  func remove() throws(SystemError) {
    guard unlink(path) == 0 || errno == ENOENT else { throw SystemError("remove", path) }
  }
}
