import CFiles
import Glibc

/// What tells a file from every copy of it: its inode and its birth time.
///
/// A `mv` within a file system keeps both; a copy, a clone and an archive have others. The device number
/// is no part of it, since a reboot may change that. Some file systems keep no birth time, which is 0
/// then.
public struct FileFingerprint: Hashable, Sendable {
  public var inode: UInt64
  /// Nanoseconds since 1970.
  public var birth: Int64

  public init(inode: UInt64, birth: Int64) {
    self.inode = inode
    self.birth = birth
  }

  /// Of the path itself: a link is not followed.
  public init(of path: String) throws(FileError) {
    self.init(inode: 0, birth: 0)
    let code = cfiles_identity(AT_FDCWD, path, &inode, &birth)
    guard code == 0 else { throw FileError("look at", path, code: code) }
  }

  /// `12345-1700000000000000000`, as it is recorded.
  public var text: String { "\(inode)-\(birth)" }

  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "-", maxSplits: 1)
    guard parts.count == 2, let inode = UInt64(parts[0]), let birth = Int64(parts[1]) else {
      return nil
    }
    self.init(inode: inode, birth: birth)
  }
}
