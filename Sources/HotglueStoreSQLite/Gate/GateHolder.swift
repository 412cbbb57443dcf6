import Glibc

/// Finds out who holds a kernel lock, for the message of those who waited in vain.
enum GateHolder {
  /// `pid 123 (hotglue job work)`, or `nil` when nobody holds it or it cannot be seen.
  static func name(ofLockOn descriptor: Int32) -> String? {
    var status = stat()
    guard fstat(descriptor, &status) == 0, let locks = SmallFile.text("/proc/locks") else {
      return nil
    }
    let inode = String(status.st_ino)
    for line in locks.split(separator: "\n") {
      // `1: FLOCK  ADVISORY  WRITE 1234 fd:01:5678 0 EOF`; a waiter's line has `->` in it.
      let words = line.split(separator: " ")
      guard words.count >= 6, words[1] == "FLOCK",
        let file = words.first(where: { $0.split(separator: ":").count == 3 }),
        file.split(separator: ":").last.map(String.init) == inode, let pid = Int32(words[4])
      else { continue }
      return name(of: pid)
    }
    return nil
  }

  static func name(of pid: Int32) -> String {
    // A holder in another PID namespace has no number here.
    guard pid > 0 else { return "a process outside this container" }
    guard let arguments = SmallFile.text("/proc/\(pid)/cmdline"), !arguments.isEmpty else {
      return "pid \(pid)"
    }
    let words = arguments.split(separator: "\0").prefix(3).enumerated().map { index, word in
      index == 0 ? String(word.split(separator: "/").last ?? word) : String(word)
    }
    return "pid \(pid) (\(words.joined(separator: " ")))"
  }
}
