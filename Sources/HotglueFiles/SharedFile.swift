import CFiles
import Glibc

/// Files and directories of a store, made by descriptor: a link in the last part of a path is never
/// followed, and in a shared store a file gets mode and group before its name. What root makes in a
/// directory of another user is that user's.
public enum SharedFile {
  /// The modes of what one user keeps, or what a group shares.
  public static func mode(isShared: Bool) -> UInt32 { isShared ? 0o660 : 0o600 }
  public static func directoryMode(isShared: Bool) -> UInt32 { isShared ? 0o2770 : 0o700 }

  /// Creates a file that must not exist yet; the descriptor is the caller's to close.
  public static func create(_ path: String, isShared: Bool) throws(FileError) -> Int32 {
    let descriptor = cfiles_create(AT_FDCWD, path, mode(isShared: isShared))
    guard descriptor >= 0 else { throw FileError("create", path, code: -descriptor) }
    return descriptor
  }

  /// Opens a regular file for reading and writing, and creates it if it is missing.
  public static func open(_ path: String, isShared: Bool) throws(FileError) -> Int32 {
    let descriptor = cfiles_open_or_create(AT_FDCWD, path, mode(isShared: isShared))
    guard descriptor >= 0 else { throw FileError("open", path, code: -descriptor) }
    return descriptor
  }

  /// Creates a directory; false: something with that name is there. `isOwn`: it is this user's, also where
  /// root makes it in a directory of another user.
  @discardableResult
  public static func createDirectory(
    _ path: String, isShared: Bool, isOwn: Bool = false
  ) throws(FileError) -> Bool {
    let code = cfiles_create_directory(
      AT_FDCWD, path, directoryMode(isShared: isShared), isOwn)
    if code == EEXIST { return false }
    guard code == 0 else { throw FileError("create", path, code: code) }
    return true
  }

  /// Sets the mode of a directory that is there, and with `group` its group.
  public static func setAccess(
    ofDirectory path: String, isShared: Bool, group: UInt32?
  ) throws(FileError) {
    let code = cfiles_share_directory(
      path, directoryMode(isShared: isShared), group ?? gid_t.max)
    guard code == 0 else { throw FileError("share", path, code: code) }
  }

  public static func write(
    _ bytes: [UInt8], to descriptor: Int32, _ path: String
  ) throws(FileError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw FileError("write", path) }
      rest = rest.dropFirst(count)
    }
  }

  /// Makes the names in the directory of `path` durable.
  public static func sync(directoryOf path: String) throws(FileError) {
    guard let slash = path.lastIndex(of: "/") else { return try sync(directory: ".") }
    try sync(directory: slash == path.startIndex ? "/" : String(path[..<slash]))
  }

  public static func sync(directory path: String) throws(FileError) {
    let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { throw FileError("open", path) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw FileError("sync", path) }
  }
}
