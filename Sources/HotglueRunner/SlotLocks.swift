import HotglueCore
import HotglueProcess
import HotglueStore

/// The locks of dead supervisors' slots that this process holds.
///
/// The jobs of a stream share a slot, and a lock keeps out whoever has not this very one: what is found
/// out about each of them is found out under the same.
final class SlotLocks {
  private var held: [String: Weak] = [:]

  private struct Weak {
    weak var lock: SlotLock?
    weak var remains: SharedRemains?
  }

  func tryAcquire(
    storeFolder: String, slot: String
  ) throws(ProcessError) -> SlotLock.Attempted {
    if let lock = held[slot]?.lock { return .acquired(lock) }
    let attempted = try SlotLock.tryAcquire(storeFolder: storeFolder, slot: slot)
    held = held.filter { $0.value.lock != nil }
    if case .acquired(let lock) = attempted { held[slot] = Weak(lock: lock) }
    return attempted
  }

  /// The lock of a slot whose file is lost, on an empty one that is made in its place.
  func renew(
    storeFolder: String, slot: String, shared: Bool
  ) throws(ProcessError) -> SlotLock.Attempted {
    let attempted = try SlotLock.renewed(storeFolder: storeFolder, slot: slot, shared: shared)
    if case .acquired(let lock) = attempted { held[slot] = Weak(lock: lock) }
    return attempted
  }

  /// What the slot's supervisor left behind, stopped once for all of its attempts.
  func remains(
    of trace: AttemptTrace, stopSequence: [StopSequence.Step]
  ) throws(ProcessError) -> SharedRemains {
    if let known = held[trace.slot]?.remains { return known }
    let made = SharedRemains(
      try AttemptRemains(trace, stopSequence: stopSequence), inHand: trace.contents?.attempt)
    held[trace.slot]?.remains = made
    return made
  }
}

/// What is left of a dead supervisor's handler, which may have had a job in hand while others waited.
final class SharedRemains {
  private let remains: AttemptRemains
  private let inHand: SlotContents.Attempt?
  private var result: AttemptRemains.Result?

  init(_ remains: AttemptRemains, inHand: SlotContents.Attempt?) {
    self.remains = remains
    self.inHand = inHand
  }

  /// Whether it was this attempt's. Where the slot is lost it counts as each attempt's.
  func belongs(to attempt: AttemptReference) -> Bool {
    guard let inHand else { return true }
    return inHand.job == attempt.job && inHand.fence == attempt.fence
  }

  /// Where the part of the log begins that is the job's in hand, where it has a part.
  var logFrom: Int64? { inHand?.logFrom }

  /// There is a control group in which nobody can look from here.
  var groupIsHidden: Bool { remains.groupIsHidden }

  /// Does what is due, without waiting.
  func step() -> AttemptRemains.Progress {
    if let result { return .done(result) }
    let progress = remains.step()
    if case .done(let result) = progress { self.result = result }
    return progress
  }
}
