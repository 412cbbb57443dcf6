public import HotglueCore
import HotglueProcess
public import HotglueStore

/// Does on demand what every worker does on every turn: resolves running attempts that nobody
/// minds.
public struct Reclaim {
  public enum Became: Equatable, Sendable {
    /// It was over: what the job is now.
    case recorded(JobState)
    /// It has not started before its deadline, and is cancelled.
    case expired
    /// It lives and goes on under its supervisor.
    case unattended
    /// It lived and has been told to stop.
    case stopping
    /// Its supervisor does not answer; it is killed when this moment has come.
    case waiting(until: BootTime)
    /// It is in another PID namespace, where it may live.
    case elsewhere
    /// Processes of it live that could not be stopped: the job waits for them.
    case held([LeftoverProcess])
    /// Another process finds out what became of it, and had not recorded that within a lease.
    case resolving(by: Int32)
    /// Somebody else took it up meanwhile.
    case taken
    /// With `--dry-run`: it is over, and this is what would be recorded.
    case would(AttemptOutcome)
  }

  public struct Line: Equatable, Sendable {
    public let job: JobID
    public let workspace: WorkspaceID
    public let why: String
    public let became: Became
  }

  private let store: any Store
  private let place: WorkerPlace
  private let rescuer: Rescuer
  private let user: String
  private let actor: Actor?

  /// With an `actor` whatever is recorded leaves a row in the log, in the same step.
  public init(store: any Store, place: WorkerPlace, user: String, actor: Actor? = nil) {
    self.store = store
    self.place = place
    self.user = user
    self.actor = actor
    rescuer = Rescuer(place: place, name: user)
  }

  /// What a look came to.
  public struct Result {
    public var lines: [Line] = []
    /// Attempts of which nothing could be found out, in the order in which they were met; the others
    /// do not suffer from it.
    public var troubles: [RunnerError] = []
  }

  /// Looks at every running attempt of the workspaces (or one job's) and returns a line for each that
  /// its worker does not mind. `stops` sends those that live the stop sequence; `dryRun` changes
  /// nothing.
  public func run(
    in workspaces: [WorkspaceID], only job: JobID? = nil, dryRun: Bool, stops: Bool
  ) throws(RunnerError) -> Result {
    var result = Result()
    result.lines = try expire(in: workspaces, only: job, dryRun: dryRun)
    let running = try storeStep { () throws(StoreError) in
      try store.runningAttempts(in: workspaces, notMindedBy: nil)
    }
    for attempt in running where job == nil || attempt.reference.job == job {
      do throws(RunnerError) {
        if let line = try resolve(attempt, dryRun: dryRun, stops: stops) {
          result.lines.append(line)
        }
      } catch {
        guard case .process = error else { throw error }
        result.troubles.append(error)
      }
    }
    return result
  }

  /// Jobs whose deadline has passed before an attempt started. Each step takes a bounded number, and
  /// none is left.
  private func expire(
    in workspaces: [WorkspaceID], only job: JobID?, dryRun: Bool
  ) throws(RunnerError) -> [Line] {
    var expired: [ExpiredJob] = []
    try storeStep { () throws(StoreError) in
      expired = try store.expired(in: workspaces, at: place.now())
      if let job { expired.removeAll { $0.id != job } }
      guard !dryRun, !expired.isEmpty else { return }
      expired = []
      while true {
        let some = try store.expire(in: workspaces, at: place.now())
        if some.isEmpty { return }
        expired += some.filter { job == nil || $0.id == job }
      }
    }
    return expired.map {
      Line(
        job: $0.id, workspace: $0.workspace, why: "its deadline passed before it could start",
        became: dryRun ? .would(.cancelled) : .expired)
    }
  }

  private func resolve(_ found: RunningAttempt, dryRun: Bool, stops: Bool) throws(RunnerError)
    -> Line?
  {
    var attempt = found
    var tries = 0
    let patience = place.bootNow().advanced(by: attempt.leaseLength)
    while true {
      let now = place.bootNow()
      let workerIsGone = rescuer.isGone(attempt)
      let why =
        workerIsGone
        ? "worker \(attempt.worker.name) is gone" : "lease of worker \(attempt.worker.name) is over"
      func line(_ became: Became) -> Line {
        Line(
          job: attempt.reference.job, workspace: attempt.reference.workspace, why: why,
          became: became)
      }
      if tries > 0 {
        // What was found a moment ago may be recorded by now, and its slot gone with that.
        guard let current = try stillRunning(attempt) else { return line(try became(attempt)) }
        attempt = current
      }
      switch try rescuer.examine(attempt, now: now) {
      case .minded where tries > 0: return line(.taken)
      case .minded: return nil
      case .elsewhere: return line(.elsewhere)
      case .over(let ending):
        return line(dryRun ? .would(ending.verdict.outcome) : try record(ending))
      case .alive(let link, let status):
        if let became = try settle(attempt, link, status, dryRun: dryRun, stops: stops) {
          return line(became)
        }
      case .silent(let trace) where rescuer.resolver(of: trace) != nil:
        guard let pid = rescuer.resolver(of: trace) else { break }
        if dryRun || patience.hasPassed(at: now) { return line(.resolving(by: pid)) }
        // It records what it finds out; should it die, its lock is free.
        tries = min(tries, 1)
      case .silent where tries < 10:
        // It may just be ending, or be looked at by somebody else.
        break
      case .silent(let trace):
        if let became = try wait(attempt, trace, now: now, dryRun: dryRun) {
          return line(became)
        }
      case .changing: break
      }
      tries += 1
      if tries > 100 { return line(.taken) }
      waitForInput(nil, untilMs: BootClock.now() + 20)
    }
  }

