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

  /// What the slot's supervisor left behind, stopped once for all of its attempts.
  func remains(
    of contents: SlotContents, ladder: [LadderStep]
  ) throws(ProcessError) -> SharedRemains {
    if let known = held[contents.slot]?.remains { return known }
    let made = SharedRemains(
      try AttemptRemains(contents, ladder: ladder), inHand: contents.attempt)
    held[contents.slot]?.remains = made
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

  /// Whether it was this attempt's.
  func belongs(to attempt: AttemptReference) -> Bool {
    inHand?.job == attempt.job && inHand?.fence == attempt.fence
  }

  /// Of a stream: where the part of the log begins that is the job's in hand.
  var logFrom: Int64? { inHand.flatMap { $0.isOfStream ? $0.logFrom : nil } }

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
