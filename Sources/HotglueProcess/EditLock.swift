import Glibc
import HotglueFiles

/// The lock of one text that is open in an editor, held until this value and every process that
/// inherited it have gone: the editor does, so that it is held also when hotglue was killed and the
/// person types on. An editor that closes descriptors it does not know gives its share up.
public final class EditLock {
  private let path: String
  let descriptor: Int32

  private init(path: String, descriptor: Int32) {
    self.path = path
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Tries once, without waiting; `nil` when another one has it. The folder is there.
  public static func tryAcquire(path: String, mode: UInt32) throws(ProcessError) -> EditLock? {
    while true {
      let descriptor: Int32
      do throws(FileError) {
        descriptor = try SharedFile.open(path, isShared: mode & 0o060 != 0)
      } catch {
        throw ProcessError(error)
      }
      let lock = EditLock(path: path, descriptor: descriptor)
      while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
        if errno == EWOULDBLOCK { return nil }
        if errno != EINTR { throw .system(call: "flock", path: path, errno: errno) }
      }
      // The one who had it may have removed the file between our opening and our locking.
      if lock.isAtItsPath { return lock }
    }
  }

  /// Tries until `deadline` (boot-clock milliseconds): another command may look at the text just now.
  public static func acquire(
    path: String, mode: UInt32, until deadline: Int64
  ) throws(ProcessError) -> EditLock? {
    while true {
      if let lock = try tryAcquire(path: path, mode: mode) { return lock }
      if BootClock.now() >= deadline { return nil }
      usleep(10_000)
    }
  }

  public static func isFree(path: String) throws(ProcessError) -> Bool {
    try FileLock.isFree(path: path)
  }

  /// Removes the lock's file, which nobody needs while nothing is edited.
  public func removeFile() { unlink(path) }

  private var isAtItsPath: Bool {
    var there = stat()
    var mine = stat()
    return fstat(descriptor, &mine) == 0 && lstat(path, &there) == 0
      && there.st_ino == mine.st_ino && there.st_dev == mine.st_dev
  }
}
