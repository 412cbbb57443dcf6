import HotglueCore
import HotglueStore
import HotglueStoreSQLite

/// What worker processes do.
extension Universe {
  func makeWorker() throws {
    guard workers.filter(\.isAlive).count < 4 else { return }
    let queues = dice.chance(80) ? [] : [dice.pick(["default", "slow"])]
    let types = dice.chance(90) ? [] : [dice.pick(["exec", "mail"])]
    _ = try register(concurrency: 1 + dice.below(3), queues: queues, types: types)
  }

  @discardableResult
  func register(concurrency: Int, queues: [String], types: [String]) throws -> SimWorker {
    let name = name("worker")
    let identity = WorkerIdentity(
      name: name, bootID: boot.bootID, pidNamespace: "1", pid: Int32(names), processStartTime: 1,
      lockPath: "workers/\(name)")
    let connection = try SQLiteStore.open(at: path)
    let id = try connection.register(identity, by: Self.alice, at: now)
    let worker = SimWorker(
      id: id, name: name, bootID: boot.bootID, store: connection, concurrency: concurrency,
      queues: queues, types: types)
    workers.append(worker)
    say("\(name) (\(id)) begins, concurrency \(concurrency)")
    return worker
  }

  func workerActs() throws {
    guard let worker = dice.pickOne(workers.filter(\.acts)) else { return }
    switch dice.below(100) {
    case ..<40: try commitAndClaim(worker)
    case ..<65: try giveOrders(worker)
    case ..<78: hear(worker)
    case ..<86: try renew(worker)
    case ..<96: try lookAround(worker)
    default: try expire(worker)
    }
  }

  /// All that a healthy worker does on one turn.
  func tick(_ worker: SimWorker) throws {
    hear(worker)
    try lookAround(worker)
    guard worker.acts else { return }
    try commitAndClaim(worker)
    try look(whole: false)
    guard worker.acts else { return }
    try giveOrders(worker)
    try renew(worker)
    try expire(worker)
  }

  /// A worker sleeps until what the store says, so that may never be later than what it could claim.
  func checkNextDue(_ worker: SimWorker) throws {
    let request = ClaimRequest(
      worker: worker.id, workspaces: workspaces, queues: worker.queues, types: worker.types,
      slots: ["one"], bootNow: boot)
    let due = try worker.store.nextDue(
      in: workspaces, queues: worker.queues, types: worker.types, at: now)
    let claimable = predictClaim(request)
    try require(
      claimable.isEmpty || due.map { $0 <= now } == true, "I6 nobody sleeps past what is due",
      "\(claimable) is due at \(now.milliseconds), and the store says \(due.map { "\($0)" } ?? "never")"
    )
  }

  func expire(_ worker: SimWorker) throws {
    try checkNextDue(worker)
    let expired = try worker.store.expire(in: workspaces, at: now).map(\.id)
    for id in expired {
      let job = seen.jobs[id]
      try require(
        (job?.state == "pending" || job?.state == "blocked") && job?.attempt == 0
          && (job?.expiresAt ?? .max) <= now.milliseconds,
        "I5 only what the table allows", "job \(id) expired as \(job.map { "\($0)" } ?? "nothing")")
    }
  }

  // MARK: Claims

