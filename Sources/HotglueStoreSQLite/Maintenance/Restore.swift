import CSQLite
import Glibc
public import HotglueCore
import HotglueFiles
public import HotglueStore

extension SQLiteStore {
  /// Puts the store at `path` back to what `backup` holds, as a new *incarnation*: IDs and fences jump
  /// ahead, and attempts that were running become unknown. Jobs of the backup keep their idempotency
  /// keys, new ones get keys that no incarnation had. So nothing that was done after the backup was
  /// taken is mistaken for something the restored store knows.
  ///
  /// A pending job of the backup that is not safe to run twice becomes uncertain, as it may have run
  /// since, unless `assumingNotRun`.
  ///
  /// Without a store at `path`, it is made. One that is there must be the store that was backed up;
  /// it may be in use, and every process that has it open sees the restored content from one moment to
  /// the next. Workers that were registered go on under their numbers.
  ///
  /// The backup is copied, verified and brought up to date in a file of its own while everybody works
  /// on; only then the gate is taken, and the content takes effect in one transaction, or under one new
  /// name. A crash leaves the store as it was or as it will be, and beside it at most the copy, which
  /// the next restore removes.
  ///
  /// `alive` names the processes below the folder of the store that run an attempt or are its workers,
  /// whatever rows say; it is asked under the gate.
  public static func restore(
    backup: String, to path: String, assumingNotRun: Bool = false, by actor: Actor,
    at now: Timestamp, alive: (_ folder: String) throws(StoreError) -> [LivingProcess]
  ) throws(StoreError) {
    let paths = try StorePaths(new: path)
    try requireFile(backup, besides: paths)
    var status = stat()
    if lstat(paths.database, &status) == 0 {
      try restoreContent(
        backup, of: try open(at: paths.database), assumingNotRun, by: actor, at: now, alive)
    } else {
      try restoreNew(backup, to: paths, assumingNotRun, by: actor, at: now, alive)
    }
  }

  private static func restoreContent(
    _ backup: String, of store: SQLiteStore, _ assumingNotRun: Bool, by actor: Actor,
    at now: Timestamp,
    _ alive: (String) throws(StoreError) -> [LivingProcess]
  ) throws(StoreError) {
    let place = try RestorePlace(store.paths)
    let prepared = try place.makeFile()
    defer { place.removeFile() }
    let copy = try Self.copy(backup, to: prepared)
    let meta = try StoreMeta(of: copy)
    guard meta.storeID == store.storeID else {
      throw StoreError.otherStore(path: backup, expected: store.storeID, found: meta.storeID)
    }
    // No other restore can begin an incarnation in between: the place is ours.
    let current = try StoreMeta(of: store.connection)
    let memory = IncarnationMemory(
      store.paths, storeID: meta.storeID, files: StoreFiles(group: current.groupID))
    let next = Incarnation(
      meta, after: max(current.incarnation, memory.highest ?? 0), assumingNotRun: assumingNotRun)
    try next.begin(in: copy, path: prepared, by: actor, at: now)
    // The file and the group that shares it stay what they are.
    var kept = try StoreMeta(of: store.connection)
    kept.fingerprint = try fingerprint(of: store.path)
    try kept.writePlace(to: copy)
    // What was counted since the backup was taken must be read, and replaced, under one gate: no job
    // can be enqueued, and none claimed, in between.
    try store.underGate { (gate) throws(StoreError) in
      // What runs is recorded here and nowhere else: the restored content would run it once more.
      let running = try store.connection.all(RestoreSQL.running, [], { $0.integer(0) })
      guard running.isEmpty else { throw StoreError.attemptsRunning(running) }
      try refuse(try strangers(among: try alive(store.folder), in: store))
      try next.goOn(from: store.connection, in: copy)
      try memory.remember(next.number)
      try PageCopy.run(from: copy, to: store.connection)
      // The log holds the whole content now; it goes into the database at once.
      let checkpoint = Checkpoint(
        connection: store.connection, gate: gate, log: store.paths.log)
      try checkpoint.run()
    }
  }

