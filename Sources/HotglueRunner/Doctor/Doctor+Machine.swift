import Glibc
import HotglueCore
import HotglueProcess
import HotglueStore

/// The gate, the disk, and other programs.
extension Doctor {
  /// How long somebody may hold the gate before it is worth a word.
  private static let gatePatience = (looks: 5, microseconds: UInt32(60_000))

  /// The gate is only looked at: whoever tries it could be the one that stops everybody.
  func lookAtGate() -> [Finding] {
    let unusable = unusableGates()
    guard unusable.isEmpty else { return unusable }
    guard let first = gateHolder(locks) else { return [] }
    guard let process = SeenProcess(first) else { return [] }
    if process.isFrozen { return [frozen(process)] }
    for _ in 0..<Self.gatePatience.looks {
      usleep(Self.gatePatience.microseconds)
      guard gateHolder(HeldLocks()) == first else { return [] }
    }
    guard let now = SeenProcess(first), now.startTime == process.startTime else { return [] }
    if now.isFrozen { return [frozen(now)] }
    return [
      Finding(.gateHeld, "\(process.words) (\(first)) holds the writer gate", pid: first)
    ]
  }

  /// Another user, or a handler, has put something else in the place of a lock file.
  private func unusableGates() -> [Finding] {
    ["gate.a", "gate.b"].compactMap { name in
      let path = "\(folder)/\(name)"
      var status = stat()
      guard lstat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG else { return nil }
      return Finding(
        .gateReplaced, "the write lock '\(path)' is not a regular file", path: path,
        remedy: "rm -r '\(path)'")
    }
  }

  private func frozen(_ process: SeenProcess) -> Finding {
    Finding(
      .gateFrozen, "\(process.words) (\(process.pid)) is stopped and holds the writer gate",
      pid: process.pid, remedy: "kill -CONT \(process.pid), or kill -KILL \(process.pid)")
  }

  /// Who works under the gate, or who is next and keeps all others from it.
  private func gateHolder(_ locks: HeldLocks) -> Int32? {
    let working = locks.holder(of: "\(folder)/gate.b")
    let next = locks.holder(of: "\(folder)/gate.a")
    if let next, SeenProcess(next)?.isFrozen == true { return next }
    return working ?? next
  }

  /// Who writes under a lock that was removed or replaced since: whoever comes next takes another one. One
  /// that has only the file open notices it at its next write.
  func lookForReplacedGate(_ open: [OpenFile]) -> [Finding] {
    open.filter(\.isHotglue).compactMap { opener in
      guard let process = SeenProcess(opener.pid) else { return nil }
      for name in ["gate.b", "gate.a"] {
        let path = "\(folder)/\(name)"
        guard
          process.replacedFiles(at: path).contains(where: { locks.holder(of: $0) == opener.pid })
        else { continue }
        return Finding(
          .gateReplaced,
          "\(process.words) (\(opener.pid)) holds the write lock '\(path)', which was "
            + "replaced meanwhile",
          pid: opener.pid, path: path, remedy: "kill -KILL \(opener.pid)")
      }
      return nil
    }
  }

  func openers(among processes: [SeenProcess]) -> [OpenFile] {
    guard let file = FileIdentity(storePath) else { return [] }
    let own = SeenExecutable.own
    return processes.compactMap { process in
      guard process.pid != here.pid, let opening = process.opening(of: file) else { return nil }
      let program = process.executable
      return OpenFile(
        pid: process.pid, program: program?.name ?? process.words,
        isHotglue: program?.name == "hotglue"
          || (program?.identity != nil && program?.identity == own?.identity),
        isWritable: opening == .writable)
    }
  }

  func strangers(_ open: [OpenFile]) -> [Finding] {
    guard audit.info.gateProtects else { return [] }
    return open.filter { !$0.isHotglue && $0.isWritable }.map { stranger in
      Finding(
        .otherProgram, "\(stranger.program) (\(stranger.pid)) has the store open for writing",
        pid: stranger.pid, remedy: "kill -TERM \(stranger.pid)")
    }
  }

  private static let longestLog: Int64 = 64 << 20

  func lookAtSpace(free: Int64?) -> [Finding] {
    var findings: [Finding] = []
    let floor = WorkerOptions(scope: .all).freeSpaceFloor
    if let free, free < floor {
      findings.append(
        Finding(
          .littleSpace, "\(free >> 20) MiB are free for the store, and \(floor >> 20) are needed",
          path: folder, remedy: "\(hotglue) store prune"))
    }
    if audit.info.logBytes > Self.longestLog {
      findings.append(
        Finding(
          .longLog, "the log of the store has grown to \(audit.info.logBytes >> 20) MiB",
          path: storePath + "-wal", remedy: "\(hotglue) store prune"))
    }
    return findings
  }
}
