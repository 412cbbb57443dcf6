import HotglueCore
import HotglueProcess
import HotglueStore

/// An attempt that is over, on its way into the store.
///
/// What it left behind is stopped first, then its job's `--verify` command is asked if its outcome
/// is unknown and the job is not safe to run twice, and only then its end may be recorded. All the
/// while the attempt's lock is held, by its supervisor or by this value: nobody else can conclude
/// anything about it.
final class Ending {
  let reference: AttemptReference
  /// The worker's seat, for an attempt that it minded to the end.
  let seat: Seat?
  /// The lock of a dead supervisor's slot; its files go once the end is recorded.
  let lock: SlotLock?
  /// Of a stream: where the answer lies that says so.
  let position: UInt64?
  private let minded: MindedAttempt
  private let recordedBy: String
  private var remains: SharedRemains?
  private var report: AttemptReport
  private var check: Verification?
  private var verification: VerifyAnswer?

  enum Step {
    /// Look again at this boot-clock time, or when the descriptor is readable.
    case waiting(untilMs: Int64, descriptor: Int32?)
    case ready(Settlement)
    /// Processes of it live that could not be stopped: nothing is recorded, and the lock is freed for
    /// a process that may stop them.
    case held([LeftoverProcess])
  }

  init(
    _ minded: MindedAttempt, report: AttemptReport, remains: SharedRemains? = nil,
    seat: Seat? = nil, lock: SlotLock? = nil, position: UInt64? = nil, recordedBy: String
  ) {
    self.minded = minded
    reference = minded.reference
    self.report = report
    self.remains = remains
    self.seat = seat
    self.lock = lock
    self.position = position
    self.recordedBy = recordedBy
  }

  var policy: JobPolicy { minded.policy }
  var verdict: Verdict { report.verdict }

  /// Does what is due, without waiting.
  func step(_ place: WorkerPlace) throws(RunnerError) -> Step {
    if let remains {
      switch remains.step() {
      case .waiting(let time): return .waiting(untilMs: time, descriptor: nil)
      case .done(let result):
        if result.leftCount > 0 { return .held(result.processes) }
        self.remains = nil
        guard remains.belongs(to: reference) else { break }
        let log = lock.map { _ in LogPath.of(job: reference.job, fence: reference.fence) }
        let hasLog = try keepLog(place, from: remains.logFrom) > 0
        report = report.withRemains(result, log: hasLog ? log : nil)
        if remains.groupIsHidden {
          report = report.withWarning("its control group could not be looked into from here")
          report.leftoversAreUnseen = true
        }
      }
    }
    if report.needsVerification(minded.policy), verification == nil {
      do throws(ProcessError) {
        let asked: Verification
        if let check { asked = check } else { asked = try Verification(of: minded, in: place) }
        check = asked
        switch try asked.step(minded, minded.policy.verify ?? "exit 2", in: place) {
        case .waiting(let time, let descriptor):
          return .waiting(untilMs: time, descriptor: descriptor)
        case .answered(let answer): verification = answer
        }
      } catch {
        // A check that cannot be asked has decided nothing.
        report = report.withWarning("the verify command could not be run: \(error.reason)")
        verification = .notRun(error)
      }
      check = nil
    }
    return .ready(
      report.settlement(of: reference, by: recordedBy, verification: verification))
  }

  private func keepLog(_ place: WorkerPlace, from start: Int64?) throws(RunnerError) -> Int64 {
    guard let lock else { return 0 }
    let path = LogPath.of(job: reference.job, fence: reference.fence)
    return try processStep { () throws(ProcessError) in
      guard let start else { return try lock.keepLog(at: path, shared: place.isShared) }
      return try lock.keepLogPart(from: start, at: path, shared: place.isShared)
    }
  }

  enum Waited {
    case ready(Settlement)
    case held([LeftoverProcess])
  }

  /// Steps until the end may be recorded, waiting as it takes: for commands, which have no loop.
  func waitUntilReady(_ place: WorkerPlace) throws(RunnerError) -> Waited {
    while true {
      switch try step(place) {
      case .ready(let settlement): return .ready(settlement)
      case .held(let processes): return .held(processes)
      case .waiting(let time, let descriptor):
        waitForInput(descriptor, untilMs: min(time, BootClock.now() + 1000))
      }
    }
  }

  /// The end is recorded: a dead supervisor's files go with the last running attempt that names its
  /// slot. Several do when it had a stream.
  func forget(in store: any Store) throws(RunnerError) {
    guard let lock else { return }
    let isNamed = try storeStep { () throws(StoreError) in
      try store.runningAttempts(in: store.workspaces().map(\.id), notMindedBy: nil)
        .contains { $0.slot == lock.slot }
    }
    if isNamed { return }
    try processStep { () throws(ProcessError) in try lock.removeFiles() }
  }
}

extension AttemptRemains.Result {
  var processes: [LeftoverProcess] { left.map { LeftoverProcess(pid: $0.pid, name: $0.name) } }
}
