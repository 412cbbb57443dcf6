import CSupervisor
import Glibc
public import HotglueCore

/// An attempt that has ended, as its supervisor saw it: the end in the words of the core, and what it
/// used and left.
public struct EndedAttempt: Equatable, Sendable {
  /// Where the log is.
  public enum LogPlace: Equatable, Sendable {
    /// Nothing was written.
    case none
    /// At the path of the order.
    case inPlace
    /// It could not be moved: `SlotLock.keepLog` or `Slot.keepLog` does that later.
    case inSlot
  }

  /// A process that could not be killed.
  public struct Stray: Equatable, Sendable {
    public var pid: Int32
    public var name: String
  }

  /// What was heard of a handler. Only the first result counts, and only one that came before the
  /// stop sequence's KILL.
  public struct Report: Equatable, Sendable {
    public enum Result: Equatable, Sendable {
      case none
      /// A line that the supervisor has understood: JSON with a known outcome.
      case line([UInt8])
      /// There was one, and it cannot be read any more.
      case unreadable
    }

    public var result = Result.none
    /// The last progress line.
    public var progress: [UInt8]?
    /// Before any other, a result was declared whose outcome is not known; or `job report` refused one,
    /// and none followed.
    public var isUnclear = false
    public var ignored = IgnoredLines()

    /// Bytes, without the newline.
    public static let longestLine = Int(HG_LINE_BYTES)

    public init() {}
  }

  /// Lines of a handler that changed nothing.
  public struct IgnoredLines: Equatable, Sendable {
    public enum Reason: UInt32, Sendable {
      case notUnderstood = 1
      /// Longer than `Report.longestLine`.
      case tooLong = 2
      /// `job report` was called with arguments that it refused.
      case refused = 3
      /// A result was reported before.
      case further = 4
      /// A result after the stop sequence's KILL.
      case late = 5
      /// Of a stream's handler: about a job that it did not have in hand.
      case foreign = 6
    }

    public var count = 0
    /// Why the first one was ignored, and how it begins.
    public var reason: Reason?
    public var first = ""

    public init() {}
  }

  public struct Stop: Equatable, Sendable {
    public var reason: AttemptEnd.StopReason
    /// Who asked for it, as they said.
    public var who: String
    /// Wall clock.
    public var atMs: Int64
  }

  public var job: Int64
  public var fence: Int64
  public var attempt: Int64
  /// How the main process ended; of a stream: what became of the job in hand.
  public var end: AttemptEnd.How
  /// The first stop order that came while the main process lived.
  public var stop: Stop?
  /// The stop sequence's KILL was sent before the main process had ended.
  public var killReached: Bool
  /// Wall clock.
  public var startedMs: Int64
  public var endedMs: Int64
  /// Of the main process and all descendants that were waited for.
  public var userMs: Int64
  public var systemMs: Int64
  /// Of the largest of these processes.
  public var peakBytes: Int64
  /// How many processes of its control group the kernel killed for want of memory while it ran.
  public var memoryKills: Int
  public var logBytes: Int64
  /// What the log's cap took out of its middle.
  public var logLeftOutBytes: Int64
  public var logPlace: LogPlace
  /// Processes the main one left behind that were stopped.
  public var straysKilled: Int
  /// How many could not be killed, and the first eight of them.
  public var straysLeftCount: Int
  public var straysLeft: [Stray]
  /// What the handler reported of itself, on descriptor 3 or through `job report`.
  public var report: Report
  /// The supervisor takes no further order and ends when this outcome is recorded.
  public var supervisorRetires: Bool
  /// The attempt was a job of a stream: its handler's end is none of its own.
  public var isOfStream: Bool
  /// Of a script that could not be executed: the interpreter that its first line names.
  public var interpreter: String?
}

extension AttemptEnd.How {
  /// What a supervisor writes; `nil` for a kind that it does not.
  init?(kind: UInt32, value: Int32) {
    switch Int(kind) {
    case Int(HG_EXITED): self = .exited(value)
    case Int(HG_SIGNALED): self = .signaled(Signal(number: value))
    case Int(HG_EXEC_FAILED): self = .notExecutable(errno: value)
    case Int(HG_CHDIR_FAILED): self = .directoryGone(errno: value)
    case Int(HG_NEVER_STARTED): self = .neverStarted(errno: value)
    case Int(HG_ANSWERED): self = .answered
    default: return nil
    }
  }
}

