import HotglueCore
import HotglueStore
import HotglueStoreSQLite

/// What really happened: one start of a handler, with its end as the world saw it.
final class Run {
  let reference: AttemptReference
  let slot: String
  let replay: Replay
  /// How it ends when nobody stops it.
  let plan: Plan
  let startedMs: Int64
  var isAlive = true
  /// Descendants that outlived the handler and its supervisor.
  var hasRemains = false
  /// Those cannot be stopped: another user's, or in a call of the kernel that does not return.
  var isUnstoppable = false
  /// Its supervisor or the machine went down under it: nobody may know its end.
  var isDisturbed = false
  /// What its supervisor has to report.
  var expected: AttemptOutcome?
  /// Whether what it was to do has been done, for those who ask afterwards.
  var hasHappened = false
  var answer: JobEvent.Verification?
  /// Somebody who may has said that the job may run again after this.
  var isForgiven = false
  var effect: EffectInHand?

  init(
    _ reference: AttemptReference, slot: String, replay: Replay, plan: Plan, startedMs: Int64
  ) {
    self.reference = reference
    self.slot = slot
    self.replay = replay
    self.plan = plan
    self.startedMs = startedMs
  }
}

/// How a handler behaves, with the outcome that the contract gives that.
struct Plan {
  var how: AttemptEnd.How
  var result: HandlerResult?
  var outcome: AttemptOutcome
  var onStop: OnStop

  enum OnStop { case obeys, finishes, ignores }

  static func roll(_ dice: inout Dice) -> Plan {
    func says(_ outcome: AttemptOutcome, after: Span? = nil) -> HandlerResult {
      HandlerResult(outcome: outcome, after: after)
    }
    let ends: [(AttemptEnd.How, HandlerResult?, AttemptOutcome)] = [
      (.exited(0), nil, .succeeded), (.exited(0), nil, .succeeded),
      (.exited(0), says(.succeeded), .succeeded), (.exited(1), nil, .retry),
      (.exited(75), nil, .retry), (.exited(64), nil, .failed), (.exited(83), nil, .unknown),
      (.signaled(Signal(number: 11)), nil, .unknown), (.exited(0), says(.retry), .retry),
      (.exited(0), says(.retry, after: .seconds(3)), .retry), (.exited(3), says(.failed), .failed),
      (.exited(0), says(.snooze, after: .seconds(2)), .snooze),
      (.exited(0), says(.snooze), .snooze),
      (.exited(1), says(.succeeded), .unknown),
      (.signaled(.kill), says(.retry), .retry),
    ]
    let (how, result, outcome) = dice.pick(ends)
    return Plan(
      how: how, result: result, outcome: outcome,
      onStop: dice.pick([.obeys, .obeys, .finishes, .ignores]))
  }
}

/// An effect that a handler is carrying out.
struct EffectInHand {
  var name: EffectName
  var intent: Int
  var isDone = false
}

/// A supervisor's slot: its file, its lock and the process that has both while it lives.
final class SimSlot {
  let name: String
  let bootID: String
  /// The worker at the other end of its connection.
  var worker: SimWorker?
  var isAlive = true
  /// When it was stopped, on the boot clock of its own boot.
  var frozenAt: Int64?
  /// A rescuer that holds the lock of a dead supervisor's slot until an end is recorded.
  var rescuer: SimWorker?

  /// The file was removed, cut short, zeroed or damaged: what follows is only in its supervisor's memory.
  var isFileLost = false

  // What the file says.
  var order: Order?
  var isMarked = false
  var outcome: AttemptEnd?

  // What the process remembers.
  var run: Run?
  /// Attempts that others took or gave back: late orders to start them are refused.
  var disowned: [AttemptReference] = []
  var highestWatch: Watch = 0
  /// When somebody last saw that it is not stopped, while looking at that attempt.
  var seenAwake: [AttemptReference: Int64] = [:]
  var stop: AttemptEnd.StopReason?
  var isRecorded = false

  init(name: String, bootID: String, worker: SimWorker) {
    self.name = name
    self.bootID = bootID
    self.worker = worker
  }

  var isFrozen: Bool { frozenAt != nil }
  var workerIsGone: Bool { worker.map { !$0.isAlive } ?? true }
  var isBusy: Bool { order != nil && !isRecorded }
}

struct Order {
  var reference: AttemptReference
  var policy: JobPolicy
}

/// A worker process.
final class SimWorker {
  let id: WorkerID
  let name: String
  let bootID: String
  /// Closed when it dies.
  var connection: SQLiteStore?
  let concurrency: Int
  let queues: [String]
  let types: [String]
  var isAlive = true
  var isFrozen = false
  var seats: [SimSeat] = []
  var endings: [SimEnding] = []

  init(
    id: WorkerID, name: String, bootID: String, store: SQLiteStore, concurrency: Int,
    queues: [String], types: [String]
  ) {
    self.id = id
    self.name = name
    self.bootID = bootID
    connection = store
    self.concurrency = concurrency
    self.queues = queues
    self.types = types
  }

  var acts: Bool { isAlive && !isFrozen }

  var store: SQLiteStore {
    get throws {
      guard let connection else { throw Violation(rule: "simulation", text: "\(name) is dead") }
      return connection
    }
  }
}

/// A supervisor as its worker sees it.
final class SimSeat {
  let slot: SimSlot
  let isAdopted: Bool
  var minded: Minded?
  /// Claimed, and not given to the supervisor yet.
  var toStart: Order?
  var isEnding = false

  struct Minded {
    var reference: AttemptReference
    var watch: Watch
    var policy: JobPolicy
  }

  init(_ slot: SimSlot, isAdopted: Bool) {
    self.slot = slot
    self.isAdopted = isAdopted
  }
}

/// An attempt's end on its way into the store.
final class SimEnding {
  let reference: AttemptReference
  let policy: JobPolicy
  let end: AttemptEnd
  let slot: SimSlot?
  let seat: SimSeat?
  /// The dead supervisor's lock is held until this is recorded.
  let holdsLock: Bool

  init(
    _ reference: AttemptReference, _ policy: JobPolicy, _ end: AttemptEnd, slot: SimSlot?,
    seat: SimSeat?, holdsLock: Bool
  ) {
    self.reference = reference
    self.policy = policy
    self.end = end
    self.slot = slot
    self.seat = seat
    self.holdsLock = holdsLock
  }
}

/// What was acknowledged about a job and may never be otherwise.
struct Story {
  var id: JobID
  var workspace: String
  var request: EnqueueRequest
  var at: Timestamp
}

/// What was counted of one effect.
struct EffectStory {
  /// Tries that may have happened and that nobody has denied.
  var mayHaveHappened = 0
  var isConfirmed = false
}
