import HotglueFiles

/// The kernel locks (`flock`) that are held, read from `/proc/locks` without touching any.
///
/// A look at a lock by taking it could make others wait, for as long as whoever looks is stopped. The
/// kernel does not list the locks of other PID namespaces here, so a lock that is not listed is tried
/// in shared mode where that can harm nobody, and never at the writer gate.
public struct HeldLocks: Sendable {
  /// By the words of `/proc/locks` for a file: `fd:01:5678`.
  private let holders: [Substring: Int32]

  public init() {
    var holders: [Substring: Int32] = [:]
    for line in (smallFile("/proc/locks") ?? "").split(separator: "\n") {
      // `1: FLOCK  ADVISORY  WRITE 1234 fd:01:5678 0 EOF`; a waiter's line has `->` in it.
      let words = line.split(separator: " ")
      guard words.count >= 6, words[1] == "FLOCK", let pid = Int32(words[4]) else { continue }
      holders[words[5]] = pid
    }
    self.holders = holders
  }

  /// Who holds the lock of a file, as far as this PID namespace can tell.
  public func holder(of path: String) -> Int32? {
    FileIdentity(path).flatMap { holders[$0.lockName] }
  }

  public func holder(of file: FileIdentity) -> Int32? { holders[file.lockName] }

  public enum State: Sendable { case missing, free, held }

  /// Whether somebody holds the lock of a file, also in another PID namespace.
  public func state(of path: String) -> State {
    guard let file = FileIdentity(path) else { return .missing }
    if holders[file.lockName] != nil { return .held }
    switch LockFile.state(of: path) {
    case .missing: return .missing
    case .free: return .free
    // One that may not be opened cannot be judged: nothing is concluded from it.
    case .held, .unknown: return .held
    }
  }
}

extension FileIdentity {
  /// As `/proc/locks` names the file. Some file systems show another device there than `stat` does;
  /// their locks are tried where that is allowed.
  fileprivate var lockName: Substring {
    let major = (device >> 8) & 0xFFF | (device >> 32) & ~0xFFF
    let minor = device & 0xFF | (device >> 12) & ~0xFF
    func word(_ number: UInt64) -> String {
      let digits = String(number, radix: 16)
      return digits.count < 2 ? "0" + digits : digits
    }
    return "\(word(major)):\(word(minor)):\(inode)"
  }
}
