public import HotglueCore
public import HotglueStore

/// A job's facts as read inside a transaction, with what else a change needs.
struct JobRecord {
  var facts: JobFacts
  var state: JobState
  var workspace: WorkspaceID
  var fence: Fence
  var type: String
  var limitKey: String?
  var isParked: Bool
  var key: String?
  var holdsKey: Bool
  var keyHold: KeyHold
  /// Its deadline, until an attempt has started.
  var expiresAt: Timestamp?
  /// Whose occurrence it runs for.
  var automation: AutomationID?

  /// Whether the key stays held in `state`. A key held until the job is done stays while nobody knows
  /// whether the job has happened.
  func holdsKey(in state: JobState) -> Bool {
    holdsKey && !(keyHold == .untilDone && state.isFinished && state != .uncertain)
  }
}

extension SQLiteStore {
  public func cancel(
    _ id: JobID, in workspace: WorkspaceID, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> CancelResult {
    try write { () throws(StoreError) in
      try requireActive(workspace, for: actor)
      return try cancelNow(id, in: workspace, by: actor, at: now)
    }
  }

  /// The same inside the transaction that is open.
  func cancelNow(
    _ id: JobID, in workspace: WorkspaceID, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> CancelResult {
    let job = try record(of: id, in: workspace, at: now)
    let transition = try decide(job, .cancel, at: now)
    if transition.to == .running {
      let isNew = try connection.run(
        JobSQL.requestCancel,
        [.integer(id), .integer(job.fence), .integer(now.milliseconds), .text(actor.user)])
      if isNew == 1 {
        try addEvent(job, transition, by: actor.user, reason: nil, at: now)
        try logActivity(actor, in: workspace, subject: "job/\(id)", at: now)
      }
      guard let attempt = try runningAttempt(of: id, in: workspace) else {
        throw StoreError.corrupt(path: path, detail: "running job \(id) has no attempt")
      }
      return .requested(attempt)
    }
    try apply(transition, to: job, at: now)
    try addEvent(job, transition, by: actor.user, reason: transition.reason?.rawValue, at: now)
    try logActivity(actor, in: workspace, subject: "job/\(id)", at: now)
    return .cancelled
  }

  public func retryAgain(
    _ id: JobID, in workspace: WorkspaceID, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> Job {
    try write { () throws(StoreError) in
      var job = try recordToChange(id, in: workspace, by: actor, at: now)
      let transition = try decide(job, .retryAgain, at: now)
      job.holdsKey = try takesKeyAgain(job)
      try apply(transition, to: job, freshBudgets: true, dropsPassedDeadline: true, at: now)
      try addEvent(job, transition, by: actor.user, reason: nil, at: now)
      try logActivity(actor, in: workspace, subject: "job/\(id)", at: now)
      return try self.job(id, in: workspace)
    }
  }

  public func resolve(
    _ id: JobID, in workspace: WorkspaceID, as resolution: JobEvent.Resolution, reason: String,
    by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> Job {
    try write { () throws(StoreError) in
      // It records what has happened already: an archived workspace takes that, too.
      try requireAuthority(of: actor, in: workspace)
      var job = try record(of: id, in: workspace, at: now)
      let transition = try decide(job, .resolve(as: resolution), at: now)
      if transition.to == .pending { job.holdsKey = try takesKeyAgain(job) }
      try apply(transition, to: job, dropsPassedDeadline: true, at: now)
      try addEvent(job, transition, by: actor.user, reason: reason, at: now)
      try logActivity(actor, in: workspace, subject: "job/\(id)", at: now)
      return try self.job(id, in: workspace)
    }
  }
}

extension SQLiteStore {
  /// The job's facts for a change that a user asks for; the workspace must be active. A deadline that
  /// has passed is recorded first: the change is then judged as the job is shown.
  private func recordToChange(
    _ id: JobID, in workspace: WorkspaceID, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> JobRecord {
    try requireActive(workspace, for: actor)
    return try record(of: id, in: workspace, at: now)
  }

  private func record(
    of id: JobID, in workspace: WorkspaceID, at now: Timestamp
  ) throws(StoreError) -> JobRecord {
    guard let job = try record(of: id) else { throw StoreError.unknownJob(id) }
    guard job.workspace == workspace else {
      throw StoreError.otherWorkspace(id, owner: job.workspace)
    }
    guard let end = job.expiresAt, end <= now, job.state == .pending || job.state == .blocked else {
      return job
    }
    try endExpired(id, at: now)
    return try record(of: id) ?? job
  }

  func record(of id: JobID) throws(StoreError) -> JobRecord? {
    try connection.first(JobSQL.facts, [.integer(id)]) { (row) throws(StoreError) in
      var columns = row.columns()
      let state = try decodeState(columns.text())
      let facts = JobFacts(
        id: id, state: state, attempt: columns.count(), failures: columns.count(),
        losses: columns.count(), snoozes: columns.count(),
        cancelRequested: columns.optionalInteger() != nil,
        budgetsStartedAt: columns.optionalInteger().map(Timestamp.init(milliseconds:)),
        policy: try decodePolicy(columns.optionalText()))
      let fence = columns.integer()
      let limitKey = columns.optionalText()
      let isParked = columns.flag()
      let key = columns.optionalText()
      let holdsKey = columns.flag()
      let keyHold = KeyHold(column: columns.optionalText())
      let type = columns.text()
      let workspace = try decodeWorkspaceID(columns.text())
      return JobRecord(
        facts: facts, state: state, workspace: workspace, fence: fence, type: type,
        limitKey: limitKey, isParked: isParked, key: key, holdsKey: holdsKey, keyHold: keyHold,
        expiresAt: columns.optionalInteger().map(Timestamp.init(milliseconds:)),
        automation: columns.optionalInteger())
    }
  }

  func decide(
    _ job: JobRecord, _ event: JobEvent, at now: Timestamp
  ) throws(StoreError) -> JobTransition {
    do {
      return try job.facts.after(event, at: now)
    } catch {
      throw StoreError.invalidTransition(job.facts.id, error)
    }
  }

  /// Writes the decided change of a job that no attempt holds. The write repeats what the decision was
  /// made on; that it finds nothing to change cannot happen inside one immediate transaction.
  func apply(
    _ transition: JobTransition, to job: JobRecord, freshBudgets: Bool = false,
    dropsPassedDeadline: Bool = false, at now: Timestamp
  ) throws(StoreError) {
    let id = job.facts.id
    let changed = try connection.run(
      JobSQL.changeIdle,
      [
        .integer(id), .integer(job.fence), .text(job.state.rawValue),
        .text(transition.to.rawValue), .optional(transition.reason?.rawValue),
        .optional(transition.runAt?.milliseconds),
        transition.to.isFinished ? .integer(now.milliseconds) : .null,
        .integer(transition.failures), .integer(transition.losses), .integer(transition.snoozes),
        .flag(job.holdsKey(in: transition.to)), .flag(freshBudgets),
        dropsPassedDeadline && transition.to == .pending ? .integer(now.milliseconds) : .null,
      ])
    guard changed == 1 else { throw StoreError.stale(id, fence: job.fence, current: nil) }
    if let automation = job.automation, transition.to.isFinished {
      try pauseAfterFailures(automation, endedIn: transition.to, at: now)
    }
    // An unparked job that goes makes way for the next one behind the same key.
    if job.state == .pending, !job.isParked, let limitKey = job.limitKey {
      try unpark(limitKey, in: job.workspace, at: now)
    }
  }

  func addEvent(
    _ job: JobRecord, _ transition: JobTransition, by: String, reason: String?, at now: Timestamp
  ) throws(StoreError) {
    try connection.run(
      JobSQL.addEvent,
      [
        .integer(job.facts.id), .text(job.workspace.text), .integer(job.fence),
        .integer(now.milliseconds), .text(transition.event.rawValue), .text(job.state.rawValue),
        .text(transition.to.rawValue), .text(by), .optional(reason),
      ])
  }

  /// Whether a job that is run again holds its dedupe key: it takes one that is free, `keyHeld` when
  /// another live job has it, and does without when one has it that has ended. An uncertain job counts
  /// as live: it may yet be run again.
  private func takesKeyAgain(_ job: JobRecord) throws(StoreError) -> Bool {
    guard let key = job.key, !job.holdsKey else { return job.holdsKey }
    let holder = try connection.first(
      JobSQL.keyHolder, [.text(job.workspace.text), .text(job.type), .text(key)]
    ) { (row) throws(StoreError) in (row.integer(0), try decodeState(row.text(1))) }
    guard let (holderID, state) = holder else { return true }
    guard state.isFinished, state != .uncertain else {
      throw StoreError.keyHeld(key: key, job: holderID)
    }
    return false
  }
}
