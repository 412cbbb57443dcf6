public import HotglueCore
public import HotglueStore

extension SQLiteStore: ClaimStore {
  public func settle(
    _ settlements: [Settlement], thenClaim claim: ClaimRequest?, at now: Timestamp
  ) throws(StoreError) -> (results: [SettlementResult], claimed: [ClaimedJob]) {
    guard !settlements.isEmpty || claim != nil else { return ([], []) }
    return try write { () throws(StoreError) in
      var results: [SettlementResult] = []
      results.reserveCapacity(settlements.count)
      for settlement in settlements { results.append(try record(settlement, at: now)) }
      let claimed = try claim.map { (request) throws(StoreError) in
        try take(request, at: now)
      }
      return (results, claimed ?? [])
    }
  }
}

extension SQLiteStore {
  /// Claims inside the caller's transaction.
  ///
  /// The head of every lane is found by seeks; the best of them by priority, `run_at` and ID is taken,
  /// or parked when its limit key is saturated; then only its own lane is looked at again.
  private func take(
    _ request: ClaimRequest, at now: Timestamp
  ) throws(StoreError) -> [ClaimedJob] {
    var places = ClaimPlaces(request)
    guard !places.areTaken else { return [] }
    guard
      let worker = try connection.first(
        ClaimSQL.workerName, [.integer(request.worker)], { $0.text(0) })
    else { throw StoreError.unexpected("worker \(request.worker) is not registered") }
    // Read in this transaction, because a restore starts a new incarnation under an open store.
    let incarnations = try connection.first(MetaSQL.incarnations, [], { $0.text(0) })
    let claimant = Claimant(
      worker: request.worker, name: worker, bootNow: request.bootNow,
      incarnations: incarnations, takesEarly: request.only != nil)
    var gates = LaneGates(closed: request.closedTypes)
    var deadlines = Deadlines()
    var heads: [LaneHead]
    if let only = request.only {
      heads = try namedHead(only, request, at: now)
    } else {
      heads = try laneHeads(request, &gates, &deadlines, at: now)
    }
    var types: [String: JobType?] = [:]
    var claimed: [ClaimedJob] = []
    var parkings = 0
    while true {
      while deadlines.madeRoom {
        deadlines.madeRoom = false
        heads = try laneHeads(request, &gates, &deadlines, at: now)
      }
      guard let best = heads.indices.min(by: { LaneHead.comesFirst(heads[$0], heads[$1]) }) else {
        break
      }
      let head = heads[best]
      guard try gates.room(in: head, self) > 0 else {
        heads.remove(at: best)
        continue
      }
      if let key = head.limitKey,
        try isSaturated(key, limit: head.limitMax, in: head.workspace)
      {
        guard parkings < Self.mostParkings, request.only == nil else { break }
        try park(head.id)
        parkings += 1
      } else {
        let job = try self.job(head.id, in: head.workspace, &types)
        guard let place = places.take(for: job) else { break }
        claimed.append(try take(job, at: place, for: claimant, at: now))
        try gates.take(head, self)
      }
      if places.areTaken || claimed.count >= request.mostJobs { break }
      if request.only == nil,
        let next = try nextDue(afterLeavingOf: head, &deadlines, at: now)
      {
        heads[best] = next
      } else {
        heads.remove(at: best)
      }
    }
    return claimed
  }

  /// The one job that is asked for, due or not. When its deadline has passed it is cancelled, as at the
  /// head of a lane.
  private func namedHead(
    _ id: JobID, _ request: ClaimRequest, at now: Timestamp
  ) throws(StoreError) -> [LaneHead] {
    for workspace in request.workspaces where try isActive(workspace) {
      let head = try connection.first(
        ClaimSQL.named, [.integer(id), .text(workspace.text)],
        { LaneHead(workspace: workspace, row: $0) })
      guard let head else { continue }
      guard let end = head.expiresAt, end <= now.milliseconds else { return [head] }
      try endExpired(id, at: now)
      return []
    }
    return []
  }

