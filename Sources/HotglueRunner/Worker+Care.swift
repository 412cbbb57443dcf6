import Glibc
import HotglueCore
import HotglueProcess
import HotglueStore

/// What a worker hears, renews, and takes up.
extension Worker {
  func takeReplies() throws(RunnerError) {
    for seat in seats {
      let replies: [SupervisorReply]
      do throws(ProcessError) {
        replies = try seat.link.receive()
      } catch {
        loseSeat(seat)
        continue
      }
      do throws(RunnerError) {
        for reply in replies { try take(reply, from: seat) }
      } catch .process(_) {
        // What its supervisor wrote cannot be read: it is found out as that of one that is gone.
        loseSeat(seat)
      } catch {
        throw error
      }
    }
  }

  private func take(_ reply: SupervisorReply, from seat: Seat) throws(RunnerError) {
    switch reply {
    case .started, .status: break
    case .ended(let outcome): take(outcome, from: seat)
    case .answers: try takeAnswers(from: seat)
    case .closed(let end):
      try takeAnswers(from: seat)
      streamEnded(end, at: seat)
    case .refused(let job, let fence, let refusal):
      guard let minded = seat.release(job, fence) else { return }
      take(refusal, of: minded, from: seat)
    case .superseded(let job, let fence, _):
      guard let minded = seat.release(job, fence) else { return }
      observe(.superseded(job, minded.reference.workspace))
      // What else its stream held is found out as that of a supervisor that is gone.
      loseSeat(seat)
    case .endOfFile: loseSeat(seat)
    }
  }

  private func take(_ outcome: EndedAttempt, from seat: Seat) {
    guard let minded = seat.release(outcome.job, outcome.fence) else { return }
    seat.isRetiring = seat.isRetiring || outcome.supervisorRetires
    noticeStart(outcome.end)
    end(minded, by: outcome, at: seat)
  }

  /// An attempt of a seat has ended so; `position` is where a stream's answer lies.
  func end(
    _ minded: MindedAttempt, by outcome: EndedAttempt, at seat: Seat,
    position: UInt64? = nil
  ) {
    seat.openEndings += 1
    let log = LogPath.of(job: outcome.job, fence: outcome.fence)
    var report = AttemptReport(outcome, policy: minded.policy, log: log)
    if let failure = newGroupFailure(of: seat) {
      report = report.withWarning("no control group could be made for it: \(failure)")
    }
    endings.append(
      Ending(minded, report: report, seat: seat, position: position, recordedBy: name))
  }

  /// Why attempts of this worker run in no control group of their own though one is delegated; told
  /// once, with the first end of a supervisor that could not make it.
  private func newGroupFailure(of seat: Seat) -> String? {
    guard !groupFailureIsTold, !seat.groupIsKnown else { return nil }
    seat.groupIsKnown = true
    let failure = ControlGroup.failure(slot: seat.link.slotName, storeFolder: place.folder)
    groupFailureIsTold = failure != nil
    return failure
  }

  /// A handler that could not be started is pending again at once. On a machine that has no process
  /// or descriptor to give, the next would fare alike: claims wait, or they would never end.
  private func noticeStart(_ end: AttemptEnd.How) {
    // One that was stopped before it had executed anything says nothing of the machine.
    guard case .neverStarted(let errno) = end, errno != ECANCELED else {
      startFailure = nil
      return
    }
    if startFailure == errno {
      claimsPausedUntil = place.bootNow().advanced(by: .seconds(1))
    } else {
      claimsPausedUntil = nil
      pauseClaims(.process(.system(call: "start the handler", path: nil, errno: errno)))
    }
    startFailure = errno
  }

  private func take(_ refusal: Refusal, of minded: MindedAttempt, from seat: Seat) {
    switch refusal {
    case .superseded, .notOwner:
      // Somebody took the attempt, or gave it back, while this worker slept.
      observe(.superseded(minded.reference.job, minded.reference.workspace))
    case .busy, .retiring, .malformed, .late, .spoken:
      // A stream that takes nothing more says itself when it is over.
      if !minded.isStreamed { seat.isRetiring = true }
      seat.openEndings += 1
      endings.append(
        Ending(
          minded, report: AttemptReport(.neverStarted(errno: 0), log: nil, at: place.now()),
          seat: seat,
          recordedBy: name))
    }
  }

