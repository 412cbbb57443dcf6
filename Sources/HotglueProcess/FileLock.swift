import CSupervisor
import Glibc
import HotglueFiles

/// A kernel lock (`flock`) on a file of its own. The kernel frees it when the process ends,
/// however it ends; the descriptor is close-on-exec. Never used on a database file.
public final class FileLock {
  private let descriptor: Int32
  private let path: String
  public private(set) var isHeld = false

  /// Opens the file and makes it if needed, with this mode whatever the umask.
  public init(path: String, mode: UInt32 = 0o600) throws(ProcessError) {
    self.path = path
    do throws(FileError) {
      descriptor = try SharedFile.open(path, isShared: mode & 0o060 != 0)
    } catch {
      throw ProcessError(error)
    }
  }

  deinit { Glibc.close(descriptor) }

  /// Takes the lock if it is free.
  public func tryLock() throws(ProcessError) -> Bool {
    while true {
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 {
        isHeld = true
        return true
      }
      if errno == EINTR { continue }
      if errno == EWOULDBLOCK { return false }
      throw .system(call: "flock", path: path, errno: errno)
    }
  }

  /// Whether nobody holds the lock of an existing file; a file that is gone is held by nobody.
  public static func isFree(path: String) throws(ProcessError) -> Bool {
    let descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else {
      if errno == ENOENT { return true }
      throw .system(call: "open", path: path, errno: errno)
    }
    defer { Glibc.close(descriptor) }
    while flock(descriptor, LOCK_SH | LOCK_NB) != 0 {
      if errno == EWOULDBLOCK { return false }
      if errno != EINTR { throw .system(call: "flock", path: path, errno: errno) }
    }
    return true
  }

  public enum State: Sendable {
    case free, held
    /// The file is missing or cannot be opened, which proves nothing.
    case unknown
  }

  /// What an existing lock file shows, tried in shared mode.
  public static func state(path: String) -> State {
    let descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else { return .unknown }
    defer { Glibc.close(descriptor) }
    while flock(descriptor, LOCK_SH | LOCK_NB) != 0 {
      if errno == EWOULDBLOCK { return .held }
      if errno != EINTR { return .unknown }
    }
    return .free
  }

  /// The names of lock files in a folder that nobody holds and that are older than `ageMs`: younger
  /// ones may be between being made and being locked.
  public static func abandoned(in folder: String, olderThanMs ageMs: Int64) throws(ProcessError)
    -> [String]
  {
    var names: [String] = []
    for name in try namesIfThere(in: folder) {
      var facts = stat()
      guard name.hasSuffix(".lock"), lstat(folder + "/" + name, &facts) == 0 else { continue }
      let changedMs = Int64(facts.st_mtim.tv_sec) * 1000
      guard changedMs < WallClock.now() - ageMs else { continue }
      if try isFree(path: folder + "/" + name) { names.append(name) }
    }
    return names
  }

  /// Tries until `deadline` (boot-clock milliseconds), at growing intervals of at most 20 ms;
  /// false when the time is over.
  public func lock(until deadline: Int64) throws(ProcessError) -> Bool {
    var pause: Int64 = 1
    while try !tryLock() {
      let rest = deadline - BootClock.now()
      if rest <= 0 { return false }
      usleep(UInt32(min(pause, rest)) * 1000)
      pause = min(pause * 2, 20)
    }
    return true
  }

  /// The file itself: a copy of it is another one.
  public func fileIdentity() throws(ProcessError) -> String {
    var facts = stat()
    guard fstat(descriptor, &facts) == 0 else {
      throw .system(call: "fstat", path: path, errno: errno)
    }
    return "\(facts.st_dev):\(facts.st_ino)"
  }

  /// What the holder before left in the file; of a long one the beginning.
  public func contents() throws(ProcessError) -> String {
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    guard count >= 0 else { throw .system(call: "pread", path: path, errno: errno) }
    return String(decoding: bytes.prefix(count), as: UTF8.self)
  }

  /// Leaves a short text for the next holder.
  public func write(_ text: String) throws(ProcessError) {
    let bytes = Array(text.utf8)
    guard ftruncate(descriptor, 0) == 0, pwrite(descriptor, bytes, bytes.count, 0) == bytes.count
    else { throw .system(call: "pwrite", path: path, errno: errno) }
  }

  public func unlock() throws(ProcessError) {
    if flock(descriptor, LOCK_UN) < 0 {
      throw .system(call: "flock", path: path, errno: errno)
    }
    isHeld = false
  }
}
