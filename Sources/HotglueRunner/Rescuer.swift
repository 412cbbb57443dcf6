import HotglueCore
import HotglueProcess
import HotglueStore

/// Finds out what became of a running attempt that nobody may be minding.
///
/// The order of the questions matters. A worker that lives within its lease minds its attempts.
/// Else the attempt itself is asked: its slot's lock says whether its supervisor (or a child that
/// has not executed yet) lives. Only under that lock anything is concluded from a missing mark or
/// outcome, and it is kept until the conclusion is recorded, so that nobody else concludes from
/// half of it.
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
    /// Its lock is held and nobody answers.
    case silent(SlotContents?)
    /// Its supervisor is just ending, or somebody else is recording it: look again soon.
    case changing
    /// Another PID namespace has it: it cannot be judged from here.
    case elsewhere
  }

  /// How long an answer may take before a supervisor counts as silent. It sleeps in poll and
  /// answers within a millisecond, unless it is frozen or the machine is overloaded.
  static let patienceMs: Int64 = 500

  func examine(_ attempt: RunningAttempt, now: BootTime) throws(RunnerError) -> Finding {
    let workerIsGone = try isGone(attempt.worker)
    guard workerIsGone || attempt.lease.hasPassed(at: now) else { return .minded }
    return try interrogate(attempt, now: now)
  }

  /// Asks the attempt itself, whoever minds it.
  func interrogate(_ attempt: RunningAttempt, now: BootTime) throws(RunnerError) -> Finding {
    try processStep { () throws(ProcessError) in
      switch try locks.tryAcquire(storeFolder: place.folder, slot: attempt.slot) {
      case .acquired(let lock): return try conclude(attempt, under: lock, now: now)
      case .gone:
        // A supervisor whose worker died leaves its slot for us. One that is not there was taken
        // away by somebody, and nothing can say any more that the handler did not start.
        return .over(lost(attempt, nil, now))
      case .held: return try ask(attempt)
      }
    }
  }

  private func ask(_ attempt: RunningAttempt) throws(ProcessError) -> Finding {
    guard let contents = try Slot.read(storeFolder: place.folder, slot: attempt.slot) else {
      return .changing
    }
    let noAnswer: Finding = contents.isOfThisNamespace ? .silent(contents) : .elsewhere
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

  /// Who holds the lock of a slot whose supervisor is gone, to find out what became of its attempt; `nil`
  /// when it is the supervisor, or when whoever it is has been stopped and may never come to an end.
  func resolver(of contents: SlotContents) -> Int32? {
    guard let holder = HeldLocks().holder(of: "\(place.folder)/slots/\(contents.slot)"),
      holder != contents.supervisor.pid, let process = SeenProcess(holder), !process.isFrozen
    else { return nil }
    return holder
  }

  /// The supervisor and any child that has not executed are gone, and we hold their lock.
  private func conclude(
    _ attempt: RunningAttempt, under lock: SlotLock, now: BootTime
  ) throws(ProcessError) -> Finding {
    guard let contents = try Slot.read(storeFolder: place.folder, slot: attempt.slot) else {
      return .changing
    }
    // A copied store says what it says; nothing outside it is asked, scanned or killed.
    if contents.isCopy { return .over(lost(attempt, lock, now)) }
    let logPath = LogPath.of(job: attempt.reference.job, fence: attempt.reference.fence)
    // Asked first: between an answer and the slot's next change both name the job.
    let answer = try Answers.find(
      storeFolder: place.folder, slot: attempt.slot, job: attempt.reference.job,
      fence: attempt.reference.fence)
    if let answer {
      let report = AttemptReport(answer, policy: attempt.policy, log: logPath)
      return .over(try stopped(attempt, report, lock, contents, now))
    }
    guard let found = contents.attempt, found.job == attempt.reference.job,
      found.fence == attempt.reference.fence
    else {
      // The supervisor died before it was given this attempt, or before it gave it to its handler.
      // On this boot that is certain; after another one it proves nothing, since files are not
      // synced.
      guard contents.isOfThisBoot else { return .over(lost(attempt, lock, now)) }
      let report = AttemptReport(.neverStarted, log: nil, at: place.now())
      return .over(try stopped(attempt, report, lock, contents, now))
    }
    if var outcome = contents.outcome {
      if outcome.logPlace == .inSlot {
        let bytes = try lock.keepLog(at: logPath, shared: place.isShared)
        outcome.logPlace = bytes > 0 ? .inPlace : .none
      }
      let report = AttemptReport(outcome, policy: attempt.policy, log: logPath)
      return .over(ending(attempt, report, lock, now))
    }
    guard contents.isOfThisBoot else {
      let bytes = try keepLog(of: found, lock, at: logPath)
      return .over(lost(attempt, lock, now, log: bytes > 0 ? logPath : nil))
    }
    guard found.started else {
      let report = AttemptReport(.neverStarted, log: nil, at: place.now())
      return .over(ending(attempt, report, lock, now))
    }
    // Whatever is left of it is stopped before it counts as over. From another PID namespace
    // nothing can be seen, and nothing is touched; the loss then decides by the job's replay.
    var report = AttemptReport(.lost, log: nil, at: place.now())
    if !contents.isOfThisNamespace {
      report = report.withWarning(
        "its processes were in another PID namespace and could not be looked for")
    }
    // It does not count, since nobody saw the end; it may help a person to decide.
    if case .line(let line) = found.reported, case .result(let said, _)? = HandlerLine(line) {
      report = report.withWarning("it had reported '\(said.outcome.rawValue)' before it was lost")
    }
    if found.keepsChildren {
      // What it left lives on by its own wish; only the handler itself must be gone.
      _ = try AttemptRemains.killHolder(contents)
      let bytes = try keepLog(of: found, lock, at: logPath)
      return .over(lost(attempt, lock, now, log: bytes > 0 ? logPath : nil))
    }
    let remains = try locks.remains(
      of: contents, ladder: attempt.policy.stop.steps.map(\.wire))
    return .over(
      Ending(
        MindedAttempt(attempt, watch: attempt.watch, now: now), report: report, remains: remains,
        lock: lock, recordedBy: name))
  }

  private func keepLog(
    of found: SlotContents.Attempt, _ lock: SlotLock, at path: String
  ) throws(ProcessError) -> Int64 {
    found.isOfStream
      ? try lock.keepLogPart(from: found.logFrom, at: path, shared: place.isShared)
      : try lock.keepLog(at: path, shared: place.isShared)
  }

  /// The end of an attempt whose supervisor may have left a stream's handler, or something of it:
  /// that is stopped before anything of the slot counts as over.
  private func stopped(
    _ attempt: RunningAttempt, _ report: AttemptReport, _ lock: SlotLock,
    _ contents: SlotContents, _ now: BootTime
  ) throws(ProcessError) -> Ending {
    guard contents.isOfThisNamespace, let stream = contents.stream, !stream.keepsChildren else {
      return ending(attempt, report, lock, now)
    }
    return Ending(
      MindedAttempt(attempt, watch: attempt.watch, now: now), report: report,
      remains: try locks.remains(of: contents, ladder: attempt.policy.stop.steps.map(\.wire)),
      lock: lock, recordedBy: name)
  }

  private func ending(
    _ attempt: RunningAttempt, _ report: AttemptReport, _ lock: SlotLock?, _ now: BootTime
  ) -> Ending {
    Ending(
      MindedAttempt(attempt, watch: attempt.watch, now: now), report: report, lock: lock,
      recordedBy: name)
  }

  private func lost(
    _ attempt: RunningAttempt, _ lock: SlotLock?, _ now: BootTime, log: String? = nil
  ) -> Ending {
    ending(attempt, AttemptReport(.lost, log: log, at: place.now()), lock, now)
  }

  /// Whether a worker is known to be gone: its lock is free, or it was of another boot.
  func isGone(_ worker: WorkerIdentity) throws(RunnerError) -> Bool {
    if worker.bootID != place.bootID { return true }
    return try processStep { () throws(ProcessError) in
      try FileLock.isFree(path: place.folder + "/" + worker.lockPath)
    }
  }
}

extension StopLadder.Step {
  var wire: LadderStep { LadderStep(signal: signal.number, waitMs: wait.milliseconds) }
}
