import HotglueCore
public import HotglueStore

extension SQLiteStore {
  public func sweepSyncs(limit: Int) throws(StoreError) -> Bool {
    // Most of the time there is nothing, and then nobody has to wait at the gate.
    let isDue = try connection.first(SweepSQL.dead, [], { _ in true }) ?? false
    let wanted = try swept(SweepSQL.replacing) + swept(SweepSQL.removed)
    guard isDue || !wanted.isEmpty else { return false }
    // A power cut may bring back what was swept last: no reader sees it, and it is swept again.
    return try write(durable: false) { () throws(StoreError) in
      // Under the gate: nobody publishes between the look at the readers and the step.
      var swept = 0
      for source in try self.swept(SweepSQL.replacing) where swept == 0 {
        swept = try sweepSuperseded(source, limit)
      }
      if swept == 0 { swept = try sweepDead(limit) }
      if swept == 0, let source = try self.swept(SweepSQL.removed).first {
        swept = try sweepRemoved(source, limit)
      }
      if swept > 0 { _ = try connection.all(PruneSQL.giveBackPages, [], { _ in }) }
      return swept > 0
    }
  }

  /// Sources that there is something to sweep of, and that nobody reads as they were.
  private func swept(_ statement: SQL) throws(StoreError) -> [SourceID] {
    try recordReaders.unread(connection.all(statement, [], { $0.integer(0) }))
  }

  /// A piece of what visible versions of one source have replaced, unless a reader holds it; within a
  /// step.
  @discardableResult
  func sweepUnread(_ source: SourceID, limit: Int) throws(StoreError) -> Int {
    guard limit > 0, try !recordReaders.unread([source]).isEmpty else { return 0 }
    return try sweepSuperseded(source, limit)
  }

  /// Versions that a visible one has replaced, in the order in which they were: a removal goes after
  /// what it removed, so that nothing comes back.
  private func sweepSuperseded(_ source: SourceID, _ limit: Int) throws(StoreError) -> Int {
    let found = try connection.all(
      SweepSQL.superseded, [.integer(limit), .integer(source)]
    ) {
      (by: $0.integer(0), low: $0.integer(1), high: $0.integer(2), isDead: $0.integer(3) == 1)
    }
    var left = limit
    for entry in found where left > 0 {
      let end = min(entry.high, entry.low + Int64(left) - 1)
      left -= Int(end - entry.low) + 1
      let place: [SQLValue] = [.integer(source), .integer(entry.by), .integer(entry.low)]
      // What a dead version was to replace stays.
      if !entry.isDead {
        try connection.run(SweepSQL.removeRange, [.integer(entry.low), .integer(end)])
      }
      if entry.isDead || end == entry.high {
        try connection.run(SweepSQL.removeSuperseded, place)
      } else {
        try connection.run(SweepSQL.shortenSuperseded, place + [.integer(end + 1)])
      }
    }
    return limit - left
  }

  /// What dead runs staged. Numbers of several sources lie between one another: a step looks at a
  /// piece of the range and leaves the rest of it.
  private func sweepDead(_ limit: Int) throws(StoreError) -> Int {
    let range = try connection.first(SweepSQL.dead, []) {
      (source: $0.integer(0), low: $0.integer(1), high: $0.integer(2))
    }
    guard let range else { return 0 }
    let piece = try connection.all(
      SweepSQL.piece, [.integer(range.low), .integer(range.high), .integer(limit)]
    ) { (id: $0.integer(0), source: $0.integer(1)) }
    for version in piece where version.source == range.source {
      try connection.run(SweepSQL.removeVersion, [.integer(version.id)])
    }
    let end = piece.count == limit ? piece.last?.id ?? range.high : range.high
    // With the range goes the knowledge that these replaced nothing.
    try connection.run(
      SweepSQL.forgetReplacements,
      [.integer(range.source), .integer(range.low), .integer(end)])
    try connection.run(SweepSQL.removeDead, [.integer(range.source), .integer(range.low)])
    if end < range.high {
      try connection.run(
        SyncSQL.addDead, [.integer(range.source), .integer(end), .integer(range.high)])
    }
    return max(1, piece.count)
  }

