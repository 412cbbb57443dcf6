public import HotglueCore
public import HotglueStore

/// What makes occurrences fire. `AutomationTick` decides; these steps write what it decided.
extension SQLiteStore {
  public func dueAutomations(
    in workspaces: [WorkspaceID], at now: Timestamp, limit: Int
  ) throws(StoreError) -> [Automation] {
    try read { () throws(StoreError) in
      var found: [Automation] = []
      for workspace in workspaces where try isActive(workspace) {
        let values: [SQLValue] = [
          .text(workspace.text), .integer(now.milliseconds), .integer(limit),
        ]
        found += try connection.all(AutomationSQL.due, values, decodeAutomation)
        for ahead in try connection.all(AutomationSQL.ahead, values, decodeAutomation)
        where !found.contains(where: { $0.id == ahead.id }) {
          found.append(ahead)
        }
      }
      return Array(found.prefix(limit))
    }
  }

  public func nextTick(
    in workspaces: [WorkspaceID], at now: Timestamp
  ) throws(StoreError) -> Timestamp? {
    var next: Int64?
    for workspace in workspaces {
      let place: [SQLValue] = [.text(workspace.text)]
      if let found = try connection.first(AutomationSQL.nextTick, place, { $0.integer(0) }) {
        next = min(next ?? found, found)
      }
      let cursor = try connection.first(AutomationSQL.latestCursor, place, { $0.integer(0) })
      if let cursor, cursor > now.milliseconds { next = now.milliseconds }
    }
    return next.map(Timestamp.init(milliseconds:))
  }

