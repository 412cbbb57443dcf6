import Glibc
import HotglueCore
import HotglueProcess
import HotglueStore

/// Collects the evidence about a running attempt that may have lost its owner, and finds what its
/// judgement asks for.
///
/// The order of the questions matters. An owner that lives within its lease is left alone. Then the
/// attempt itself is asked: its slot's lock, and the supervisor's process that its row names, tell
/// whether the supervisor lives. Only under the lock anything is concluded from a missing mark or
/// outcome, and the lock is kept until the conclusion is recorded, so that no other process concludes
/// from half of it. Where the slot's file is lost, an empty one in its place carries that lock.
struct Rescuer {
  let place: WorkerPlace
  /// Who records what is found: a worker's name or a user.
  let name: String
  private let locks = SlotLocks()

  init(place: WorkerPlace, name: String) {
    self.place = place
    self.name = name
  }

  enum Finding {
    /// Its worker lives and its lease has not run out.
    case minded
    /// Its supervisor answers; the connection is ours to adopt or stop it with.
    case alive(SupervisorLink, AttemptStatus)
    /// It is over; its lock is held until that is recorded.
    case over(Ending)
    /// Its lock is held or its supervisor is there, and nobody answers.
    case silent(AttemptTrace)
    /// Its supervisor is just ending, or another process is recording it: look again soon.
    case changing
    /// Another PID namespace has it: it cannot be judged from here.
    case elsewhere
  }

  /// How long an answer may take before a supervisor counts as silent. It sleeps in poll and
  /// answers within a millisecond, unless it is frozen or the machine is overloaded.
  static let patienceMs: Int64 = 500

  func examine(_ attempt: RunningAttempt, now: BootTime) throws(RunnerError) -> Finding {
    guard isGone(attempt) || attempt.lease.hasPassed(at: now) else { return .minded }
    return try interrogate(attempt, now: now)
  }

  /// Asks the attempt itself, whatever its owner does.
  func interrogate(_ attempt: RunningAttempt, now: BootTime) throws(RunnerError) -> Finding {
    try processStep { () throws(ProcessError) in
      var attempted = try locks.tryAcquire(storeFolder: place.folder, slot: attempt.slot)
      var isLost = false
      if case .gone = attempted {
        isLost = true
        attempted = try locks.renew(
          storeFolder: place.folder, slot: attempt.slot, shared: place.isShared)
      }
      let contents = Slot.evidence(storeFolder: place.folder, slot: attempt.slot)
      var evidence = self.evidence(of: attempt, contents)
      let trace = self.trace(of: attempt, contents, evidence)
      switch attempted {
      case .held: return try ask(attempt, trace)
      case .acquired(let lock):
        // A lock on a file that replaced the lost one says nothing about the supervisor.
        evidence.supervisor = try supervisor(of: attempt, trace, evidence)
        return try conclude(attempt, evidence, trace, under: lock, now: now)
      case .gone:
        // No lock can be had, so that two processes may find out the same. The store takes one end.
        assert(isLost)
        evidence.supervisor = try supervisor(of: attempt, trace, evidence)
        return try conclude(attempt, evidence, trace, under: nil, now: now)
      }
    }
  }

  private func evidence(
    of attempt: RunningAttempt, _ contents: SlotContents?
  ) -> AttemptEvidence {
    let isCopy =
      attempt.origin.storeFile.isEmpty
      ? contents?.isCopy ?? false : attempt.origin.storeFile != place.storeFile
    return AttemptEvidence(
      owner: .gone, leaseIsOver: true, isOfThisBoot: attempt.origin.bootID == place.bootID,
      isOfCopiedStore: isCopy, supervisor: .gone,
      record: AttemptEvidence.Record(contents, of: attempt, in: place.folder, isCopy: isCopy),
      keepsChildren: attempt.policy.keepChildren)
  }

  private func trace(
    of attempt: RunningAttempt, _ contents: SlotContents?, _ evidence: AttemptEvidence
  ) -> AttemptTrace {
    AttemptTrace(
      storeFolder: place.folder, slot: attempt.slot, contents: contents,
      mayBeTouched: evidence.isOfThisBoot && !evidence.isOfCopiedStore && isOfThisNamespace(attempt)
    )
  }

