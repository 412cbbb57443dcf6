import Glibc
import HotglueCore
import HotglueProcess
import HotglueStore

/// What a turn records and claims.
extension Worker {
  private static let mostEmptyClaims = 1000

  /// Whether another attempt may be claimed.
  var hasRoom: Bool {
    guard phase == .working else { return false }
    let feedsMore = openStreams.contains { $0.room > 0 && !$0.isIdle }
    guard busyCount < options.concurrency || feedsMore else { return false }
    if let until = claimsPausedUntil, !until.hasPassed(at: place.bootNow()) { return false }
    return options.maxJobs.map { summary.claimed < $0 } ?? true
  }

  /// Records every end that is ready and claims for every idle supervisor, in one commit.
  func commitAndClaim() throws(RunnerError) {
    try noticeChanges()
    var ready: [(ending: Ending, settlement: Settlement)] = []
    for ending in endings {
      var step: Ending.Step?
      try guarding(ending.reference) { () throws(RunnerError) in step = try ending.step(place) }
      switch step {
      case .ready(let settlement)?: ready.append((ending, settlement))
      case .waiting?: break
      case .held(let processes)?:
        hold(ending.reference, processes)
        drop(ending)
      case nil: drop(ending)
      }
    }
    let claim = try claimRequest(freed: ready.map(\.ending))
    if ready.isEmpty, claim == nil {
      try tellRecorded()
      return
    }
    let (results, claimed) = try settle(ready, thenClaim: claim)
    if let claim {
      filledEverySeat = isFilled(claim, by: claimed)
      mayClaim = filledEverySeat && options.only == nil
      if claim.seats <= 0 || options.only != nil {
        // Streams have room, and what comes first has another place: an end will make it. A named job
        // that was not claimed waits for a limit, or another worker has it: a change of the store says so.
        nextDue = nil
      } else if !filledEverySeat {
        try findNextDue()
      }
      emptyClaims = claimed.isEmpty ? emptyClaims + 1 : 0
      if emptyClaims > Self.mostEmptyClaims {
        // Each empty claim moves jobs behind their saturated limits. One that goes on for so long
        // waits for something else, and is not worth a busy loop.
        nextDue = place.now().advanced(by: .seconds(1))
      }
    }
    if !ready.isEmpty {
      // An end frees a limit, or makes its own job due again.
      if claim == nil { mayClaim = options.only == nil }
      if options.only != nil { try findNextDue() }
      let recorded = Set(ready.map { ObjectIdentifier($0.ending) })
      endings.removeAll { recorded.contains(ObjectIdentifier($0)) }
    }
    let reused = Set(claimed.map(\.slot))
    for (ending, settlement, result) in results {
      try finish(ending, settlement, result, seatIsReused: reused)
    }
    start(claimed)
    try tellRecorded()
  }

  /// Compares the store's change counter, so that an idle worker reads and writes nothing.
  private func noticeChanges() throws(RunnerError) {
    let counter = try storeStep { () throws(StoreError) in try store.changeCounter() }
    let due = nextDue.map { $0 <= place.now() } ?? false
    if counter == seenChange, !due { return }
    if counter != seenChange {
      glance = nil
      claimable = nil
      automationsWait = true
    }
    seenChange = counter
    guard hasRoom, !mayClaim else { return }
    if due {
      mayClaim = true
    } else {
      try findNextDue()
      mayClaim = nextDue.map { $0 <= place.now() } ?? false
    }
  }

  private func findNextDue() throws(RunnerError) {
    nextDue = try storeStep { () throws(StoreError) in
      if let job = options.only {
        guard let workspace = try store.owner(ofJob: job) else { return nil }
        let job = try store.job(job, in: workspace)
        return job.state == .pending ? job.runAt : nil
      }
      return try store.nextDue(
        in: workspaces(), queues: options.queues, types: options.types, except: closedTypes,
        at: place.now())
    }
  }

