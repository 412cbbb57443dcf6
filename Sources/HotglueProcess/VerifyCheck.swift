import CSupervisor
import Glibc
public import HotglueCore

/// A job's `--verify` command, asked whether an attempt of unknown outcome happened.
///
/// It runs by `/bin/sh -c` in the job's folder, without input or output, and dies with the process
/// that asks: whoever takes the attempt up next asks again.
public final class VerifyCheck {
  public enum Answer: Equatable, Sendable {
    case exited(Int32)
    /// It took longer than `boundMs` and was killed.
    case overdue
    case killed(signal: Int32)
  }

  public static let boundMs: Int64 = 60_000

  /// Readable when the command has ended.
  public let fileDescriptor: Int32
  /// Boot-clock milliseconds at which it is killed.
  public let deadlineMs: Int64
  private let pid: pid_t
  private let command: String
  private let directory: String
  private let path: String?
  private var isReaped = false

  private init(
    fileDescriptor: Int32, pid: pid_t, command: String, directory: String, path: String?
  ) {
    self.command = command
    self.directory = directory
    self.path = path
    self.fileDescriptor = fileDescriptor
    self.pid = pid
    deadlineMs = BootClock.now() + Self.boundMs
  }

  deinit {
    if !isReaped {
      kill(-pid, SIGKILL)
      kill(pid, SIGKILL)
      waitpid(pid, nil, 0)
    }
    close(fileDescriptor)
  }

  public static func start(
    _ command: String, directory: String, umask: FileMask, environment: [String]
  ) throws(ProcessError) -> VerifyCheck {
    var descriptor: Int32 = -1
    var pid: pid_t = 0
    var kind: UInt32 = 0
    let variables = InheritedBytes.vector(environment)
    defer { for variable in variables { free(variable) } }
    let error = variables.withUnsafeBufferPointer { pointers in
      hg_check_start(
        command, directory, mode_t(umask.bits), pointers.baseAddress, &descriptor, &pid, &kind)
    }
    switch Int(kind) {
    case Int(HG_CHDIR_FAILED): try ProcessError.check(error, "enter", directory)
    case Int(HG_EXEC_FAILED): try ProcessError.check(error, "execute", "/bin/sh")
    default: try ProcessError.check(error, "start the check command")
    }
    return VerifyCheck(
      fileDescriptor: descriptor, pid: pid, command: command, directory: directory,
      path: environment.last { $0.hasPrefix("PATH=") }.map { String($0.dropFirst(5)) })
  }

  /// Why the command could not be executed, where that is what the answer says.
  public func refusal(in answer: Answer) -> String? {
    guard case .exited(let status) = answer else { return nil }
    return ExecutionFailure.reason(
      ofShellStatus: status, command, path: path, in: directory)
  }

  /// Its answer, or `nil` while it runs. Past the bound it is killed.
  public func answer() throws(ProcessError) -> Answer? {
    var status: Int32 = 0
    let ended = waitpid(pid, &status, WNOHANG)
    if ended < 0 { throw .system(call: "waitpid", path: nil, errno: errno) }
    if ended == 0 {
      guard BootClock.now() >= deadlineMs else { return nil }
      kill(-pid, SIGKILL)
      kill(pid, SIGKILL)
      waitpid(pid, nil, 0)
      isReaped = true
      return .overdue
    }
    isReaped = true
    switch ChildEnd(waitStatus: status) {
    case .exited(let status): return .exited(status)
    case .killed(let signal): return .killed(signal: signal)
    }
  }
}

/// Waits until the descriptor is readable or the boot-clock time has come.
public func waitForInput(_ descriptor: Int32?, untilMs: Int64) {
  let rest = max(0, untilMs - BootClock.now())
  var entries = descriptor.map { [pollfd(fd: $0, events: Int16(POLLIN), revents: 0)] } ?? []
  _ = poll(&entries, nfds_t(entries.count), Int32(clamping: rest))
}