  private func isOfThisNamespace(_ attempt: RunningAttempt) -> Bool {
    attempt.origin.pidNamespace == String(place.pidNamespace)
  }

  /// Whether the supervisor lives although its lock is free or lost.
  private func supervisor(
    of attempt: RunningAttempt, _ trace: AttemptTrace, _ evidence: AttemptEvidence
  ) throws(ProcessError) -> AttemptEvidence.Supervisor {
    guard evidence.isOfThisBoot, !evidence.isOfCopiedStore else { return .gone }
    if let process = trace.supervisor { return process.isFrozen ? .frozen : .alive }
    guard !isOfThisNamespace(attempt), evidence.record == .lost else { return .gone }
    // Its process cannot be seen, and its lock may be on a file that was removed. Its socket tells,
    // and without that its lease.
    let link = try SupervisorLink.connect(
      storeFolder: place.folder, slot: attempt.slot, timeoutMs: Self.patienceMs)
    if link != nil { return .alive }
    return attempt.lease.hasPassed(at: place.bootNow()) ? .gone : .unseen
  }

  private func ask(
    _ attempt: RunningAttempt, _ trace: AttemptTrace
  ) throws(ProcessError) -> Finding {
    let noAnswer: Finding = isOfThisNamespace(attempt) ? .silent(trace) : .elsewhere
    do {
      guard
        let link = try SupervisorLink.connect(
          storeFolder: place.folder, slot: attempt.slot, timeoutMs: Self.patienceMs),
        case .status(let status)? = try link.request(
          .ask(job: attempt.reference.job, fence: attempt.reference.fence),
          timeoutMs: Self.patienceMs)
      else { return noAnswer }
      return .alive(link, status)
    } catch .supervisorGone {
      return .changing
    } catch .noAnswer {
      return noAnswer
    }
  }

  /// The process that holds the lock of a slot whose supervisor is gone, to find out what became of its
  /// attempt; `nil` when it is the supervisor, or when that process was stopped and may never come to
  /// an end.
  func resolver(of trace: AttemptTrace) -> Int32? {
    guard let holder = HeldLocks().holder(of: "\(place.folder)/slots/\(trace.slot)"),
      holder != trace.supervisorIdentity?.pid, let process = SeenProcess(holder),
      !process.isFrozen
    else { return nil }
    return holder
  }

  private func conclude(
    _ attempt: RunningAttempt, _ evidence: AttemptEvidence, _ trace: AttemptTrace,
    under lock: SlotLock?, now: BootTime
  ) throws(ProcessError) -> Finding {
    switch evidence.judgement {
    case .owned: return .minded
    case .orphaned, .silent, .resolving: return try ask(attempt, trace)
    case .elsewhere: return .elsewhere
    // Nothing was searched yet.
    case .held: return .changing
    case .over(.recorded): return .over(try recorded(attempt, trace, lock, now))
    case .over(.neverStarted):
      let report = AttemptReport(.neverStarted(errno: 0), log: nil, at: place.now())
      return .over(try stopped(attempt, report, lock, trace, now))
    case .over(.lost(let action)):
      return .over(try lost(attempt, trace, action, evidence, lock, now))
    }
  }

  private func recorded(
    _ attempt: RunningAttempt, _ trace: AttemptTrace, _ lock: SlotLock?, _ now: BootTime
  ) throws(ProcessError) -> Ending {
    let logPath = LogPath.of(job: attempt.reference.job, fence: attempt.reference.fence)
    if case .found(let answer) = Answers.search(
      storeFolder: place.folder, slot: attempt.slot, job: attempt.reference.job,
      fence: attempt.reference.fence)
    {
      let report = AttemptReport(answer, policy: attempt.policy, log: logPath)
      return try stopped(attempt, report, lock, trace, now)
    }
    guard var outcome = trace.contents?.outcome else {
      // It was recorded in this moment.
      return ending(attempt, AttemptReport(.lost, log: nil, at: place.now()), lock, now)
    }
    if outcome.logPlace == .inSlot, let lock {
      let bytes = try lock.keepLog(at: logPath, shared: place.isShared)
      outcome.logPlace = bytes > 0 ? .inPlace : .none
    }
    return ending(
      attempt, AttemptReport(outcome, policy: attempt.policy, log: logPath), lock, now)
  }

