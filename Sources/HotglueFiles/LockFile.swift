import Glibc

/// A kernel lock (`flock`) on a file or directory of its own, never on a database file.
///
/// The kernel frees it when this value and every process that inherited its descriptor have gone,
/// however they end. The descriptor is close-on-exec: a child that is to share the lock is handed it.
public final class LockFile {
  public let path: String
  public let descriptor: Int32
  private let inode: ino_t
  private let device: dev_t

  /// Opens the file, and makes it if it is missing.
  public convenience init(_ path: String, isShared: Bool = false) throws(FileError) {
    try self.init(path, opened: SharedFile.open(path, isShared: isShared))
  }

  /// Makes a file that must not exist yet.
  public convenience init(new path: String, isShared: Bool) throws(FileError) {
    try self.init(path, opened: SharedFile.create(path, isShared: isShared))
  }

  /// Opens a file or a directory that is there.
  public convenience init(existing path: String) throws(FileError) {
    let opened = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard opened >= 0 else { throw FileError("open", path) }
    try self.init(path, opened: opened)
  }

  private init(_ path: String, opened: Int32) throws(FileError) {
    var status = stat()
    guard fstat(opened, &status) == 0 else {
      let error = FileError("look at", path)
      close(opened)
      throw error
    }
    self.path = path
    descriptor = opened
    inode = status.st_ino
    device = status.st_dev
  }

  deinit { close(descriptor) }

  /// The file itself: a copy of it is another one.
  public var identity: String { "\(device):\(inode)" }

  /// Not so once it was removed or replaced: then its lock keeps nobody out.
  public var isAtItsPath: Bool {
    var there = stat()
    return lstat(path, &there) == 0 && there.st_ino == inode && there.st_dev == device
  }

  /// Whether the other descriptor is one of this file.
  public func isSameFile(as other: Int32) -> Bool {
    var there = stat()
    return fstat(other, &there) == 0 && there.st_ino == inode && there.st_dev == device
  }

  /// Takes the lock if it is free.
  public func tryLock() throws(FileError) -> Bool { try tryLock(LOCK_EX) }

  private func tryLock(_ kind: Int32) throws(FileError) -> Bool {
    while flock(descriptor, kind | LOCK_NB) != 0 {
      if errno == EWOULDBLOCK { return false }
      if errno != EINTR { throw FileError("lock", path) }
    }
    return true
  }

  public func unlock() { flock(descriptor, LOCK_UN) }

  /// Removes the file, whose lock is held: one who has opened it finds that it is not at its path.
  public func removeFile() { unlink(path) }

  /// The locked file at the path, made if it is missing; `nil` when another process holds its lock.
  public static func acquire(_ path: String, isShared: Bool) throws(FileError) -> LockFile? {
    while true {
      let file = try LockFile(path, isShared: isShared)
      guard try file.tryLock() else { return nil }
      // The one who had it may have removed the file between the opening and the lock.
      if file.isAtItsPath { return file }
    }
  }

  /// What the holder before left in the file; of a long text the beginning.
  public var contents: String {
    var bytes = [UInt8](repeating: 0, count: 1 << 14)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
  }

  /// Leaves a short text for the next holder. Not synced: no holder outlives this boot.
  public func write(_ text: String) throws(FileError) {
    let bytes = Array(text.utf8)
    guard ftruncate(descriptor, 0) == 0, pwrite(descriptor, bytes, bytes.count, 0) == bytes.count
    else { throw FileError("write", path) }
  }

  public enum State: Sendable {
    case free, held, missing
    /// It cannot be opened or asked, which proves nothing.
    case unknown
  }

  /// What the lock of a file or directory shows, tried in shared mode: for a moment another one that
  /// tries finds it held.
  public static func state(of path: String) -> State {
    do throws(FileError) {
      return try LockFile(existing: path).tryLock(LOCK_SH) ? .free : .held
    } catch {
      return error.code == ENOENT ? .missing : .unknown
    }
  }
}
