import CSQLite
import Glibc
public import HotglueCore
import HotglueFiles
public import HotglueStore

extension SQLiteStore {
  /// Opens the store at `path`.
  ///
  /// With `expectedStoreID`, another store at that path is `otherStore`: never a silent fresh world.
  /// Refused are a missing file, a file that is no store, a corrupt or a newer one, one on a network or
  /// user-space file system, files that others own or may write, and a copy that was not trusted.
  public static func open(
    at path: String, expectedStoreID: String? = nil
  ) throws(StoreError) -> SQLiteStore {
    try open(at: path, expectedStoreID: expectedStoreID, fileSystem: FileSystemKind.of)
  }

  static func open(
    at path: String, expectedStoreID: String?, fileSystem: (String) -> FileSystemKind?
  ) throws(StoreError) -> SQLiteStore {
    let paths = try StorePaths(existing: path)
    if let kind = fileSystem(paths.database)?.unsupportedName {
      throw StoreError.unsupportedFileSystem(path: paths.database, kind: kind)
    }
    return try open(paths, StoreTrust(judging: paths), expectedStoreID, isCopyRefused: true)
  }

  /// Opens a store that its user has just trusted: a copy is made one that was created here.
  public static func adopt(
    at path: String, expectedStoreID: String? = nil
  ) throws(StoreError) -> (SQLiteStore, wasCopy: Bool) {
    let paths = try StorePaths(existing: path)
    if let kind = FileSystemKind.of(paths.database)?.unsupportedName {
      throw StoreError.unsupportedFileSystem(path: paths.database, kind: kind)
    }
    let store = try open(
      paths, StoreTrust(judging: paths), expectedStoreID, isCopyRefused: false)
    try SchemaAudit.require(in: store.connection)
    let fingerprint = try fingerprint(of: paths.database)
    guard try StoreMeta(of: store.connection).fingerprint != fingerprint else {
      return (store, wasCopy: false)
    }
    try store.write { () throws(StoreError) in
      try StoreMeta.record(fingerprint, in: store.connection)
    }
    return (store, wasCopy: true)
  }

  private static func open(
    _ paths: StorePaths, _ trust: StoreTrust, _ expectedStoreID: String?, isCopyRefused: Bool
  ) throws(StoreError) -> SQLiteStore {
    trust.admit()
    do throws(StoreError) {
      return try openJudged(paths, trust, expectedStoreID, isCopyRefused: isCopyRefused)
    } catch {
      switch error {
      case .inputOutput, .readOnly: throw StoreTrust.denial(of: paths) ?? error
      default: throw error
      }
    }
  }

  private static func openJudged(
    _ paths: StorePaths, _ trust: StoreTrust, _ expectedStoreID: String?, isCopyRefused: Bool
  ) throws(StoreError) -> SQLiteStore {
    let connection = try Connection(path: paths.database)
    guard sqlite3_db_readonly(connection.handle, "main") == 0 else {
      throw StoreError.readOnly(path: paths.database)
    }
    try requireSchema(of: connection)
    let meta = try StoreMeta(of: connection)
    try trust.confirm(meta)
    if let expectedStoreID, expectedStoreID != meta.storeID {
      throw StoreError.otherStore(
        path: paths.database, expected: expectedStoreID, found: meta.storeID)
    }
    if isCopyRefused, try meta.fingerprint != fingerprint(of: paths.database) {
      throw StoreError.copied(path: paths.database)
    }
    // Moved without its folder, or lost: that is made anew.
    if try StoreTrust.factsIfThere(of: paths.folder) == nil {
      try StoreFiles(group: meta.groupID).makeFolder(paths)
    }
    let store = SQLiteStore(paths: paths, connection: connection, meta: meta)
    try store.requireLog()
    return store
  }

  static func fingerprint(of path: String) throws(StoreError) -> FileFingerprint {
    do throws(FileError) { return try FileFingerprint(of: path) } catch { throw StoreError(error) }
  }

