import Glibc
import HotglueCore
import HotglueFiles
import HotglueProcess

/// The lock under which one context file is made, switched or put right: a kernel lock on a file
/// beside it, so that it ends with its process.
struct ContextLock: ~Copyable {
  private let file: LockFile

  /// Waits for the lock at most this long.
  static let bound = Span.seconds(30)

  /// `nil` when someone else has it and `wait` is false.
  init?(beside realPath: String, mode: mode_t, wait: Bool) throws {
    let path = realPath + ".lock"
    let lock: LockFile
    do throws(FileError) {
      lock = try LockFile(path, isShared: mode & 0o060 != 0)
    } catch {
      throw SystemError("lock", path, code: error.code)
    }
    var waited: useconds_t = 0
    while try !SystemError.of(lock.tryLock) {
      guard wait else { return nil }
      guard Int64(waited) < Self.bound.milliseconds * 1000 else {
        throw Self.busy(realPath, HeldLocks().holder(of: path).flatMap { SeenProcess($0) })
      }
      usleep(5000)
      waited += 5000
    }
    file = lock
  }

  private static func busy(_ realPath: String, _ holder: SeenProcess?) -> CommandError {
    let waited = "waited \(bound.approximateText) for the switch lock of '\(realPath)'"
    guard let holder else {
      return CommandError(
        "busy", .tryLater, "\(waited), which another process holds",
        hint: "try again; a process that is stopped must be woken or killed")
    }
    let began = Timestamp(
      milliseconds: WallClock.now() - (BootClock.now() - holder.beganMs))
    return CommandError(
      "busy", .tryLater,
      "\(waited), which pid \(holder.pid) (\(holder.words)), begun at \(began.rfc3339), holds"
        + (holder.isFrozen ? " and is stopped" : ""),
      hint: holder.isFrozen
        ? "wake it with 'kill -CONT \(holder.pid)', or end it with 'kill -KILL \(holder.pid)': the "
          + "next command puts right what it began"
        : "try again",
      facts: [
        JSON.Member("holder", .string("pid \(holder.pid) (\(holder.words))")),
        JSON.Member("pid", .integer(Int64(holder.pid))),
        JSON.Member("since", .string(began.rfc3339)),
        JSON.Member("waited_ms", .integer(bound.milliseconds)),
      ])
  }
}
