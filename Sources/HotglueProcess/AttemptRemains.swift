import CSupervisor
import Glibc
public import HotglueCore

/// What is left of an attempt whose supervisor is dead, and the end of it.
///
/// Used by the holder of the slot's lock. It finds processes of the supervisor's session, of the
/// handler's process group, and those that carry the mark in their environment, never one that began
/// before the attempt; and all in the control group that the supervisor made. Where the slot's file is
/// lost its name is enough. For a copied store, another boot or another PID namespace it finds nothing.
public final class AttemptRemains {
  public struct Result: Equatable, Sendable {
    /// Processes that were stopped.
    public var killed: Int
    /// How many could not be, and the first eight.
    public var leftCount: Int
    public var left: [EndedAttempt.Stray]
  }

  public enum Progress: Equatable, Sendable {
    /// Call `step` again at this boot-clock time.
    case waiting(untilMs: Int64)
    case done(Result)
  }

  private let sweep: OpaquePointer?
  private var group: ControlGroup.Open?
  /// There is a control group, and from here nobody can say what lives in it.
  public private(set) var groupIsHidden = false

  /// - Parameter boundMs: how long after the first KILL the search goes on.
  public init(
    _ trace: AttemptTrace, stopSequence: [StopSequence.Step], boundMs: Int64 = 5_000
  ) throws(ProcessError) {
    guard let (sought, found, isHidden) = try trace.target() else {
      sweep = nil
      return
    }
    var target = sought
    group = found
    groupIsHidden = isHidden
    let steps = stopSequence.map(hg_step.init)
    sweep = hg_sweep_new(&target, steps, UInt32(steps.count), boundMs)
    if sweep == nil { throw .system(call: "malloc", path: nil, errno: ENOMEM) }
  }

  /// All that carries a mark in its environment: what a check command left behind when the process
  /// that asked it died, or what a tap of a command left that has no supervisor. Without a stop sequence it is
  /// killed at once.
  public init(
    marked mark: String, stopSequence: [StopSequence.Step] = [], boundMs: Int64 = 5_000
  ) throws(ProcessError) {
    var target = hg_sweep_target()
    target.owner = Int64(HG_ANY_OWNER)
    write(mark, into: &target.mark)
    let steps = stopSequence.map(hg_step.init)
    sweep = hg_sweep_new(&target, steps, UInt32(steps.count), boundMs)
    if sweep == nil { throw .system(call: "malloc", path: nil, errno: ENOMEM) }
  }

  deinit { if let sweep { hg_sweep_free(sweep) } }

  /// Does what is due, without waiting.
  public func step() -> Progress {
    guard let sweep else { return .done(Result(killed: 0, leftCount: 0, left: [])) }
    let next = hg_sweep_step(sweep)
    if next != 0 { return .waiting(untilMs: next) }
    var names = hg_outcome().strays_left
    let count = withUnsafeMutableBytes(of: &names) { room in
      hg_sweep_left(sweep, room.bindMemory(to: hg_stray.self).baseAddress)
    }
    return .done(
      Result(
        killed: Int(hg_sweep_killed(sweep)), leftCount: Int(count),
        left: strays(names, count: Int(count))))
  }

  /// Stops what is left and waits until that is done: at most the stop sequence's waits and `boundMs`.
  public static func stop(
    _ contents: SlotContents, stopSequence: [StopSequence.Step], boundMs: Int64 = 5_000
  ) throws(ProcessError) -> Result {
    try AttemptRemains(AttemptTrace(contents), stopSequence: stopSequence, boundMs: boundMs)
      .waitUntilDone()
  }

  /// Steps until nothing is left, or the bound is over.
  public func waitUntilDone() -> Result {
    while true {
      switch step() {
      case .done(let result): return result
      case .waiting(let time):
        usleep(UInt32(max(0, min(time - BootClock.now(), 1000))) * 1000)
      }
    }
  }

  /// Kills a supervisor that holds its lock but does not answer, and its handler. True if one of
  /// them was there. Both are named by process ID and start time, through a pidfd. EPERM: it is another
  /// user's.
  public static func killHolder(_ trace: AttemptTrace) throws(ProcessError) -> Bool {
    guard trace.mayBeTouched, let supervisor = trace.supervisorIdentity else { return false }
    let owner = trace.signalledOwner
    var wasThere = try kill(supervisor.pid, supervisor.startTime, of: owner)
    if let handler = trace.handler, handler.handlerPID > 1, handler.handlerStart > 0 {
      wasThere = try kill(handler.handlerPID, handler.handlerStart, of: owner) || wasThere
    }
    return wasThere
  }

  public static func killHolder(_ contents: SlotContents) throws(ProcessError) -> Bool {
    try killHolder(AttemptTrace(contents))
  }

  /// Kills another process that holds the lock of a dead supervisor's slot and was stopped while it
  /// looked at what is left: a worker or a reclaim, whose death costs no attempt. One that runs is
  /// let be.
  public static func killFrozenHolder(_ trace: AttemptTrace) {
    guard trace.mayBeTouched,
      let holder = HeldLocks().holder(of: "\(trace.storeFolder)/slots/\(trace.slot)"),
      holder != trace.supervisorIdentity?.pid, let process = SeenProcess(holder), process.isFrozen
    else { return }
    // Another user's process cannot be killed; then its owner must wake it.
    _ = hg_kill_exact(holder, process.startTime, SIGKILL)
  }

  private static func kill(
    _ pid: Int32, _ start: UInt64, of owner: Int64
  ) throws(ProcessError) -> Bool {
    let error = hg_kill_of(owner, pid, start, SIGKILL)
    if error == ESRCH || error == ENOENT { return false }
    try ProcessError.check(error, "kill", "\(pid)")
    return true
  }
}