  /// Records what is over and claims for what is idle, in one commit.
  func commitAndClaim(_ worker: SimWorker) throws {
    let ready = dice.chance(80) || isHealthy ? worker.endings : []
    let settlements = try ready.map { try settlement(of: $0, by: worker.name) }
    var request: ClaimRequest?
    let freed = ready.compactMap(\.seat).filter { !$0.isAdopted }
    let busy = worker.seats.filter { $0.minded != nil || $0.toStart != nil || $0.isEnding }.count
    let room = worker.concurrency - busy + freed.count
    if room > 0 {
      var seats = freed + worker.seats.filter { isIdle($0) }
      while seats.count < room {
        let slot = SimSlot(name: name("slot"), bootID: boot.bootID, worker: worker)
        slots.append(slot)
        let seat = SimSeat(slot, isAdopted: false)
        worker.seats.append(seat)
        seats.append(seat)
      }
      request = ClaimRequest(
        worker: worker.id, workspaces: workspaces, queues: worker.queues, types: worker.types,
        slots: seats.prefix(room).map(\.slot.name), bootNow: boot)
      if !isHealthy { narrow(&request) }
    }
    if settlements.isEmpty, request == nil { return }
    let predicted = settlements.isEmpty ? request.map(predictClaim) : nil
    let (results, claimed) = try worker.store.settle(settlements, thenClaim: request, at: now)
    counters.claims += claimed.count
    say(
      "\(worker.name) records \(ready.map { "\($0.reference.job)/\($0.reference.fence)" }), claims \(claimed.map { "\($0.job.id)/\($0.job.fence)" })"
    )
    if let predicted {
      try require(
        predicted == claimed.map(\.job.id), "the order of claims",
        """
        claimed: \(claimed.map { seen.jobs[$0.job.id].map { "\($0)" } ?? "\($0.job.id)" }), due: \
        \(predicted.compactMap { seen.jobs[$0] }), at \(now.milliseconds), behind the keys: \
        \(rivals(of: claimed.map(\.job.id) + predicted))
        """)
    }
    try note(results, of: settlements)
    // It may die before it has heard that its step was done.
    if !isHealthy, dice.chance(3) {
      kill(worker)
      return
    }
    try finish(ready, of: worker)
    for job in claimed {
      guard let seat = worker.seats.first(where: { $0.slot.name == job.slot }) else { continue }
      seat.toStart = Order(reference: job.reference, policy: job.job.request.policy)
      seat.minded = SimSeat.Minded(
        reference: job.reference, watch: job.job.watch, policy: job.job.request.policy)
    }
  }

  /// What some workers do not want: more than so many, a type whose handler takes nothing, or any job
  /// but one.
  private func narrow(_ request: inout ClaimRequest?) {
    if dice.chance(5) { request?.mostJobs = 1 }
    if dice.chance(5) {
      request?.closedTypes = [TypePlace(workspace: workspaces[0], type: "mail")]
    }
    if dice.chance(5) { request?.only = rollJob()?.0 }
  }

  private func isIdle(_ seat: SimSeat) -> Bool {
    !seat.isAdopted && seat.minded == nil && seat.toStart == nil && !seat.isEnding
      && seat.slot.isAlive
  }

  func finish(_ ready: [SimEnding], of worker: SimWorker) throws {
    var released: [SimSlot] = []
    for ending in ready {
      worker.endings.removeAll { $0 === ending }
      if let seat = ending.seat {
        seat.isEnding = false
        if seat.slot.order?.reference == ending.reference { seat.slot.isRecorded = true }
        if seat.isAdopted {
          worker.seats.removeAll { $0 === seat }
          if seat.slot.worker === worker { seat.slot.worker = nil }
        }
      }
      if ending.holdsLock, let slot = ending.slot { released.append(slot) }
    }
    guard !released.isEmpty else { return }
    // The files of a supervisor that is gone go with the last running attempt that names its slot: one
    // that it was never given may name it beside the one that it had.
    let named = Set(
      try worker.store.runningAttempts(in: workspaces, notMindedBy: nil).map(\.slot))
    for slot in released {
      if !worker.endings.contains(where: { $0.holdsLock && $0.slot === slot }) {
        slot.rescuer = nil
      }
      if !named.contains(slot.name) { slots.removeAll { $0 === slot } }
    }
  }

  /// Unfinished jobs with the limit keys of these.
  private func rivals(of jobs: [JobID]) -> [JobRow] {
    let keys = Set(jobs.compactMap { seen.jobs[$0]?.limitKey })
    return seen.jobs.values
      .filter { !$0.isFinished && $0.limitKey.map(keys.contains) == true }
      .sorted { $0.id < $1.id }
  }

