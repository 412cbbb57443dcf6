import CSupervisor
import Glibc
public import HotglueCore

/// A tap (or target): its output as it comes, what it complains of, and its end. It dies with this
/// process, and what it left running in its process group dies with it.
public final class TapProcess {
  public enum Start {
    case started(TapProcess)
    /// Nothing was run: the program or the folder is not there. The number is that of the system's error.
    case notExecuted(errno: Int32)
    case noFolder(errno: Int32)
  }

  /// Why it was stopped from here, if it was.
  public enum Stop: Equatable, Sendable {
    /// It wrote nothing, neither output nor complaint, for the idle time-out, and was listened to.
    case idle
    /// This signal came to us.
    case signal(Int32)
    /// Whoever takes its output wants no more.
    case refused
  }

  public enum Piece {
    /// Valid during the call.
    case output(UnsafeBufferPointer<UInt8>)
    case errors(UnsafeBufferPointer<UInt8>)
    /// Nothing came for a tenth of a second.
    case pause
  }

  let pid: pid_t
  /// The writing end of its standard input, when it has one; -1 once that is closed.
  private(set) var input: Int32
  let output: Int32
  let errors: Int32
  let pidDescriptor: Int32
  private var isReaped = false
  private var reader = PipeReader()
  static let pauseMs: Int64 = 100

  private init(
    pid: pid_t, input: Int32, output: Int32, errors: Int32, pidDescriptor: Int32
  ) {
    self.pid = pid
    self.input = input
    self.output = output
    self.errors = errors
    self.pidDescriptor = pidDescriptor
  }

  deinit {
    if !isReaped {
      kill(-pid, SIGKILL)
      kill(pid, SIGKILL)
      while waitpid(pid, nil, 0) < 0 && errno == EINTR { continue }
    }
    closeInput()
    for descriptor in [output, errors, pidDescriptor] { close(descriptor) }
  }

  /// Starts `words` in `directory` with these variables (`NAME=VALUE`). Its standard input is empty, or
  /// a pipe that `closeInput` ends.
  public static func start(
    _ words: [String], in directory: String, umask: FileMask = .standard, environment: [String],
    withInput: Bool = false
  ) throws(ProcessError) -> Start {
    let texts = words.map { strdup($0) }
    // The two places before the arguments are for `/bin/sh FILE`.
    var arguments = [nil, nil] + texts + [nil]
    let variables = InheritedBytes.vector(environment)
    defer { for text in texts + variables { free(text) } }
    var input: Int32 = -1
    var output: Int32 = -1
    var errors: Int32 = -1
    var pidDescriptor: Int32 = -1
    var pid: pid_t = 0
    var failure: UInt32 = 0
    let error = arguments.withUnsafeMutableBufferPointer { arguments in
      variables.withUnsafeBufferPointer { variables in
        withUnsafeMutablePointer(to: &input) { input in
          hg_tap_start(
            arguments.baseAddress.map { UnsafePointer($0 + 2) }, variables.baseAddress, directory,
            mode_t(umask.bits), withInput ? input : nil, &output, &errors, &pidDescriptor, &pid,
            &failure)
        }
      }
    }
    if error != 0, failure == UInt32(HG_EXEC_FAILED) { return .notExecuted(errno: error) }
    if error != 0, failure == UInt32(HG_CHDIR_FAILED) { return .noFolder(errno: error) }
    try ProcessError.check(error, "start", words.first)
    return .started(
      TapProcess(
        pid: pid, input: input, output: output, errors: errors, pidDescriptor: pidDescriptor))
  }

  /// Tells it that nothing more comes.
  func closeInput() {
    if input >= 0 { close(input) }
    input = -1
  }

  /// Gives what it writes to `take` until its main process has ended and what is in the pipes then is
  /// read. It is stopped by the stop sequence, group and all, when `take` returns false, when one of `signals`
  /// comes, or when nothing was written for `idle`; what it writes from then on still goes to `take`,
  /// except after a refusal.
  public func wait(
    idle: Span?, stopSequence: StopSequence, stoppingOn signals: LeavingSignals?,
    take: (Piece) -> Bool
  ) throws(ProcessError) -> (end: ChildEnd, stop: Stop?) {
    var stop: Stop?
    var steps: StopSteps?
    var silence = Silence()
    var looked = BootClock.now()
    var isOpen = (output: true, errors: true)
    func hear(_ piece: Piece) {
      silence.end()
      if stop != .refused, !take(piece) { stop = .refused }
    }
    while true {
      let now = BootClock.now()
      if stop != nil, steps == nil { steps = StopSteps(stopSequence, now) }
      steps?.take(now) { kill(-pid, $0) }
      var entries = [
        pollfd(fd: pidDescriptor, events: Int16(POLLIN), revents: 0),
        pollfd(fd: isOpen.output ? output : -1, events: Int16(POLLIN), revents: 0),
        pollfd(fd: isOpen.errors ? errors : -1, events: Int16(POLLIN), revents: 0),
        pollfd(
          fd: stop == nil ? signals?.fileDescriptor ?? -1 : -1, events: Int16(POLLIN), revents: 0),
      ]
      let ready = poll(&entries, nfds_t(entries.count), Int32(Self.pauseMs))
      if ready < 0, errno != EINTR { throw .system(call: "poll", path: nil, errno: errno) }
      if ready == 0, stop != .refused, !take(.pause), stop == nil { stop = .refused }
      if entries[3].revents != 0, let signal = signals?.take().first {
        stop = stop ?? .signal(signal)
      }
      let hasEnded = entries[0].revents != 0
      if entries[...2].allSatisfy({ $0.revents == 0 }) { silence.goOn(now - looked) }
      looked = now
      if stop == nil, let idle, silence.isAtLeast(idle) { stop = .idle }
      if entries[1].revents != 0 || (hasEnded && isOpen.output) {
        isOpen.output = try reader.read(output, takesAll: hasEnded) { hear(.output($0)) }
      }
      if entries[2].revents != 0 || (hasEnded && isOpen.errors) {
        isOpen.errors = try reader.read(errors, takesAll: hasEnded) { hear(.errors($0)) }
      }
      if hasEnded { return (try reap(), stop) }
    }
  }

  /// What is left of its group goes first: as long as it is not reaped, the number is its own.
  func reap() throws(ProcessError) -> ChildEnd {
    kill(-pid, SIGKILL)
    let end = try ChildEnd(reaping: pid)
    isReaped = true
    return end
  }
}
