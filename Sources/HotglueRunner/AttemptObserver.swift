import Glibc
public import HotglueCore
import HotglueProcess
public import HotglueStore

/// Collects the evidence about running attempts that can be had without asking, locking or stopping
/// anything, so that a command that only reads disturbs no process.
public struct AttemptObserver {
  private let folder: String
  private let storeFile: String
  private let here: ProcessIdentity
  private let locks: HeldLocks

  /// `folder`: the store's `STORE.d`.
  public init(folder: String, storePath: String) throws(RunnerError) {
    self.folder = folder
    storeFile = fileOrigin(storePath) ?? ""
    here = try processStep { () throws(ProcessError) in try ProcessIdentity.current() }
    locks = HeldLocks()
  }

  public func evidence(of attempt: RunningAttempt) -> AttemptEvidence {
    let contents = Slot.evidence(storeFolder: folder, slot: attempt.slot)
    let isCopy =
      attempt.origin.storeFile.isEmpty
      ? contents?.isCopy ?? false : attempt.origin.storeFile != storeFile
    let now = BootTime(bootID: here.bootID, milliseconds: BootClock.now())
    var evidence = AttemptEvidence(
      owner: owner(of: attempt), leaseIsOver: attempt.lease.hasPassed(at: now),
      isOfThisBoot: attempt.origin.bootID == here.bootID, isOfCopiedStore: isCopy,
      supervisor: .gone,
      record: AttemptEvidence.Record(contents, of: attempt, in: folder, isCopy: isCopy),
      keepsChildren: attempt.policy.keepChildren)
    guard evidence.isOfThisBoot, !isCopy else { return evidence }
    let isVisible = attempt.origin.pidNamespace == String(here.pidNamespace)
    let trace = AttemptTrace(
      storeFolder: folder, slot: attempt.slot, contents: contents, mayBeTouched: isVisible)
    evidence.supervisor = supervisor(of: attempt, trace, evidence)
    evidence.leftovers = leftovers(of: trace, evidence)
    return evidence
  }

  /// The process to wake or to wait for, where the supervisor is not the one that answers.
  public func supervisorProcess(of attempt: RunningAttempt) -> Int32? {
    locks.holder(of: path(of: attempt)) ?? SlotName(attempt.slot)?.supervisor?.pid
  }

  private func path(of attempt: RunningAttempt) -> String { "\(folder)/slots/\(attempt.slot)" }

  private func owner(of attempt: RunningAttempt) -> AttemptEvidence.Owner {
    switch OwnerPresence(
      attempt, bootID: here.bootID, pidNamespace: here.pidNamespace, folder)
    {
    case .alive: .alive
    case .frozen: .frozen
    case .gone: .gone
    }
  }

  private func supervisor(
    of attempt: RunningAttempt, _ trace: AttemptTrace, _ evidence: AttemptEvidence
  ) -> AttemptEvidence.Supervisor {
    if let process = trace.supervisor { return process.isFrozen ? .frozen : .alive }
    guard locks.state(of: path(of: attempt)) == .held else {
      guard !trace.mayBeTouched, evidence.record == .lost else { return .gone }
      return evidence.leaseIsOver ? .gone : .unseen
    }
    guard trace.mayBeTouched else { return .unseen }
    let holder = locks.holder(of: path(of: attempt))
    return holder.flatMap { SeenProcess($0) }?.isFrozen == true ? .frozen : .replaced(by: holder)
  }

  /// Beside a supervisor that lives: what the main process left. Beside one that is gone: what this
  /// user may not stop; the rest is stopped by the next worker.
  private func leftovers(
    of trace: AttemptTrace, _ evidence: AttemptEvidence
  ) -> AttemptEvidence.Leftovers {
    guard trace.mayBeTouched, !evidence.keepsChildren, evidence.record != .outcome else {
      return .notSought
    }
    var left: [EndedAttempt.Stray] = []
    if trace.supervisor == nil {
      left = trace.leftovers().filter { kill($0.pid, 0) != 0 && errno == EPERM }
    } else if trace.mainProcessHasEnded {
      left = trace.leftovers()
    }
    return left.isEmpty
      ? .notSought : .holding(left.map { LeftoverProcess(pid: $0.pid, name: $0.name) })
  }
}

extension LeftoverProcess {
  /// The command that ends them, by whoever may.
  public static func remedy(_ processes: [LeftoverProcess]) -> String {
    let needsRoot = processes.contains { kill($0.pid, 0) != 0 && errno == EPERM }
    let pids = processes.map { String($0.pid) }.joined(separator: " ")
    return "\(needsRoot ? "sudo " : "")kill -KILL \(pids)"
  }
}
