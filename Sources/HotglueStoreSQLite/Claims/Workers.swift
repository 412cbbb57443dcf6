public import HotglueCore
public import HotglueStore

extension SQLiteStore {
  public func register(
    _ worker: WorkerIdentity, in workspaces: [WorkspaceID], by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> WorkerID {
    try write { () throws(StoreError) in
      try connection.run(
        ClaimSQL.register,
        [
          .text(worker.name), .text(worker.bootID), .text(worker.pidNamespace),
          .integer(Int64(worker.pid)), .integer(Int64(bitPattern: worker.processStartTime)),
          .text(worker.lockPath), .integer(now.milliseconds), .text(worker.storeFile),
          workspaces.isEmpty ? .null : .text(JSON.strings(workspaces.map(\.text)).text),
        ])
      let id = connection.lastInsertedID
      if workspaces.isEmpty { try logActivity(actor, in: nil, subject: "worker/\(id)", at: now) }
      for workspace in workspaces {
        try requireAuthority(of: actor, in: workspace)
        try logActivity(actor, in: workspace, subject: "worker/\(id)", at: now)
      }
      return id
    }
  }

  public func retire(_ worker: WorkerID) throws(StoreError) {
    _ = try write { () throws(StoreError) in
      try connection.run(ClaimSQL.retire, [.integer(worker)])
    }
  }

  public func retireWorkers(withLocks lockPaths: [String]) throws(StoreError) {
    guard !lockPaths.isEmpty else { return }
    _ = try write { () throws(StoreError) in
      try connection.run(ClaimSQL.retireByLock, [.text(JSON.strings(lockPaths).text)])
    }
  }

  public func runningAttempts(
    in workspaces: [WorkspaceID], notMindedBy worker: WorkerID?
  ) throws(StoreError) -> [RunningAttempt] {
    let names = JSON.strings(workspaces.map(\.text)).text
    return try connection.all(
      ClaimSQL.running, [.text(names), .optional(worker)], decodeRunningAttempt)
  }

  public func runningAttempt(
    of job: JobID, in workspace: WorkspaceID
  ) throws(StoreError) -> RunningAttempt? {
    try connection.first(
      ClaimSQL.runningOne, [.integer(job), .text(workspace.text)], decodeRunningAttempt)
  }

  private func decodeRunningAttempt(_ row: Row) throws(StoreError) -> RunningAttempt {
    var columns = row.columns()
    let job = columns.integer()
    let workspace = try decodeWorkspaceID(columns.text())
    let reference = AttemptReference(workspace: workspace, job: job, fence: columns.integer())
    let number = columns.count()
    let watch = columns.integer()
    let slot = RowName.slot(columns.text())
    let workerID = columns.integer()
    let lease = BootTime(bootID: columns.text(), milliseconds: columns.integer())
    let unansweredBoot = columns.optionalText()
    let unansweredMilliseconds = columns.optionalInteger()
    let cancelRequested = columns.optionalInteger() != nil
    let policy = try decodePolicy(columns.optionalText())
    let directory = columns.text()
    let umask = FileMask(bits: UInt16(truncatingIfNeeded: columns.integer()))
    let environment = try columns.optionalText().map(decodeStrings) ?? []
    let worker = WorkerIdentity(
      name: columns.text(), bootID: columns.text(), pidNamespace: columns.text(),
      pid: Int32(truncatingIfNeeded: columns.integer()),
      processStartTime: UInt64(bitPattern: columns.exactInteger()),
      lockPath: RowName.path(columns.text()),
      storeFile: columns.text())
    let isRetired = columns.optionalInteger() != nil
    let origin = AttemptOrigin(
      bootID: columns.text(), pidNamespace: columns.text(), storeFile: columns.text())
    let type = columns.text()
    let incarnations = columns.optionalText()
    var unanswered: BootTime?
    if let unansweredBoot, let unansweredMilliseconds {
      unanswered = BootTime(bootID: unansweredBoot, milliseconds: unansweredMilliseconds)
    }
    var attempt = RunningAttempt(
      reference: reference, number: number, watch: watch, slot: slot, workerID: workerID,
      worker: worker, workerIsRetired: isRetired, origin: origin, lease: lease,
      leaseLength: policy.lease, unansweredSince: unanswered,
      cancelRequested: cancelRequested, policy: policy, directory: directory,
      environment: environment, type: type,
      idempotencyKey: try idempotencyKey(ofJob: job, incarnations))
    attempt.umask = umask
    return attempt
  }
}
