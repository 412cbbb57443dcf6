import CSupervisor
import Glibc

/// Which process a record means: a process ID alone may be anybody's by now, or anywhere's.
public struct ProcessIdentity: Hashable, Sendable {
  public var bootID: String
  /// The inode of the PID namespace; 0 where it cannot be told.
  public var pidNamespace: UInt64
  public var pid: Int32
  /// Clock ticks since boot, field 22 of `/proc/PID/stat`.
  public var startTime: UInt64

  public init(bootID: String, pidNamespace: UInt64, pid: Int32, startTime: UInt64) {
    self.bootID = bootID
    self.pidNamespace = pidNamespace
    self.pid = pid
    self.startTime = startTime
  }

  /// This process.
  public static func current() throws(ProcessError) -> ProcessIdentity {
    var bootID = [CChar](repeating: 0, count: Int(HG_BOOT_ID_BYTES))
    try ProcessError.check(hg_boot_id(&bootID), "read", "/proc/sys/kernel/random/boot_id")
    let pid = getpid()
    var start: UInt64 = 0
    var state: CChar = 0
    try ProcessError.check(hg_process_start(pid, &start, &state), "read", "/proc/self/stat")
    return ProcessIdentity(
      bootID: text(of: bootID), pidNamespace: hg_pid_namespace(), pid: pid, startTime: start)
  }

  /// What can be said about a process from here.
  public enum Presence: Sendable {
    case alive
    /// It has ended, or was of another boot.
    case dead
    /// It lived in another PID namespace, which cannot be seen from here.
    case unseen
  }

  public static func presence(of identity: ProcessIdentity) throws(ProcessError) -> Presence {
    let here = try current()
    if identity.bootID != here.bootID { return .dead }
    if identity.pidNamespace != here.pidNamespace { return .unseen }
    var start: UInt64 = 0
    var state: CChar = 0
    guard hg_process_start(identity.pid, &start, &state) == 0 else { return .dead }
    let isZombie = state == CChar(UInt8(ascii: "Z")) || state == CChar(UInt8(ascii: "X"))
    return start == identity.startTime && !isZombie ? .alive : .dead
  }

  /// Whether that process is known to live: same boot, same namespace, same start, no zombie.
  public static func isAlive(_ identity: ProcessIdentity) throws(ProcessError) -> Bool {
    try presence(of: identity) == .alive
  }
}