  private func take(
    _ found: Job, at place: ClaimPlaces.Place, for claimant: Claimant, at now: Timestamp
  ) throws(StoreError) -> ClaimedJob {
    var job = found
    let transition: JobTransition
    do {
      transition = try job.facts.after(.claim, at: now)
    } catch {
      throw StoreError.invalidTransition(job.id, error)
    }
    let lease = claimant.bootNow.advanced(by: job.request.policy.lease)
    let leaseWall = now.advanced(by: job.request.policy.lease)
    let latestRunAt = claimant.takesEarly ? Int64.max : now.milliseconds
    var values: [SQLValue] = [
      .integer(job.id), .text(job.workspace.text), .integer(claimant.worker),
      .integer(lease.milliseconds), .integer(leaseWall.milliseconds),
      .integer(now.milliseconds), .integer(latestRunAt),
    ]
    let changed: Int
    if let revision = job.typeRevision, job.request.overrides != nil {
      values += [
        .text(JSON.strings(job.request.command).text), .text(job.request.directory),
        .text(policyText(job.request.policy)), .integer(revision),
        .integer(Int64(job.request.umask.bits)),
      ]
      changed = try connection.run(ClaimSQL.takeTyped, values)
    } else {
      changed = try connection.run(ClaimSQL.take, values)
    }
    guard changed == 1 else {
      throw StoreError.stale(job.id, fence: job.fence + 1, current: job.fence)
    }
    job.state = transition.to
    job.reason = nil
    job.attempt = transition.attempt
    job.fence += 1
    job.watch = 1
    job.worker = claimant.name
    job.lease = lease
    job.leaseExpiresAt = leaseWall
    job.waitsForLimit = false
    job.progress = nil
    job.startedAt = job.startedAt ?? now
    try connection.run(
      ClaimSQL.addAttempt,
      [
        .integer(job.id), .integer(job.fence), .text(job.workspace.text), .integer(job.attempt),
        .integer(claimant.worker), .text(claimant.name), .text(place.slot),
        .integer(now.milliseconds), .optional(job.typeRevision),
      ])
    return ClaimedJob(
      job: job, slot: place.slot,
      idempotencyKey: try idempotencyKey(ofJob: job.id, claimant.incarnations),
      stream: place.stream)
  }

  /// The same for all attempts of the job, also after a restore, and for no other job of any store:
  /// the incarnation in which the job was enqueued, and its ID. `incarnations` is the column that
  /// `IncarnationList` reads.
  func idempotencyKey(
    ofJob id: JobID, _ incarnations: String?
  ) throws(StoreError) -> String {
    guard let incarnations else { return "\(storeID)-1-\(id)" }
    let list: IncarnationList
    if let lastIncarnations, lastIncarnations.text == incarnations {
      list = lastIncarnations
    } else {
      guard let read = IncarnationList(incarnations) else {
        throw StoreError.corrupt(path: path, detail: "the list of incarnations cannot be read")
      }
      list = read
      lastIncarnations = read
    }
    return "\(storeID)-\(list.name(ofJob: id))-\(id)"
  }
}

/// Who claims, and how.
private struct Claimant {
  let worker: WorkerID
  let name: String
  let bootNow: BootTime
  /// Of the store, as they are recorded.
  let incarnations: String?
  /// Whether a job may be taken before its `run_at`.
  let takesEarly: Bool
}

extension Job {
  /// What a decision about the job is made on.
  var facts: JobFacts {
    JobFacts(
      id: id, state: state, attempt: attempt, failures: failures, losses: losses,
      snoozes: snoozes, cancelRequested: cancelRequestedAt != nil, budgetsStartedAt: startedAt,
      policy: request.policy)
  }
}

enum MetaSQL {
  static let incarnations = SQL(
    "meta.incarnations", "SELECT value FROM store_meta WHERE key = 'incarnations'")
}
