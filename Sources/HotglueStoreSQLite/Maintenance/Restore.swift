import CSQLite
import Glibc
public import HotglueCore
public import HotglueStore

extension SQLiteStore {
  /// Puts the store at `path` back to what `backup` holds, as a new *incarnation*: IDs and fences jump
  /// ahead, attempts that were running become unknown, idempotency keys differ. So nothing that was
  /// done after the backup was taken is mistaken for something the restored store knows.
  ///
  /// Without a store at `path`, it is made. One that is there must be the store that was backed up;
  /// it may be in use, and every process that has it open sees the restored content from one moment to
  /// the next. The content is prepared in a file of its own and takes effect in one transaction: a
  /// crash leaves the store as it was.
  public static func restore(
    backup: String, to path: String, by actor: Actor, at now: Timestamp
  ) throws(StoreError) {
    let paths = try StorePaths(new: path)
    var status = stat()
    guard lstat(paths.database, &status) == 0 else {
      try restoreNew(backup, to: paths, by: actor, at: now)
      return
    }
    let store = try open(at: paths.database)
    let prepared = "\(paths.folder)/restore-\(RandomText.hexadecimal(bytes: 8))"
    let files = StoreFiles(group: nil)
    try files.makeNewFile(prepared)
    defer { for suffix in ["", "-journal", "-wal", "-shm"] { unlink(prepared + suffix) } }
    // What was counted since the backup was taken must be read, and replaced, under one gate: no job
    // can be enqueued in between.
    try store.underGate { (gate) throws(StoreError) in
      // What runs is recorded here and nowhere else: the restored content would run it once more.
      let running = try store.connection.all(RestoreSQL.running, [], { $0.integer(0) })
      guard running.isEmpty else { throw StoreError.attemptsRunning(running) }
      let live = try LiveCounters(of: store)
      let copy = try Self.copy(backup, to: prepared)
      let meta = try StoreMeta(of: copy)
      guard meta.storeID == store.storeID else {
        throw StoreError.otherStore(
          path: backup, expected: store.storeID, found: meta.storeID)
      }
      try Incarnation(meta, after: live).begin(in: copy, path: prepared, by: actor, at: now)
      try PageCopy.run(from: copy, to: store.connection)
      // The log holds the whole content now; it goes into the database at once.
      let checkpoint = Checkpoint(
        connection: store.connection, gate: gate, log: paths.log)
      try checkpoint.run()
    }
  }

  private static func restoreNew(
    _ backup: String, to paths: StorePaths, by actor: Actor, at now: Timestamp
  ) throws(StoreError) {
    if let kind = FileSystemKind.of(paths.parent)?.unsupportedName {
      throw StoreError.unsupportedFileSystem(path: paths.database, kind: kind)
    }
    try refuseLeftovers(paths)
    let draft = "\(paths.database).new-\(RandomText.hexadecimal(bytes: 8))"
    try StoreFiles(group: nil).makeNewFile(draft)
    defer { for suffix in ["", "-journal", "-wal", "-shm"] { unlink(draft + suffix) } }
    let files = try prepareNew(backup, at: draft, by: actor, at: now)
    try files.makeFolder(paths)
    try files.setOwnership(of: draft, mode: files.fileMode)
    try publish(draft, as: paths)
  }

  private static func prepareNew(
    _ backup: String, at draft: String, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> StoreFiles {
    let copy = try copy(backup, to: draft)
    let meta = try StoreMeta(of: copy)
    try Incarnation(meta, after: nil).begin(in: copy, path: draft, by: actor, at: now)
    try copy.execute("PRAGMA journal_mode = WAL")
    _ = csqlite_configure(copy.handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
    return StoreFiles(group: meta.groupID)
  }

  /// A whole copy of the backup, verified and brought to this program's schema.
  private static func copy(_ backup: String, to prepared: String) throws(StoreError) -> Connection {
    var status = stat()
    guard stat(backup, &status) == 0 else { throw StoreError(errno: errno, path: backup) }
    // A pipe would be waited for, and everybody who writes would wait with it.
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw StoreError.corrupt(path: backup, detail: "it is no regular file")
    }
    let copy = try Connection(path: prepared)
    let source = try Connection(path: backup, access: .readOnly)
    _ = try schemaVersion(of: source)
    try PageCopy.run(from: source, to: copy)
    let findings = try copy.all(CheckSQL.quick, [], { $0.text(0) }).filter { $0 != "ok" }
    guard findings.isEmpty else {
      throw StoreError.corrupt(path: backup, detail: findings[0])
    }
    // Neither the backup nor its copy has other users: a rollback journal does.
    try copy.execute("PRAGMA journal_mode = DELETE; BEGIN IMMEDIATE")
    try Migration.run(on: copy, from: try schemaVersion(of: copy))
    try copy.execute("COMMIT")
    return copy
  }
}

/// What a store has counted up to: a restored one must not count it again.
struct LiveCounters {
  let incarnation: Int64
  /// The highest ID of each table whose IDs are never given out twice.
  let last: [String: Int64]
  static let tables = [
    "job", "worker", "draft", "source", "sync_run", "sync_reject", "sync_target",
  ]