  /// Makes a store, its folder `STORE.d` with it, and opens it. `group` (a name or a number) makes one
  /// that this group shares.
  ///
  /// The store appears at `path` finished and synced, or not at all: a crash leaves at most a file with
  /// a temporary name. Of two who make one at once, one wins and the other gets `alreadyExists`.
  public static func create(
    at path: String, group: String? = nil, now: Timestamp
  ) throws(StoreError) -> SQLiteStore {
    let paths = try StorePaths(new: path)
    if let kind = FileSystemKind.of(paths.parent)?.unsupportedName {
      throw StoreError.unsupportedFileSystem(path: paths.database, kind: kind)
    }
    try refuseLeftovers(paths)
    var meta = StoreMeta()
    meta.storeID = RandomText.uuid()
    meta.createdAt = now
    if let group { try meta.share(with: group, at: paths.database) }
    try StoreTrust.judge(directoryOf: paths.database, group: meta.groupID)
    csqlite_admit(UInt32.max, meta.groupID ?? UInt32.max)
    let files = StoreFiles(group: meta.groupID)
    try files.makeFolder(paths)
    let draft = "\(paths.database).new-\(RandomText.hexadecimal(bytes: 8))"
    try files.makeNewFile(draft)
    defer { for suffix in ["", "-journal", "-wal", "-shm"] { unlink(draft + suffix) } }
    // The file keeps its inode when it gets its name.
    meta.fingerprint = try fingerprint(of: draft)
    try writeNewStore(at: draft, meta)
    try publish(draft, as: paths)
    // A crash before this leaves a store without the memory; a restore then needs none.
    try IncarnationMemory(paths, storeID: meta.storeID, files: files).remember(meta.incarnation)
    return try open(at: paths.database, expectedStoreID: meta.storeID)
  }

  /// Gives a finished file its name, durably. `link` refuses a name that exists, which `rename` would
  /// not.
  static func publish(_ draft: String, as paths: StorePaths) throws(StoreError) {
    try StoreFiles.sync(closedFile: draft)
    guard link(draft, paths.database) == 0 else {
      throw StoreError(errno: errno, path: paths.database)
    }
    unlink(draft)
    try StoreFiles.sync(folder: paths.parent)
  }

  /// A log beside a database that is gone would be taken for the new one's.
  static func refuseLeftovers(_ paths: StorePaths) throws(StoreError) {
    var status = stat()
    for leftover in [paths.log, paths.journal, paths.database] {
      guard lstat(leftover, &status) == 0 else { continue }
      let isThere = lstat(paths.database, &status) == 0
      throw StoreError.alreadyExists(path: isThere ? paths.database : leftover)
    }
  }

  static func writeNewStore(at draft: String, _ meta: StoreMeta) throws(StoreError) {
    let connection = try Connection(path: draft)
    try connection.execute(
      """
      PRAGMA page_size = 4096;
      PRAGMA auto_vacuum = INCREMENTAL;
      PRAGMA application_id = \(storeApplicationID);
      BEGIN IMMEDIATE;
      """)
    try Schema.create(on: connection)
    try meta.write(to: connection)
    try connection.execute("COMMIT")
    try connection.execute("PRAGMA journal_mode = WAL")
    // Nobody else knows this file yet: its log may be moved into it and removed at the close.
    _ = csqlite_configure(connection.handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
  }

  /// Refuses what is not a store, and a store of a schema that this program does not know.
  static func requireSchema(of connection: Connection) throws(StoreError) {
    let application = try connection.first(OpenSQL.applicationID, [], { $0.integer(0) }) ?? 0
    guard application == storeApplicationID else {
      throw StoreError.notAStore(path: connection.path)
    }
    let version = Int(try connection.first(OpenSQL.userVersion, [], { $0.integer(0) }) ?? 0)
    guard version == Schema.version else {
      throw StoreError.newerSchema(
        path: connection.path, found: version, known: Schema.version)
    }
  }

  /// A backup that was put in place by hand has no log yet: what a reader of a store with a log has
  /// made by now is missing.
  private func requireLog() throws(StoreError) {
    var status = stat()
    guard lstat(paths.log, &status) != 0 else { return }
    try underGate { (_) throws(StoreError) in try connection.execute("PRAGMA journal_mode = WAL") }
  }
}

enum OpenSQL {
  static let applicationID = SQL("open.application_id", "PRAGMA application_id")
  static let userVersion = SQL("open.user_version", "PRAGMA user_version")
  static let meta = SQL("open.meta", "SELECT key, value FROM store_meta")
  static let setMeta = SQL("open.set_meta", "INSERT OR REPLACE INTO store_meta VALUES (?1, ?2)")
  static let forgetMeta = SQL("open.forget_meta", "DELETE FROM store_meta WHERE key = ?1")
}
