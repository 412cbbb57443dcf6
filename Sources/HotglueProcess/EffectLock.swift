import Glibc
import HotglueFiles

/// The lock of one effect, held until this value and every process that inherited it have gone.
///
/// It is a file of its own below the store's folder. The command of the effect inherits the lock, and
/// so does what that starts: the effect is neither checked nor carried out again before the last of
/// them has ended. A process that closes descriptors it does not know gives its share up; it is found
/// by the mark in its environment, which the locked file names.
public final class EffectLock {
  let file: LockFile
  var descriptor: Int32 { file.descriptor }
  /// What the effect's command carries in its environment.
  let mark: String

  private init(_ file: LockFile, mark: String) {
    self.file = file
    self.mark = mark
  }

  public enum Attempted {
    case acquired(EffectLock)
    /// By this process, as far as that can be told from here.
    case held(EffectKeeper?)
    /// A process above this one holds it, so that waiting would never end.
    case heldByAncestor
  }

  static let folderName = "effects"

  public static func path(storeFolder: String, name: String) -> String {
    "\(storeFolder)/\(folderName)/\(name)"
  }

  /// The folder of the locks, which is there once one was taken.
  public static func folder(storeFolder: String) -> String { "\(storeFolder)/\(folderName)" }

  /// Tries once, without waiting; the folder and the file are made as needed.
  ///
  /// `mayRun`: the effect may have been begun before, so that processes that carry its mark are looked
  /// for even where no file says so: the file may have been removed.
  public static func tryAcquire(
    storeFolder: String, name: String, shared: Bool, mayRun: Bool = true
  ) throws(ProcessError) -> Attempted {
    switch try attempt(storeFolder: storeFolder, name: name, shared: shared, mayRun: mayRun) {
    case .acquired(let lock): return .acquired(lock)
    case .heldByAncestor: return .heldByAncestor
    case .left(let keeper): return .held(keeper)
    case .held:
      return .held(try look(storeFolder: storeFolder, name: name).keeper)
    }
  }

  /// Waits until `deadline` (boot-clock milliseconds; `nil`: as long as it takes).
  public static func acquire(
    storeFolder: String, name: String, shared: Bool, mayRun: Bool = true,
    until deadline: Int64?
  ) throws(ProcessError) -> Attempted {
    var pause: Int64 = 1
    var left: EffectKeeper?
    while true {
      // While one that is known lives on, there is no need to look at all others.
      if left?.process.isStillThere != true {
        left = nil
        switch try attempt(storeFolder: storeFolder, name: name, shared: shared, mayRun: mayRun) {
        case .acquired(let lock): return .acquired(lock)
        case .heldByAncestor: return .heldByAncestor
        case .left(let keeper): left = keeper
        case .held: break
        }
      }
      let rest = deadline.map { $0 - BootClock.now() } ?? pause
      if rest <= 0 {
        if let left { return .held(left) }
        return .held(try look(storeFolder: storeFolder, name: name).keeper)
      }
      usleep(UInt32(min(pause, rest)) * 1000)
      pause = min(pause * 2, 50)
    }
  }

  private enum Attempt {
    case acquired(EffectLock)
    case held
    /// The lock is free, and a process that gave its share of it up lives.
    case left(EffectKeeper)
    case heldByAncestor
  }

  private static func attempt(
    storeFolder: String, name: String, shared: Bool, mayRun: Bool
  ) throws(ProcessError) -> Attempt {
    let folder = "\(storeFolder)/\(folderName)"
    let path = Self.path(storeFolder: storeFolder, name: name)
    while true {
      let file = try open(path, in: folder, shared: shared)
      guard try ProcessError.of(file.tryLock) else {
        if isInherited(file) { return .heldByAncestor }
        let record = record(in: file)
        return record.map { EffectMark.isOwn($0.mark) } == true ? .heldByAncestor : .held
      }
      // The one who had it may have removed the file between our opening and our locking.
      guard file.isAtItsPath else { continue }
      let mark = EffectMark.of(storeFolder: storeFolder, name: name)
      let lock = EffectLock(file, mark: mark)
      let record = record(in: file)
      if EffectMark.isOwn(record?.mark ?? mark) { return .heldByAncestor }
      if let record { return try left(of: record).map(Attempt.left) ?? .acquired(lock) }
      // A record that is missing proves nothing: the file may be another one than the runner locked.
      guard mayRun, let keeper = try left(marked: mark) else { return .acquired(lock) }
      return .left(keeper)
    }
  }

  /// Removes the file of an effect that is confirmed and needs no lock any more. A file that stays
  /// harms nobody.
  public func removeFile() { file.removeFile() }

  /// Removes the lock files of effects that nobody carries out, and that are older than `ageMs`; a file
  /// is made anew when it is needed. Each is locked first, and one who had opened it meanwhile notices
  /// that it is gone. One whose mark somebody carries stays.
  public static func removeAbandoned(
    storeFolder: String, olderThanMs ageMs: Int64
  ) throws(ProcessError) {
    let folder = "\(storeFolder)/\(folderName)"
    var marked: MarkedProcesses?
    for name in try namesIfThere(in: folder) {
      let path = folder + "/" + name
      var facts = stat()
      guard lstat(path, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG,
        Int64(facts.st_mtim.tv_sec) * 1000 < WallClock.now() - ageMs
      else { continue }
      // Somebody else may have removed it, and another user's file is that user's to remove.
      guard let file = try? LockFile(existing: path), (try? file.tryLock()) == true,
        file.isAtItsPath
      else { continue }
      if let record = record(in: file) {
        let all: MarkedProcesses
        if let marked { all = marked } else { all = try MarkedProcesses() }
        marked = all
        if try left(of: record, all) != nil { continue }
      }
      file.removeFile()
    }
  }

  private static func open(
    _ path: String, in folder: String, shared: Bool
  ) throws(ProcessError) -> LockFile {
    while true {
      do throws(FileError) {
        return try LockFile(path, isShared: shared)
      } catch {
        guard error.code == ENOENT else { throw ProcessError(error) }
      }
      try ProcessError.of { () throws(FileError) in
        try SharedFile.createDirectory(folder, isShared: shared)
      }
    }
  }

  /// Whether this process was given another descriptor of the file: the command of an effect was.
  private static func isInherited(_ file: LockFile) -> Bool {
    names(in: "/proc/self/fd").contains { name in
      guard let number = Int32(name), number != file.descriptor else { return false }
      return file.isSameFile(as: number)
    }
  }
}
