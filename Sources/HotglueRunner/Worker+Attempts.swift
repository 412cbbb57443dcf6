import HotglueCore
import HotglueProcess
import HotglueStore

/// One attempt's trouble is that attempt's alone.
///
/// A file that cannot be read, a process that may not be stopped, a row that cannot be decided: each is
/// reported once, the attempt is looked at again later, and the worker's other attempts go on. Only what
/// concerns the store or the worker as a whole ends a worker.
extension Worker {
  /// An attempt that cannot be brought to an end for now.
  struct SetAside {
    let fence: Fence
    /// Processes that it waits for; empty: something failed.
    let processes: [LeftoverProcess]
    let again: BootTime
  }

  /// How often processes that could not be stopped are tried again while they live.
  private static let heldFor = Span.seconds(30)
  private static let troubledFor = Span.seconds(5)

  /// Does something about one attempt. False: it failed, was reported, and is tried again later.
  @discardableResult
  func guarding(
    _ attempt: AttemptReference, _ step: () throws(RunnerError) -> Void
  ) throws(RunnerError) -> Bool {
    do throws(RunnerError) {
      try step()
      return true
    } catch .process(let error) {
      if troubled.insert(attempt.job).inserted {
        observe(.problem(.attempt(attempt.job, attempt.workspace, error)))
      }
    } catch .store(let error) where error.concernsOneAttempt {
      if troubled.insert(attempt.job).inserted { observe(.problem(.store(error))) }
    } catch {
      throw error
    }
    setAside[attempt.job] = SetAside(
      fence: attempt.fence, processes: [],
      again: place.bootNow().advanced(by: Self.troubledFor))
    return false
  }

  /// Does something that concerns files of dead processes: it can wait for another turn.
  func guardingFiles(_ step: () throws(RunnerError) -> Void) throws(RunnerError) {
    do throws(RunnerError) {
      try step()
    } catch .process(let error) {
      let text = String(describing: error)
      if fileProblem != text { observe(.problem(.process(error))) }
      fileProblem = text
    } catch {
      throw error
    }
  }

  /// The attempt waits for processes that this user cannot stop.
  func hold(_ attempt: AttemptReference, _ processes: [LeftoverProcess]) {
    let known = setAside[attempt.job]
    setAside[attempt.job] = SetAside(
      fence: attempt.fence, processes: processes,
      again: place.bootNow().advanced(by: Self.heldFor))
    if known?.processes != processes {
      observe(.problem(.held(attempt.job, attempt.workspace, processes)))
    }
  }

  /// Whether the attempt is not looked at now. One that waits for processes is looked at as soon as one
  /// of them has ended.
  func isSetAside(_ attempt: AttemptReference, now: BootTime) -> Bool {
    guard let aside = setAside[attempt.job] else { return false }
    guard aside.fence == attempt.fence else {
      setAside[attempt.job] = nil
      return false
    }
    let allLive = aside.processes.allSatisfy { $0.pid <= 0 || SeenProcess($0.pid) != nil }
    return !aside.again.hasPassed(at: now) && allLive
  }

  /// Ends are recorded together. When the store refuses one of them for its own sake, each is recorded
  /// alone, and that one is tried again later.
  func settle(
    _ ready: [(ending: Ending, settlement: Settlement)], thenClaim claim: ClaimRequest?
  ) throws(RunnerError) -> (
    results: [(ending: Ending, settlement: Settlement, result: SettlementResult)],
    claimed: [ClaimedJob]
  ) {
    do throws(StoreError) {
      let (results, claimed) = try store.settle(
        ready.map(\.settlement), thenClaim: claim, at: place.now())
      return (zip(ready, results).map { ($0.ending, $0.settlement, $1) }, claimed)
    } catch  where error.concernsOneAttempt && !ready.isEmpty {
      var results: [(ending: Ending, settlement: Settlement, result: SettlementResult)] = []
      for (ending, settlement) in ready {
        let isRecorded = try guarding(ending.reference) { () throws(RunnerError) in
          let result = try storeStep { () throws(StoreError) in
            try store.settle([settlement], thenClaim: nil, at: place.now()).results.first
          }
          if let result { results.append((ending, settlement, result)) }
        }
        if !isRecorded { drop(ending) }
      }
      return (results, [])
    } catch {
      throw .store(error)
    }
  }

  /// Gives up an end without recording it: its lock is free, and the attempt is found again.
  func drop(_ ending: Ending) {
    endings.removeAll { $0 === ending }
    guard let seat = ending.seat else { return }
    seat.openEndings -= 1
    orphans.insert(ending.reference.job)
    if seat.stream == nil { drop(seat) }
  }

  /// Own attempts whose supervisor died and whose end can be found out now.
  var hasUrgentOrphans: Bool { orphans.contains { setAside[$0] == nil } }
}

extension StoreError {
  /// Whether the store refused one attempt or its job rather than the worker.
  var concernsOneAttempt: Bool {
    switch self {
    case .unknownJob, .otherWorkspace, .invalidTransition, .stale, .unexpected, .unknownEffect,
      .effectNotOpen, .unknownSyncRun, .staleSync:
      true
    default: false
    }
  }
}
