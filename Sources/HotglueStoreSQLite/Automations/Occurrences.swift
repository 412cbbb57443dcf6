public import HotglueCore
public import HotglueStore

/// The history of occurrences, and what is run of it again.
extension SQLiteStore {
  public func occurrences(
    of id: AutomationID, in workspace: WorkspaceID, before: Int64?, limit: Int
  ) throws(StoreError) -> [OccurrenceRecord] {
    let top = before ?? Int64.max
    let nominal = top >> 1
    return try records(
      AutomationSQL.page,
      [
        .integer(id), .text(workspace.text), .integer(nominal), .integer(top & 1),
        .integer(limit),
      ])
  }

  public func backfill(
    _ name: String, _ due: [TickPlan.Due], redo: BackfillRedo, priority: Int, dryRun: Bool,
    in workspace: WorkspaceID, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> [OccurrenceRecord] {
    if dryRun {
      return try read { () throws(StoreError) in
        let automation = try automation(name, in: workspace)
        return try wanted(due, redo, of: automation).map(\.record)
      }
    }
    return try write { () throws(StoreError) in
      try requireActive(workspace, for: actor)
      let automation = try automation(name, in: workspace)
      var fired: [OccurrenceRecord] = []
      for (due, record, isKnown) in try wanted(due, redo, of: automation) {
        let change = { (request: inout EnqueueRequest) in
          request.runAt = now
          if request.overrides == nil {
            request.priority = priority
            request.limitKey = "backfill:\(name)"
            request.limitMax = 1
          } else {
            request.overrides?.priority = priority
            request.overrides?.limitKey = .some("backfill:\(name)")
            request.overrides?.limitMax = 1
          }
        }
        if isKnown {
          fired.append(
            try fireAfterAll(
              record, due, of: automation, reason: "backfill", by: actor, at: now,
              waitsInTurn: false, change: change))
          continue
        }
        let made = try enqueue(
          due, of: automation, isCatchUp: true, waitsInTurn: false, by: actor, at: now, change)
        guard made.isNew else { continue }
        var record = record
        record.job = made.id
        record.jobState = .pending
        record.decidedAt = now
        try insert(record, of: automation)
        fired.append(record)
      }
      if !fired.isEmpty {
        try logActivity(
          actor, in: workspace, subject: "automation/\(name) \(fired.count) jobs", at: now)
      }
      return fired
    }
  }

  /// What of the occurrences is to be run: with the row that they have, or are to have.
  private func wanted(
    _ due: [TickPlan.Due], _ redo: BackfillRedo, of automation: Automation
  ) throws(StoreError) -> [(due: TickPlan.Due, record: OccurrenceRecord, isKnown: Bool)] {
    let nominals = due.map(\.occurrence.nominal.seconds)
    guard let low = nominals.min(), let high = nominals.max() else { return [] }
    let known = Dictionary(
      try records(
        AutomationSQL.range,
        [
          .integer(automation.id), .text(automation.workspace.text), .integer(low),
          .integer(high),
        ]
      ).map { ($0.position, $0) }
    ) { first, _ in first }
    var wanted: [(due: TickPlan.Due, record: OccurrenceRecord, isKnown: Bool)] = []
    for due in due {
      let fresh = OccurrenceRecord(
        occurrence: due.occurrence, zone: automation.definition.zone, decision: .fired,
        reason: "backfill", job: nil, jobState: nil, isCatchUp: true,
        decidedAt: Timestamp(milliseconds: 0))
      guard let record = known[fresh.position] else {
        wanted.append((due, fresh, false))
        continue
      }
      let isWanted =
        switch redo {
        case _ where record.job == nil: true
        case .none: false
        case .failed:
          record.jobState.map { [.failed, .uncertain, .cancelled].contains($0) } ?? false
        case .all: record.jobState?.isFinished ?? true
        }
      if isWanted { wanted.append((due, record, true)) }
    }
    return wanted
  }

  func records(_ sql: SQL, _ values: [SQLValue]) throws(StoreError) -> [OccurrenceRecord] {
    try connection.all(sql, values) { (row) throws(StoreError) in
      var columns = row.columns()
      let nominal = CivilTime(seconds: columns.integer())
      let fold = columns.count()
      let at = columns.integer()
      let zone = columns.text()
      let note = columns.optionalText().flatMap(Occurrence.Note.init(rawValue:))
      guard let decision = OccurrenceDecision(rawValue: columns.text()) else {
        throw StoreError.corrupt(path: path, detail: "an occurrence's decision cannot be read")
      }
      return OccurrenceRecord(
        occurrence: Occurrence(nominal: nominal, fold: fold, second: at / 1000, note: note),
        zone: zone, decision: decision, reason: columns.optionalText(),
        job: columns.optionalInteger(),
        jobState: columns.optionalText().flatMap(JobState.init(rawValue:)),
        isCatchUp: columns.flag(), decidedAt: Timestamp(milliseconds: columns.integer()))
    }
  }

  /// Removes some occurrences that were due before the moment, inside the caller's transaction.
  func pruneOccurrences(before moment: Timestamp, limit: Int) throws(StoreError) {
    for id in try connection.all(AutomationSQL.everyID, [], { $0.integer(0) }) {
      try connection.run(
        AutomationSQL.prune,
        [.integer(id), .integer(moment.milliseconds / 1000), .integer(limit)])
    }
  }

  public func noteTicker(
    in workspace: WorkspaceID, by actor: Actor, at now: Timestamp
  ) throws(StoreError) {
    try write { () throws(StoreError) in
      try requireActive(workspace, for: actor)
      try connection.run(
        AutomationSQL.noteTicker, [.text(workspace.text), .text(String(now.milliseconds))])
      try logActivity(actor, in: workspace, subject: nil, at: now)
    }
  }

  public func lastTicker(in workspace: WorkspaceID) throws(StoreError) -> Timestamp? {
    try connection.first(
      AutomationSQL.lastTicker, [.text(workspace.text)], { Int64($0.text(0)) }
    ).flatMap { $0 }.map(Timestamp.init(milliseconds:))
  }

  public func workers(
    covering workspace: WorkspaceID
  ) throws(StoreError) -> [WorkerIdentity] {
    try connection.all(AutomationSQL.workers, [.text(workspace.text)]) { row in
      var columns = row.columns()
      return WorkerIdentity(
        name: columns.text(), bootID: columns.text(), pidNamespace: columns.text(),
        pid: Int32(truncatingIfNeeded: columns.integer()),
        processStartTime: UInt64(bitPattern: columns.exactInteger()),
        lockPath: RowName.path(columns.text()), storeFile: columns.text())
    }
  }
}
