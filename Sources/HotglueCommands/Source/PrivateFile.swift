import Glibc
import HotglueCore

/// A file of the store's folder that nobody but its users may read: configurations and what a tap is
/// given.
struct PrivateFile {
  let path: String
  /// Several users share the store.
  let isShared: Bool

  /// Replaces it as a whole, durably; its folder is made when it is missing.
  func write(_ bytes: some Sequence<UInt8>) throws(SystemError) {
    let folder = Path.folder(of: path)
    let made = mkdir(folder, isShared ? 0o2770 : 0o700)
    guard made == 0 || errno == EEXIST else { throw SystemError("make the folder", folder) }
    if made == 0, isShared { chmod(folder, 0o2770) }
    let temporary = "\(path).\(getpid())"
    guard unlink(temporary) == 0 || errno == ENOENT else {
      throw SystemError("remove", temporary)
    }
    let mode: mode_t = isShared ? 0o660 : 0o600
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
    guard descriptor >= 0 else { throw SystemError("create", temporary) }
    do {
      defer { close(descriptor) }
      guard fchmod(descriptor, mode) == 0 else { throw SystemError("set the mode of", temporary) }
      try Self.write(Array(bytes), to: descriptor, temporary)
      guard fsync(descriptor) == 0 else { throw SystemError("sync", temporary) }
    }
    guard rename(temporary, path) == 0 else { throw SystemError("replace", path) }
    let opened = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard opened >= 0 else { throw SystemError("open", folder) }
    defer { close(opened) }
    guard fsync(opened) == 0 else { throw SystemError("sync", folder) }
  }

  /// Takes it away, if it is there.
  func remove() throws(SystemError) {
    guard unlink(path) == 0 || errno == ENOENT else { throw SystemError("remove", path) }
  }

  private static func write(
    _ bytes: [UInt8], to descriptor: Int32, _ path: String
  ) throws(SystemError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw SystemError("write", path) }
      rest = rest.dropFirst(count)
    }
  }
}
