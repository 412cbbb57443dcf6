import CSupervisor
import Glibc
public import HotglueCore

/// What a slot file says.
public struct SlotContents: Sendable {
  /// Where it was read.
  public var storeFolder: String
  public var slot: String
  public var storeID: String
  public var isShared: Bool
  /// The supervisor that made the file and holds its lock while it lives.
  public var supervisor: ProcessIdentity
  public var createdMs: Int64
  /// The file is not the one that the supervisor made: the store was copied. Nothing outside is
  /// asked, scanned or killed because of it.
  public var isCopy: Bool
  /// The supervisor belongs to this boot. If not it is dead, and a missing mark or outcome proves
  /// nothing, since the file is never synced.
  public var isOfThisBoot: Bool
  /// The supervisor's process IDs mean something here.
  public var isOfThisNamespace: Bool
  /// nil: idle, or its supervisor died while it wrote this part - then nothing was started.
  public var attempt: Attempt?
  /// The part of the attempt does not fit its checksum: it proves nothing, not even that the slot is
  /// idle.
  public var isDamaged: Bool
  /// There was a file of answers beside it; one that is missing was lost.
  public var hadAnswers: Bool
  /// There was a record of a control group beside it; one that is missing was lost.
  public var hadGroup: Bool
  /// Of `attempt`; nil: there is none, or it is torn.
  public var outcome: EndedAttempt?
  /// The handler of an open stream, whichever job it has in hand.
  public var stream: Stream?

  /// What the processes of a stream are told by.
  public struct Stream: Equatable, Sendable {
    public var mark: String
    public var keepsChildren: Bool
    /// 0: it was not started yet.
    public var handlerPID: Int32
    public var handlerStart: UInt64
    public var sinceTicks: UInt64
  }

  public struct Attempt: Equatable, Sendable {
    public var job: Int64
    public var fence: Int64
    /// The highest seen.
    public var watch: Int64
    public var attempt: Int64
    /// In the environment of everything the attempt started, as `HOTGLUE_MARK`.
    public var mark: String
    public var keepsChildren: Bool
    /// Set as the last act before the handler is executed. Not set, under a free lock and on this
    /// boot: it never ran.
    public var started: Bool
    public var handlerPID: Int32
    public var handlerStart: UInt64
    /// Clock ticks since boot; no process that is older belongs to the attempt.
    public var sinceTicks: UInt64
    public var stopping: AttemptEnd.StopReason?
    /// The result line that was heard, where there is no outcome yet that has it.
    public var reported: EndedAttempt.Report.Result
    /// Where its log belongs, relative to the store's folder.
    public var logPath: String
    /// It is the job that a stream's handler has in hand.
    public var isOfStream: Bool
    /// Of a job of a stream whose handler has the slot's log itself (`--keep-children`): where its part
    /// of that begins. Every other log is the attempt's alone.
    public var logFrom: Int64?
  }
}

/// A supervisor's file: `slots/NAME` in the store's folder.
public enum Slot {
  /// The one version of slots, answers and frames that this program writes and reads.
  public static let version = UInt32(HG_VERSION)

  /// Reads a slot, also while its supervisor lives; nil: the file is gone.
  public static func read(
    storeFolder: String, slot: String
  ) throws(ProcessError) -> SlotContents? {
    guard let view = try view(storeFolder, slot) else { return nil }
    do {
      return try SlotContents(view, at: SlotPlace(storeFolder: storeFolder, slot: slot))
    } catch .supervisorGone {
      // Removed since it was opened, before its result line was read.
      return nil
    }
  }

  /// What a slot proves; nil: nothing, since the file is missing, short, damaged or may not be read.
  public static func evidence(storeFolder: String, slot: String) -> SlotContents? {
    do { return try read(storeFolder: storeFolder, slot: slot) } catch { return nil }
  }

  /// Refuses a supervisor of another version. Where its slot is lost its socket may still be there, and
  /// then every reply says of which version it is.
  static func requireThisVersion(storeFolder: String, slot: String) throws(ProcessError) {
    var view = hg_slot_view()
    guard hg_slot_read(storeFolder, slot, &view) == EPROTONOSUPPORT else { return }
    throw .otherVersion(slot: slot, version: view.head.version)
  }

  /// Whether the slot's stream has this attempt in hand. One whose supervisor was killed has, until
  /// it is known what became of it.
  public static func holds(
    job: Int64, fence: Int64, storeFolder: String, slot: String
  ) throws(ProcessError) -> Bool {
    guard let view = try view(storeFolder, slot) else { return false }
    return view.attempt_whole != 0 && view.attempt.is_stream != 0 && view.attempt.job == job
      && view.attempt.fence == fence
  }

  private static func view(
    _ storeFolder: String, _ slot: String
  ) throws(ProcessError) -> hg_slot_view? {
    var view = hg_slot_view()
    let error = hg_slot_read(storeFolder, slot, &view)
    switch error {
    case ENOENT: return nil
    case EBADMSG: throw .notUnderstood("slot file '\(slot)'")
    case EPROTONOSUPPORT: throw .otherVersion(slot: slot, version: view.head.version)
    default: try ProcessError.check(error, "read the slot", slot)
    }
    return view
  }
}

extension SlotContents {
  init(_ view: hg_slot_view, at place: SlotPlace) throws(ProcessError) {
    let here = try ProcessIdentity.current()
    storeFolder = place.storeFolder
    slot = place.slot
    storeID = text(of: view.head.store_id)
    isShared = view.head.shared != 0
    supervisor = ProcessIdentity(
      bootID: text(of: view.head.boot_id), pidNamespace: view.head.pid_namespace,
      pid: view.head.supervisor_pid, startTime: view.head.supervisor_start)
    createdMs = view.head.created_ms
    isOfThisBoot = supervisor.bootID == here.bootID
    // A reboot may give the device another number.
    isCopy = view.is_copy != 0 || isOfThisBoot && view.is_elsewhere != 0
    isOfThisNamespace = supervisor.pidNamespace == here.pidNamespace
    outcome = view.outcome_whole != 0 ? try EndedAttempt(view.outcome, in: place) : nil
    attempt = view.attempt_whole != 0 ? Attempt(view.attempt) : nil
    isDamaged = view.attempt_damaged != 0
    hadAnswers = view.head.companions & UInt32(HG_HAS_ANSWERS) != 0
    hadGroup = view.head.companions & UInt32(HG_HAS_GROUP) != 0
    if view.stream.is_open != 0 { stream = Stream(view.stream) }
    if outcome == nil, view.attempt.result_bytes > 0 {
      attempt?.reported = try EndedAttempt.Report.Result(
        bytes: view.attempt.result_bytes, sum: view.attempt.result_sum, in: place)
    }
  }
}

extension SlotContents.Attempt {
  init(_ record: hg_slot_attempt) {
    job = record.job
    fence = record.fence
    watch = record.watch
    attempt = record.attempt
    mark = text(of: record.mark)
    keepsChildren = record.keep_children != 0
    started = record.started != 0
    handlerPID = record.handler_pid
    handlerStart = record.handler_start
    sinceTicks = record.since
    stopping = AttemptEnd.StopReason(number: record.stop_reason)
    reported = .none
    logPath = text(of: record.log_path)
    isOfStream = record.is_stream != 0
    logFrom = isOfStream && keepsChildren ? record.log_from : nil
  }
}

extension SlotContents.Stream {
  init(_ record: hg_slot_stream) {
    mark = text(of: record.mark)
    keepsChildren = record.keep_children != 0
    handlerPID = record.handler_pid
    handlerStart = record.handler_start
    sinceTicks = record.since
  }
}
