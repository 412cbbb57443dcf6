import Glibc
import HotglueCore
import HotglueStore
import HotglueStoreSQLite

/// One simulated machine: a real store in a real file, and everything around it made up.
///
/// Each step is one thing that one process does: one atomic step of the store, one message, one
/// signal, one death. What processes do in between is in their values here, so that any order of
/// steps is an order in which real processes could have done them.
final class Universe {
  let seed: UInt64
  var dice: Dice
  var now = Timestamp(milliseconds: 1_770_000_000_000)
  var wasClockSetBack = false
  var boot = BootTime(bootID: "boot-1", milliseconds: 1_000_000)
  let path: String
  /// The connection of people's commands and of supervisors' recorders.
  let store: SQLiteStore
  let reader: RowReader
  let workspaces: [WorkspaceID]

  var seen = Snapshot()
  var workers: [SimWorker] = []
  var slots: [SimSlot] = []
  var runs: [Run] = []
  var stories: [JobID: Story] = [:]
  /// The highest fence that any attempt of the job ever had, over all restores.
  var fences: [JobID: Fence] = [:]
  var highestID: JobID = 0
  var sent: [Settlement] = []
  /// Attempts as somebody found them once, to be acted on when much may have changed.
  var remembered: [RunningAttempt] = []
  var effects: [EffectName: EffectStory] = [:]
  var effectLocks: [EffectName: Run] = [:]
  var backups: [Backup] = []
  var file = SimContext()
  var counters = Counters()
  /// Jobs that were pruned in the step that is looked at.
  var pruned: Set<JobID> = []
  var names = 0
  var isHealthy = false
  var trace: [String] = []
  var stepNumber = 0

  static let alice = Actor(user: "alice", command: "simulate", workspaceOrigin: "flag")

  struct Backup {
    var path: String
    var snapshot: Snapshot
    var stories: [JobID: Story]
    var effects: [EffectName: EffectStory]
  }

  struct Counters {
    var steps = 0
    var claims = 0
    var starts = 0
    var ends = 0
    var crashes = 0
    var restores = 0
    var late = 0
  }

  init(seed: UInt64, folder: String) throws {
    self.seed = seed
    dice = Dice(seed: seed)
    path = folder + "/store.db"
    store = try SQLiteStore.create(at: path, now: now)
    reader = try RowReader(path: path)
    workspaces = ["acme", "beta", "gamma"].compactMap { WorkspaceID($0) }
    for id in workspaces {
      _ = try store.createWorkspace(id, name: id.text, by: Self.alice, at: now)
    }
    seen = try reader.snapshot(after: seen, whole: true)
  }

  func say(_ line: @autoclosure () -> String) {
    trace.append("\(stepNumber) \(line())")
    if trace.count > 400 { trace.removeFirst(200) }
  }

  func name(_ kind: String) -> String {
    names += 1
    return "\(kind)-\(names)"
  }

  func require(_ condition: Bool, _ rule: String, _ text: @autoclosure () -> String) throws {
    if !condition { throw Violation(rule: rule, text: text()) }
  }

  /// A step that the store may refuse; a refusal changes nothing. Returns whether it was done.
  @discardableResult
  func refusable(_ body: () throws -> Void) throws -> Bool {
    do {
      try body()
      return true
    } catch let error as StoreError {
      switch error {
      case .unknownJob, .invalidTransition, .keyConflict, .keyHeld, .archivedWorkspace, .stale,
        .effectNotOpen, .staleGeneration, .unknownType, .unknownEffect, .otherWorkspace:
        say("  refused: \(error)")
        let after = try reader.snapshot(after: seen, whole: false)
        try require(after.jobs == seen.jobs, "a refusal changes nothing", "\(error)")
        return false
      default: throw Violation(rule: "the store works", text: "\(error)")
      }
    }
  }

  // MARK: The schedule

  func run(steps: Int) throws {
    for _ in 0..<steps {
      stepNumber += 1
      counters.steps += 1
      try step()
      try look(whole: stepNumber % 64 == 0)
    }
    try settleDown()
  }

  /// Workers, slots and attempts name each other: what nobody looks at any more is let go of.
  func tearDown() {
    for worker in workers { kill(worker) }
    for slot in slots {
      slot.worker = nil
      slot.run = nil
      slot.rescuer = nil
    }
    workers = []
    slots = []
    runs = []
  }

