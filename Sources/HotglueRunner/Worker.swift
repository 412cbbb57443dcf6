public import HotglueCore
import HotglueFiles
public import HotglueProcess
public import HotglueStore

/// Claims jobs, minds their attempts, records their outcomes, and takes up what dead workers left.
///
/// One thread, one loop. Each turn takes in what the supervisors say, then records every outcome
/// that came and claims for every free supervisor in one commit, then gives the new orders, then
/// renews leases and looks after attempts that nobody minds. Between turns it sleeps until a
/// supervisor, another process's commit, a signal or the clock wakes it.
///
/// Killed at any point it costs no attempt:
///
///     after a claim, before the order     the slot does not name the attempt: never started
///     after the order                     the supervisor goes on; the next worker adopts it
///     after the end, before the commit    the outcome is in the slot; its supervisor records it
///     after the commit, before 'recorded' recorded again by the supervisor, which changes nothing
public final class Worker {
  let store: any Store
  let place: WorkerPlace
  let options: WorkerOptions
  var forkServer: ForkServer
  let makeForkServer: () throws(ProcessError) -> ForkServer
  let wakeups: Wakeups
  let id: WorkerID
  public let name: String
  let actor: Actor
  let rescuer: Rescuer
  let observe: (WorkerEvent) -> Void
  /// Called once a turn; says how soon the next turn is wanted, if at all. `job run` streams the
  /// log of its job with it.
  public var eachTurn: (() -> Span?)?
  /// What else begins a turn when it can be read; -1: nothing.
  public var wakesFor: Int32 = -1

  /// Supervisors with or without an attempt; adopted ones among them.
  var seats: [Seat] = []
  /// Attempts that are over and not yet recorded.
  var endings: [Ending] = []
  var summary = WorkerSummary()
  var phase = Phase.working
  /// When the back-offs of jobs of our own end, for `--drain`.
  var backoffs: [JobID: Timestamp] = [:]
  /// Attempts of our own whose supervisor died and whose end is not found out yet.
  var orphans: Set<JobID> = []
  var seenChange: Int64 = -1
  /// Set while the log was written and the change is not seen yet.
  var glance: Glance?
  /// Where the worker may claim, as of the last change of the store.
  var claimable: [WorkspaceID]?
  /// Workspaces whose loss was told already.
  private var toldLost: Set<WorkspaceID> = []
  /// Whether a claim may find something: the store has changed, or a job has become due.
  var mayClaim = true
  var nextDue: Timestamp?
  /// Wakes the worker at the next occurrence of an automation.
  let timer: WallTimer
  /// `nil`: this worker ticks no automations.
  let ticker: AutomationTicker?
  /// The store has changed, or the clock was set, since automations were looked at.
  var automationsMayHaveChanged = true
  /// As above, to be looked at with the next look around.
  var automationsWait = false
  /// When automations have something to decide.
  var nextTick: Timestamp?
  /// Claims in a row that found nothing.
  var emptyClaims = 0
  /// The last claim filled every seat, so there may be more for another.
  var filledEverySeat = false
  var lookAroundAt: BootTime
  /// When attempts are asked next how far they are.
  var progressAt: BootTime
  var pruneAt: BootTime
  var problem: String?
  /// Since when every try to write to the store has found it busy.
  private var busySince: BootTime?
  /// Types whose handlers take no job.
  var pauses: [TypePlace: TypePause] = [:]
  /// Jobs about whose attempts something is wrong that was said already.
  var troubled: Set<JobID> = []
  /// Attempts that cannot be brought to an end for now.
  var setAside: [JobID: SetAside] = [:]
  /// What is wrong with files of dead processes, as it was said.
  var fileProblem: String?
  var retryAt: BootTime?
  /// Why handlers cannot be started at the moment, as it was said.
  var startFailure: Int32?
  /// A signal asked for the cancel of the one job, and the store has not taken it yet.
  var owesCancel = false
  /// Somebody was told that no control group can be made.
  var groupFailureIsTold = false
  /// Set while there is too little free space, or no process to be had, to begin anything.
  var claimsPausedUntil: BootTime?
  /// The store's file, as it was when the worker began.
  let storeFile: FileIdentity?
  private let lock: LockFile
  let lockPath: String

  enum Phase: Equatable {
    case working
    /// Claims nothing more; attempts may go on until the moment.
    case finishing(until: BootTime)
    /// The stop sequence runs on all that is left.
    case stopping
    /// Leaves what is left to the supervisors, now.
    case leaving
  }

