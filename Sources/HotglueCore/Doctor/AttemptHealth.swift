/// What can be seen of a running attempt from outside, and what follows from it.
///
/// The rules are those of a rescuer, without its questions: nothing is asked, locked or changed, so
/// that a look disturbs nobody.
public struct AttemptSigns: Hashable, Sendable {
  public enum Worker: Hashable, Sendable {
    case alive
    /// Stopped by a signal, or by a debugger.
    case frozen
    /// Its lock is free, or it was of another boot.
    case gone
  }

  public enum Slot: Hashable, Sendable {
    /// There is no file.
    case missing
    /// Its file is another one than its supervisor made.
    case copied
    /// Nobody holds its lock.
    case free
    case held
    case heldByFrozen
    /// Its supervisor is gone, and somebody else holds the lock to find out what became of it.
    case heldByRescuer
    /// Its lock is held in another PID namespace.
    case heldElsewhere
  }

  public var worker: Worker
  public var leaseIsOver: Bool
  public var slot: Slot

  public init(worker: Worker, leaseIsOver: Bool, slot: Slot) {
    self.worker = worker
    self.leaseIsOver = leaseIsOver
    self.slot = slot
  }

  /// What is to be said about the attempt; empty when it is minded and well.
  public var codes: [FindingCode] {
    var codes: [FindingCode] = []
    if worker == .frozen { codes.append(.workerFrozen) }
    if slot == .heldByFrozen { codes.append(.supervisorFrozen) }
    // A worker within its lease is the one to find out what became of its attempt.
    guard worker == .gone || leaseIsOver else { return codes }
    switch slot {
    case .copied: codes.append(.storeCopied)
    case .missing, .free: codes.append(.attemptDead)
    case .heldByRescuer: codes.append(.attemptResolving)
    case .heldElsewhere: codes.append(.attemptElsewhere)
    case .held, .heldByFrozen: codes.append(worker == .gone ? .attemptUnattended : .leaseOver)
    }
    return codes
  }
}
