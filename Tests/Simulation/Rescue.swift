import HotglueCore
import HotglueStore
import HotglueStoreSQLite

/// How processes find out what became of an attempt: the order of questions that workers and
/// `job reclaim` keep, over simulated slots.
extension Universe {
  enum Finding {
    case minded
    case alive(SimSlot)
    /// Its supervisor lives and does not have this attempt.
    case other(SimSlot)
    case over(SimEnding)
    case silent(SimSlot?)
    case changing
  }

  func lookAround(_ worker: SimWorker) throws {
    let running = try worker.store.runningAttempts(in: workspaces, notMindedBy: nil)
    if let one = running.last { remembered = (remembered + [one]).suffix(20) }
    for attempt in running {
      guard worker.acts else { return }
      if worker.endings.contains(where: { $0.reference == attempt.reference }) { continue }
      if attempt.workerID == worker.id {
        if let seat = worker.seats.first(where: { $0.minded?.reference == attempt.reference }) {
          if attempt.lease.hasPassed(at: boot), seat.slot.isAlive, seat.slot.isFrozen {
            try waitForAnswer(attempt, seat.slot, through: try worker.store)
            try look(whole: false)
            continue
          }
          if seat.slot.isAlive, !seat.slot.isFrozen { try heard(attempt, at: seat.slot) }
          if attempt.cancelRequested, seat.toStart == nil, seat.slot.isAlive, !seat.slot.isFrozen,
            seat.slot.outcome == nil, seat.slot.order?.reference == attempt.reference
          {
            seat.slot.stop = seat.slot.stop ?? .cancel
          }
          continue
        }
        try takeUp(attempt, try interrogate(attempt, by: worker), by: worker)
      } else {
        try takeUp(attempt, try examine(attempt, by: worker), by: worker)
      }
      // Each of these is a step of its own.
      try look(whole: false)
    }
  }

  func examine(_ attempt: RunningAttempt, by worker: SimWorker?) throws -> Finding {
    let holder = workers.first { $0.id == attempt.workerID }
    let isGone = attempt.worker.bootID != boot.bootID || !(holder?.isAlive ?? false)
    guard isGone || attempt.lease.hasPassed(at: boot) else { return .minded }
    return try interrogate(attempt, by: worker)
  }

  func interrogate(_ attempt: RunningAttempt, by worker: SimWorker?) throws -> Finding {
    guard let slot = slot(attempt.slot) else {
      return .over(ending(attempt, AttemptEnd(how: .lost), nil))
    }
    switch evidence(of: attempt, slot, for: worker).judgement {
    case .owned, .elsewhere: return .minded
    case .orphaned:
      return slot.order?.reference == attempt.reference ? .alive(slot) : .other(slot)
    case .silent, .resolving: return .silent(slot)
    case .held:
      // Its lock is free for another process that may stop them.
      if slot.rescuer === worker { slot.rescuer = nil }
      return .changing
    case .over(let end):
      slot.rescuer = worker
      return .over(conclude(attempt, slot, end))
    }
  }

  /// The same evidence that the program collects, judged by the same code.
  private func evidence(
    of attempt: RunningAttempt, _ slot: SimSlot, for worker: SimWorker?
  ) -> AttemptEvidence {
    let supervisor: AttemptEvidence.Supervisor
    if slot.isAlive {
      supervisor = slot.isFrozen ? .frozen : .answers
    } else if let rescuer = slot.rescuer, rescuer.isAlive, rescuer !== worker {
      supervisor = .replaced(by: nil)
    } else {
      supervisor = .gone
    }
    var evidence = AttemptEvidence(
      owner: .gone, leaseIsOver: true, isOfThisBoot: slot.bootID == boot.bootID,
      supervisor: supervisor, record: slot.record(of: attempt.reference))
    if !slot.isAlive, evidence.isOfThisBoot, supervisor == .gone, let run = slot.run,
      run.reference == attempt.reference, run.hasRemains, run.isUnstoppable
    {
      evidence.leftovers = .holding([LeftoverProcess(pid: 7, name: "left")])
    }
    return evidence
  }

  /// Under the lock of a supervisor that is gone.
  private func conclude(
    _ attempt: RunningAttempt, _ slot: SimSlot, _ end: AttemptJudgement.End
  ) -> SimEnding {
    switch end {
    case .recorded:
      return ending(attempt, slot.outcome ?? AttemptEnd(how: .lost), slot)
    case .neverStarted: return ending(attempt, AttemptEnd(how: .neverStarted(errno: 0)), slot)
    case .lost(let leftovers):
      // What is left of it is stopped before it counts as over.
      if leftovers == .stop, slot.run?.reference == attempt.reference {
        slot.run?.isAlive = false
        slot.run?.hasRemains = false
      }
      return ending(attempt, AttemptEnd(how: .lost), slot)
    }
  }

