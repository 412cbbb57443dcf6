import CSupervisor
import Glibc

/// The small process that makes supervisors.
///
/// Started first, before the store is opened, before any thread exists and while the heap is
/// small. It ends when this value goes away, also by the worker's death; supervisors stay.
public final class ForkServer {
  private let descriptor: Int32
  private let pid: pid_t
  private let storeFolder: String
  private var hasEnded = false

  private init(descriptor: Int32, pid: pid_t, storeFolder: String) {
    self.descriptor = descriptor
    self.pid = pid
    self.storeFolder = storeFolder
  }

  /// Forks it. `storeFolder` exists (`STORE.d`); `slots` and `logs` are made in it.
  ///
  /// - Parameters:
  ///   - shared: several users share the store: files are 0660, folders 2770.
  ///   - recorder: the command, with absolute paths, that records the outcome of an attempt that
  ///     no worker minds. The slot's name is put after it; it has the worker's environment, `/` as
  ///     its folder and 90 seconds, and exits 0 when the outcome is in the store.
  public static func start(
    storeFolder: String, storeID: String, shared: Bool, recorder: [String]
  ) throws(ProcessError) -> ForkServer {
    // The child goes on with its own copy of these, and never returns here.
    var words: [UnsafeMutablePointer<CChar>?] = recorder.map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var descriptor: Int32 = -1
    var pid: pid_t = 0
    let error = storeFolder.withCString { folder in
      storeID.withCString { identifier in
        words.withUnsafeMutableBufferPointer { words in
          var config = hg_fork_server_config(
            store_folder: folder, store_id: identifier, shared: shared,
            recorder: words.baseAddress.map { UnsafePointer($0) })
          return hg_fork_server_start(&config, &descriptor, &pid)
        }
      }
    }
    try ProcessError.check(error, "start the fork server", storeFolder)
    return ForkServer(descriptor: descriptor, pid: pid, storeFolder: storeFolder)
  }

  deinit {
    end()
    Glibc.close(descriptor)
  }

  /// Ends it, also when it is stopped; it makes nothing more, and what it made lives on.
  public func end() {
    guard !hasEnded else { return }
    hasEnded = true
    // It has no state: killing it is quick and safe, and leaves no zombie. Where it is no child any
    // more (a program that has its children reaped by the kernel) its ID may be anybody's.
    guard waitpid(pid, nil, WNOHANG) == 0 else { return }
    kill(pid, SIGKILL)
    while waitpid(pid, nil, 0) < 0 && errno == EINTR { continue }
  }

  /// How long it is seen to be stopped before it is given up: a debugger's look is shorter.
  private static let frozenLooks = 5
  private static let lookEveryMs: Int64 = 200

  /// Makes a supervisor with a slot of its own, and waits (some milliseconds, at most ten seconds)
  /// until it is ready. After a second in which the fork server was stopped it throws `forkServerFrozen`:
  /// then it is ended, and another one takes its place.
  public func makeSupervisor() throws(ProcessError) -> SupervisorLink {
    var link: Int32 = -1
    let error = hg_fork_server_request(descriptor, &link)
    if error == EPIPE || error == ECONNRESET || error == ENOTCONN { throw .forkServerGone }
    // As many requests lie there as the kernel keeps: it has not read for long.
    if error == EAGAIN { throw .forkServerFrozen(pid: pid) }
    try ProcessError.check(error, "ask the fork server", storeFolder)
    let made = SupervisorLink(fileDescriptor: link, slotName: "", storeFolder: storeFolder)
    let deadline = BootClock.now() + 10_000
    var frozenLooks = 0
    while true {
      let until = min(deadline, BootClock.now() + Self.lookEveryMs)
      if try made.isGreeted(until: until) { return made }
      if until == deadline { throw .noAnswer }
      frozenLooks = SeenProcess(pid)?.isFrozen == true ? frozenLooks + 1 : 0
      if frozenLooks == Self.frozenLooks { throw .forkServerFrozen(pid: pid) }
    }
  }
}
