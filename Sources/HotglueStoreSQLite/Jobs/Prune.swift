public import HotglueCore
public import HotglueStore

extension SQLiteStore {
  public func prune(
    in workspace: WorkspaceID?, by rule: RetentionRule, limit: Int, dryRun: Bool, actor: Actor?,
    at now: Timestamp
  ) throws(StoreError) -> PruneResult {
    if dryRun {
      return try read { () throws(StoreError) in
        try removable(in: workspace, by: rule, limit: limit)
      }
    }
    return try write { () throws(StoreError) in
      // A person's command is refused in an archived workspace; retention goes on there.
      if let workspace, let actor { try requireActive(workspace, for: actor) }
      let result = try removable(in: workspace, by: rule, limit: limit)
      for reject in try oldRejects(in: workspace, by: rule, limit: limit) {
        try connection.run(RejectSQL.take, [.integer(reject)])
      }
      for id in result.jobs { try connection.run(PruneSQL.remove, [.integer(id)]) }
      for effect in try settledEffects(in: workspace, by: rule, limit: limit) {
        try connection.run(PruneSQL.removeEffect, [.integer(effect)])
      }
      if let before = rule.endedWellBefore {
        try connection.run(PruneSQL.removeWorkers, [.integer(before.milliseconds)])
      }
      if workspace == nil, let before = rule.loggedBefore {
        try pruneActivity(before: before)
        try pruneOccurrences(before: before, limit: limit)
      }
      if !result.jobs.isEmpty || result.effects > 0 || result.rejects > 0 {
        // Pages come back to the file system a few at a time.
        _ = try connection.all(PruneSQL.giveBackPages, [], { _ in })
        if let actor {
          try logActivity(actor, in: workspace, subject: Self.subject(of: result), at: now)
        }
      }
      return result
    }
  }

  public func prunedAt() throws(StoreError) -> Timestamp {
    let stored = try connection.first(PruneSQL.prunedAt, [], { Int64($0.text(0)) ?? 0 })
    return Timestamp(milliseconds: stored ?? 0)
  }

  public func recordPruned(at now: Timestamp) throws(StoreError) {
    try write { () throws(StoreError) in
      _ = try connection.run(PruneSQL.setPrunedAt, [.text(String(now.milliseconds))])
    }
  }

  /// Records that were set aside go when the job of their run would.
  private func oldRejects(
    in workspace: WorkspaceID?, by rule: RetentionRule, limit: Int
  ) throws(StoreError) -> [Int64] {
    guard rule.states == nil else { return [] }
    var rejects: [Int64] = []
    for (before, hasSucceeded) in [(rule.endedWellBefore, true), (rule.endedBadlyBefore, false)] {
      guard let before, rejects.count < limit else { continue }
      rejects += try connection.all(
        PruneSQL.oldRejects,
        [
          .optional(workspace?.text), .integer(before.milliseconds), .flag(hasSucceeded),
          .integer(limit - rejects.count),
        ], { $0.integer(0) })
    }
    return rejects
  }

  private static func subject(of result: PruneResult) -> String {
    if result.jobs.isEmpty, result.effects > 0 { return "\(result.effects) effects" }
    if result.jobs.isEmpty { return "\(result.rejects) rejects" }
    return result.jobs.count == 1 ? "job/\(result.jobs[0])" : "\(result.jobs.count) jobs"
  }

  private func removable(
    in workspace: WorkspaceID?, by rule: RetentionRule, limit: Int
  ) throws(StoreError) -> PruneResult {
    let workspaces = try names(of: workspace)
    var jobs: [JobID] = []
    for name in workspaces {
      for (state, before) in rule.bounds where jobs.count < limit {
        jobs += try connection.all(
          PruneSQL.finished,
          [
            .text(name), .text(state.rawValue), .integer(before.milliseconds),
            .integer(limit - jobs.count),
          ], { $0.integer(0) })
      }
    }
    var logs: [String] = []
    for id in jobs {
      logs += try connection.all(PruneSQL.logs, [.integer(id)]) { row in
        LogPath.of(job: id, fence: row.integer(0))
      }
    }
    let effects = try settledEffects(in: workspace, by: rule, limit: limit)
    return PruneResult(
      jobs: jobs, logs: logs, effects: effects.count,
      rejects: try oldRejects(in: workspace, by: rule, limit: limit).count)
  }

