public import HotglueCore
public import HotglueStore

extension SQLiteStore: AuditStore {
  public func audit() throws(StoreError) -> StoreAudit {
    let info = try info()
    return try read { () throws(StoreError) in
      let workspaces = try workspaces().map(\.id)
      var audit = StoreAudit(
        info: info, violations: try findings(),
        running: try runningAttempts(in: workspaces, notMindedBy: nil),
        workers: try workersAtWork(), openSwitches: try openSwitches(),
        uncertainJobs: try waiting(AuditSQL.uncertain),
        unknownEffects: try waiting(AuditSQL.unknownEffects),
        archivedRunning: try waiting(AuditSQL.archivedRunning),
        latest: try connection.first(AuditSQL.latest, [], { $0.integer(0) })
          .map(Timestamp.init(milliseconds:)), workspaces: workspaces)
      audit.stoppedAutomations = try connection.all(AuditSQL.stoppedAutomations, []) {
        (row) throws(StoreError) in
        StoreAudit.StoppedAutomation(
          workspace: try decodeWorkspaceID(row.text(0)), name: row.text(1),
          isWithoutZone: row.text(2) == Automation.State.zoneMissing.rawValue,
          reason: row.optionalText(3) ?? "")
      }
      return audit
    }
  }

  public func record(ofJob job: JobID, fence: Fence) throws(StoreError) -> AttemptRecord {
    let found = try connection.first(AuditSQL.attempt, [.integer(job), .integer(fence)]) {
      (row) throws(StoreError) -> AttemptRecord in
      guard row.integer(0) != 0 else { return .open }
      return try decodePolicy(row.optionalText(1)).keepChildren ? .endedKeepingChildren : .ended
    }
    return found ?? .unknown
  }

  private func workersAtWork() throws(StoreError) -> [StoreAudit.Worker] {
    try connection.all(AuditSQL.workers, []) { row in
      StoreAudit.Worker(
        id: row.integer(0),
        identity: WorkerIdentity(
          name: row.text(1), bootID: row.text(2), pidNamespace: row.text(3),
          pid: Int32(truncatingIfNeeded: row.integer(4)),
          processStartTime: UInt64(bitPattern: row.exactInteger(5)),
          lockPath: RowName.path(row.text(6)))
      )
    }
  }

  private func openSwitches() throws(StoreError) -> [StoreAudit.Context] {
    try connection.all(AuditSQL.openSwitches, []) { (row) throws(StoreError) in
      StoreAudit.Context(
        key: ContextKey(contextID: row.text(0), path: row.text(1)),
        record: ContextRecord(
          generation: row.integer(2), workspace: row.optionalText(3).flatMap { WorkspaceID($0) },
          previous: row.optionalText(4).flatMap { WorkspaceID($0) },
          intent: ContextRecord.Intent(
            generation: row.integer(5), workspace: try decodeWorkspaceID(row.text(6)))))
    }
  }

  private func waiting(_ sql: SQL) throws(StoreError) -> [StoreAudit.Waiting] {
    try connection.all(sql, []) { (row) throws(StoreError) in
      StoreAudit.Waiting(
        workspace: try decodeWorkspaceID(row.text(0)), count: Int(row.integer(1)))
    }
  }
}
