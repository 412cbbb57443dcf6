import HotglueCore
import HotglueStore
import HotglueStoreSQLite

/// What supervisors and handlers do, and how everything dies.
extension Universe {
  func supervisorActs() throws {
    let busy = slots.filter { $0.isAlive && !$0.isFrozen && ($0.order != nil || $0.workerIsGone) }
    guard let slot = dice.pickOne(busy) else { return }
    try supervise(slot)
  }

  func supervise(_ slot: SimSlot) throws {
    guard slot.isAlive, !slot.isFrozen else { return }
    if let order = slot.order, !slot.isRecorded {
      if !slot.isMarked {
        try startHandler(order, in: slot)
      } else if let run = slot.run, run.isAlive {
        watch(run, order, in: slot)
      } else if slot.outcome != nil, slot.workerIsGone {
        try recordAlone(order, slot)
      }
      return
    }
    if slot.workerIsGone {
      say("\(slot.name) ends")
      slot.isAlive = false
    }
  }

  private func startHandler(_ order: Order, in slot: SimSlot) throws {
    counters.starts += 1
    let reference = order.reference
    let run = Run(
      reference, slot: slot.name, replay: order.policy.replay, plan: Plan.roll(&dice),
      startedMs: boot.milliseconds)
    // Should its supervisor die, nothing tells how it ended.
    run.isDisturbed = slot.isFileLost
    try checkStart(run)
    slot.isMarked = true
    slot.run = run
    runs.append(run)
    if dice.chance(5) {
      // The command cannot be executed, or its folder is gone: nothing of it ran.
      let how: AttemptEnd.How =
        dice.chance(50) ? .notExecutable(errno: 2) : .directoryGone(errno: 2)
      run.isAlive = false
      run.expected = .failed
      slot.outcome = AttemptEnd(how: how)
      say("\(slot.name): \(reference.job)/\(reference.fence) cannot be run")
      return
    }
    say("\(slot.name): \(reference.job)/\(reference.fence) starts")
  }

  private func watch(_ run: Run, _ order: Order, in slot: SimSlot) {
    if slot.stop == nil, let timeout = order.policy.timeout,
      boot.milliseconds - run.startedMs > timeout.milliseconds
    {
      slot.stop = .timeout
    }
    guard dice.chance(slot.stop == nil ? 40 : 70) else { return }
    var end = AttemptEnd(how: run.plan.how, result: run.plan.result)
    run.expected = run.plan.outcome
    run.hasHappened = run.plan.outcome == .succeeded || dice.chance(50)
    if let stop = slot.stop {
      end.stop = stop
      end.result = nil
      switch run.plan.onStop {
      case .finishes:
        end.how = .exited(0)
        run.expected = .succeeded
        run.hasHappened = true
      case .obeys, .ignores:
        end.reachedKill = run.plan.onStop == .ignores
        end.how = .signaled(end.reachedKill ? .kill : .term)
        // What ends well in the moment of the KILL has not done so by itself.
        if end.reachedKill, dice.chance(30) { end.how = .exited(0) }
        run.expected = stop == .cancel ? .cancelled : .unknown
      }
    }
    run.isAlive = false
    letGo(run)
    slot.outcome = end
    say(
      "\(slot.name): \(run.reference.job)/\(run.reference.fence) ends, \(run.expected.map { "\($0)" } ?? "?")"
    )
  }

  /// The process is gone: its locks are free, and what it had in hand nobody knows.
  private func letGo(_ run: Run) {
    guard let hand = run.effect else { return }
    run.effect = nil
    if effectLocks[hand.name] === run { effectLocks[hand.name] = nil }
  }

  /// A supervisor without a worker has the outcome recorded, and ends.
  private func recordAlone(_ order: Order, _ slot: SimSlot) throws {
    guard let outcome = slot.outcome else { return }
    if slot.isFileLost {
      say("\(slot.name) has no file that its recorder could read, and ends")
      slot.isAlive = false
      return
    }
    // The recorder may be killed, or give up at the gate: the outcome stays in the file.
    if !isHealthy, dice.chance(15) {
      say("\(slot.name) dies before it has recorded its outcome")
      slot.isAlive = false
      return
    }
    // Of a job that is there, whatever has become of the attempt since: an end that comes too late
    // changes nothing, and is kept.
    if seen.jobs[order.reference.job] != nil {
      try record(
        [
          SimEnding(
            order.reference, order.policy, outcome, slot: slot, seat: nil, holdsLock: false)
        ], by: "supervisor", through: store)
    }
    slot.isRecorded = true
    slot.isAlive = false
  }

  // MARK: Faults

  func crashWorker() throws {
    guard let worker = dice.pickOne(workers.filter(\.isAlive)) else { return }
    if worker.acts, dice.chance(20) {
      // It leaves what it minds to the supervisors, and says so.
      say("\(worker.name) leaves")
      try worker.store.retire(worker.id)
    }
    kill(worker)
  }

