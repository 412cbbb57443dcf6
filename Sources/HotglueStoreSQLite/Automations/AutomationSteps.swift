public import HotglueCore
public import HotglueStore

extension SQLiteStore: AutomationStore {
  public func setAutomation(
    _ setting: AutomationSetting, in workspace: WorkspaceID,
    expecting expectation: AutomationExpectation, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> AutomationChange {
    try write { () throws(StoreError) in
      try requireActive(workspace, for: actor)
      return try put(setting, in: workspace, expecting: expectation, by: actor, at: now)
    }
  }

  public func removeAutomation(
    _ name: String, in workspace: WorkspaceID, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> Automation {
    try write { () throws(StoreError) in
      try requireActive(workspace, for: actor)
      let automation = try automation(name, in: workspace)
      try connection.run(
        AutomationSQL.remove, [.integer(automation.id), .integer(now.milliseconds)])
      try logActivity(actor, in: workspace, subject: "automation/\(name)", at: now)
      return automation
    }
  }

  public func pauseAutomation(
    _ name: String, reason: String?, in workspace: WorkspaceID, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> Automation {
    try write { () throws(StoreError) in
      try requireActive(workspace, for: actor)
      let automation = try automation(name, in: workspace)
      let changed = try connection.run(
        AutomationSQL.pause,
        [
          .integer(automation.id), .text(reason ?? "paused by \(actor.user)"), .flag(false),
          .integer(now.milliseconds),
        ])
      if changed == 1 {
        try logActivity(actor, in: workspace, subject: "automation/\(name)", at: now)
      }
      return try self.automation(name, in: workspace)
    }
  }

  public func resumeAutomation(
    _ name: String, next: Timestamp?, catchUp: CatchUp, local: (Occurrence) -> TickPlan.Due,
    in workspace: WorkspaceID, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> (automation: Automation, fired: [OccurrenceRecord]) {
    try write { () throws(StoreError) in
      try requireActive(workspace, for: actor)
      let automation = try automation(name, in: workspace)
      guard automation.state != .active else { throw StoreError.automationNotPaused(name) }
      var fired: [OccurrenceRecord] = []
      if automation.state == .paused, catchUp != .none {
        let pausedAt = try connection.first(
          AutomationSQL.pausedAt, [.integer(automation.id)], { $0.optionalInteger(0) })
        let missed = try records(
          AutomationSQL.ofPause,
          [
            .integer(automation.id), .text(workspace.text), .integer((pausedAt ?? nil) ?? 0),
            .integer(((pausedAt ?? nil) ?? 0) / 1000 - Self.widestOffset),
            .integer(catchUp == .one ? 1 : MissedRule.mostOfAll),
          ])
        for record in missed.reversed() {
          fired.append(
            try fireAfterAll(
              record, local(record.occurrence), of: automation, reason: "caught up", by: actor,
              at: now, waitsInTurn: true, change: { _ in }))
        }
      }
      try connection.run(
        AutomationSQL.resume,
        [.integer(automation.id), .integer(now.milliseconds), .optional(next?.milliseconds)])
      try logActivity(actor, in: workspace, subject: "automation/\(name)", at: now)
      return (try self.automation(name, in: workspace), fired)
    }
  }

  public func automations(in workspace: WorkspaceID) throws(StoreError) -> [Automation] {
    try connection.all(AutomationSQL.all, [.text(workspace.text)], decodeAutomation)
  }

  public func automation(
    _ name: String, in workspace: WorkspaceID
  ) throws(StoreError) -> Automation {
    guard let found = try currentAutomation(name, in: workspace) else {
      throw try unknownAutomation(name, in: workspace)
    }
    return found
  }

  public func owner(
    ofAutomation id: AutomationID
  ) throws(StoreError) -> (workspace: WorkspaceID, name: String)? {
    try connection.first(AutomationSQL.owner, [.integer(id)]) { (row) throws(StoreError) in
      (try decodeWorkspaceID(row.text(0)), row.text(1))
    }
  }
}

extension SQLiteStore {
  /// No zone is further from UTC, in seconds.
  static let widestOffset: Int64 = 26 * 3600

  func currentAutomation(
    _ name: String, in workspace: WorkspaceID
  ) throws(StoreError) -> Automation? {
    try connection.first(
      AutomationSQL.one, [.text(workspace.text), .text(name)], decodeAutomation)
  }

  func unknownAutomation(
    _ name: String, in workspace: WorkspaceID
  ) throws(StoreError) -> StoreError {
    let names = try automations(in: workspace).map(\.name)
    return .unknownAutomation(name, workspace, near: NearMatch.among(names, to: name))
  }

  /// Makes the automation what `setting` says, where it is as expected, and logs that; within a
  /// transaction.
  func put(
    _ setting: AutomationSetting, in workspace: WorkspaceID,
    expecting expectation: AutomationExpectation, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> AutomationChange {
    let name = setting.name
    let before = try currentAutomation(name, in: workspace)
    switch (expectation, before) {
    case (.absent, .some): throw StoreError.automationExists(name, workspace)
    case (.revision, nil): throw try unknownAutomation(name, in: workspace)
    case (.revision(let expected), .some(let found)) where found.revision != expected:
      throw StoreError.staleAutomation(name, expected: expected, found: found.revision)
    default: break
    }
    let after = try put(setting, over: before, in: workspace, by: actor, at: now)
    let change = AutomationChange(before: before, after: after)
    if change.isChange {
      try logActivity(actor, in: workspace, subject: "automation/\(name)", at: now)
    }
    return change
  }

  /// The same over what there was, without a row in the log.
  func put(
    _ setting: AutomationSetting, over before: Automation?, in workspace: WorkspaceID,
    by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> Automation {
    let definition = setting.contract.definition
    let job = setting.contract.job.template.text
    if let before {
      if before.contract == setting.contract { return before }
      let begins = definition.schedulesOtherwise(than: before.definition)
      try connection.run(
        AutomationSQL.change,
        [
          .integer(before.id), .text(definition.json.text), .text(job),
          .integer(now.milliseconds), .text(actor.user),
          begins ? .integer(now.milliseconds) : .null, .optional(setting.next?.milliseconds),
          .optional(definition.pauseAfter),
        ])
    } else {
      try connection.run(
        AutomationSQL.insert,
        [
          .text(workspace.text), .text(setting.name), .text(definition.json.text), .text(job),
          .integer(now.milliseconds), .optional(setting.next?.milliseconds),
          .optional(definition.pauseAfter), .text(actor.user),
        ])
    }
    return try automation(setting.name, in: workspace)
  }

  /// What `put` would make.
  func preview(
    _ setting: AutomationSetting, in workspace: WorkspaceID, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> AutomationChange {
    let before = try currentAutomation(setting.name, in: workspace)
    guard var after = before else {
      let new = Automation(
        id: 0, workspace: workspace, name: setting.name, revision: 1, contract: setting.contract,
        state: .active, reason: nil, isPausedByFailures: false, cursor: now,
        nextTick: setting.next, lastAt: nil, lastJob: nil, createdAt: now, setAt: now,
        setBy: actor.user)
      return AutomationChange(before: nil, after: new)
    }
    if after.contract != setting.contract {
      after.contract = setting.contract
      after.revision += 1
    }
    return AutomationChange(before: before, after: after)
  }

  func decodeAutomation(_ row: Row) throws(StoreError) -> Automation {
    var columns = row.columns()
    let id = columns.integer()
    let workspace = try decodeWorkspaceID(columns.text())
    let name = columns.text()
    let revision = columns.count()
    guard
      let definition = try decodeJSON(columns.text()).flatMap({ AutomationDefinition(json: $0) }),
      let job = try decodeJSON(columns.text()).flatMap({ EnqueueRequest(template: $0) }),
      let state = Automation.State(rawValue: columns.text())
    else {
      throw StoreError.corrupt(path: path, detail: "automation '\(name)' cannot be read")
    }
    let reason = columns.optionalText()
    let isPausedByFailures = columns.flag()
    let cursor = Timestamp(milliseconds: columns.integer())
    let nextTick = columns.optionalInteger().map(Timestamp.init(milliseconds:))
    let lastAt = columns.optionalInteger().map(Timestamp.init(milliseconds:))
    let lastJob = columns.optionalInteger()
    return Automation(
      id: id, workspace: workspace, name: name, revision: revision,
      contract: AutomationContract(definition: definition, job: job), state: state,
      reason: reason, isPausedByFailures: isPausedByFailures, cursor: cursor, nextTick: nextTick,
      lastAt: lastAt, lastJob: lastJob, createdAt: Timestamp(milliseconds: columns.integer()),
      setAt: Timestamp(milliseconds: columns.integer()), setBy: columns.text())
  }

  /// Pauses an automation whose jobs have ended badly too often in a row: within the transaction that
  /// ends the last of them.
  func pauseAfterFailures(
    _ id: AutomationID, endedIn state: JobState, at now: Timestamp
  ) throws(StoreError) {
    guard state == .failed || state == .uncertain else { return }
    let found = try connection.first(AutomationSQL.failureBound, [.integer(id)]) { row in
      (bound: Int(row.integer(0)), since: row.integer(1), name: row.text(2), owner: row.text(3))
    }
    guard let (bound, since, name, owner) = found else { return }
    let ends = try connection.all(
      AutomationSQL.lastEnds, [.integer(id), .integer(since), .integer(bound)]
    ) { row in (job: row.integer(0), state: row.text(1)) }
    let bad = ends.filter { $0.state == "failed" || $0.state == "uncertain" }
    guard bad.count == bound, let last = ends.first else { return }
    try connection.run(
      AutomationSQL.pause,
      [
        .integer(id),
        .text("\(bound) bad ends in a row: job \(last.job) is \(last.state)"), .flag(true),
        .integer(now.milliseconds),
      ])
    let actor = Actor(user: "hotglue", command: "automation pause", workspaceOrigin: "none")
    try logActivity(
      actor, in: try decodeWorkspaceID(owner), subject: "automation/\(name)", at: now)
  }
}
