import Glibc
import HotglueCore

/// The lock under which one context file is made, switched or put right: a kernel lock on a file
/// beside it, so that it ends with its process.
struct ContextLock: ~Copyable {
  private let descriptor: Int32

  /// Waits for the lock at most this long.
  static let bound = Span.seconds(30)

  /// `nil` when someone else has it and `wait` is false.
  init?(beside realPath: String, mode: mode_t, wait: Bool) throws {
    let path = realPath + ".lock"
    let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode)
    guard file >= 0 else { throw SystemError("lock", path) }
    // Whatever the umask: a context that a group shares has a lock that the group may take.
    var status = stat()
    if fstat(file, &status) == 0, status.st_mode & 0o777 != mode, status.st_uid == geteuid() {
      fchmod(file, mode)
    }
    var waited: useconds_t = 0
    while flock(file, LOCK_EX | LOCK_NB) != 0 {
      guard errno == EWOULDBLOCK || errno == EINTR else {
        let error = SystemError("lock", path)
        close(file)
        throw error
      }
      guard wait else {
        close(file)
        return nil
      }
      guard Int64(waited) < Self.bound.milliseconds * 1000 else {
        close(file)
        throw CommandError(
          "busy", .tryLater, "another process is switching the context '\(realPath)'",
          hint: "try again; a process that is stopped must be woken or killed")
      }
      usleep(5000)
      waited += 5000
    }
    descriptor = file
  }

  deinit { close(descriptor) }
}
