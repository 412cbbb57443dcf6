public import Glibc

/// What `stat` says about one file or directory: what trust is judged by.
public struct FileFacts: Hashable, Sendable {
  public enum Kind: Hashable, Sendable { case file, directory, link, other }

  public var owner: UInt32
  public var group: UInt32
  public var mode: UInt32
  public var kind: Kind

  public init(owner: UInt32, group: UInt32, mode: UInt32, kind: Kind) {
    self.owner = owner
    self.group = group
    self.mode = mode
    self.kind = kind
  }

  public init(_ status: stat) {
    let kind: Kind =
      switch status.st_mode & S_IFMT {
      case S_IFREG: .file
      case S_IFDIR: .directory
      case S_IFLNK: .link
      default: .other
      }
    self.init(
      owner: status.st_uid, group: status.st_gid, mode: status.st_mode & 0o7777, kind: kind)
  }

  /// Of the path itself: a link is not followed.
  public init(of path: String) throws(FileError) {
    var status = stat()
    guard lstat(path, &status) == 0 else { throw FileError("look at", path) }
    self.init(status)
  }

  /// Of what the path leads to; `nil` when that cannot be told.
  public init?(leadingTo path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    self.init(status)
  }

  public var isDirectory: Bool { kind == .directory }
  public var isOpenToAll: Bool { mode & 0o002 != 0 }
  public var isOpenToGroup: Bool { mode & 0o020 != 0 }
  /// Only the owner of what lies in it may rename or remove it there, as in /tmp.
  public var isSticky: Bool { mode & 0o1000 != 0 }
}

/// A step on a file that failed: which, on what, and the `errno`.
public struct FileError: Error, Hashable {
  public var step: String
  public var path: String
  public var code: Int32

  public init(_ step: String, _ path: String, code: Int32 = errno) {
    self.step = step
    self.path = path
    self.code = code
  }
}