  /// Effects of workspaces that the rule forgets.
  private func settledEffects(
    in workspace: WorkspaceID?, by rule: RetentionRule, limit: Int
  ) throws(StoreError) -> [EffectID] {
    guard let before = rule.effectsSettledBefore else { return [] }
    var effects: [EffectID] = []
    for name in try names(of: workspace) where effects.count < limit {
      effects += try connection.all(
        PruneSQL.settledEffects,
        [.text(name), .integer(before.milliseconds), .integer(limit - effects.count)],
        { $0.integer(0) })
    }
    return effects
  }

  private func names(of workspace: WorkspaceID?) throws(StoreError) -> [String] {
    guard let workspace else { return try connection.all(WorkspaceSQL.names, [], { $0.text(0) }) }
    _ = try self.workspace(workspace)
    return [workspace.text]
  }
}

extension RetentionRule {
  /// The states the rule removes, each with its moment. Uncertain is never among them.
  fileprivate var bounds: [(JobState, Timestamp)] {
    var bounds: [(JobState, Timestamp)] = []
    if let endedWellBefore {
      bounds += [(.succeeded, endedWellBefore), (.cancelled, endedWellBefore)]
    }
    if let endedBadlyBefore {
      bounds.append((.failed, endedBadlyBefore))
    }
    guard let states else { return bounds }
    return bounds.filter { states.contains($0.0) }
  }
}

enum PruneSQL {
  static let finished = SQL(
    "prune.finished",
    """
    SELECT id FROM job INDEXED BY job_finished
    WHERE workspace = ?1 AND state = ?2 AND finished_at IS NOT NULL AND finished_at < ?3
      AND NOT EXISTS (SELECT 1 FROM effect INDEXED BY sqlite_autoindex_effect_2
        WHERE effect.workspace = job.workspace AND effect.scope_job = job.id
          AND effect.state IN ('intended', 'unknown'))
    ORDER BY finished_at LIMIT ?4
    """)
  /// A store says when it was made, and later when it was pruned.
  static let prunedAt = SQL(
    "prune.pruned_at",
    """
    SELECT value FROM store_meta WHERE key IN ('created_at', 'pruned_at') ORDER BY key DESC LIMIT 1
    """)
  static let setPrunedAt = SQL(
    "prune.set_pruned_at", "INSERT OR REPLACE INTO store_meta VALUES ('pruned_at', ?1)")
  static let logs = SQL(
    "prune.logs", "SELECT fence FROM attempt WHERE job = ?1 AND log IS NOT NULL")
  /// Attempts, events, late reports and the payload go with the job.
  static let remove = SQL(
    "prune.remove",
    """
    DELETE FROM job WHERE id = ?1 AND state IN ('succeeded', 'cancelled', 'failed')
    """)
  static let settledEffects = SQL(
    "prune.settled_effects",
    """
    SELECT id FROM effect INDEXED BY effect_settled
    WHERE workspace = ?1 AND scope_job IS NULL AND finished_at IS NOT NULL AND state <> 'unknown'
      AND finished_at < ?2
    ORDER BY finished_at LIMIT ?3
    """)
  /// The recorded output goes with it.
  static let removeEffect = SQL(
    "prune.remove_effect",
    """
    DELETE FROM effect WHERE id = ?1 AND scope_job IS NULL
      AND state IN ('confirmed', 'failed', 'abandoned')
    """)
  static let removeWorkers = SQL(
    "prune.remove_workers",
    """
    DELETE FROM worker WHERE retired_at < ?1
      AND NOT EXISTS (SELECT 1 FROM job WHERE job.worker = worker.id)
    """)
  /// Goes along the runs, which are few, not along the records.
  static let oldRejects = SQL(
    "prune.old_rejects",
    """
    SELECT sync_reject.id FROM sync_run CROSS JOIN sync_reject INDEXED BY sync_reject_of_run
      ON sync_reject.run = sync_run.id
    WHERE (?1 IS NULL OR sync_run.workspace = ?1) AND finished_at < ?2
      AND (sync_run.state = 'succeeded') = ?3
    LIMIT ?4
    """)
  static let giveBackPages = SQL("prune.give_back_pages", "PRAGMA incremental_vacuum(64)")
}
