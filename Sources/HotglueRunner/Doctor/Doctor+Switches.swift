import HotglueCore
import HotglueProcess
import HotglueStore

/// Switches of context files that were cut short, or stopped half-way.
extension Doctor {
  func lookAtSwitches() -> [Finding] {
    var findings: [Finding] = []
    var paths = Set(audit.openSwitches.map(\.key.path))
    if let contextFile { paths.insert(contextFile) }
    for path in paths.sorted() {
      if let holder = locks.holder(of: path + ".lock"), let process = SeenProcess(holder),
        process.isFrozen
      {
        findings.append(frozen(process, at: path))
      }
    }
    return findings
      + audit.openSwitches.compactMap { context in
        guard let intent = context.record.intent, FileIdentity(context.key.path) != nil,
          locks.state(of: context.key.path + ".lock") != .held
        else { return nil }
        return Finding(
          .switchOpen,
          "a switch of '\(context.key.path)' to '\(intent.workspace)' (generation "
            + "\(intent.generation)) is neither confirmed nor given up",
          path: context.key.path, remedy: "hotglue --context '\(context.key.path)' context show")
      }
  }

  private func frozen(_ process: SeenProcess, at path: String) -> Finding {
    let began = Timestamp(
      milliseconds: now.milliseconds - (BootClock.now() - process.beganMs))
    return Finding(
      .switchFrozen,
      "\(process.words) (\(process.pid)), begun at \(began.rfc3339), is stopped and holds the "
        + "switch lock of '\(path)'",
      pid: process.pid, path: path,
      remedy: "kill -CONT \(process.pid), or kill -KILL \(process.pid)")
  }
}
