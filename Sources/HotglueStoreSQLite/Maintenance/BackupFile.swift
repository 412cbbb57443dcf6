import Glibc
import HotglueStore

/// A backup as a file: what is in it counts, and nothing that lies beside it.
enum BackupFile {
  private static let piece = 1 << 20

  /// Copies the backup into a file that is there, through one descriptor of each.
  static func copy(_ backup: String, to target: String) throws(StoreError) {
    let source = open(backup, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard source >= 0 else { throw StoreError(errno: errno, path: backup) }
    defer { close(source) }
    var status = stat()
    guard fstat(source, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw StoreError.noBackup(path: backup, reason: "it is no regular file")
    }
    try refuseStore(backup, ownedBy: status.st_uid)
    let copy = open(target, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW)
    guard copy >= 0 else { throw StoreError(errno: errno, path: target) }
    defer { close(copy) }
    var bytes = [UInt8](repeating: 0, count: piece)
    while true {
      let count = read(source, &bytes, bytes.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw StoreError(errno: errno, path: backup) }
      if count == 0 { return }
      var written = 0
      while written < count {
        let step = bytes.withUnsafeBytes { buffer in
          write(copy, buffer.baseAddress.map { $0 + written }, count - written)
        }
        if step < 0, errno == EINTR { continue }
        guard step > 0 else { throw StoreError(errno: errno, path: target) }
        written += step
      }
    }
  }

  /// A store, or a copy of its file, is not whole without the log beside it. What another user has put
  /// there is no part of the backup.
  private static func refuseStore(_ backup: String, ownedBy owner: UInt32) throws(StoreError) {
    for suffix in ["-wal", "-journal"] {
      var status = stat()
      guard lstat(backup + suffix, &status) == 0, status.st_uid == owner, status.st_size > 0 else {
        continue
      }
      throw StoreError.noBackup(
        path: backup,
        reason: "it is a store in use, with '\(backup + suffix)' beside it; "
          + "'hotglue store backup' makes a backup of it")
    }
  }
}
