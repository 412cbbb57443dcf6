public import HotglueFiles

/// What can go wrong between a worker and the processes it starts.
public enum ProcessError: Error, Equatable, Sendable {
  /// A call of the system failed. `errno` is its number, `path` what it was about.
  case system(call: String, path: String?, errno: Int32)
  /// The fork server has ended; another one may be started.
  case forkServerGone
  /// The fork server is stopped, by a signal or a debugger; another one may be started in its place.
  case forkServerFrozen(pid: Int32)
  /// The supervisor has ended, or closed this connection.
  case supervisorGone
  /// No answer in time. The connection may hold half a frame and is not used again.
  case noAnswer
  /// The file or the peer makes no sense.
  case notUnderstood(String)
  /// A hotglue of another version made the slot and its supervisor: nothing of them is read.
  case otherVersion(slot: String, version: UInt32)
  /// An order larger than a supervisor takes (16 MiB with arguments, environment and payload).
  case orderTooLarge(bytes: Int)
}

extension ProcessError {
  init(_ error: FileError) {
    self = .system(call: error.step, path: error.path, errno: error.code)
  }

  /// A step of the file kit, with its failure as one of these.
  @discardableResult
  public static func of<T>(_ step: () throws(FileError) -> T) throws(ProcessError) -> T {
    do throws(FileError) { return try step() } catch { throw ProcessError(error) }
  }

  /// Turns the `errno` that a C call returned into a throw.
  static func check(_ error: Int32, _ call: String, _ path: String? = nil) throws(ProcessError) {
    if error != 0 { throw .system(call: call, path: path, errno: error) }
  }
}

extension ProcessError {
  /// What failed, in words that stand behind a colon.
  public var reason: String {
    switch self {
    case .system(let call, let path, let number):
      let reason = ExecutionFailure.reason(number)
      return path.map { "\(call) '\($0)': \(reason)" } ?? "\(call): \(reason)"
    case .forkServerGone: return "the process that makes supervisors was killed"
    case .forkServerFrozen(let pid): return "the process that makes supervisors (\(pid)) is stopped"
    case .supervisorGone: return "the supervisor has ended"
    case .noAnswer: return "no answer from the supervisor"
    case .notUnderstood(let what): return "not understood: \(what)"
    case .otherVersion(let slot, let version):
      return "supervisor '\(slot)' has version \(version), and this hotglue speaks version "
        + "\(Slot.version) alone"
    case .orderTooLarge(let bytes): return "arguments, environment and payload are \(bytes) bytes"
    }
  }
}