  private func lost(
    _ attempt: RunningAttempt, _ trace: AttemptTrace, _ action: AttemptJudgement.LeftoverAction,
    _ evidence: AttemptEvidence, _ lock: SlotLock?, _ now: BootTime
  ) throws(ProcessError) -> Ending {
    var report = AttemptReport(.lost, log: nil, at: place.now())
    let found = trace.contents?.attempt(of: attempt)
    // It does not count, since nobody saw the end; it may help a person to decide.
    if case .line(let line)? = found?.reported, case .result(let said, _)? = HandlerLine(line) {
      report = report.withWarning("it had reported '\(said.outcome.rawValue)' before it was lost")
    }
    let mayLive = evidence.isOfThisBoot && !evidence.isOfCopiedStore
    if mayLive, !trace.mayBeTouched {
      report = report.withWarning(
        "its processes were in another PID namespace and could not be looked for")
      report.leftoversAreUnseen = true
    }
    if mayLive, trace.mayBeTouched, action == .stop {
      return Ending(
        MindedAttempt(attempt, watch: attempt.watch, now: now), report: report,
        remains: try remains(of: trace, attempt), lock: lock, recordedBy: name)
    }
    // What it left lives on by its own wish; only the handler itself must be gone.
    if mayLive, trace.mayBeTouched { _ = try AttemptRemains.killHolder(trace) }
    if !evidence.isOfCopiedStore, let lock, let found {
      let path = LogPath.of(job: attempt.reference.job, fence: attempt.reference.fence)
      let bytes = try keepLog(of: found, lock, at: path)
      if bytes > 0 { report = report.withLog(path) }
    }
    return ending(attempt, report, lock, now)
  }

  private func keepLog(
    of found: SlotContents.Attempt, _ lock: SlotLock, at path: String
  ) throws(ProcessError) -> Int64 {
    guard let start = found.logFrom else {
      return try lock.keepLog(at: path, shared: place.isShared)
    }
    return try lock.keepLogPart(from: start, at: path, shared: place.isShared)
  }

  /// The end of an attempt whose supervisor may have left a stream's handler, or something of it:
  /// that is stopped before anything of the slot counts as over.
  private func stopped(
    _ attempt: RunningAttempt, _ report: AttemptReport, _ lock: SlotLock?,
    _ trace: AttemptTrace, _ now: BootTime
  ) throws(ProcessError) -> Ending {
    guard trace.mayBeTouched, let stream = trace.contents?.stream, !stream.keepsChildren else {
      return ending(attempt, report, lock, now)
    }
    return Ending(
      MindedAttempt(attempt, watch: attempt.watch, now: now), report: report,
      remains: try remains(of: trace, attempt), lock: lock, recordedBy: name)
  }

  private func remains(
    of trace: AttemptTrace, _ attempt: RunningAttempt
  ) throws(ProcessError) -> SharedRemains {
    try locks.remains(of: trace, stopSequence: attempt.policy.stop.steps)
  }

  private func ending(
    _ attempt: RunningAttempt, _ report: AttemptReport, _ lock: SlotLock?, _ now: BootTime
  ) -> Ending {
    Ending(
      MindedAttempt(attempt, watch: attempt.watch, now: now), report: report, lock: lock,
      recordedBy: name)
  }

  /// Kills a supervisor that has not answered for a whole lease, and its handler. Returns what may not
  /// be killed: another user's supervisor holds the attempt until that user wakes or ends it.
  func killSilent(_ trace: AttemptTrace) throws(RunnerError) -> LeftoverProcess? {
    do throws(ProcessError) {
      _ = try AttemptRemains.killHolder(trace)
    } catch .system(_, _, EPERM) {
      let process = trace.supervisor
      return process.map { LeftoverProcess(pid: $0.pid, name: $0.shortName ?? "its supervisor") }
    } catch {
      throw .process(error)
    }
    AttemptRemains.killFrozenHolder(trace)
    return nil
  }

  /// Whether an attempt's worker is known to be gone.
  func isGone(_ attempt: RunningAttempt) -> Bool {
    OwnerPresence(attempt, bootID: place.bootID, pidNamespace: place.pidNamespace, place.folder)
      == .gone
  }
}