  /// Registers the worker, under a lock that is free exactly when it is gone. `makeForkServer` makes
  /// another fork server should the first be killed. `signals` are those that came since the command
  /// began: none is lost before the loop runs.
  public init(
    store: any Store, place: WorkerPlace, forkServer: ForkServer,
    makeForkServer: @escaping () throws(ProcessError) -> ForkServer, signals: LeavingSignals,
    options: WorkerOptions,
    actor: Actor, observe: @escaping (WorkerEvent) -> Void
  ) throws(RunnerError) {
    self.store = store
    self.makeForkServer = makeForkServer
    self.place = place
    self.forkServer = forkServer
    self.options = options
    self.actor = actor
    self.observe = observe
    wakeups = try processStep { () throws(ProcessError) in
      try Wakeups(storePath: place.storePath, signals: signals)
    }
    timer = try processStep { () throws(ProcessError) in try WallTimer() }
    ticker = place.zones.map { AutomationTicker(store: store, zones: $0, actor: actor) }
    let (me, lock, lockPath) = try processStep { () throws(ProcessError) in
      let me = try ProcessIdentity.current()
      let lockPath = "workers/\(me.pid)-\(try randomHex(bytes: 4)).lock"
      let lock = try ProcessError.of { () throws(FileError) in
        let lock = try LockFile(place.folder + "/" + lockPath, isShared: place.isShared)
        _ = try lock.tryLock()
        return lock
      }
      return (me, lock, lockPath)
    }
    self.lock = lock
    storeFile = FileIdentity(place.storePath)
    self.lockPath = lockPath
    let identity = WorkerIdentity(
      name: "\(place.hostName):\(me.pid)", bootID: me.bootID,
      pidNamespace: String(me.pidNamespace), pid: me.pid, processStartTime: me.startTime,
      lockPath: lockPath, storeFile: place.storeFile)
    name = identity.name
    rescuer = Rescuer(place: place, name: identity.name)
    // A job that is named is claimed when it is due, not at the first look, unless that is wished.
    mayClaim = options.only == nil || options.startsNow
    lookAroundAt = place.bootNow()
    progressAt = place.bootNow()
    pruneAt = place.bootNow().advanced(by: .minutes(1))
    id = try storeStep { () throws(StoreError) in
      let places: [WorkspaceID] =
        switch options.scope {
        case .workspaces(let workspaces): workspaces
        case .all: []
        }
      return try store.register(identity, in: places, by: actor, at: place.now())
    }
  }

  /// Works until the options, a signal or the end of the work say to stop.
  public func run() throws(RunnerError) -> WorkerSummary {
    observe(.ready(worker: name))
    try guardingFiles { () throws(RunnerError) in
      try sweepSlots()
      try sweepWorkers()
    }
    let endAt = options.maxTime.map { place.bootNow().advanced(by: $0) }
    // Signals are looked at between two tries.
    store.writeBound = .seconds(1)
    while true {
      takeSignals()
      try takeReplies()
      if let endAt, endAt.hasPassed(at: place.bootNow()) { leaveAtOnce() }
      if let retryAt, !retryAt.hasPassed(at: place.bootNow()), phase != .leaving {
        // The store could not be written a moment ago: handlers go on, nothing is lost.
      } else {
        do throws(RunnerError) {
          try payCancel()
          try tickAutomations()
          try commitAndClaim()
          try renewLeases()
          try recordProgress()
          try lookAround()
          tendStreams()
          if try isOver() { break }
          recovered()
        } catch .store(let error) where error.passes {
          report(error)
        }
      }
      if retryAt != nil, isOverWithoutStore() { break }
      sleep(until: endAt)
    }
    pruneAtEnd()
    leave()
    return summary
  }

  /// Every attempt that is minded, with its supervisor.
  var everyMinded: [(seat: Seat, attempt: MindedAttempt)] {
    seats.flatMap { seat in seat.attempts.values.map { (seat, $0) } }
  }

  /// What counts against `--concurrency`: supervisors with an attempt or a stream's jobs.
  var busyCount: Int { seats.count(where: \.isBusy) + orphans.count }

  /// Where jobs are claimed: only where the worker's user may work. Asked anew when the store has
  /// changed, since members change while a worker stays.
  func workspaces() throws(StoreError) -> [WorkspaceID] {
    if let claimable { return claimable }
    let all = try store.guardFacts(for: actor.user)
    let role = actor.authority?.leastRole
    let allowed =
      switch options.scope {
      case .all: GuardFacts.covered(all, by: role)
      case .workspaces(let ids):
        all.filter { $0.standing.allows(role) && ids.contains($0.workspace.id) }
      }
    let found = allowed.map(\.workspace).filter { $0.state == .active }.map(\.id)
    claimable = found
    try tellLostRole(all, found)
    return found
  }