  /// What to claim now, or `nil`. `freed`: ends that are recorded in the same commit, so that their
  /// places count as free and a look for more costs little.
  private func claimRequest(freed: [Ending]) throws(RunnerError) -> ClaimRequest? {
    guard phase == .working, mayClaim || (!freed.isEmpty && options.only == nil) else { return nil }
    let freedSeats = seatsFreed(by: freed)
    let room =
      options.concurrency - busyCount + freedSeats.count
      + freed.count { $0.seat == nil && orphans.contains($0.reference.job) }
    let streams = openStreams
    guard room > 0 || streams.contains(where: { $0.room > 0 && !$0.isIdle }), hasFreeSpace() else {
      return nil
    }
    var slots: [String] = []
    if room > 0 {
      let reusable = freedSeats.filter { $0.stream == nil && !$0.isAdopted && !$0.isRetiring }
      try fillSeats(upTo: room - reusable.count)
      slots = (reusable + seats.filter(\.isIdle)).prefix(room).map(\.link.slotName)
    }
    guard !slots.isEmpty || !streams.isEmpty else { return nil }
    claimsPausedUntil = nil
    var request = ClaimRequest(
      worker: id, workspaces: try storeStep { () throws(StoreError) in try workspaces() },
      queues: options.queues, types: options.types, slots: slots, bootNow: place.bootNow(),
      only: options.only)
    request.streams = streams
    request.seats = room
    request.closedTypes = closedTypes
    if let maxJobs = options.maxJobs { request.mostJobs = maxJobs - summary.claimed }
    return request.mostJobs > 0 ? request : nil
  }

  /// The supervisors that have nothing more to do once these ends are recorded.
  private func seatsFreed(by endings: [Ending]) -> [Seat] {
    var left: [ObjectIdentifier: (seat: Seat, endings: Int)] = [:]
    for seat in endings.compactMap(\.seat) {
      left[ObjectIdentifier(seat), default: (seat, seat.openEndings)].endings -= 1
    }
    return left.values.filter { $0.endings == 0 && $0.seat.attempts.isEmpty }.map(\.seat)
  }

  /// Makes supervisors as they are needed: one to begin with, twice as many whenever a claim filled
  /// them all.
  private func fillSeats(upTo room: Int) throws(RunnerError) {
    let own = seats.count { !$0.isAdopted && !$0.isRetiring }
    let wanted = filledEverySeat ? max(1, own * 2) : max(1, own)
    let idle = seats.count(where: \.isIdle)
    // An idle stream is of use to its own type alone: whatever comes first finds a place.
    let missing = idle == 0 ? 1 : 0
    for _ in 0..<max(0, min(max(wanted - own, missing), room - idle)) {
      do throws(ProcessError) {
        seats.append(Seat(link: try makeSupervisor(), isAdopted: false))
      } catch {
        // No process, memory or descriptor to be had: what runs goes on, and claims wait.
        pauseClaims(.process(error))
        return
      }
    }
  }

  private func makeSupervisor() throws(ProcessError) -> SupervisorLink {
    do {
      return try forkServer.makeSupervisor()
    } catch .forkServerGone {
      forkServer = try makeForkServer()
      return try forkServer.makeSupervisor()
    } catch .forkServerFrozen(let pid) {
      observe(.problem(.process(.forkServerFrozen(pid: pid))))
      forkServer.end()
      forkServer = try makeForkServer()
      return try forkServer.makeSupervisor()
    } catch .noAnswer {
      // Neither stopped nor of use.
      forkServer.end()
      forkServer = try makeForkServer()
      throw .noAnswer
    }
  }

  func pauseClaims(_ why: RunnerError) {
    if claimsPausedUntil == nil { observe(.problem(why)) }
    claimsPausedUntil = place.bootNow().advanced(by: .seconds(1))
  }

  private func hasFreeSpace() -> Bool {
    let now = place.bootNow()
    if let until = claimsPausedUntil, !until.hasPassed(at: now) { return false }
    guard let free = freeBytes(at: place.folder), free < options.freeSpaceFloor else {
      return true
    }
    pauseClaims(.tooLittleSpace(free: free, floor: options.freeSpaceFloor))
    return false
  }

  private func finish(
    _ ending: Ending, _ settlement: Settlement, _ result: SettlementResult,
    seatIsReused reused: Set<String>
  ) throws(RunnerError) {
    // It is recorded: files that cannot be removed now are swept later.
    try guardingFiles { () throws(RunnerError) in try ending.forget(in: store) }
    let job = ending.reference.job
    setAside[job] = nil
    troubled.remove(job)
    let workspace = ending.reference.workspace
    orphans.remove(job)
    if let seat = ending.seat {
      seat.openEndings -= 1
      if let position = ending.position { seat.recorded.append(position) }
      release(seat, ending, isReused: reused.contains(seat.link.slotName))
    }
    switch result {
    case .recorded(let state, let runAt):
      summary.ended += 1
      if state.isFinished && state != .succeeded { summary.endedBadly += 1 }
      if let runAt, runAt <= place.now().advanced(by: options.drainWait) { backoffs[job] = runAt }
      if ending.seat == nil {
        observe(.rescued(job, workspace, why: settlement.verdict.message, became: state))
      } else {
        observe(.ended(job, workspace, settlement.verdict, state))
      }
    case .alreadyRecorded, .late:
      observe(.superseded(job, workspace))
    }
  }

