import CSQLite
import Glibc
import HotglueCore
import HotglueFiles
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
  private var turnstile: LockFile
  private var work: LockFile
  private let folder: String
  private let isShared: Bool

  /// Opens the gate's files; makes those that are missing, with the mode that `shared` asks for.
  init(folder: String, shared: Bool) throws(StoreError) {
    self.folder = folder
    isShared = shared
    turnstile = try Self.open(folder + "/gate.a", isShared: shared)
    work = try Self.open(folder + "/gate.b", isShared: shared)
  }

  private static func open(_ path: String, isShared: Bool) throws(StoreError) -> LockFile {
    do throws(FileError) {
      return try LockFile(path, isShared: isShared)
    } catch {
      throw StoreError(error)
    }
  }

  /// Passes the gate, or throws `busy` with the name of the holder after `bound`.
  ///
  /// The locks count only on the files that others will open: once a file was removed or replaced, its
  /// lock keeps nobody out, and the one at the path is taken instead.
  func enter(within bound: Span) throws(StoreError) {
    let deadline = Self.monotonicMilliseconds() + bound.milliseconds
    while true {
      try lock(turnstile, until: deadline, bound)
      defer { turnstile.unlock() }
      guard turnstile.isAtItsPath else {
        turnstile = try Self.open(turnstile.path, isShared: isShared)
        continue
      }
      try lock(work, until: deadline, bound)
      if work.isAtItsPath { return }
      work.unlock()
      work = try Self.open(work.path, isShared: isShared)
    }
  }

  func leave() { work.unlock() }

  private func lock(_ file: LockFile, until deadline: Int64, _ bound: Span) throws(StoreError) {
    if (try? file.tryLock()) == true { return }
    switch csqlite_lock_until(file.descriptor, deadline) {
    case 0: return
    case ETIMEDOUT:
      // Whoever works holds B; if nobody does, the one at the turnstile is what stops everybody.
      throw StoreError.busy(
        holder: GateHolder.name(ofLockOn: work.descriptor)
          ?? GateHolder.name(ofLockOn: turnstile.descriptor),
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
      let count = withUnsafeMutableBytes(of: &words) {
        pread(work.descriptor, $0.baseAddress, 8, 0)
      }
      return count == 8 ? Note(frames: words.0, retryAt: words.1) : Note()
    }
    set {
      var words = (newValue.frames, newValue.retryAt)
      // A note that cannot be written costs a late checkpoint, never a commit.
      _ = withUnsafeBytes(of: &words) { pwrite(work.descriptor, $0.baseAddress, 8, 0) }
    }
  }
}
