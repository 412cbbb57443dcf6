import Glibc
import HotglueCore
import HotglueProcess
import HotglueStore

/// When a worker is done, and how it goes.
extension Worker {
  func isOver() throws(RunnerError) -> Bool {
    if phase == .leaving { return true }
    let isBusy =
      seats.contains { !$0.attempts.isEmpty } || !endings.isEmpty || !orphans.isEmpty
    switch phase {
    case .leaving: return true
    case .stopping: return !isBusy
    case .finishing(let until):
      if !isBusy { return true }
      guard until.hasPassed(at: place.bootNow()) else { return false }
      guard options.stopRunning || options.endsAll else { return true }
      beginStopping()
      return false
    case .working:
      if isBusy { return false }
      return try hasNothingToDo()
    }
  }

  /// Whether to go although the store takes nothing at the moment: a full disk keeps nobody who was told
  /// to go. What has ended is in its slot, and is recorded by its supervisor or by whoever comes next.
  func isOverWithoutStore() -> Bool {
    switch phase {
    case .working: return false
    case .leaving: return true
    case .stopping: return seats.allSatisfy(\.attempts.isEmpty)
    case .finishing(let until):
      guard until.hasPassed(at: place.bootNow()) else { return false }
      if options.stopRunning || options.endsAll { beginStopping() }
      return phase != .stopping
    }
  }

  func beginStopping() {
    phase = .stopping
    for (seat, minded) in everyMinded { order(.stopRunning, for: minded, at: seat) }
  }

  private func hasNothingToDo() throws(RunnerError) -> Bool {
    if let job = options.only { return try hasEnded(job) }
    if let maxJobs = options.maxJobs, summary.claimed >= maxJobs { return true }
    guard options.drain || options.once else { return false }
    if claimsPausedUntil != nil {
      // Nothing may be claimed: a drain from cron does not wait for an emptier disk.
      summary.couldNotClaim = true
      return true
    }
    if mayClaim { return false }
    if let worst = pauses.values.filter({ !$0.isOver }).map(\.count).max() {
      // A handler that takes nothing is tried a few times; a drain from cron does not wait for its
      // repair.
      if worst < TypePause.patience { return false }
      summary.couldNotClaim = true
      return true
    }
    if options.once { return true }
    let now = place.now()
    backoffs = backoffs.filter { $0.value > now }
    if let nextDue, nextDue <= now { return false }
    return backoffs.isEmpty
  }

  private func hasEnded(_ job: JobID) throws(RunnerError) -> Bool {
    try storeStep { () throws(StoreError) in
      guard let workspace = try store.owner(ofJob: job) else { return true }
      return try store.job(job, in: workspace).state.isFinished
    }
  }

  /// Leaves what still runs to its supervisors, which go on alone; the rest is told to go.
  func leave() {
    for seat in seats {
      if let minded = seat.current {
        summary.left.append(minded.reference.job)
      } else if seat.openEndings == 0 {
        do { try seat.link.goodbye() } catch { continue }
      }
    }
    summary.left += orphans
    if !summary.left.isEmpty { observe(.left(summary.left)) }
    seats = []
    endings = []
    summary.couldNotCancel = owesCancel
    store.writeBound = .seconds(10)
    do { try store.retire(id) } catch { tellOnce(error) }
    unlink(place.folder + "/" + lockPath)
  }
}