  /// Workers that were killed are told by their locks.
  func retireDead() throws {
    let dead = workers.filter { !$0.isAlive }
    say("retire \(dead.map(\.name))")
    try store.retireWorkers(withLocks: dead.map { "workers/\($0.name)" })
  }

  func kill(_ worker: SimWorker) {
    say("\(worker.name) is killed")
    counters.crashes += 1
    worker.isAlive = false
    worker.connection = nil
    worker.endings = []
    worker.seats = []
    for slot in slots where slot.rescuer === worker { slot.rescuer = nil }
    if workers.filter({ !$0.isAlive }).count > 8 { workers.removeAll { !$0.isAlive } }
  }

  func crashSupervisor() {
    guard let slot = dice.pickOne(slots.filter(\.isAlive)) else { return }
    say("\(slot.name) is killed")
    counters.crashes += 1
    end(slot)
  }

  /// The supervisor dies, and its handler with it; what the handler had started may live on.
  func end(_ slot: SimSlot) {
    slot.isAlive = false
    guard let run = slot.run, run.isAlive else { return }
    run.isAlive = false
    run.isDisturbed = true
    run.hasRemains = dice.chance(50)
    run.isUnstoppable = run.hasRemains && dice.chance(30)
    run.hasHappened = dice.chance(50)
    letGo(run)
  }

  /// A cleaner, or a handler of its own, removes or damages the file of a slot.
  func loseFile() {
    guard let slot = dice.pickOne(slots.filter { !$0.isFileLost && $0.rescuer == nil }) else {
      return
    }
    say("the file of \(slot.name) is lost")
    slot.isFileLost = true
    slot.run?.isDisturbed = true
  }

  /// What could not be stopped ends by itself, or is stopped by somebody who may.
  func endUnstoppable() {
    for run in runs where run.isUnstoppable && (isHealthy || dice.chance(50)) {
      run.isUnstoppable = false
      run.hasRemains = false
    }
  }

  func freeze() {
    if dice.chance(60) {
      guard let worker = dice.pickOne(workers.filter(\.acts)) else { return }
      say("\(worker.name) freezes")
      worker.isFrozen = true
    } else {
      guard let slot = dice.pickOne(slots.filter { $0.isAlive && !$0.isFrozen }) else { return }
      say("\(slot.name) freezes")
      slot.frozenAt = boot.milliseconds
    }
  }

  func thaw() {
    if let worker = dice.pickOne(workers.filter { $0.isAlive && $0.isFrozen }) {
      say("\(worker.name) goes on")
      worker.isFrozen = false
    }
    if dice.chance(50), let slot = dice.pickOne(slots.filter { $0.isAlive && $0.isFrozen }) {
      say("\(slot.name) goes on")
      slot.frozenAt = nil
    }
  }

  /// The power goes: every process is gone, and of what was not synced some is.
  func reboot() {
    counters.crashes += 1
    let number = (Int(boot.bootID.dropFirst(5)) ?? 1) + 1
    for worker in workers where worker.isAlive { kill(worker) }
    for slot in slots {
      if let run = slot.run, slot.order?.reference == run.reference {
        if slot.outcome != nil, !slot.isRecorded, dice.chance(50) {
          slot.outcome = nil
          run.isDisturbed = true
        }
      }
      if slot.isAlive { end(slot) }
      slot.isAlive = false
      slot.frozenAt = nil
      slot.rescuer = nil
      if dice.chance(30) {
        // Empty, short or zeroed.
        slot.isFileLost = true
        slot.run?.isDisturbed = true
      } else if dice.chance(30) {
        slot.isMarked = false
        slot.order = nil
        slot.outcome = nil
        slot.run?.isDisturbed = true
      }
    }
    for run in runs {
      run.hasRemains = false
      run.isUnstoppable = false
    }
    file.intent = nil
    boot = BootTime(bootID: "boot-\(number)", milliseconds: 20_000)
    now = now.advanced(by: .seconds(40))
    say("the machine starts again: \(boot.bootID)")
  }

  /// What the worker's housekeeping does: files of supervisors that are gone and that the store does
  /// not name.
  func sweepSlots() throws {
    let named = Set(seen.attempts.values.joined().filter { $0.outcome == nil }.map(\.slot))
    let swept = slots.filter { !$0.isAlive && $0.rescuer == nil && !named.contains($0.name) }
    slots.removeAll { slot in swept.contains { $0 === slot } }
    for slot in swept {
      // An end that could not be recorded before is kept with its job.
      guard let order = slot.order, let end = slot.outcome, !slot.isRecorded, !slot.isFileLost,
        seen.jobs[order.reference.job] != nil
      else { continue }
      try record(
        [SimEnding(order.reference, order.policy, end, slot: nil, seat: nil, holdsLock: false)],
        by: "supervisor", through: store)
      try look(whole: false)
    }
    runs.removeAll { !$0.isAlive && !$0.hasRemains && stories[$0.reference.job] == nil }
  }
}
