import HotglueCore
import HotglueProcess
import HotglueStore

/// What processes that died have left beside the store. None of it is in anybody's way.
extension Doctor {
  func whatWasLeft(_ processes: [SeenProcess]) throws(RunnerError) -> [Finding] {
    var findings: [Finding] = []
    let work = "\(hotglue) job work --all-workspaces --drain"
    findings += left(.slotLeft, "slots", freeSlots(), remedy: work)
    findings += left(.lockLeft, "lock files", freeLocks(), remedy: work)
    findings += left(
      .logLeft, "logs", try ForgottenLogs(store: store, folder: folder).paths(),
      remedy: "\(hotglue) store prune")
    for path in drafts(processes) {
      findings.append(
        Finding(.draftLeft, "'\(path)' is half made", path: path, remedy: "rm '\(path)'"))
    }
    return findings
  }

  private func left(
    _ code: FindingCode, _ noun: String, _ paths: [String], remedy: String
  ) -> [Finding] {
    guard let first = paths.first else { return [] }
    let more = paths.count > 1 ? " and \(paths.count - 1) more" : ""
    return [
      Finding(code, "left \(noun): '\(first)'\(more)", path: first, remedy: remedy)
    ]
  }

  /// Slots that no supervisor holds and no running attempt names, and what belonged to one.
  private func freeSlots() -> [String] {
    let place = "\(folder)/slots"
    let named = Set(audit.running.map(\.slot))
    let entries = names(in: place).sorted()
    let slots = Set(entries.filter { !$0.contains(".") })
    // What an attempt kept lives on in its control group, which has a file as long.
    let kept = Set(ControlGroup.occupants(storeFolder: folder).map { "\($0.slot).group" })
    return entries.filter { entry in
      // `NAME`, `NAME.sock` and others beside it, and `.NAME` while it is being made.
      let owner = entry.split(separator: ".").first.map(String.init) ?? entry
      if named.contains(owner) || kept.contains(entry) { return false }
      if entry == owner || entry.hasPrefix(".") {
        return locks.state(of: "\(place)/\(entry)") == .free
      }
      return !slots.contains(owner)
    }.map { "\(place)/\($0)" }
  }

  private func freeLocks() -> [String] {
    let place = "\(folder)/workers"
    return names(in: place).sorted().map { "\(place)/\($0)" }.filter {
      $0.hasSuffix(".lock") && locks.state(of: $0) == .free
    }
  }

  /// Files that `init`, `store restore` and a switch make under a name of their own before they count.
  /// One that a process has open is being made.
  private func drafts(_ processes: [SeenProcess]) -> [String] {
    let parent = Path.folder(of: storePath)
    let base = Path.name(of: storePath)
    var paths = names(in: folder).filter { $0.hasPrefix("restore-") }.map { "\(folder)/\($0)" }
    paths += names(in: parent).filter { $0.hasPrefix("\(base).new-") }.map { "\(parent)/\($0)" }
    return paths.sorted().filter { path in
      guard let file = FileIdentity(path) else { return false }
      return !processes.contains { $0.opening(of: file) != nil }
    }
  }
}