  private static func restoreNew(
    _ backup: String, to paths: StorePaths, _ assumingNotRun: Bool, by actor: Actor,
    at now: Timestamp,
    _ alive: (String) throws(StoreError) -> [LivingProcess]
  ) throws(StoreError) {
    if let kind = FileSystemKind.of(paths.parent)?.unsupportedName {
      throw StoreError.unsupportedFileSystem(path: paths.database, kind: kind)
    }
    try refuseLeftovers(paths)
    try StoreTrust.judge(directoryOf: paths.database, group: StoreTrust.group(sharing: paths))
    try StoreFiles.makePlace(for: paths)
    let place = try RestorePlace(paths)
    let draft = try place.makeFile()
    defer { place.removeFile() }
    var files = StoreFiles(group: nil)
    var gate: WriterGate?
    defer { gate?.leave() }
    let next = try prepareNew(
      backup, at: draft, paths, assumingNotRun, by: actor, at: now
    ) { (copy, group) throws(StoreError) in
      files = StoreFiles(group: group)
      try files.makeFolder(paths)
      // The gate's files outlive the store: whoever still has the lost one open passes the same.
      let opened = try WriterGate(folder: paths.folder, shared: group != nil)
      try opened.enter(within: .seconds(30))
      gate = opened
      // No row tells what runs: the store that knew is lost.
      try refuse(try unforeseen(among: try alive(paths.folder), in: copy))
    }
    try place.share(by: files)
    try IncarnationMemory(paths, storeID: next.meta.storeID, files: files).remember(next.number)
    try publish(draft, as: paths)
  }

  /// Workers are no harm: they have this file open and see what it holds from now on. An attempt that
  /// its rows do not know came here with another file.
  private static func strangers(
    among alive: [LivingProcess], in store: SQLiteStore
  ) throws(StoreError) -> [LivingProcess] {
    var unknown: Set<LivingProcess.Attempt?> = []
    for process in alive where process.role == .supervisor {
      guard let attempt = process.attempt,
        try store.record(ofJob: attempt.job, fence: attempt.fence) != .unknown
      else {
        unknown.insert(process.attempt)
        continue
      }
    }
    return alive.filter { $0.role != .worker && unknown.contains($0.attempt) }
  }

  /// All but what the backup knows as left alone by its job's wish.
  private static func unforeseen(
    among alive: [LivingProcess], in copy: SQLiteStore
  ) throws(StoreError) -> [LivingProcess] {
    var left: [LivingProcess] = []
    for process in alive {
      if let attempt = process.attempt, process.role == .handler,
        try copy.record(ofJob: attempt.job, fence: attempt.fence) == .endedKeepingChildren
      {
        continue
      }
      left.append(process)
    }
    return left
  }

  private static func refuse(_ alive: [LivingProcess]) throws(StoreError) {
    guard alive.isEmpty else { throw StoreError.processesAlive(alive) }
  }

