import CSupervisor
import Glibc

/// The lock of a slot whose supervisor is gone, held until this value goes away.
///
/// While a supervisor, or a child of it that has not yet executed, lives, it holds this lock.
/// Whoever has it decides what the attempt came to, and keeps it until that is recorded.
public final class SlotLock {
  public let storeFolder: String
  public let slot: String
  private let descriptor: Int32

  private init(storeFolder: String, slot: String, descriptor: Int32) {
    self.storeFolder = storeFolder
    self.slot = slot
    self.descriptor = descriptor
  }

  deinit { Glibc.close(descriptor) }

  public enum Attempted {
    case acquired(SlotLock)
    /// Its supervisor lives, or somebody else is deciding.
    case held
    /// The file is gone, or cannot be opened: that proves nothing.
    case gone
  }

  /// Tries, on a descriptor of its own, without waiting.
  public static func tryAcquire(
    storeFolder: String, slot: String
  ) throws(ProcessError) -> Attempted {
    var descriptor: Int32 = -1
    let error = hg_slot_lock(storeFolder, slot, &descriptor)
    switch error {
    case 0:
      return .acquired(SlotLock(storeFolder: storeFolder, slot: slot, descriptor: descriptor))
    case EWOULDBLOCK: return .held
    case EBADMSG, ENOENT, ENOTDIR, EISDIR, ELOOP, ENXIO, EACCES, EPERM, EINVAL, ENAMETOOLONG:
      return .gone
    default: throw .system(call: "lock the slot", path: slot, errno: error)
    }
  }

  /// The lock of a slot whose file is lost: an empty file is made in its place, so that two processes
  /// do not find out the same at once. `gone`: it could not be made.
  public static func renewed(
    storeFolder: String, slot: String, shared: Bool
  ) throws(ProcessError) -> Attempted {
    guard hg_slot_renew(storeFolder, slot, shared) == 0 else { return .gone }
    return try tryAcquire(storeFolder: storeFolder, slot: slot)
  }

  /// Removes the slot with its log, socket and context file; the slot file last, so that a crash
  /// in between leaves it for another try. Done after the end is recorded.
  public func removeFiles() throws(ProcessError) {
    try ProcessError.check(hg_slot_remove(storeFolder, slot), "remove the slot", slot)
  }

  /// Moves what the attempt wrote to its place, and says how much it is; 0: nothing, and no file.
  /// Done before the end is recorded; done twice it is no error.
  public func keepLog(at relativePath: String, shared: Bool) throws(ProcessError) -> Int64 {
    try Slot.keepLog(
      storeFolder: storeFolder, slot: slot, at: relativePath, shared: shared)
  }

  /// The same for the job that a stream's handler had in hand, whose part of the log begins at
  /// `from`.
  public func keepLogPart(
    from: Int64, at relativePath: String, shared: Bool
  ) throws(ProcessError) -> Int64 {
    var bytes: Int64 = 0
    let error = hg_slot_keep_log_part(storeFolder, slot, relativePath, shared, from, &bytes)
    try ProcessError.check(error, "keep the log", relativePath)
    return bytes
  }
}

extension Slot {
  /// The locks of all slots that no supervisor holds any more.
  ///
  /// Whoever gets them asks the store afterwards, with the locks held, which of these slots a
  /// running attempt names: those are taken up. The others hold nothing that is not recorded, and
  /// their files are removed. (The order matters: no claim can name a slot whose lock is free.)
  public static func abandoned(storeFolder: String) throws(ProcessError) -> [SlotLock] {
    var locks: [SlotLock] = []
    // Companions of a slot have a suffix; one that is being made is hidden.
    for name in try namesIfThere(in: "\(storeFolder)/slots") where !name.contains(".") {
      // One that cannot be locked is left for the next look: it keeps nobody from the others.
      let attempted = Result { () throws(ProcessError) in
        try SlotLock.tryAcquire(storeFolder: storeFolder, slot: name)
      }
      if case .success(.acquired(let lock)) = attempted { locks.append(lock) }
    }
    return locks
  }

  /// As `SlotLock.keepLog`, for an outcome whose `logPlace` is `inSlot`.
  public static func keepLog(
    storeFolder: String, slot: String, at relativePath: String, shared: Bool
  ) throws(ProcessError) -> Int64 {
    var bytes: Int64 = 0
    let error = hg_slot_keep_log(storeFolder, slot, relativePath, shared, &bytes)
    try ProcessError.check(error, "keep the log", relativePath)
    return bytes
  }
}