  public func tick(
    _ plan: TickPlan, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> TickResult {
    let automation = plan.automation
    let workspace = automation.workspace
    return try write { () throws(StoreError) in
      try requireAuthority(of: actor, in: workspace)
      guard try isActive(workspace),
        let current = try currentAutomation(automation.name, in: workspace),
        current.id == automation.id, current.revision == automation.revision,
        current.state == automation.state, current.cursor == automation.cursor
      else { return .stale }
      let wasAhead = automation.cursor > now
      if plan.due.isEmpty, !wasAhead, automation.state != .zoneMissing,
        plan.next == automation.nextTick
      {
        return .decided([])
      }
      if wasAhead {
        // Decided by a clock that was wrong: what fired then has its job, the rest may still fire.
        try connection.run(
          AutomationSQL.forgetAhead,
          [
            .integer(automation.id), .integer(now.milliseconds / 1000 - Self.widestOffset),
            .integer(now.milliseconds),
          ])
      }
      let records = try decide(plan, by: actor, at: now)
      let fired = records.last { $0.decision == .fired }
      let changed = try connection.run(
        AutomationSQL.moveCursor,
        [
          .integer(automation.id), .integer(automation.revision),
          .text(automation.state.rawValue), .integer(automation.cursor.milliseconds),
          .integer(now.milliseconds), .optional(plan.next?.milliseconds),
          .optional(fired?.occurrence.at.milliseconds), .optional(fired?.job),
        ])
      guard changed == 1 else {
        throw StoreError.unexpected("automation \(automation.id) changed inside a transaction")
      }
      let what = wasAhead ? " cursor set back to now" : ""
      try logActivity(
        actor, in: workspace, subject: "automation/\(automation.name)" + what, at: now)
      return .decided(records)
    }
  }

  public func noteMissingZone(
    _ automation: Automation, reason: String, retry: Timestamp, by actor: Actor, at now: Timestamp
  ) throws(StoreError) {
    try write { () throws(StoreError) in
      try requireActive(automation.workspace, for: actor)
      try connection.run(
        AutomationSQL.missZone,
        [
          .integer(automation.id), .integer(automation.revision), .integer(retry.milliseconds),
          .text(reason),
        ])
      if automation.state == .active {
        try logActivity(
          actor, in: automation.workspace, subject: "automation/\(automation.name)", at: now)
      }
    }
  }

  public func trigger(
    _ name: String, as due: TickPlan.Due, in workspace: WorkspaceID, by actor: Actor,
    at now: Timestamp
  ) throws(StoreError) -> TriggerResult {
    try write { () throws(StoreError) in
      try requireActive(workspace, for: actor)
      let automation = try automation(name, in: workspace)
      let tick = AutomationTick(
        automation.definition, unfinished: try unfinished(of: automation.id), now: now)
      let (held, cancels) = tick.decideTrigger()
      if let held { return .held(by: held) }
      for job in cancels { _ = try cancelNow(job, in: workspace, by: actor, at: now) }
      let made = try enqueue(
        due, of: automation, isCatchUp: false,
        waitsInTurn: automation.definition.overlap.runsOneAtATime, by: actor, at: now
      ) { $0.runAt = nil }
      if !made.isNew {
        let facts = try record(of: made.id)
        return .held(
          by: AutomationTick.Unfinished(
            id: made.id, state: facts?.state ?? .pending,
            hasStarted: (facts?.facts.attempt ?? 0) > 0))
      }
      try connection.run(
        AutomationSQL.noteJob,
        [.integer(automation.id), .integer(now.milliseconds), .integer(made.id)])
      try logActivity(actor, in: workspace, subject: "automation/\(name) job/\(made.id)", at: now)
      return .enqueued(made.id)
    }
  }
}

extension SQLiteStore {
  /// Writes the rows of a tick, and its jobs; within its transaction.
  private func decide(
    _ plan: TickPlan, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> [OccurrenceRecord] {
    let automation = plan.automation
    let due = try undecided(plan)
    guard !due.isEmpty else { return [] }
    var tick = AutomationTick(
      automation.definition, unfinished: try unfinished(of: automation.id), now: now)
    tick.isPaused = automation.state == .paused
    tick.pauseReason = automation.reason
    let result = tick.decide(due.map(\.occurrence))
    for job in result.cancels {
      _ = try cancelNow(job, in: automation.workspace, by: actor, at: now)
    }
    var jobs: [Int: JobID] = [:]
    var records: [OccurrenceRecord] = []
    for (index, row) in result.rows.enumerated() {
      var record = OccurrenceRecord(
        occurrence: row.occurrence, zone: automation.definition.zone, decision: row.decision,
        reason: nil, job: nil, jobState: nil, isCatchUp: row.isCatchUp, decidedAt: now)
      if row.decision == .fired {
        let made = try enqueue(
          due[index], of: automation, isCatchUp: row.isCatchUp, waitsInTurn: row.waitsInTurn,
          by: actor, at: now)
        if made.isNew {
          record.job = made.id
          record.jobState = .pending
          jobs[index] = made.id
        } else {
          // A dedupe key named a job that there is already, as that of a sync which runs.
          record.decision = .skipped
          record.isCatchUp = false
          let state = try self.record(of: made.id)?.state ?? .pending
          record.reason = "job \(made.id) is \(state.rawValue)"
        }
      } else if case .heldByRow(let other) = row.reason {
        record.reason = row.reason?.text(job: jobs[other])
      } else {
        record.reason = row.reason?.text()
      }
      try insert(record, of: automation)
      records.append(record)
    }
    return records
  }

  /// The occurrences of the plan that have no row. After a clock was set back some have one.
  private func undecided(_ plan: TickPlan) throws(StoreError) -> [TickPlan.Due] {
    let nominals = plan.due.map(\.occurrence.nominal.seconds)
    guard let low = nominals.min(), let high = nominals.max() else { return [] }
    let known = Set(
      try connection.all(
        AutomationSQL.decided,
        [.integer(plan.automation.id), .integer(low), .integer(high)],
        { $0.integer(0) * 2 + $0.integer(1) }))
    return plan.due.filter {
      !known.contains($0.occurrence.nominal.seconds * 2 + Int64($0.occurrence.fold))
    }
  }

  func unfinished(
    of id: AutomationID
  ) throws(StoreError) -> [AutomationTick.Unfinished] {
    try connection.all(AutomationSQL.unfinished, [.integer(id)]) { (row) throws(StoreError) in
      AutomationTick.Unfinished(
        id: row.integer(0), state: try decodeState(row.text(1)),
        hasStarted: row.text(1) == JobState.running.rawValue || row.integer(2) > 0)
    }
  }

  /// Enqueues the automation's job for an occurrence; within a transaction.
  func enqueue(
    _ due: TickPlan.Due, of automation: Automation, isCatchUp: Bool, waitsInTurn: Bool,
    by actor: Actor, at now: Timestamp, _ change: (inout EnqueueRequest) -> Void = { _ in }
  ) throws(StoreError) -> Enqueued {
    var request = automation.contract.job
    let seed = AutomationSeed.of(automation.name, in: automation.workspace.text)
    let offset = AutomationSeed.offset(automation.definition.jitter, seed: seed)
    request.runAt = (isCatchUp ? now : due.occurrence.at).advanced(by: offset)
    request.occurrence = JobOccurrence(
      automation: automation.id, name: automation.name, at: due.occurrence.at, local: due.local,
      previous: due.previous, isCatchUp: isCatchUp)
    if waitsInTurn {
      try takeTurns(&request, "automation:\(automation.name)", in: automation.workspace)
    }
    change(&request)
    let made = try store([request], in: automation.workspace, by: actor, at: now)
    guard let job = made.first else {
      throw StoreError.unexpected("automation \(automation.id) made no job")
    }
    return job
  }

  /// One at a time, by a limit key, unless the job has one that lets one run at a time already.
  func takeTurns(
    _ request: inout EnqueueRequest, _ key: String, in workspace: WorkspaceID
  ) throws(StoreError) {
    guard let overrides = request.overrides else {
      if request.limitKey == nil || request.limitMax > 1 {
        request.limitKey = key
        request.limitMax = 1
      }
      return
    }
    let type = try currentType(request.type, in: workspace)?.definition
    let own = overrides.limitKey ?? type?.limitKey
    let most = overrides.limitMax ?? type?.limitMax ?? 1
    guard own == nil || most > 1 else { return }
    request.overrides?.limitKey = .some(key)
    request.overrides?.limitMax = 1
  }

  func insert(_ record: OccurrenceRecord, of automation: Automation) throws(StoreError) {
    try connection.run(
      AutomationSQL.insertOccurrence,
      [
        .integer(automation.id), .integer(record.occurrence.nominal.seconds),
        .integer(record.occurrence.fold), .text(automation.workspace.text),
        .integer(record.occurrence.at.milliseconds), .text(record.zone),
        .optional(record.occurrence.note?.rawValue), .text(record.decision.rawValue),
        .optional(record.reason), .optional(record.job), .flag(record.isCatchUp),
        .integer(record.decidedAt.milliseconds),
      ])
  }

  /// Fires an occurrence whose row says that it did not, or repeats its job.
  func fireAfterAll(
    _ record: OccurrenceRecord, _ due: TickPlan.Due, of automation: Automation, reason: String,
    by actor: Actor, at now: Timestamp, waitsInTurn: Bool,
    change: (inout EnqueueRequest) -> Void
  ) throws(StoreError) -> OccurrenceRecord {
    let made = try enqueue(
      due, of: automation, isCatchUp: true, waitsInTurn: waitsInTurn, by: actor, at: now, change)
    var after = record
    guard made.isNew else { return after }
    let changed = try connection.run(
      AutomationSQL.fireAfterAll,
      [
        .integer(automation.id), .integer(record.occurrence.nominal.seconds),
        .integer(record.occurrence.fold), .text(reason), .integer(made.id),
        .integer(now.milliseconds), .optional(record.job),
      ])
    guard changed == 1 else {
      throw StoreError.unexpected("an occurrence of automation \(automation.id) has no row")
    }
    after.decision = .fired
    after.reason = reason
    after.job = made.id
    after.jobState = .pending
    after.isCatchUp = true
    after.decidedAt = now
    return after
  }
}

extension JobOccurrence {
  /// The column `occurrence`.
  var column: String {
    var members = [
      JSON.Member("name", .string(name)), JSON.Member("at", .integer(at.milliseconds)),
      JSON.Member("local", .string(local)),
    ]
    if let previous { members.append(JSON.Member("previous", .integer(previous.milliseconds))) }
    if isCatchUp { members.append(JSON.Member("catch_up", .bool(true))) }
    return JSON.object(members).text
  }
}

extension SQLiteStore {
  func decodeOccurrence(
    _ text: String, of automation: AutomationID?
  ) throws(StoreError) -> JobOccurrence? {
    guard let automation, let json = try decodeJSON(text), let name = json["name"]?.stringValue,
      let at = json["at"]?.integerValue, let local = json["local"]?.stringValue
    else {
      throw StoreError.corrupt(path: path, detail: "a job's occurrence cannot be read")
    }
    return JobOccurrence(
      automation: automation, name: name, at: Timestamp(milliseconds: at), local: local,
      previous: json["previous"]?.integerValue.map(Timestamp.init(milliseconds:)),
      isCatchUp: json["catch_up"]?.boolValue ?? false)
  }
}
