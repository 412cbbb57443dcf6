import Glibc
import HotglueCore
import HotglueProcess
import HotglueStore

/// What a worker removes when nobody needs it any more.
extension Worker {
  /// Removes what is over, at most once an hour per store, whichever worker does it: the store remembers
  /// when. A worker that dies between two steps leaves the hour open, and the next one continues.
  func housekeeping(_ now: BootTime) throws(RunnerError) {
    let hasMore = try isPruningDue() ? prune() : false
    try sweepSlots()
    try sweepWorkers()
    try processStep { () throws(ProcessError) in
      try EffectLock.removeAbandoned(storeFolder: place.folder, olderThanMs: 600_000)
    }
    pruneAt = now.advanced(by: hasMore ? .seconds(10) : .minutes(10))
  }

  /// Where only cron starts workers, and each of them ends with its work, no other one would do it: so a
  /// worker that ends by itself prunes before. What keeps the store from being written is no failure of
  /// the work that is done.
  func pruneAtEnd() {
    guard phase == .working else { return }
    do throws(RunnerError) {
      guard try isPruningDue() else { return }
      for _ in 0..<Self.stepsAtEnd where try !prune() { return }
    } catch .store(let error) {
      tellOnce(error)
    } catch {
      observe(.problem(error))
    }
  }

  /// 4,000 jobs: what is left then waits for the next worker.
  private static let stepsAtEnd = 20

  private func isPruningDue() throws(RunnerError) -> Bool {
    let last = try storeStep { () throws(StoreError) in try store.prunedAt() }
    // A clock that was set back would else stop it for as long.
    return abs(place.now().milliseconds - last.milliseconds) >= Span.minutes(60).milliseconds
  }

  /// One small step, so that claims do not wait for it. Returns whether there is more to remove.
  private func prune() throws(RunnerError) -> Bool {
    let removed = try storeStep { () throws(StoreError) in
      try store.prune(
        in: nil, by: .standard(at: place.now()), limit: 200, dryRun: false, actor: nil,
        at: place.now())
    }
    // One that stays is found by whoever prunes the store.
    for log in removed.logs { try? LogReader.remove(path: place.folder + "/" + log) }
    let bound = RetentionRule.draftsClosedBefore(place.now())
    _ = try storeStep { () throws(StoreError) in
      try store.pruneDrafts(before: bound, limit: 200, dryRun: false)
    }
    let oldVersionsAreLeft = try storeStep { () throws(StoreError) in
      try store.sweepSyncs(limit: 500)
    }
    let isFull = [removed.jobs.count, removed.effects, removed.rejects].contains(200)
    if isFull || oldVersionsAreLeft { return true }
    try storeStep { () throws(StoreError) in try store.recordPruned(at: place.now()) }
    return false
  }

  /// Forgets workers that were killed: their rows are retired, and their lock files go.
  func sweepWorkers() throws(RunnerError) {
    let folder = place.folder + "/workers"
    let names = try processStep { () throws(ProcessError) in
      try abandonedLocks(in: folder, olderThanMs: 600_000)
    }
    try storeStep { () throws(StoreError) in
      try store.retireWorkers(withLocks: names.map { "workers/" + $0 })
    }
    for name in names { unlink(folder + "/" + name) }
  }

  /// Removes the slots of supervisors that died with their worker and without an attempt.
  ///
  /// Their locks are taken first, and only then the store is asked which slots it names: so a slot
  /// that it does not name cannot be named any more, since its supervisor is gone.
  func sweepSlots() throws(RunnerError) {
    try processStep { () throws(ProcessError) in
      try ControlGroup.sweep(storeFolder: place.folder)
    }
    let locks = try processStep { () throws(ProcessError) in
      try Slot.abandoned(storeFolder: place.folder)
    }
    if locks.isEmpty { return }
    let named = try storeStep { () throws(StoreError) in
      try Set(
        store.runningAttempts(in: store.workspaces().map(\.id), notMindedBy: nil).map(\.slot))
    }
    for lock in locks where !named.contains(lock.slot) {
      guard try keepsLateEnds(of: lock) else { continue }
      try processStep { () throws(ProcessError) in try lock.removeFiles() }
    }
  }

  /// Records what a supervisor could not have recorded before it went, its store being lost or another
  /// one meanwhile. False: the store cannot be written now, and the slot is left for the next sweep.
  private func keepsLateEnds(of lock: SlotLock) throws(RunnerError) -> Bool {
    do throws(RunnerError) {
      _ = try Recorder(store: store, place: place).record(slot: lock.slot)
      return true
    } catch .store(let error) where error.passes {
      return false
    } catch .process {
      // A slot that cannot be read has nothing to say.
      return true
    }
  }
}