  /// The claim as the rules have it, worked out over plain rows: priority, then `run_at`, then ID, and
  /// no limit exceeded.
  private func predictClaim(_ request: ClaimRequest) -> [JobID] {
    let running = seen.jobs.values.filter { $0.state == "running" }
    var taken: [JobRow] = []
    let most = min(request.slots.count, request.mostJobs)
    let due = seen.jobs.values.filter { job in
      guard job.state == "pending", job.attempt > 0 || (job.expiresAt ?? .max) > now.milliseconds,
        !seen.archived.contains(job.workspace),
        !request.closedTypes.contains(where: {
          $0.workspace.text == job.workspace && $0.type == job.type
        })
      else { return false }
      // A job that is named is taken before its time, from any queue; not while its type is closed.
      if let only = request.only { return job.id == only }
      return job.runAt <= now.milliseconds
        && (request.queues.isEmpty || request.queues.contains(job.queue))
        && (request.types.isEmpty || request.types.contains(job.type))
    }.sorted { ($0.rank, $0.runAt, $0.id) < ($1.rank, $1.runAt, $1.id) }
    for job in due where taken.count < most {
      let now = running + taken
      if job.type != "exec" {
        guard let type = seen.types["\(job.workspace)/\(job.type)"] else { continue }
        let count = now.count { $0.workspace == job.workspace && $0.type == job.type }
        if let limit = type.limit, count >= limit { continue }
      }
      if let limit = seen.queues["\(job.workspace)/\(job.queue)"] {
        let count = now.count { $0.workspace == job.workspace && $0.queue == job.queue }
        if count >= limit { continue }
      }
      if let key = job.limitKey {
        var count = now.count { $0.workspace == job.workspace && $0.limitKey == key }
        // The one that came back in its stead is due again when the clock gets there, as is every job
        // that was due before it was set back. A claim that cancels one whose deadline has passed lets
        // the parked ones come back first.
        if job.isParked, wasClockSetBack {
          let rivals = seen.jobs.values.filter {
            $0.workspace == job.workspace && $0.limitKey == key && $0.state == "pending"
              && !$0.isParked
          }
          let cancelsOne = rivals.contains {
            $0.attempt == 0 && ($0.expiresAt ?? .max) <= self.now.milliseconds
          }
          if !cancelsOne { count += rivals.count { $0.runAt > self.now.milliseconds } }
        }
        if count >= job.limitMax { continue }
      }
      taken.append(job)
    }
    return taken.map(\.id)
  }

  // MARK: Minding

  /// Claimed attempts are given to their supervisors, and stops ordered.
  func giveOrders(_ worker: SimWorker) throws {
    for seat in worker.seats {
      guard let order = seat.toStart else { continue }
      seat.toStart = nil
      let slot = seat.slot
      guard slot.isAlive else {
        lose(seat, of: worker)
        continue
      }
      if slot.disowned.contains(order.reference) {
        seat.minded = nil
        continue
      }
      say("\(worker.name) gives \(order.reference.job)/\(order.reference.fence) to \(slot.name)")
      slot.order = order
      slot.isMarked = false
      slot.outcome = nil
      slot.run = nil
      slot.stop = nil
      slot.isRecorded = false
      slot.highestWatch = 1
      if !isHealthy, dice.chance(20) { return }
    }
  }

  func lose(_ seat: SimSeat, of worker: SimWorker) {
    worker.seats.removeAll { $0 === seat }
  }

  /// What supervisors have told since.
  func hear(_ worker: SimWorker) {
    for seat in worker.seats {
      guard seat.toStart == nil, let minded = seat.minded else { continue }
      let slot = seat.slot
      guard slot.isAlive else {
        lose(seat, of: worker)
        continue
      }
      if let outcome = slot.outcome, slot.order?.reference == minded.reference, !slot.isFrozen {
        seat.minded = nil
        seat.isEnding = true
        worker.endings.append(
          SimEnding(
            minded.reference, minded.policy, outcome, slot: slot, seat: seat, holdsLock: false))
      }
    }
  }

  /// The lease of an attempt whose supervisor is stopped is not renewed: it runs out.
  func renew(_ worker: SimWorker) throws {
    let awake = worker.seats.filter { !$0.slot.isFrozen }
    let minded = awake.compactMap(\.minded)
    guard !minded.isEmpty else { return }
    for seat in awake {
      if let minded = seat.minded { seat.slot.seenAwake[minded.reference] = boot.milliseconds }
    }
    let lost = try worker.store.renew(
      minded.map { ($0.reference, $0.watch) }, worker: worker.id, bootNow: boot)
    for reference in lost {
      // Somebody else minds it, or it is over. A claim of this worker that nobody took is not lost.
      let job = seen.jobs[reference.job]
      let watch = minded.first { $0.reference == reference }?.watch
      try require(
        job?.state != "running" || job?.fence != reference.fence || job?.watch != watch
          || job?.worker != worker.id, "I4 only a current watch renews",
        "\(worker.name) lost \(reference)")
      for seat in worker.seats where seat.minded?.reference == reference {
        seat.slot.seenAwake[reference] = nil
        if seat.isAdopted || seat.slot.isAlive == false {
          lose(seat, of: worker)
        } else {
          seat.minded = nil
          seat.toStart = nil
          worker.seats.removeAll { $0 === seat }
        }
      }
    }
  }