  /// Renews every lease that is a third over, in one commit. That of an attempt whose supervisor is
  /// stopped runs out: this worker or another one then waits for one further lease, and ends it.
  func renewLeases() throws(RunnerError) {
    let now = place.bootNow()
    var due = everyMinded.filter { $0.attempt.renewAt.hasPassed(at: now) }
    guard !due.isEmpty else { return }
    due.removeAll { seat, minded in
      guard frozenSlot(of: seat) != nil else { return false }
      seat.change(minded.reference.job) {
        $0.renewAt = now.advanced(by: MindedAttempt.renewal(minded.policy))
      }
      return true
    }
    guard !due.isEmpty else { return }
    let lost = try storeStep { () throws(StoreError) in
      try store.renew(
        due.map { ($0.attempt.reference, $0.attempt.watch) }, worker: id, bootNow: now)
    }
    for (seat, minded) in due {
      let reference = minded.reference
      if lost.contains(reference) {
        observe(.superseded(reference.job, reference.workspace))
        _ = seat.release(reference.job, reference.fence)
        if seat.stream == nil { drop(seat) }
      } else {
        seat.change(reference.job) {
          $0.renewAt = now.advanced(by: MindedAttempt.renewal(minded.policy))
        }
      }
    }
  }

  /// What the slot says, where its supervisor is stopped by a signal or a debugger.
  private func frozenSlot(of seat: Seat) -> AttemptTrace? {
    guard
      let contents = Slot.evidence(storeFolder: place.folder, slot: seat.link.slotName)
    else { return nil }
    let trace = AttemptTrace(contents)
    return trace.supervisor?.isFrozen == true ? trace : nil
  }

  /// Once a second, and at once when one of its own supervisors has died: expires, stops what is
  /// cancelled, and rescues.
  func lookAround() throws(RunnerError) {
    let now = place.bootNow()
    guard lookAroundAt.hasPassed(at: now) else { return }
    lookAroundAt = now.advanced(by: hasUrgentOrphans ? Span(milliseconds: 20) : .seconds(1))
    try requireStore()
    if automationsWait {
      automationsWait = false
      automationsMayHaveChanged = true
    }
    let running = try storeStep { () throws(StoreError) in
      let known = try rescuedWorkspaces
      _ = try store.expire(in: known, at: place.now())
      return try store.runningAttempts(in: known, notMindedBy: nil)
    }
    orphans.formIntersection(running.filter { $0.workerID == id }.map(\.reference.job))
    let jobs = Set(running.map(\.reference.job))
    setAside = setAside.filter { jobs.contains($0.key) }
    for attempt in running
    where !isEnding(attempt.reference.job) && !isSetAside(attempt.reference, now: now) {
      try guarding(attempt.reference) { () throws(RunnerError) in
        if attempt.workerID == id {
          try mindOwn(attempt, now: now)
        } else if phase == .working {
          try takeUp(attempt, rescuer.examine(attempt, now: now))
        }
      }
    }
    if pruneAt.hasPassed(at: now), phase == .working {
      pruneAt = now.advanced(by: .seconds(10))
      try guardingFiles { () throws(RunnerError) in try housekeeping(now) }
    }
  }

  /// A store whose file was deleted, or replaced, is still open here, and whatever is written to it is
  /// lost: nothing is to be done for it any more. Attempts go on under their supervisors.
  private func requireStore() throws(RunnerError) {
    let found = FileIdentity(place.storePath)
    guard found != storeFile else { return }
    throw .store(
      found == nil
        ? .missing(path: place.storePath)
        : .otherStore(
          path: place.storePath, expected: place.storeID, found: "a file that was put there since"))
  }

  private func mindOwn(_ attempt: RunningAttempt, now: BootTime) throws(RunnerError) {
    let reference = attempt.reference
    let found = seats.lazy.compactMap { seat in
      seat.attempts[reference.job].map { (seat: seat, minded: $0) }
    }.first { $0.minded.reference == reference }
    guard let found else {
      // Its supervisor died, or this worker's connection to it broke.
      orphans.insert(attempt.reference.job)
      return try takeUp(attempt, rescuer.interrogate(attempt, now: now))
    }
    if attempt.lease.hasPassed(at: now), let trace = frozenSlot(of: found.seat) {
      return try waitForAnswer(attempt, trace)
    }
    if attempt.unansweredSince != nil, frozenSlot(of: found.seat) == nil {
      // It was woken: when it is stopped once more it has its time anew.
      try attempt.noteAnswer(in: store)
    }
    guard attempt.cancelRequested || phase == .stopping, !found.minded.stopIsOrdered else {
      return
    }
    order(
      attempt.cancelRequested ? .cancel : .stopRunning, for: found.minded, at: found.seat)
  }

