public import HotglueCore
public import HotglueStore

extension SQLiteStore: DeliveryStore {
  public func beginDelivery(
    _ request: SyncRequest, into command: [String], by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> any DeliverySession {
    try write { () throws(StoreError) in
      try requireActive(request.workspace, for: actor)
      try requireSource(request.source, in: request.workspace)
      if let attempt = request.attempt { try requireLive(attempt) }
      let place: [SQLValue] = [
        .text(request.workspace.text), .integer(request.source),
        .text(JSON.strings(command).text),
      ]
      var found = try target(at: place, of: request)
      if found == nil {
        try connection.run(DeliverySQL.addTarget, place + [.integer(now.milliseconds)])
        found = try target(at: place, of: request)
      }
      guard let target = found else {
        throw StoreError.corrupt(path: path, detail: "a target is not there")
      }
      try connection.run(
        DeliverySQL.interruptRun, [.integer(target.id), .integer(now.milliseconds)])
      let id = try insertRun(request, from: target.bookmark, at: now)
      try connection.run(
        DeliverySQL.addDelivery,
        [
          .integer(id), .text(request.workspace.text), .integer(request.source),
          .integer(target.id),
        ])
      try connection.run(DeliverySQL.setRun, [.integer(target.id), .integer(id)])
      try logActivity(
        actor, in: request.workspace, subject: "source/\(try sourceName(request.source))", at: now)
      return SQLiteDeliverySession(
        store: self, run: try syncRun(id, of: request.source, in: request.workspace),
        target: target)
    }
  }

  public func syncTargets(
    of source: SourceID, in workspace: WorkspaceID
  ) throws(StoreError) -> [SyncTarget] {
    try connection.all(
      DeliverySQL.targets, [.text(workspace.text), .integer(source)]
    ) { (row) throws(StoreError) in try decodeTarget(row, of: source, in: workspace) }
  }

  public func owner(
    ofTarget target: SyncTargetID
  ) throws(StoreError) -> (workspace: WorkspaceID, source: String)? {
    try connection.first(DeliverySQL.owner, [.integer(target)]) { (row) throws(StoreError) in
      (try decodeWorkspaceID(row.text(0)), row.text(1))
    }
  }

  public func resetTarget(
    _ target: SyncTargetID, of source: SourceID, to run: SyncRunID?, in workspace: WorkspaceID,
    by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> SyncTarget {
    try write { () throws(StoreError) in
      try requireActive(workspace, for: actor)
      try requireSource(source, in: workspace)
      try refuseLiveRun(of: source, in: workspace)
      var bookmark: Bookmark?
      if let run {
        let chosen = try syncRun(run, of: source, in: workspace)
        guard chosen.target == target else {
          throw StoreError.unknownSyncRun(run, source: source)
        }
        bookmark = chosen.bookmark
      }
      try connection.run(
        DeliverySQL.resetBookmark,
        [.text(workspace.text), .integer(source), .integer(target), .optional(bookmark?.text)])
      try logActivity(actor, in: workspace, subject: "source/\(try sourceName(source))", at: now)
      guard
        let now = try syncTargets(of: source, in: workspace).first(where: { $0.id == target })
      else { throw StoreError.unknownTarget(target, source: source) }
      return now
    }
  }

  private func target(
    at place: [SQLValue], of request: SyncRequest
  ) throws(StoreError) -> SyncTarget? {
    try connection.first(DeliverySQL.targetOfCommand, place) { (row) throws(StoreError) in
      try decodeTarget(row, of: request.source, in: request.workspace)
    }
  }

  private func decodeTarget(
    _ row: Row, of source: SourceID, in workspace: WorkspaceID
  ) throws(StoreError) -> SyncTarget {
    guard let command = try decodeJSON(row.text(1))?.stringArray else {
      throw StoreError.corrupt(path: path, detail: "target \(row.integer(0)) cannot be read")
    }
    return SyncTarget(
      id: row.integer(0), source: source, workspace: workspace, command: command,
      bookmark: row.optionalText(2).map { Bookmark(text: $0) },
      confirmedRun: row.optionalInteger(3),
      confirmedAt: row.optionalInteger(4).map { Timestamp(milliseconds: $0) })
  }
}

/// A run into a target on SQLite. It keeps nothing that its death would lose.
final class SQLiteDeliverySession: DeliverySession {
  private let store: SQLiteStore
  private let target: SyncTargetID
  private(set) var run: SyncRun
  private(set) var bookmark: Bookmark?
  private var confirmed = 0
  /// Bookmarks of a run that are kept.
  private static let kept = 1000

  init(store: SQLiteStore, run: SyncRun, target: SyncTarget) {
    self.store = store
    self.run = run
    self.target = target.id
    bookmark = target.bookmark
  }

  func confirm(
    _ bookmark: Bookmark, _ streams: [StreamReport], at now: Timestamp
  ) throws(StoreError) {
    let next = confirmed + 1
    try store.write(durable: true) { () throws(StoreError) in
      try requireHold()
      let connection = store.connection
      try connection.run(
        DeliverySQL.confirm,
        [
          .integer(target), .integer(run.id), .integer(now.milliseconds), .text(bookmark.text),
        ])
      try connection.run(
        SyncSQL.addBookmark,
        [
          .integer(run.id), .integer(next), .integer(now.milliseconds), .text(bookmark.text),
        ])
      try connection.run(
        SyncSQL.thinBookmarks, [.integer(run.id), .integer(next - Self.kept)])
      try connection.run(
        SyncSQL.notePublication, [.integer(run.id), .text(bookmark.text)])
      try record(streams)
    }
    self.bookmark = bookmark
    confirmed = next
  }

  func withdraw(
    to bookmark: Bookmark?, isOwn: Bool, at now: Timestamp
  ) throws(StoreError) {
    try store.write(durable: true) { () throws(StoreError) in
      try requireHold()
      try store.connection.run(
        DeliverySQL.withdraw, [.integer(target), .optional(bookmark?.text)])
      try store.connection.run(
        SyncSQL.withdrawFromRun, [.integer(run.id), .optional(isOwn ? bookmark?.text : nil)])
    }
    self.bookmark = bookmark
  }

  func finish(
    _ failure: Job.Failure?, _ streams: [StreamReport], notes: [String], at now: Timestamp
  ) throws(StoreError) -> SyncRun {
    try store.write(durable: true) { () throws(StoreError) in
      try requireHold()
      try record(streams)
      try store.connection.run(
        SyncSQL.endRun,
        [
          .integer(run.id), .text(failure == nil ? "succeeded" : "failed"),
          .integer(now.milliseconds), .optional(failure?.code), .optional(failure?.message),
          .optional(failure?.kind), notes.isEmpty ? .null : .text(JSON.strings(notes).text),
        ])
    }
    run = try store.syncRun(run.id, of: run.source, in: run.workspace)
    return run
  }

  private func requireHold() throws(StoreError) {
    let holder = try store.connection.first(
      DeliverySQL.holder, [.integer(target)],
      { (run: $0.integer(0), isRunning: $0.text(1) == "running") })
    guard let holder, holder.run == run.id, holder.isRunning else {
      throw StoreError.staleSync(run: run.id, current: holder?.run)
    }
  }

  private func record(_ streams: [StreamReport]) throws(StoreError) {
    for report in streams {
      try store.connection.run(
        DeliverySQL.setCount,
        [
          .integer(run.id), .text(report.stream), .integer(report.tally.received),
          .optional(report.counted),
        ])
    }
  }
}

enum DeliverySQL {
  static let addTarget = SQL(
    "delivery.add_target",
    """
    INSERT INTO sync_target (workspace, source, command, created_at) VALUES (?1, ?2, ?3, ?4)
    """)
  static let targetOfCommand = SQL(
    "delivery.target_of_command",
    """
    SELECT id, command, bookmark, confirmed_run, confirmed_at FROM sync_target
    WHERE workspace = ?1 AND source = ?2 AND command = ?3
    """)
  static let targets = SQL(
    "delivery.targets",
    """
    SELECT id, command, bookmark, confirmed_run, confirmed_at FROM sync_target
    WHERE workspace = ?1 AND source = ?2 ORDER BY id
    """)
  static let owner = SQL(
    "delivery.owner",
    """
    SELECT source.workspace, source.name
    FROM sync_target JOIN source ON source.id = sync_target.source
    WHERE sync_target.id = ?1 AND source.removed_at IS NULL
    """)
  static let interruptRun = SQL(
    "delivery.interrupt_run",
    """
    UPDATE sync_run SET state = 'interrupted', finished_at = ?2
    WHERE id = (SELECT run FROM sync_target WHERE id = ?1) AND state = 'running'
    """)
  static let interruptRuns = SQL(
    "delivery.interrupt_runs",
    """
    UPDATE sync_run SET state = 'interrupted', finished_at = ?2
    WHERE id IN (SELECT run FROM sync_target WHERE source = ?1) AND state = 'running'
    """)
  static let addDelivery = SQL(
    "delivery.add_delivery",
    "INSERT INTO sync_delivery (run, workspace, source, target) VALUES (?1, ?2, ?3, ?4)")
  static let setRun = SQL("delivery.set_run", "UPDATE sync_target SET run = ?2 WHERE id = ?1")
  static let holder = SQL(
    "delivery.holder",
    """
    SELECT sync_target.run, sync_run.state FROM sync_target
      JOIN sync_run ON sync_run.id = sync_target.run WHERE sync_target.id = ?1
    """)
  static let confirm = SQL(
    "delivery.confirm",
    """
    UPDATE sync_target SET confirmed_run = ?2, confirmed_at = ?3, bookmark = ?4 WHERE id = ?1
    """)
  static let withdraw = SQL(
    "delivery.withdraw", "UPDATE sync_target SET bookmark = ?2 WHERE id = ?1")
  static let resetBookmark = SQL(
    "delivery.reset_bookmark",
    """
    UPDATE sync_target SET bookmark = ?4 WHERE workspace = ?1 AND source = ?2 AND id = ?3
    """)
  static let setCount = SQL(
    "delivery.set_count",
    """
    INSERT INTO sync_delivery_count (run, stream, sent, counted) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (run, stream) DO UPDATE SET sent = ?3, counted = ?4
    """)
  static let counts = SQL(
    "delivery.counts",
    "SELECT stream, sent, counted FROM sync_delivery_count WHERE run = ?1 ORDER BY stream")
  static let targetOfRun = SQL(
    "delivery.target_of_run", "SELECT target FROM sync_delivery WHERE run = ?1")
  static let liveRun = SQL(
    "delivery.live_run",
    """
    SELECT sync_run.id, job FROM sync_target JOIN sync_run ON sync_run.id = sync_target.run
    WHERE sync_target.workspace = ?1 AND sync_target.source = ?2
      AND sync_run.state = 'running' AND EXISTS (SELECT 1 FROM job
        WHERE job.id = sync_run.job AND job.state = 'running' AND job.fence = sync_run.fence)
    """)
}