  /// A workspace that was named and where the user may not work any more is told once.
  private func tellLostRole(
    _ all: [GuardFacts], _ found: [WorkspaceID]
  ) throws(StoreError) {
    guard case .workspaces(let ids) = options.scope, let role = actor.authority?.leastRole else {
      return
    }
    toldLost.formIntersection(ids.filter { !found.contains($0) })
    for facts in all
    where ids.contains(facts.workspace.id) && !facts.standing.allows(role)
      && toldLost.insert(facts.workspace.id).inserted
    {
      let owners = try store.members(of: facts.workspace.id).filter { $0.role == .owner }
      observe(
        .problem(
          .store(
            .roleNeeded(
              role, user: actor.user, facts.standing, facts.workspace.id,
              owners: owners.map(\.user)))))
    }
  }

  /// Where attempts are taken up: archived workspaces too, so that none stays 'running' there for
  /// ever. Of all of them those that the worker covers, since to take one up may run what it says.
  var rescuedWorkspaces: [WorkspaceID] {
    get throws(StoreError) {
      switch options.scope {
      case .workspaces(let workspaces): workspaces
      case .all:
        try GuardFacts.covered(
          store.guardFacts(for: actor.user), by: actor.authority?.leastRole
        ).map(\.workspace.id)
      }
    }
  }

  private func sleep(until endAt: BootTime?) {
    var deadlines = [lookAroundAt.milliseconds]
    if let endAt, phase != .stopping { deadlines.append(endAt.milliseconds) }
    if let retryAt { deadlines = [retryAt.milliseconds] }
    if case .finishing(let until) = phase { deadlines.append(until.milliseconds) }
    let now = place.bootNow().milliseconds
    // While the store takes nothing, what it is to be told waits until it is asked again.
    let again = retryAt?.milliseconds ?? 0
    for seat in seats {
      if let soonest = seat.attempts.values.map(\.renewAt.milliseconds).min() {
        deadlines.append(max(again, soonest))
      }
    }
    deadlines += streamDeadlines
    if seats.contains(where: { !$0.attempts.isEmpty }) {
      deadlines.append(max(again, progressAt.milliseconds))
    }
    // A worker without room wakes for an end, not for a job that it cannot take.
    if let nextDue, hasRoom {
      deadlines.append(now + max(0, nextDue.milliseconds - place.now().milliseconds))
    }
    var descriptors = seats.map(\.link.fileDescriptor) + [wakesFor, timer.fileDescriptor]
    for ending in endings {
      guard case .waiting(let untilMs, let descriptor)? = try? ending.step(place) else {
        deadlines.append(max(again, now))
        continue
      }
      deadlines.append(untilMs)
      if let descriptor { descriptors.append(descriptor) }
    }
    if let wanted = eachTurn?() { deadlines.append(now + wanted.milliseconds) }
    if let glance {
      deadlines.append(now + glance.milliseconds)
      self.glance = glance.next
    }
    if mayClaim, phase == .working, retryAt == nil, hasRoom { return }
    let wait = (deadlines.min() ?? now) - now
    guard wait > 0 else { return }
    if wakeups.wait(descriptors, milliseconds: wait) { glance = .first }
    if timer.drain() { automationsMayHaveChanged = true }
  }

  /// Looks for a change that the log has announced: after 1, 2, 4 … milliseconds, for a quarter of a
  /// second at most.
  struct Glance {
    var milliseconds: Int64
    static let first = Glance(milliseconds: 1)
    var next: Glance? { milliseconds < 128 ? Glance(milliseconds: milliseconds * 2) : nil }
  }

  /// As long as any command waits for its turn; a queue that moves is worth no word, however long it is.
  private static let busyPatience: Span = .seconds(30)

  /// A store that is busy, full or read-only for a while does not end a worker.
  private func report(_ error: StoreError) {
    let now = place.bootNow()
    retryAt = now.advanced(by: Span(milliseconds: 500))
    var error = error
    if case .busy(let holder, _) = error {
      let since = busySince ?? now
      busySince = since
      guard since.advanced(by: Self.busyPatience).hasPassed(at: now) else { return }
      error = .busy(holder: holder, waited: Self.busyPatience)
    }
    tellOnce(error)
  }

  /// Says what is wrong with the store, unless it was said last.
  func tellOnce(_ error: StoreError) {
    let text = String(describing: error)
    if problem != text { observe(.problem(.store(error))) }
    problem = text
  }

  private func recovered() {
    problem = nil
    retryAt = nil
    busySince = nil
  }
}

extension StoreError {
  /// Whether waiting may help, so that a worker goes on.
  var passes: Bool {
    switch self {
    case .busy, .diskFull, .inputOutput, .readOnly: true
    default: false
    }
  }
}
