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

  /// True when all that the slot holds is in the store, or no longer its job's business.
  public func record(slot: String) throws(RunnerError) -> Bool {
    let contents = try processStep { () throws(ProcessError) in
      try Slot.read(storeFolder: place.folder, slot: slot)
    }
    guard let contents, !contents.isCopy else { return false }
    let answers = try processStep { () throws(ProcessError) in
      try Answers.open(storeFolder: place.folder, slot: slot)
    }
    var settlements: [Settlement] = []
    while let answer = try processStep({ () throws(ProcessError) in try answers?.read() }) {
      if let settlement = try settlement(of: answer.outcome, slot) {
        settlements.append(settlement)
      }
      if settlements.count == Self.mostAtOnce { try settle(&settlements) }
    }
    if let outcome = contents.outcome {
      if let settlement = try settlement(of: outcome, slot) { settlements.append(settlement) }
    } else if answers == nil {
      return false
    }
    try settle(&settlements)
    return true
  }

  private static let mostAtOnce = 64

  private func settle(_ settlements: inout [Settlement]) throws(RunnerError) {
    guard !settlements.isEmpty else { return }
    _ = try storeStep { () throws(StoreError) in
      try store.settle(settlements, thenClaim: nil, at: place.now())
    }
    settlements = []
  }

  /// `nil`: the job is not there any more, and nobody can ask what became of it.
  private func settlement(
    of outcome: EndedAttempt, _ slot: String
  ) throws(RunnerError) -> Settlement? {
    let owner = try storeStep { () throws(StoreError) in try store.owner(ofJob: outcome.job) }
    guard let owner else { return nil }
    let attempt = try storeStep { () throws(StoreError) in
      try store.runningAttempt(of: outcome.job, in: owner)
    }
    guard let attempt, attempt.reference.fence == outcome.fence else {
      return try late(outcome, in: owner)
    }
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
    // Its supervisor has stopped what it left, so that nothing of it is sought here.
    guard case .ready(let settlement) = try ending.waitUntilReady(place) else { return nil }
    return settlement
  }

  /// Of an attempt that is no longer the job's current one, after a restore or after somebody has given
  /// it up. The store knows whether this very end was recorded before; another one is kept there for
  /// people to read. Its log goes with the slot.
  private func late(
    _ outcome: EndedAttempt, in workspace: WorkspaceID
  ) throws(RunnerError) -> Settlement {
    let job = try storeStep { () throws(StoreError) in try store.job(outcome.job, in: workspace) }
    var kept = outcome
    if kept.logPlace == .inSlot { kept.logPlace = .none }
    let report = AttemptReport(
      kept, policy: job.request.policy, log: LogPath.of(job: outcome.job, fence: outcome.fence))
    return report.settlement(
      of: AttemptReference(workspace: workspace, job: outcome.job, fence: outcome.fence),
      by: "supervisor")
  }
}
