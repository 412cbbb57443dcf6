import Glibc

/// How a child of this process ended.
public enum ChildEnd: Equatable, Sendable {
  case exited(Int32)
  case killed(signal: Int32)

  init(waitStatus status: Int32) {
    let signal = status & 0x7f
    self = signal == 0 ? .exited((status >> 8) & 0xff) : .killed(signal: signal)
  }

  /// Waits for the end of the child, and takes it.
  init(reaping pid: pid_t) throws(ProcessError) {
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0 {
      if errno != EINTR { throw .system(call: "waitpid", path: nil, errno: errno) }
    }
    self.init(waitStatus: status)
  }
}