extension AttemptEnd.StopReason {
  /// The number that stands for it in orders and slots; there 0 is none.
  var number: UInt32 {
    switch self {
    case .timeout: 1
    case .cancel: 2
    case .stopRunning: 3
    case .reclaim: 4
    }
  }

  init?(number: UInt32) {
    guard let reason = Self.allCases.first(where: { $0.number == number }) else { return nil }
    self = reason
  }
}

extension EndedAttempt {
  /// `place` is where the slot is: the result line stays there until the attempt is recorded.
  init(_ record: hg_outcome, in place: SlotPlace) throws(ProcessError) {
    if record.is_stream != 0 {
      // Its lines lie with the answer, which is there until it is recorded.
      let search = Answers.search(
        storeFolder: place.storeFolder, slot: place.slot, job: record.job, fence: record.fence)
      guard case .found(let found) = search else { throw .supervisorGone }
      self = found
    } else {
      self = try EndedAttempt(record, report: try Report(record, in: place))
    }
  }

  init(_ record: hg_outcome, report: Report) throws(ProcessError) {
    job = record.job
    fence = record.fence
    attempt = record.attempt
    guard let how = AttemptEnd.How(kind: record.kind, value: record.value) else {
      throw .notUnderstood("outcome of kind \(record.kind)")
    }
    end = how
    stop = AttemptEnd.StopReason(number: record.stop_reason).map { reason in
      Stop(reason: reason, who: text(of: record.stop_who), atMs: record.stop_ms)
    }
    killReached = record.kill_reached != 0
    startedMs = record.started_ms
    endedMs = record.ended_ms
    userMs = record.user_ms
    systemMs = record.system_ms
    peakBytes = record.peak_bytes
    memoryKills = Int(record.memory_kills)
    logBytes = record.log_bytes
    logLeftOutBytes = record.log_left_out
    switch Int(record.log_place) {
    case Int(HG_LOG_NONE): logPlace = .none
    case Int(HG_LOG_IN_PLACE): logPlace = .inPlace
    default: logPlace = .inSlot
    }
    straysKilled = Int(record.strays_killed)
    straysLeftCount = Int(record.strays_left_count)
    straysLeft = strays(record.strays_left, count: straysLeftCount)
    self.report = report
    supervisorRetires = record.retires != 0
    isOfStream = record.is_stream != 0
    let named = text(of: record.ignored.text)
    if case .notExecutable = end, record.ignored.count == 0, !named.isEmpty { interpreter = named }
  }
}

/// Names a slot file.
struct SlotPlace {
  var storeFolder: String
  var slot: String
}

extension EndedAttempt.Report {
  /// What was counted; the lines themselves lie elsewhere.
  init(counts record: hg_outcome) {
    isUnclear = record.is_unclear != 0 || record.was_refused != 0
    guard record.ignored.count > 0 else { return }
    ignored.count = Int(record.ignored.count)
    ignored.reason = EndedAttempt.IgnoredLines.Reason(rawValue: record.ignored.why)
    ignored.first = text(of: record.ignored.text)
  }

  init(_ record: hg_outcome, in place: SlotPlace) throws(ProcessError) {
    self.init(counts: record)
    if record.progress_lines > 0 {
      var look = SlotProgress(
        storeFolder: place.storeFolder, slot: place.slot, job: record.job, fence: record.fence)
      progress = look.look()
    }
    result = try Result(bytes: record.result_bytes, sum: record.result_sum, in: place)
  }
}

extension EndedAttempt.Report.Result {
  init(bytes: UInt32, sum: UInt64, in place: SlotPlace) throws(ProcessError) {
    self = .none
    guard bytes > 0 else { return }
    var line = [UInt8](repeating: 0, count: EndedAttempt.Report.longestLine)
    let error = hg_slot_read_result(place.storeFolder, place.slot, bytes, sum, &line)
    switch error {
    case 0: self = .line(Array(line.prefix(Int(bytes))))
    case EBADMSG: self = .unreadable
    // The slot is removed when its attempt is recorded, and only then.
    case ENOENT: throw .supervisorGone
    default: throw .system(call: "read the result", path: place.slot, errno: error)
    }
  }
}

/// The first strays of a C record's array.
func strays<Strays>(_ array: Strays, count: Int) -> [EndedAttempt.Stray] {
  withUnsafeBytes(of: array) { bytes in
    bytes.bindMemory(to: hg_stray.self).prefix(count).map {
      EndedAttempt.Stray(pid: $0.pid, name: text(of: $0.name))
    }
  }
}
