import HotglueCore
import HotglueProcess
public import HotglueStore

/// Records the outcome that a supervisor left in its slot, when no worker minds the attempt.
///
/// Run by the supervisor itself, which holds the slot's lock meanwhile. Killed at any point it
/// leaves the outcome where it is, and the next worker or `job reclaim` records it; recording it
/// twice changes nothing.
public struct Recorder {
  private let store: any Store
  private let place: WorkerPlace

  public init(store: any Store, place: WorkerPlace) {
    self.store = store
    self.place = place
  }

  /// True when the outcome is in the store, or the attempt is no longer the job's current one.
  public func record(slot: String) throws(RunnerError) -> Bool {
    let contents = try processStep { () throws(ProcessError) in
      try Slot.read(storeFolder: place.folder, slot: slot)
    }
    guard let contents, !contents.isCopy, let outcome = contents.outcome else { return false }
    let attempt = try storeStep { () throws(StoreError) -> RunningAttempt? in
      guard let workspace = try store.owner(ofJob: outcome.job) else { return nil }
      return try store.runningAttempt(of: outcome.job, in: workspace)
    }
    guard let attempt, attempt.reference.fence == outcome.fence else { return true }
    var kept = outcome
    let log = LogPath.of(job: outcome.job, fence: outcome.fence)
    if kept.logPlace == .inSlot {
      let bytes = try processStep { () throws(ProcessError) in
        try Slot.keepLog(
          storeFolder: place.folder, slot: slot, at: log, shared: place.isShared)
      }
      kept.logPlace = bytes > 0 ? .inPlace : .none
    }
    let ending = Ending(
      MindedAttempt(attempt, watch: attempt.watch, now: place.bootNow()),
      report: AttemptReport(kept, policy: attempt.policy, log: log), recordedBy: "supervisor")
    let settlement = try ending.waitUntilReady(place)
    _ = try storeStep { () throws(StoreError) in
      try store.settle([settlement], thenClaim: nil, at: place.now())
    }
    return true
  }
}