  private func record(_ ending: Ending) throws(RunnerError) -> Became {
    var settlement: Settlement
    switch try ending.waitUntilReady(place) {
    case .ready(let ready): settlement = ready
    case .held(let processes): return .held(processes)
    }
    settlement.actor = actor
    let result = try storeStep { () throws(StoreError) in
      try store.settle([settlement], thenClaim: nil, at: place.now()).results.first
    }
    try ending.forget(in: store)
    switch result {
    case .recorded(let state, _), .alreadyRecorded(let state): return .recorded(state)
    case .late, nil: return .taken
    }
  }

  private func stillRunning(_ attempt: RunningAttempt) throws(RunnerError) -> RunningAttempt? {
    let reference = attempt.reference
    let current = try storeStep { () throws(StoreError) in
      try store.runningAttempt(of: reference.job, in: reference.workspace)
    }
    return current?.reference == reference ? current : nil
  }

  /// Somebody else was faster: what the job is since.
  private func became(_ attempt: RunningAttempt) throws(RunnerError) -> Became {
    do throws(StoreError) {
      let job = try store.job(attempt.reference.job, in: attempt.reference.workspace)
      return job.state == .running ? .taken : .recorded(job.state)
    } catch .unknownJob {
      return .taken
    } catch {
      throw .store(error)
    }
  }

  /// `nil`: look again in a moment.
  private func settle(
    _ attempt: RunningAttempt, _ link: SupervisorLink, _ status: AttemptStatus, dryRun: Bool,
    stops: Bool
  ) throws(RunnerError) -> Became? {
    let reference = attempt.reference
    switch status {
    case .running:
      if attempt.unansweredSince != nil, !dryRun { try attempt.noteAnswer(in: store) }
      guard stops, !dryRun else { return .unattended }
      do throws(ProcessError) {
        _ = try link.request(
          .stop(
            job: reference.job, fence: reference.fence, watch: nil, reason: .reclaim, who: user),
          timeoutMs: Rescuer.patienceMs)
        return .stopping
      } catch {
        return nil
      }
    case .ended(let outcome, _):
      // Its supervisor is having it recorded; doing it here as well is no error, and sooner.
      let report = AttemptReport(
        outcome, policy: attempt.policy, log: LogPath.of(job: reference.job, fence: reference.fence)
      )
      let ending = Ending(
        MindedAttempt(attempt, watch: attempt.watch, now: place.bootNow()), report: report,
        recordedBy: user)
      return dryRun ? .would(report.verdict.outcome) : try record(ending)
    case .other, .waiting:
      if dryRun { return .would(.neverStarted) }
      return try giveBack(attempt, link)
    }
  }

  /// The supervisor lives and does not have the attempt: it is made to refuse it, and then the
  /// attempt was certainly never started.
  private func giveBack(_ attempt: RunningAttempt, _ link: SupervisorLink) throws(RunnerError)
    -> Became?
  {
    let reference = attempt.reference
    do throws(ProcessError) {
      let answer = try link.request(
        .adopt(job: reference.job, fence: reference.fence, watch: attempt.watch + 1),
        timeoutMs: Rescuer.patienceMs)
      guard case .status(.other)? = answer else { return nil }
    } catch {
      return nil
    }
    return try record(
      Ending(
        MindedAttempt(attempt, watch: attempt.watch, now: place.bootNow()),
        report: AttemptReport(.neverStarted(errno: 0), log: nil, at: place.now()), recordedBy: user)
    )
  }

  /// `nil`: it was killed, look again.
  private func wait(
    _ attempt: RunningAttempt, _ trace: AttemptTrace, now: BootTime, dryRun: Bool
  ) throws(RunnerError) -> Became? {
    let since: BootTime?
    do throws(StoreError) {
      since =
        dryRun
        ? (attempt.unansweredSince ?? now)
        : try store.noteUnanswered(attempt.reference, watch: attempt.watch, at: now)
    } catch .stale {
      // Look again: it is recorded, or another minds it.
      return nil
    } catch {
      throw .store(error)
    }
    guard let since else { return .taken }
    let until = since.advanced(by: attempt.leaseLength)
    guard until.hasPassed(at: now), !dryRun else { return .waiting(until: until) }
    if let left = try rescuer.killSilent(trace) { return .held([left]) }
    return nil
  }
}