  /// `last` is the last that is done before the copy is a store by itself; it is given the group that is
  /// to share it. Then the copy is closed, so that nothing of it is left in a log.
  private static func prepareNew(
    _ backup: String, at draft: String, _ paths: StorePaths, _ assumingNotRun: Bool,
    by actor: Actor, at now: Timestamp,
    _ last: (SQLiteStore, _ group: UInt32?) throws(StoreError) -> Void
  ) throws(StoreError) -> Incarnation {
    let copy = try copy(backup, to: draft)
    var meta = try StoreMeta(of: copy)
    meta.keepGroupOnlyIfItIsTheSameHere()
    meta.fingerprint = try fingerprint(of: draft)
    let memory = IncarnationMemory(
      paths, storeID: meta.storeID, files: StoreFiles(group: meta.groupID))
    let next = Incarnation(meta, after: memory.highest, assumingNotRun: assumingNotRun)
    try next.begin(in: copy, path: draft, by: actor, at: now)
    try next.goOn(from: nil, in: copy)
    try meta.writePlace(to: copy)
    try copy.execute("PRAGMA journal_mode = WAL")
    try last(
      SQLiteStore(paths: StorePaths(resolved: draft), connection: copy, meta: meta), meta.groupID)
    _ = csqlite_configure(copy.handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
    return next
  }

  /// What a backup holds, as far as it concerns the question whether to restore it. Changes nothing.
  public static func contents(ofBackup path: String) throws(StoreError) -> BackupContents {
    let facts = try requireFile(path)
    csqlite_admit(facts.st_uid, facts.st_gid)
    let source = try Connection(path: path, access: .alone)
    try requireSchema(of: source)
    let store = SQLiteStore(
      paths: StorePaths(resolved: path), connection: source, meta: try StoreMeta(of: source))
    return try store.read { () throws(StoreError) in
      BackupContents(
        mayHaveRun: try source.all(RestoreSQL.mayHaveRun, [], { $0.integer(0) }).count)
    }
  }

  @discardableResult
  private static func requireFile(_ backup: String) throws(StoreError) -> stat {
    var status = stat()
    guard stat(backup, &status) == 0 else { throw StoreError(errno: errno, path: backup) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw StoreError.noBackup(path: backup, reason: "it is no regular file")
    }
    return status
  }

  /// A pipe would be waited for, and a store that is written over itself is lost half-way.
  private static func requireFile(_ backup: String, besides paths: StorePaths) throws(StoreError) {
    let status = try requireFile(backup)
    var own = stat()
    guard stat(paths.database, &own) == 0, own.st_dev == status.st_dev,
      own.st_ino == status.st_ino
    else { return }
    throw StoreError.noBackup(path: backup, reason: "it is the store itself")
  }

  /// A whole copy of the backup, verified. The backup is read through one descriptor and never opened by
  /// SQLite, which would play back what others have put beside it.
  private static func copy(_ backup: String, to prepared: String) throws(StoreError) -> Connection {
    try BackupFile.copy(backup, to: prepared)
    do throws(StoreError) {
      let copy = try Connection(path: prepared)
      try requireSchema(of: copy)
      let findings = try copy.all(CheckSQL.quick, [], { $0.text(0) }).filter { $0 != "ok" }
      guard findings.isEmpty else {
        throw StoreError.corrupt(path: prepared, detail: findings[0])
      }
      try SchemaAudit.require(in: copy)
      // The copy has no other users: a rollback journal does.
      try copy.execute("PRAGMA journal_mode = DELETE")
      return copy
    } catch {
      // What is wrong with the copy is wrong with the backup.
      switch error {
      case .notAStore(prepared): throw StoreError.notAStore(path: backup)
      case .corrupt(prepared, let detail): throw StoreError.corrupt(path: backup, detail: detail)
      case .newerSchema(prepared, let found, let known):
        throw StoreError.newerSchema(path: backup, found: found, known: known)
      default: throw error
      }
    }
  }
}

/// Where a restore prepares the content, in the folder of the store: for one at a time.
///
/// The lock is on the folder itself, and goes with the process. Whoever has it removes what those have
/// left that were killed.
final class RestorePlace {
  private let folder: String
  private let lock: LockFile
  private let file: String

  init(_ paths: StorePaths) throws(StoreError) {
    folder = paths.folder
    file = "\(folder)/\(Self.prefix)\(RandomText.hexadecimal(bytes: 8))"
    let isOurs: Bool
    do throws(FileError) {
      lock = try LockFile(existing: folder)
      isOurs = try lock.tryLock()
    } catch {
      throw StoreError(error)
    }
    guard isOurs else {
      throw StoreError.busy(holder: GateHolder.name(ofLockOn: lock.descriptor), waited: .zero)
    }
    removeLeftovers()
  }

  private static let prefix = "restore-"

  func makeFile() throws(StoreError) -> String {
    try StoreFiles(group: nil).makeNewFile(file)
    return file
  }

  /// Gives the prepared file the mode and the group of the store. SQLite has closed it.
  func share(by files: StoreFiles) throws(StoreError) {
    let opened = open(file, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
    guard opened >= 0 else { throw StoreError(errno: errno, path: file) }
    defer { close(opened) }
    try files.share(opened, file)
  }

  func removeFile() {
    for suffix in ["", "-journal", "-wal", "-shm"] { unlink(file + suffix) }
  }

  private func removeLeftovers() {
    let names = (try? SharedFile.names(in: folder)) ?? []
    for name in names where name.hasPrefix(Self.prefix) { unlink("\(folder)/\(name)") }
  }
}