  private func step() throws {
    switch dice.below(1000) {
    case ..<110: try enqueue()
    case ..<135: try makeWorker()
    case ..<392: try workerActs()
    case ..<396: loseFile()
    case ..<400: endUnstoppable()
    case ..<640: try supervisorActs()
    case ..<700: try handlerActs()
    case ..<775: passTime()
    case ..<788: try crashWorker()
    case ..<790: try retireDead()
    case ..<806: crashSupervisor()
    case ..<822: freeze()
    case ..<840: thaw()
    case ..<862: try cancel()
    case ..<880: try retryAgain()
    case ..<898: try resolve()
    case ..<908: try prune()
    case ..<921: try changeType()
    case ..<926: try limitQueue()
    case ..<944: try reclaim()
    case ..<952: try confusedActor()
    case ..<960: try sleepyActor()
    case ..<975: try switchContext()
    case ..<984: try personTouchesEffect()
    case ..<987: jumpWallClock()
    case ..<990: reboot()
    case ..<993: try backUp()
    case ..<995: try restore()
    case ..<996: try archive()
    default: try sweepSlots()
    }
  }

  func passTime() {
    let span: Span = dice.pick([
      Span(milliseconds: 10), Span(milliseconds: 500), .seconds(1), .seconds(3), .seconds(12),
      .seconds(70),
    ])
    now = now.advanced(by: span)
    boot = boot.advanced(by: span)
    say("time +\(span.text)")
  }

  private func jumpWallClock() {
    let day: Int64 = 86_400_000
    let isForward = dice.chance(50)
    now.milliseconds += isForward ? day : -day
    if !isForward { wasClockSetBack = true }
    say("the wall clock jumps to \(now.milliseconds)")
  }

  // MARK: The end: every fault stops, and nothing may be left behind

  /// I6: no job is stuck. With a healthy worker and time, everything ends, but for what waits for a
  /// person, a type or a workspace.
  private func settleDown() throws {
    say("the faults end")
    isHealthy = true
    // Who is stopped stays so: its attempts go to others when a lease runs out, and who holds a lock
    // is killed for it.
    if !file.isSwitching { try recoverSwitch() }
    let healer = try register(concurrency: 3, queues: [], types: [])
    var quiet = 0
    for round in 0..<4000 where quiet < 3 {
      stepNumber += 1
      endUnstoppable()
      let before = (counters.claims, counters.ends)
      for worker in workers where worker.acts { try tick(worker) }
      for slot in slots { try supervise(slot) }
      try look(whole: false)
      let active = seen.jobs.values.contains { $0.state == "running" }
      if before == (counters.claims, counters.ends), !active || round % 8 == 7 {
        now = now.advanced(by: .seconds(75))
        boot = boot.advanced(by: .seconds(75))
        if let next = nextWaiting() { now.milliseconds = max(now.milliseconds, next) }
        if !active, nextWaiting() == nil { quiet += 1 }
      }
      try require(
        round < 3999, "I6 no job is stuck", "it does not end: \(describeOpenJobs(healer))")
    }
    try look(whole: true)
    for id in seen.ids {
      guard let job = seen.jobs[id], !job.isFinished else { continue }
      try require(
        job.state == "pending" && !isClaimable(job), "I6 no job is stuck",
        "\(job) is left over")
    }
    let findings = try store.check()
    try require(findings.isEmpty, "the store is sound", findings.joined(separator: "; "))
  }

  private func nextWaiting() -> Int64? {
    seen.jobs.values.filter { $0.state == "pending" && isClaimable($0) }.map(\.runAt).min()
  }

  private func isClaimable(_ job: JobRow) -> Bool {
    if seen.archived.contains(job.workspace) { return false }
    return job.type == "exec" || seen.types["\(job.workspace)/\(job.type)"] != nil
  }

  private func describeOpenJobs(_ healer: SimWorker) -> String {
    seen.ids.compactMap { seen.jobs[$0] }.filter { !$0.isFinished }.map { "\($0)" }
      .joined(separator: "\n") + " now \(now.milliseconds) \(boot) healer \(healer.id)"
  }
}

/// The simulated context file, and a `workspace switch` that is on its way.
struct SimContext {
  var record = ContextRecord(generation: 0, workspace: nil, previous: nil, intent: nil)
  var highest: Int64 = 0
  var intent: ContextRecord.Intent?
  var isReplaced = false
  var isSwitching: Bool { intent != nil }
  static let key = ContextKey(contextID: "c1", path: "/home/alice/.hotglue/context.json")
}