  func order(_ reason: AttemptEnd.StopReason, for minded: MindedAttempt, at seat: Seat) {
    do throws(ProcessError) {
      try seat.link.stop(
        job: minded.reference.job, fence: minded.reference.fence, watch: minded.watch,
        reason: reason, who: name)
      seat.change(minded.reference.job) { $0.stopIsOrdered = true }
    } catch {
      loseSeat(seat)
    }
  }

  private func isEnding(_ job: JobID) -> Bool {
    endings.contains { $0.reference.job == job }
  }

  private func takeUp(
    _ attempt: RunningAttempt, _ finding: Rescuer.Finding
  ) throws(RunnerError) {
    switch finding {
    case .minded, .elsewhere: break
    case .changing: lookAroundAt = place.bootNow().advanced(by: Span(milliseconds: 20))
    case .over(let ending):
      if !isEnding(attempt.reference.job) { endings.append(ending) }
    case .alive(_, .ended(let outcome, _)) where outcome.isOfStream:
      // Its stream goes on with others, and is not taken over for what has ended.
      let minded = MindedAttempt(attempt, watch: attempt.watch, now: place.bootNow())
      let log = LogPath.of(job: outcome.job, fence: outcome.fence)
      if !isEnding(attempt.reference.job) {
        endings.append(
          Ending(
            minded, report: AttemptReport(outcome, policy: minded.policy, log: log),
            recordedBy: name))
      }
    case .alive(let link, let status): try adopt(attempt, link, status)
    case .silent(let trace): try waitForAnswer(attempt, trace)
    }
  }

  /// Adoption is never refused for lack of seats: an attempt that nobody minds comes first.
  private func adopt(
    _ attempt: RunningAttempt, _ link: SupervisorLink, _ status: AttemptStatus
  ) throws(RunnerError) {
    let now = place.bootNow()
    let reference = attempt.reference
    let watch: Watch
    do throws(StoreError) {
      watch = try store.adopt(
        reference, watch: attempt.watch, by: id, name: name, bootNow: now, at: place.now())
    } catch .stale {
      // Recorded or adopted by somebody else since it was listed.
      return
    } catch {
      throw .store(error)
    }
    let minded = MindedAttempt(attempt, watch: watch, now: now)
    let seat = Seat(link: link, isAdopted: true)
    seat.mind(minded)
    do throws(ProcessError) {
      let answer = try link.request(
        .adopt(job: reference.job, fence: reference.fence, watch: watch),
        timeoutMs: Rescuer.patienceMs)
      switch answer {
      case .status(.other), .status(.waiting):
        // It was never given the attempt, and from now on refuses it.
        endings.append(
          Ending(
            minded, report: AttemptReport(.neverStarted(errno: 0), log: nil, at: place.now()),
            recordedBy: name))
        return
      case .status(.ended(let outcome, _)):
        seats.append(seat)
        take(outcome, from: seat)
      case .status(.running), nil:
        seats.append(seat)
      case .refused:
        return
      }
    } catch {
      // It ended in this moment. Ours by the store, so the next look finds it as an orphan.
      orphans.insert(reference.job)
      return
    }
    orphans.remove(reference.job)
    summary.adopted += 1
    observe(.adopted(reference.job, reference.workspace))
  }

  /// A supervisor that holds its lock and says nothing for one further lease is killed.
  private func waitForAnswer(
    _ attempt: RunningAttempt, _ trace: AttemptTrace
  ) throws(RunnerError) {
    let now = place.bootNow()
    let since: BootTime?
    do throws(StoreError) {
      since = try store.noteUnanswered(attempt.reference, watch: attempt.watch, at: now)
    } catch .stale {
      // It was recorded, or taken up by another, while it was asked.
      return
    } catch {
      throw .store(error)
    }
    guard let since, since.advanced(by: attempt.leaseLength).hasPassed(at: now) else { return }
    if let left = try rescuer.killSilent(trace) { return hold(attempt.reference, [left]) }
    lookAroundAt = now.advanced(by: Span(milliseconds: 20))
  }
}
