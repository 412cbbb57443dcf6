import CSQLite
import HotglueCore
import HotglueStore

/// The next incarnation of a store that is restored.
struct Incarnation {
  let meta: StoreMeta
  let number: Int64
  /// An unsafe job that was pending in the backup has certainly not run since.
  let assumesNotRun: Bool

  /// How far IDs and fences jump from one incarnation to the next.
  static let jump: Int64 = 1_000_000
  /// Tables whose IDs are never given out twice.
  static let counted = [
    "job", "worker", "draft", "source", "sync_run", "sync_reject", "sync_target",
  ]

  /// Of a backup with this `meta`, after the highest incarnation that the store is known to have had.
  ///
  /// Where nothing knows that, since the store and its `STORE.d` are lost, another restore may have
  /// taken the next number: then this one is chosen at random, out of so many that none comes twice.
  init(_ meta: StoreMeta, after highest: Int64?, assumingNotRun: Bool) {
    self.meta = meta
    assumesNotRun = assumingNotRun
    if let highest {
      number = max(meta.incarnation, highest) + 1
    } else {
      number = meta.incarnation + Int64.random(in: 1_000...1_000_000_000)
    }
  }

  /// Fences jump by the number of incarnations since the backup, so that restoring the same backup
  /// twice does not repeat them.
  private var distance: Int64 { (number - meta.incarnation) * Self.jump }

  /// All that depends on the backup alone; the store in its place works on meanwhile.
  func begin(
    in copy: Connection, path: String, by actor: Actor, at now: Timestamp
  ) throws(StoreError) {
    try copy.execute("BEGIN IMMEDIATE")
    try endRunningAttempts(in: copy, path: path, by: actor, at: now)
    if !assumesNotRun { try doubtWaitingJobs(in: copy, path: path, by: actor, at: now) }
    try copy.run(RestoreSQL.raiseFences, [.integer(distance)])
    try copy.run(RestoreSQL.forgetIntents)
    try copy.run(RestoreSQL.forgetMoves)
    try copy.run(OpenSQL.setMeta, [.text("incarnation"), .text(String(number))])
    try copy.run(
      WorkspaceSQL.logActivity,
      [
        .integer(now.milliseconds), .null, .text(actor.user), .text(actor.command),
        .text(actor.workspaceOrigin), .optional(actor.terminal), .optional(actor.job),
        .text("incarnation/\(number)"), .optional(actor.repairedBy),
      ])
    try copy.execute("COMMIT")
  }

  /// What the store in the place has counted, and who works on it, goes over: under the gate. `nil`:
  /// there is no such store.
  func goOn(from live: Connection?, in copy: Connection) throws(StoreError) {
    try copy.execute("BEGIN IMMEDIATE")
    if let live { try takeWorkers(of: live, into: copy) }
    for table in Self.counted {
      let known = try Self.last(table, copy)
      var last: Int64 = 0
      if let live { last = try Self.last(table, live) }
      try copy.run(RestoreSQL.clearSequence, [.text(table)])
      let next = max(known, last) + distance
      try copy.run(RestoreSQL.setSequence, [.text(table), .integer(next)])
      if table == "job" { try record(firstJob: next + 1, in: copy) }
    }
    try copy.execute("COMMIT")
  }

  private static func last(_ table: String, _ connection: Connection) throws(StoreError) -> Int64 {
    try connection.first(RestoreSQL.sequence, [.text(table)], { $0.integer(0) }) ?? 0
  }

  /// A worker that runs has nothing but its number from the store: with its row there it goes on, and
  /// claims what it finds. No number means two workers, since each incarnation counts on from beyond
  /// the one before.
  private func takeWorkers(of live: Connection, into copy: Connection) throws(StoreError) {
    let rows = try live.all(RestoreSQL.workers, []) { (row) -> [SQLValue] in
      [
        .integer(row.integer(0)), .text(row.text(1)), .text(row.text(2)), .text(row.text(3)),
        .integer(row.integer(4)), .integer(row.integer(5)), .text(row.text(6)),
        .integer(row.integer(7)), .text(row.text(8)),
      ]
    }
    for row in rows { try copy.run(RestoreSQL.keepWorker, row) }
  }

  private func record(firstJob: JobID, in copy: Connection) throws(StoreError) {
    var list = IncarnationList()
    if let text = try copy.first(MetaSQL.incarnations, [], { $0.text(0) }) {
      guard let known = IncarnationList(text) else {
        throw StoreError.corrupt(
          path: copy.path, detail: "the list of incarnations cannot be read")
      }
      list = known
    }
    list.append(
      IncarnationList.Entry(
        number: number, firstJob: firstJob, token: RandomText.hexadecimal(bytes: 4)))
    try copy.run(OpenSQL.setMeta, [.text("incarnations"), .text(list.text)])
  }

  /// A job that was pending when the backup was taken may have run since. One that is not safe to run
  /// twice waits for a user, as after any outcome that is unknown.
  private func doubtWaitingJobs(
    in copy: Connection, path: String, by actor: Actor, at now: Timestamp
  ) throws(StoreError) {
    let store = SQLiteStore(paths: StorePaths(resolved: path), connection: copy, meta: meta)
    for id in try copy.all(RestoreSQL.mayHaveRun, [], { $0.integer(0) }) {
      guard let job = try store.record(of: id) else { continue }
      let transition = try store.decide(job, .restored, at: now)
      try store.apply(transition, to: job, at: now)
      try store.addEvent(
        job, transition, by: actor.user, reason: transition.reason?.rawValue, at: now)
    }
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
  static let workers = SQL(
    "restore.workers",
    """
    SELECT id, name, boot_id, pid_namespace, pid, start_time, lock_path, registered_at, store_file
    FROM worker WHERE retired_at IS NULL
    """)
  static let keepWorker = SQL(
    "restore.keep_worker",
    """
    INSERT OR IGNORE INTO worker
      (id, name, boot_id, pid_namespace, pid, start_time, lock_path, registered_at, store_file)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
    """)
  static let raiseFences = SQL("restore.raise_fences", "UPDATE job SET fence = fence + ?1")
  static let running = SQL(
    "restore.running",
    "SELECT id, workspace, fence FROM job INDEXED BY job_running WHERE worker IS NOT NULL")
  /// Waiting jobs that are not safe to run twice. A typed job's policy is its type's and what the job
  /// itself says; without a type it is the default.
  static let mayHaveRun = SQL(
    "restore.may_have_run",
    """
    SELECT id FROM job WHERE state IN ('pending', 'blocked') AND 'unsafe' = CASE
      WHEN overrides IS NULL THEN coalesce(json_extract(policy, '$.replay'), 'unsafe')
      ELSE coalesce(json_extract(overrides, '$.policy.replay'), (
        SELECT json_extract(definition, '$.replay')
        FROM job_type JOIN job_type_revision USING (workspace, name, revision)
        WHERE job_type.workspace = job.workspace AND job_type.name = job.type
          AND removed_at IS NULL), 'unsafe') END
    ORDER BY id
    """)
  /// A switch that was open then has long been confirmed or rolled back by its file.
  static let forgetIntents = SQL(
    "restore.forget_intents",
    """
    UPDATE context SET intent_generation = NULL, intent_workspace = NULL, intent_by = NULL
    WHERE intent_generation IS NOT NULL
    """)
  /// What such a switch moved may have stayed: an open draft is seen, and lost to nobody.
  static let forgetMoves = SQL(
    "restore.forget_moves",
    "UPDATE draft SET state = 'open', closed_at = NULL, moved_by = NULL WHERE moved_by IS NOT NULL")
}
