import Glibc
public import HotglueStore

extension SQLiteStore {
  public func backup(to path: String) throws(StoreError) {
    let target = try StorePaths(new: path)
    var status = stat()
    guard lstat(target.database, &status) != 0 else {
      throw StoreError.alreadyExists(path: target.database)
    }
    let draft = "\(target.database).new-\(RandomText.hexadecimal(bytes: 8))"
    // An existing empty file is what SQLite writes into, and this one has a private mode.
    try StoreFiles(group: nil).makeNewFile(draft)
    defer { unlink(draft) }
    _ = try connection.all(BackupSQL.copy, [.text(draft)], { _ in })
    try StoreFiles.sync(closedFile: draft)
    guard link(draft, target.database) == 0 else {
      throw StoreError(errno: errno, path: target.database)
    }
    try StoreFiles.sync(folder: target.parent)
  }
}

enum BackupSQL {
  /// One snapshot of the whole store, without free pages. Its sync is ours to do.
  static let copy = SQL("backup.copy", "VACUUM INTO ?1")
}
