import Glibc
import HotglueCore
import HotglueProcess
import HotglueStore

/// What a worker removes when nobody needs it any more.
extension Worker {
  /// Keeps the store small, in small steps.
  func housekeeping(_ now: BootTime) throws(RunnerError) {
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
    try sweepSlots()
    try sweepWorkers()
    try processStep { () throws(ProcessError) in
      try EffectLock.removeAbandoned(storeFolder: place.folder, olderThanMs: 600_000)
    }
    let hasMore =
      removed.jobs.count == 200 || removed.effects == 200 || oldVersionsAreLeft
    pruneAt = now.advanced(by: hasMore ? .seconds(10) : .minutes(10))
  }

  /// Forgets workers that were killed: their rows are retired, and their lock files go.
  func sweepWorkers() throws(RunnerError) {
    let folder = place.folder + "/workers"
    let names = try processStep { () throws(ProcessError) in
      try FileLock.abandoned(in: folder, olderThanMs: 600_000)
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