  // MARK: Settlements

  func settlement(of ending: SimEnding, by who: String) throws -> Settlement {
    let verdict = ending.end.verdict(by: ending.policy.onExit)
    var verification: JobEvent.Verification?
    if verdict.outcome == .unknown, ending.policy.replay == .unsafe, ending.policy.verify != nil {
      verification = verify(ending.reference)
    }
    return Settlement(
      attempt: ending.reference, end: ending.end, verdict: verdict, verification: verification,
      usage: AttemptUsage(), endedAt: now, by: who)
  }

  /// Asks the job's `--verify` command: it knows, or it says that it does not know.
  private func verify(_ reference: AttemptReference) -> JobEvent.Verification {
    guard let run = run(of: reference) else { return .undecided }
    if let answer = run.answer { return answer }
    let answer: JobEvent.Verification =
      dice.chance(30) ? .undecided : (run.hasHappened ? .happened : .didNotHappen)
    run.answer = answer
    if answer == .didNotHappen { run.isForgiven = true }
    return answer
  }

  func record(_ endings: [SimEnding], by who: String, through store: SQLiteStore) throws {
    let settlements = try endings.map { try settlement(of: $0, by: who) }
    say("\(who) records \(endings.map { "\($0.reference.job)/\($0.reference.fence)" })")
    let results = try store.settle(settlements, thenClaim: nil, at: now).results
    try note(results, of: settlements)
  }

  private func note(_ results: [SettlementResult], of settlements: [Settlement]) throws {
    try require(results.count == settlements.count, "one answer per settlement", "\(results)")
    for (settlement, result) in zip(settlements, results) {
      let job = seen.jobs[settlement.attempt.job]
      let isCurrent = job?.state == "running" && job?.fence == settlement.attempt.fence
      switch result {
      case .recorded(let state, let runAt):
        counters.ends += 1
        if state == .pending, let runAt, let job { try checkDelay(settlement, job, runAt) }
        say("  \(settlement.attempt.job): \(settlement.verdict.outcome) -> \(state)")
        try require(
          isCurrent, "I4 only a current attempt changes its job",
          "fence \(settlement.attempt.fence) was recorded of \(job.map { "\($0)" } ?? "no job")")
      case .alreadyRecorded, .late:
        counters.late += 1
        if case .late(let current) = result, current > 0 {
          try require(
            try reader.hasLateReport(settlement.attempt.job, settlement.attempt.fence),
            "I4 what a late attempt says is kept", "\(settlement.attempt)")
        }
        try require(
          !isCurrent, "I4 a current attempt is heard",
          "\(settlement.attempt) was answered \(result)")
      }
    }
    sent = (sent + settlements).suffix(40)
  }

  /// I8: it runs again when its handler wished, or its policy says.
  private func checkDelay(_ settlement: Settlement, _ job: JobRow, _ runAt: Timestamp) throws {
    let wish = settlement.end.result?.after
    let policy = job.policy
    let count = settlement.verdict.outcome == .retry ? job.failures + 1 : job.losses + 1
    let expected: Span =
      switch settlement.verdict.outcome {
      // At once, or a wait that grows to a minute in a row.
      case .neverStarted:
        Span(milliseconds: min(60_000, max(0, runAt.milliseconds - now.milliseconds)))
      case .snooze: wish ?? policy.backoff.base
      case .retry where wish != nil: wish ?? .zero
      default: policy.delay(afterFailure: count, job: job.id, attempt: job.attempt)
      }
    try require(
      runAt == now.advanced(by: expected), "I8 a pending job has its time",
      "\(job) after \(settlement.verdict.outcome): at \(runAt.milliseconds), now \(now.milliseconds)"
    )
  }

  func run(of reference: AttemptReference) -> Run? {
    runs.last { $0.reference == reference }
  }

  func slot(_ name: String) -> SimSlot? { slots.first { $0.name == name } }
}
