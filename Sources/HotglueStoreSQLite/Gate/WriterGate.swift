import CSQLite
import Glibc
import HotglueCore
import HotglueStore

/// The kernel lock that every writing transaction and every checkpoint of every process takes first.
///
/// Two `flock`s as a turnstile: take A, take B, free A, work, free B. Who waits, waits in the kernel's
/// queue instead of sleeping and retrying, and at most one waits at B, so nobody is overtaken for long.
/// Because no checkpoint can overlap another checkpoint or a writer that restarts the log, the
/// WAL-reset defect of SQLite 3.7.0 to 3.51.2 cannot strike.
///
/// The locks are on files of their own: closing a second descriptor on the database or its shared
/// memory would drop SQLite's own locks. A process that dies frees them.
final class WriterGate {
  private let turnstile: Int32
  private let work: Int32
  private let folder: String

  /// Opens the gate's files; makes those that are missing, with the mode that `shared` asks for.
  init(folder: String, shared: Bool) throws(StoreError) {
    self.folder = folder
    turnstile = try Self.open(folder + "/gate.a", shared: shared)
    do throws(StoreError) {
      work = try Self.open(folder + "/gate.b", shared: shared)
    } catch {
      close(turnstile)
      throw error
    }
  }

  deinit {
    close(turnstile)
    close(work)
  }

  private static func open(_ path: String, shared: Bool) throws(StoreError) -> Int32 {
    let flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW
    var descriptor = Glibc.open(path, flags)
    if descriptor < 0, errno == ENOENT {
      descriptor = Glibc.open(path, flags | O_CREAT, 0o600)
      if descriptor >= 0, shared { fchmod(descriptor, 0o660) }
    }
    guard descriptor >= 0 else { throw StoreError(errno: errno, path: path) }
    return descriptor
  }

  /// Passes the gate, or throws `busy` with the name of the holder after `bound`.
  func enter(within bound: Span) throws(StoreError) {
    let deadline = Self.monotonicMilliseconds() + bound.milliseconds
    try lock(turnstile, until: deadline, bound)
    do throws(StoreError) {
      try lock(work, until: deadline, bound)
    } catch {
      flock(turnstile, LOCK_UN)
      throw error
    }
    flock(turnstile, LOCK_UN)
  }

  func leave() { flock(work, LOCK_UN) }

  private func lock(_ descriptor: Int32, until deadline: Int64, _ bound: Span) throws(StoreError) {
    if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return }
    switch csqlite_lock_until(descriptor, deadline) {
    case 0: return
    case ETIMEDOUT:
      // Whoever works holds B; if nobody does, the one at the turnstile is what stops everybody.
      throw StoreError.busy(
        holder: GateHolder.name(ofLockOn: work) ?? GateHolder.name(ofLockOn: turnstile),
        waited: bound)
    case let code: throw StoreError(errno: code, path: folder)
    }
  }

  private static func monotonicMilliseconds() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
  }

  // MARK: The note

  /// What the last holder left for the next: how long the log is. Only a hint: it is written without
  /// a sync, and a holder that dies after its commit leaves an older one.
  struct Note: Equatable {
    /// Frames in the log after the last commit.
    var frames: UInt32 = 0
    /// The length from which the next checkpoint is worth a try, when readers kept the last one from
    /// finishing; 0 otherwise.
    var retryAt: UInt32 = 0
  }

  /// Read and written only while the gate is held.
  var note: Note {
    get {
      var words: (UInt32, UInt32) = (0, 0)
      let count = withUnsafeMutableBytes(of: &words) { pread(work, $0.baseAddress, 8, 0) }
      return count == 8 ? Note(frames: words.0, retryAt: words.1) : Note()
    }
    set {
      var words = (newValue.frames, newValue.retryAt)
      // A note that cannot be written costs a late checkpoint, never a commit.
      _ = withUnsafeBytes(of: &words) { pwrite(work, $0.baseAddress, 8, 0) }
    }
  }
}
