import CSupervisor
import Glibc

/// The command of an effect, or the check command that is asked about one. It dies with this process.
public final class StepProcess {
  public enum Kind: Sendable {
    /// In the caller's process group, with its standard input and error.
    case command
    /// Without input, in a process group of its own, so that one that hangs can be killed whole.
    case check
  }

  public enum Start {
    case started(StepProcess)
    /// Nothing was run; the number is that of the system's error.
    case notExecuted(errno: Int32)
    /// Nothing was run, since the mark that it would be found by could not be left.
    case notMarked(ProcessError)
  }

  public enum End: Equatable, Sendable {
    case exited(Int32)
    case killed(signal: Int32)
    /// It took longer than its bound and was killed.
    case overdue
  }

  /// How long a check command may take.
  public static let checkBoundMs: Int64 = 60_000

  private let pid: pid_t
  private let output: Int32
  private let pidDescriptor: Int32
  private let kind: Kind
  private var isReaped = false

  private init(pid: pid_t, output: Int32, pidDescriptor: Int32, kind: Kind) {
    self.pid = pid
    self.output = output
    self.pidDescriptor = pidDescriptor
    self.kind = kind
  }

  deinit {
    if !isReaped {
      killAll()
      while waitpid(pid, nil, 0) < 0 && errno == EINTR { continue }
    }
    close(output)
    close(pidDescriptor)
  }

  /// Starts the command of the effect whose lock this is. It and all that it starts can be found by a
  /// mark, which stands in the locked file before anything runs. `title` names the effect, for people.
  public static func start(
    _ words: [String], environment: [String], lock: EffectLock, title: String
  ) throws(ProcessError) -> Start {
    do throws(ProcessError) {
      try lock.record(title: title)
    } catch {
      return .notMarked(error)
    }
    let variables = EffectMark.variables(environment, adding: lock.mark)
    let start = try start(words, .command, environment: variables, lock: lock)
    if case .notExecuted = start { lock.eraseRecord() }
    return start
  }

  /// Starts `words` with these variables (`NAME=VALUE`), which also say where it is looked for.
  public static func start(
    _ words: [String], _ kind: Kind, environment: [String], lock: EffectLock?
  ) throws(ProcessError) -> Start {
    let texts = words.map { strdup($0) }
    // The two places before the arguments are for `/bin/sh FILE`: a child that is a text without
    // `#!` has written them, in memory that it shares, so they are not what is freed.
    var arguments = [nil, nil] + texts + [nil]
    let variables = InheritedBytes.vector(environment)
    defer { for text in texts + variables { free(text) } }
    var output: Int32 = -1
    var pidDescriptor: Int32 = -1
    var pid: pid_t = 0
    var failure: UInt32 = 0
    let error = arguments.withUnsafeMutableBufferPointer { arguments in
      variables.withUnsafeBufferPointer { variables in
        hg_step_start(
          arguments.baseAddress.map { UnsafePointer($0 + 2) }, variables.baseAddress,
          lock?.descriptor ?? -1, kind == .check, &output, &pidDescriptor, &pid, &failure)
      }
    }
    if error != 0, failure != 0 { return .notExecuted(errno: error) }
    try ProcessError.check(error, "start", words.first)
    return .started(
      StepProcess(pid: pid, output: output, pidDescriptor: pidDescriptor, kind: kind))
  }

  /// Gives what it writes to `write` as it comes, until its main process has ended and what is in the
  /// pipe then is read. `signals`, if any, are passed on; to a command all but INT, which a terminal
  /// sends to the whole group by itself.
  public func wait(
    boundMs: Int64? = nil, passing signals: LeavingSignals? = nil, write: ([UInt8]) -> Void
  ) throws(ProcessError) -> End {
    let deadline = boundMs.map { BootClock.now() + $0 }
    var isOpen = true
    while true {
      var entries = [
        pollfd(fd: pidDescriptor, events: Int16(POLLIN), revents: 0),
        pollfd(fd: isOpen ? output : -1, events: Int16(POLLIN), revents: 0),
        pollfd(fd: signals?.fileDescriptor ?? -1, events: Int16(POLLIN), revents: 0),
      ]
      let rest = deadline.map { max(0, $0 - BootClock.now()) } ?? -1
      if poll(&entries, nfds_t(entries.count), Int32(clamping: rest)) < 0, errno != EINTR {
        throw .system(call: "poll", path: nil, errno: errno)
      }
      for signal in signals?.take() ?? [] { pass(signal) }
      if entries[0].revents != 0 {
        if isOpen { _ = try read(atMost: 1 << 20, write) }
        return try reap()
      }
      if entries[1].revents != 0 { isOpen = try read(atMost: 1 << 16, write) }
      if let deadline, BootClock.now() >= deadline {
        killAll()
        _ = try reap()
        return .overdue
      }
    }
  }

  /// Reads what is there, up to so many bytes; false at the end of the pipe.
  private func read(atMost limit: Int, _ write: ([UInt8]) -> Void) throws(ProcessError) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    var taken = 0
    while taken < limit {
      let count = Glibc.read(output, &buffer, buffer.count)
      if count == 0 { return false }
      if count < 0 {
        if errno == EINTR { continue }
        if errno == EAGAIN { return true }
        throw .system(call: "read", path: nil, errno: errno)
      }
      write(Array(buffer[..<count]))
      taken += count
    }
    return true
  }

  private func reap() throws(ProcessError) -> End {
    let end = try ChildEnd(reaping: pid)
    isReaped = true
    switch end {
    case .exited(let status): return .exited(status)
    case .killed(let signal): return .killed(signal: signal)
    }
  }

  private func pass(_ signal: Int32) {
    switch kind {
    case .check: kill(-pid, signal)
    case .command: if signal != SIGINT { kill(pid, signal) }
    }
  }

  private func killAll() {
    if kind == .check { kill(-pid, SIGKILL) }
    kill(pid, SIGKILL)
  }
}