  /// Records of a removed source, then its streams. Its runs and its row stay: they are its history.
  private func sweepRemoved(_ source: SourceID, _ limit: Int) throws(StoreError) -> Int {
    let stream = try connection.first(
      SweepSQL.removedStream, [.integer(source)], { $0.integer(0) })
    guard let stream else { return 0 }
    let removed = try connection.run(
      SweepSQL.removeVersions, [.integer(stream), .integer(limit)])
    if removed == 0 { try connection.run(SweepSQL.removeStream, [.integer(stream)]) }
    return max(1, removed)
  }
}

enum SweepSQL {
  /// Sources with versions that a visible one has replaced: a lookup in a small table each.
  static let replacing = SQL(
    "sweep.replacing",
    """
    SELECT source FROM sync_position AS place WHERE EXISTS (SELECT 1 FROM sync_superseded
      WHERE sync_superseded.source = place.source AND by <= place.published)
    """)
  static let removed = SQL(
    "sweep.removed",
    """
    SELECT id FROM source INDEXED BY source_removed WHERE removed_at IS NOT NULL
      AND EXISTS (SELECT 1 FROM sync_stream WHERE sync_stream.source = source.id)
    """)
  static let superseded = SQL(
    "sweep.superseded",
    """
    SELECT by, entry.low, entry.high, EXISTS (SELECT 1 FROM sync_dead
      WHERE sync_dead.source = entry.source AND sync_dead.low < by AND sync_dead.high >= by)
    FROM sync_position AS place CROSS JOIN sync_superseded AS entry
      ON entry.source = place.source AND by <= place.published
    WHERE place.source = ?2 ORDER BY by, entry.low LIMIT ?1
    """)
  static let removeSuperseded = SQL(
    "sweep.remove_superseded",
    "DELETE FROM sync_superseded WHERE source = ?1 AND by = ?2 AND low = ?3")
  static let shortenSuperseded = SQL(
    "sweep.shorten_superseded",
    "UPDATE sync_superseded SET low = ?4 WHERE source = ?1 AND by = ?2 AND low = ?3")
  static let removeRange = SQL(
    "sweep.remove_range", "DELETE FROM record_version WHERE id BETWEEN ?1 AND ?2")
  static let removeVersion = SQL(
    "sweep.remove_version", "DELETE FROM record_version WHERE id = ?1")
  static let dead = SQL(
    "sweep.dead", "SELECT source, low, high FROM sync_dead ORDER BY source, low LIMIT 1")
  static let piece = SQL(
    "sweep.piece",
    """
    SELECT version.id, sync_stream.source FROM record_version AS version
      CROSS JOIN sync_stream ON sync_stream.id = version.stream
    WHERE version.id > ?1 AND version.id <= ?2 ORDER BY version.id LIMIT ?3
    """)
  static let removeDead = SQL(
    "sweep.remove_dead", "DELETE FROM sync_dead WHERE source = ?1 AND low = ?2")
  static let forgetReplacements = SQL(
    "sweep.forget_replacements",
    "DELETE FROM sync_superseded WHERE source = ?1 AND by > ?2 AND by <= ?3")
  static let removedStream = SQL(
    "sweep.removed_stream",
    """
    SELECT sync_stream.id FROM source JOIN sync_stream ON sync_stream.source = source.id
    WHERE source.id = ?1 AND removed_at IS NOT NULL LIMIT 1
    """)
  static let removeVersions = SQL(
    "sweep.remove_versions",
    """
    DELETE FROM record_version WHERE id IN (SELECT id FROM record_version
      INDEXED BY record_of_stream WHERE stream = ?1 LIMIT ?2)
    """)
  static let removeStream = SQL(
    "sweep.remove_stream", "DELETE FROM sync_stream WHERE id = ?1")
}