  private func ending(_ attempt: RunningAttempt, _ end: AttemptEnd, _ slot: SimSlot?) -> SimEnding {
    SimEnding(
      attempt.reference, attempt.policy, end, slot: slot, seat: nil, holdsLock: slot != nil)
  }

  private func takeUp(
    _ attempt: RunningAttempt, _ finding: Finding, by worker: SimWorker
  ) throws {
    switch finding {
    case .minded, .changing: break
    case .over(let ending): worker.endings.append(ending)
    case .alive(let slot), .other(let slot): try adopt(attempt, slot, by: worker)
    case .silent(let slot): try waitForAnswer(attempt, slot, through: try worker.store)
    }
  }

  private func adopt(
    _ attempt: RunningAttempt, _ slot: SimSlot, by worker: SimWorker
  ) throws {
    let reference = attempt.reference
    say("\(worker.name) adopts \(reference.job)/\(reference.fence) at watch \(attempt.watch)")
    var watch: Watch = 0
    guard
      try refusable({
        watch = try worker.store.adopt(
          reference, watch: attempt.watch, by: worker.id, name: worker.name, bootNow: boot,
          at: now)
      })
    else { return }
    try require(watch == attempt.watch + 1, "a watch grows by one", "\(attempt.watch) to \(watch)")
    guard slot.isAlive, !slot.isFrozen else { return }
    guard slot.order?.reference == reference else {
      slot.disowned.append(reference)
      worker.endings.append(
        SimEnding(
          reference, attempt.policy, AttemptEnd(how: .neverStarted(errno: 0)), slot: nil, seat: nil,
          holdsLock: false))
      return
    }
    slot.highestWatch = max(slot.highestWatch, watch)
    // Its supervisor tells the one who minded it before.
    for other in workers where other.isAlive {
      other.seats.removeAll { $0.slot === slot }
      other.endings.removeAll { $0.reference == reference && !$0.holdsLock }
    }
    slot.worker = worker
    let seat = SimSeat(slot, isAdopted: true)
    seat.minded = SimSeat.Minded(reference: reference, watch: watch, policy: attempt.policy)
    worker.seats.append(seat)
  }

  /// It answers, so that what it left unanswered before counts no more.
  func heard(_ attempt: RunningAttempt, at slot: SimSlot) throws {
    slot.seenAwake[attempt.reference] = boot.milliseconds
    guard attempt.unansweredSince != nil else { return }
    try refusable {
      _ = try store.noteUnanswered(attempt.reference, watch: attempt.watch, at: nil)
    }
  }

  /// A supervisor that holds its lock and says nothing for one further lease is killed; so is whoever
  /// was stopped while it held that lock in the supervisor's stead.
  func waitForAnswer(
    _ attempt: RunningAttempt, _ slot: SimSlot?, through store: SQLiteStore
  ) throws {
    var since: BootTime?
    guard
      try refusable({
        since = try store.noteUnanswered(attempt.reference, watch: attempt.watch, at: boot)
      })
    else { return }
    guard let slot, let since, since.advanced(by: attempt.leaseLength).hasPassed(at: boot) else {
      return
    }
    if slot.isAlive {
      say("\(slot.name) has not answered for a lease, and is killed")
      let silent = boot.milliseconds - (slot.seenAwake[attempt.reference] ?? 0)
      try require(
        slot.isFrozen && silent >= attempt.leaseLength.milliseconds,
        "I14 only who is silent for a lease is killed",
        "\(slot.name) was silent for \(silent) ms, and its lease is \(attempt.leaseLength.text)")
      end(slot)
    } else if let rescuer = slot.rescuer, rescuer.isAlive, rescuer.isFrozen {
      say("\(rescuer.name) was stopped while it looked at \(slot.name), and is killed")
      kill(rescuer)
    }
  }
}

extension SimSlot {
  /// What its file says of an attempt.
  func record(of attempt: AttemptReference) -> AttemptEvidence.Record {
    if isFileLost { return .lost }
    guard order?.reference == attempt else { return .notGiven }
    if outcome != nil { return .outcome }
    return isMarked ? .started : .notStarted
  }
}