  init(of store: SQLiteStore) throws(StoreError) {
    incarnation = try StoreMeta(of: store.connection).incarnation
    var last: [String: Int64] = [:]
    for table in Self.tables { last[table] = try Self.last(table, store.connection) }
    self.last = last
  }

  static func last(_ table: String, _ connection: Connection) throws(StoreError) -> Int64 {
    try connection.first(RestoreSQL.sequence, [.text(table)], { $0.integer(0) }) ?? 0
  }
}

/// The next life of a store that was restored.
struct Incarnation {
  let meta: StoreMeta
  let live: LiveCounters?
  let number: Int64

  /// How far IDs and fences jump from one incarnation to the next.
  static let jump: Int64 = 1_000_000

  init(_ meta: StoreMeta, after live: LiveCounters?) {
    self.meta = meta
    self.live = live
    number = max(meta.incarnation, live?.incarnation ?? 0) + 1
  }

  /// Fences jump by the number of incarnations since the backup, so that restoring the same backup
  /// twice does not repeat them.
  private var distance: Int64 { (number - meta.incarnation) * Self.jump }

  func begin(
    in copy: Connection, path: String, by actor: Actor, at now: Timestamp
  ) throws(StoreError) {
    try copy.execute("BEGIN IMMEDIATE")
    try endRunningAttempts(in: copy, path: path, by: actor, at: now)
    try copy.run(RestoreSQL.raiseFences, [.integer(distance)])
    for table in LiveCounters.tables {
      let known = try LiveCounters.last(table, copy)
      let last = live?.last[table] ?? 0
      try copy.run(RestoreSQL.clearSequence, [.text(table)])
      try copy.run(
        RestoreSQL.setSequence, [.text(table), .integer(max(known, last) + distance)])
    }
    try copy.run(RestoreSQL.forgetIntents)
    try copy.run(RestoreSQL.forgetMoves)
    try copy.run(OpenSQL.setMeta, [.text("incarnation"), .text(String(number))])
    try copy.run(
      WorkspaceSQL.logActivity,
      [
        .integer(now.milliseconds), .null, .text(actor.user), .text(actor.command),
        .text(actor.workspaceOrigin), .optional(actor.terminal), .optional(actor.job),
        .text("incarnation/\(number)"),
      ])
    try copy.execute("COMMIT")
  }

  /// What ran when the backup was taken may have ended any way since. It is settled through the same
  /// code as any outcome, under the fence it had.
  private func endRunningAttempts(
    in copy: Connection, path: String, by actor: Actor, at now: Timestamp
  ) throws(StoreError) {
    let store = SQLiteStore(paths: StorePaths(resolved: path), connection: copy, meta: meta)
    let running = try copy.all(RestoreSQL.running, []) { (row) throws(StoreError) in
      AttemptReference(
        workspace: try store.decodeWorkspaceID(row.text(1)), job: row.integer(0),
        fence: row.integer(2))
    }
    for attempt in running {
      let verdict = Verdict(
        outcome: .unknown, reason: "restored",
        message: "the attempt ran when the backup was taken")
      _ = try store.record(
        Settlement(
          attempt: attempt, end: AttemptEnd(how: .lost), verdict: verdict,
          usage: AttemptUsage(), endedAt: now, by: actor.user), at: now)
    }
  }
}

/// Copies all pages of one database over another, in one transaction of the target.
enum PageCopy {
  static func run(from source: Connection, to target: Connection) throws(StoreError) {
    guard let backup = sqlite3_backup_init(target.handle, "main", source.handle, "main") else {
      throw target.failure(sqlite3_errcode(target.handle), "backup")
    }
    let step = sqlite3_backup_step(backup, -1)
    let finish = sqlite3_backup_finish(backup)
    guard step == SQLITE_DONE else { throw target.failure(step, "backup") }
    guard finish == SQLITE_OK else { throw target.failure(finish, "backup") }
  }
}

enum RestoreSQL {
  static let sequence = SQL("restore.sequence", "SELECT seq FROM sqlite_sequence WHERE name = ?1")
  static let clearSequence = SQL(
    "restore.clear_sequence", "DELETE FROM sqlite_sequence WHERE name = ?1")
  static let setSequence = SQL(
    "restore.set_sequence", "INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)")
  static let raiseFences = SQL("restore.raise_fences", "UPDATE job SET fence = fence + ?1")
  static let running = SQL(
    "restore.running",
    "SELECT id, workspace, fence FROM job INDEXED BY job_running WHERE worker IS NOT NULL")
  /// A switch that was open then has long been confirmed or rolled back by its file.
  static let forgetIntents = SQL(
    "restore.forget_intents",
    """
    UPDATE context SET intent_generation = NULL, intent_workspace = NULL
    WHERE intent_generation IS NOT NULL
    """)
  /// What such a switch moved may have stayed: an open draft is seen, and lost to nobody.
  static let forgetMoves = SQL(
    "restore.forget_moves",
    "UPDATE draft SET state = 'open', closed_at = NULL, moved_by = NULL WHERE moved_by IS NOT NULL")
}