  /// Tells a supervisor that its attempt is recorded. The next order would say so, too. A stream is
  /// told of all its answers together.
  private func release(_ seat: Seat, _ ending: Ending, isReused: Bool) {
    if isReused || seat.stream != nil || ending.position != nil { return }
    let attempt = ending.reference
    do throws(ProcessError) {
      try seat.link.recorded(job: attempt.job, fence: attempt.fence)
      if seat.isAdopted || seat.isRetiring {
        try seat.link.goodbye()
        drop(seat)
      }
    } catch {
      // It is gone; its outcome is in the store, and its files are swept later.
      drop(seat)
    }
  }

  private func start(_ claimed: [ClaimedJob]) {
    summary.claimed += claimed.count
    var streamed: [String: [ClaimedJob]] = [:]
    let now = place.bootNow()
    for job in claimed {
      guard let seat = seats.first(where: { $0.link.slotName == job.slot }) else {
        orphans.insert(job.job.id)
        continue
      }
      if !backoffs.isEmpty { backoffs[job.job.id] = nil }
      var minded = MindedAttempt(job, now: now)
      minded.isStreamed = job.stream != nil
      seat.mind(minded)
      observe(.claimed(job.job.id, job.job.workspace, attempt: job.job.attempt))
      if job.stream != nil {
        streamed[job.slot, default: []].append(job)
        continue
      }
      do throws(ProcessError) {
        try seat.link.start(order(for: job, at: seat.link))
      } catch .orderTooLarge(_) {
        refuse(minded, at: seat)
      } catch {
        loseSeat(seat)
      }
    }
    for seat in seats {
      if let jobs = streamed[seat.link.slotName] { feed(jobs, to: seat) }
    }
  }

  /// No supervisor takes an order of this size, now or later: the job has failed as one whose command
  /// the system cannot start.
  private func refuse(_ minded: MindedAttempt, at seat: Seat) {
    _ = seat.release(minded.reference.job, minded.reference.fence)
    seat.openEndings += 1
    endings.append(
      Ending(
        minded,
        report: AttemptReport(.notExecutable(errno: E2BIG), log: nil, at: place.now()),
        seat: seat, recordedBy: name))
  }

  private func order(for claimed: ClaimedJob, at link: SupervisorLink) -> AttemptOrder {
    let job = claimed.job
    let policy = job.request.policy
    let variables = HandlerEnvironment(
      inherited: place.environment, binaryFolder: place.binaryFolder
    ).variables(
      for: claimed, contextPath: link.contextPath(job: job.id, fence: job.fence),
      startedAt: place.now())
    return AttemptOrder(
      job: job.id, fence: job.fence, watch: job.watch, attempt: Int64(job.attempt),
      arguments: arguments(of: job), environment: variables, directory: job.request.directory,
      umask: job.request.umask,
      payload: job.request.payload.map { Array($0.utf8) },
      stopSequence: policy.stop.steps,
      timeoutMs: policy.timeout?.milliseconds ?? 0, logCap: policy.logCap,
      logPath: LogPath.of(job: job.id, fence: job.fence), keepChildren: policy.keepChildren,
      contextFile: PinnedContext(storePath: place.storePath, storeID: place.storeID)
        .bytes(for: job))
  }

  /// A job of a type that hotglue knows itself is run by the binary of its worker, wherever the one is
  /// that enqueued it, and whatever either is called.
  private func arguments(of job: Job) -> [String] {
    let command = job.request.command
    guard job.request.type != TypeName.bareCommand, TypeName.builtIn.contains(job.request.type)
    else { return command }
    return [SeenExecutable.startable(place.binary)] + command.dropFirst()
  }

  /// A supervisor is gone: what became of its attempt is found out under its lock.
  func loseSeat(_ seat: Seat) {
    if !seat.attempts.isEmpty { lookAroundAt = place.bootNow() }
    orphans.formUnion(seat.attempts.keys)
    seat.releaseAll()
    drop(seat)
  }

  func drop(_ seat: Seat) {
    seats.removeAll { $0 === seat }
  }
}
