import Glibc
import HotglueFiles

/// The names of lock files in a folder that nobody holds and that are older than `ageMs`: younger ones
/// may be between being made and being locked.
public func abandonedLocks(
  in folder: String, olderThanMs ageMs: Int64
) throws(ProcessError) -> [String] {
  try namesIfThere(in: folder).filter { name in
    var facts = stat()
    let path = folder + "/" + name
    guard name.hasSuffix(".lock"), lstat(path, &facts) == 0,
      Int64(facts.st_mtim.tv_sec) * 1000 < WallClock.now() - ageMs
    else { return false }
    return LockFile.state(of: path) == .free
  }
}
