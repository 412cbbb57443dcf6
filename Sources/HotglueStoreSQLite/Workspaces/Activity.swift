import HotglueCore
public import HotglueStore

extension SQLiteStore: ActivityStore {
  public func activity(
    matching filter: ActivityFilter, before: ActivityID?, limit: Int
  ) throws(StoreError) -> ActivityPage {
    try read { () throws(StoreError) in
      let bounds = try connection.first(ActivitySQL.bounds) { row in
        (oldest: row.integer(0), newest: row.integer(1))
      }
      guard let bounds, bounds.newest > 0 else { return ActivityPage(entries: [], next: nil) }
      let top = min(before ?? .max, bounds.newest + 1)
      let floor = max(bounds.oldest, top - ActivitySQL.mostRowsSeen)
      let query = ActivityQuery(filter, from: floor, below: top, limit: limit)
      let entries = try connection.all(text: query.text, query.values, decodeActivity)
      if let last = entries.last, entries.count >= limit {
        return ActivityPage(entries: entries, next: last.id > bounds.oldest ? last.id : nil)
      }
      return ActivityPage(entries: entries, next: floor > bounds.oldest ? floor : nil)
    }
  }

  /// Removes some of the oldest rows of the log, inside the caller's transaction. The newest row
  /// stays, so that no number is given twice.
  func pruneActivity(before moment: Timestamp) throws(StoreError) {
    try connection.run(ActivitySQL.prune, [.integer(moment.milliseconds)])
  }

  private func decodeActivity(_ row: Row) throws(StoreError) -> ActivityEntry {
    var columns = row.columns()
    let id = columns.integer()
    let at = Timestamp(milliseconds: columns.integer())
    let workspace = try columns.optionalText().map(decodeWorkspaceID)
    let user = columns.text()
    let command = columns.text()
    let origin = columns.text()
    let terminal = columns.optionalText()
    var actor = Actor(
      user: user, command: command, workspaceOrigin: origin, terminal: terminal,
      job: columns.optionalInteger())
    let subject = columns.optionalText()
    actor.repairedBy = columns.optionalText()
    return ActivityEntry(id: id, at: at, workspace: workspace, actor: actor, subject: subject)
  }
}

/// The statement behind `activity(matching:before:limit:)`: it goes down the numbers of the rows, of
/// which it sees a bounded part. The log has no index of its own, because every mutation would pay
/// for it.
struct ActivityQuery {
  private(set) var text: String
  private(set) var values: [SQLValue]

  init(_ filter: ActivityFilter, from floor: ActivityID, below top: ActivityID, limit: Int) {
    values = [.integer(floor), .integer(top)]
    text = "\(ActivitySQL.columns) WHERE id >= ?1 AND id < ?2"
    if let workspaces = filter.workspaces {
      let names = JSON.strings(workspaces.map(\.text)).text
      add("workspace IN (SELECT value FROM json_each(?))", .text(names))
    }
    if let user = filter.user { add("user = ?", .text(user)) }
    if let command = filter.command {
      // Words are compared, so that a noun does not stand for another one that begins like it.
      add("substr(command || ' ', 1, length(?) + 1) = ? || ' '", .text(command))
    }
    if let since = filter.since { add("at >= ?", .integer(since.milliseconds)) }
    if let job = filter.job {
      add(
        """
        (job = ? OR subject = 'job/' || ? OR (subject LIKE 'job/%..%'
          AND CAST(substr(subject, 5) AS INTEGER) <= ?
          AND CAST(substr(subject, instr(subject, '..') + 2) AS INTEGER) >= ?))
        """, .integer(job))
    }
    values.append(.integer(limit))
    text += " ORDER BY id DESC LIMIT ?\(values.count)"
  }

  /// One condition on one value, which may stand in it several times.
  private mutating func add(_ condition: String, _ value: SQLValue) {
    values.append(value)
    text += " AND " + condition.replacing("?", with: "?\(values.count)")
  }
}

enum ActivitySQL {
  /// Rows that one read looks at.
  static let mostRowsSeen: Int64 = 50_000

  static let columns = """
    SELECT id, at, workspace, user, command, origin, terminal, job, subject, repaired_by
    FROM activity
    """
  static let bounds = SQL(
    "activity.bounds",
    """
    SELECT coalesce((SELECT min(id) FROM activity), 0), coalesce((SELECT max(id) FROM activity), 0)
    """)
  static let prune = SQL(
    "activity.prune",
    """
    DELETE FROM activity WHERE id IN (
      SELECT id FROM (SELECT id, at FROM activity ORDER BY id LIMIT 1000) WHERE at < ?1)
      AND id < (SELECT max(id) FROM activity)
    """)
}
