import Glibc
import HotglueStore

/// A file whose lock keeps others out for as long as it is the one that they open.
final class LockFile {
  let descriptor: Int32
  private let path: String
  private let isShared: Bool
  private let inode: ino_t
  private let device: dev_t

  /// Opens it, and makes it if it is missing.
  init(_ path: String, isShared: Bool) throws(StoreError) {
    let opened = try StoreFiles.open(path, isShared: isShared)
    var status = stat()
    guard fstat(opened, &status) == 0 else {
      let code = errno
      close(opened)
      throw StoreError(errno: code, path: path)
    }
    descriptor = opened
    self.path = path
    self.isShared = isShared
    inode = status.st_ino
    device = status.st_dev
  }

  deinit { close(descriptor) }

  /// Not so once it was removed or replaced.
  var isAtItsPath: Bool {
    var there = stat()
    return lstat(path, &there) == 0 && there.st_ino == inode && there.st_dev == device
  }

  /// The one that is at the path now.
  func reopened() throws(StoreError) -> LockFile { try LockFile(path, isShared: isShared) }
}
