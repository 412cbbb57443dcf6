public import HotglueCore
public import HotglueStore

extension SQLiteStore {
  public func renew(
    _ attempts: [(reference: AttemptReference, watch: Watch)], worker: WorkerID, bootNow: BootTime
  ) throws(StoreError) -> [AttemptReference] {
    guard !attempts.isEmpty else { return [] }
    return try write { () throws(StoreError) in
      var lost: [AttemptReference] = []
      for (reference, watch) in attempts {
        let conditions: [SQLValue] = [
          .integer(reference.job), .text(reference.workspace.text), .integer(reference.fence),
          .integer(watch), .integer(worker),
        ]
        let policy = try connection.first(ClaimSQL.leaseToRenew, conditions) {
          (row) throws(StoreError) in try decodePolicy(row.optionalText(0))
        }
        guard let policy else {
          lost.append(reference)
          continue
        }
        let lease = bootNow.advanced(by: policy.lease)
        let changed = try connection.run(
          ClaimSQL.renew, conditions + [.integer(lease.milliseconds)])
        if changed != 1 { lost.append(reference) }
      }
      return lost
    }
  }

  public func adopt(
    _ attempt: AttemptReference, watch: Watch, by worker: WorkerID, name: String,
    bootNow: BootTime, at now: Timestamp
  ) throws(StoreError) -> Watch {
    try write { () throws(StoreError) in
      guard let job = try record(of: attempt.job), job.workspace == attempt.workspace else {
        throw try notHere(attempt.job)
      }
      // Recorded by its supervisor, or given up, since it was found: somebody was faster.
      guard job.facts.state == .running, job.fence == attempt.fence else {
        throw StoreError.stale(attempt.job, fence: attempt.fence, current: job.fence)
      }
      let transition = try decide(job, .adopt, at: now)
      let length = job.facts.policy.lease
      let lease = bootNow.advanced(by: length)
      let changed = try connection.run(
        ClaimSQL.adopt,
        [
          .integer(attempt.job), .text(attempt.workspace.text), .integer(attempt.fence),
          .integer(watch), .integer(worker), .integer(lease.milliseconds),
          .integer(now.advanced(by: length).milliseconds),
        ])
      guard changed == 1 else {
        throw StoreError.stale(attempt.job, fence: attempt.fence, current: job.fence)
      }
      try addEvent(job, transition, by: name, reason: nil, at: now)
      return watch + 1
    }
  }

  public func noteUnanswered(
    _ attempt: AttemptReference, watch: Watch, at moment: BootTime?
  ) throws(StoreError) -> BootTime? {
    try write { () throws(StoreError) in
      let conditions: [SQLValue] = [
        .integer(attempt.job), .text(attempt.workspace.text), .integer(attempt.fence),
        .integer(watch),
      ]
      let known = try connection.first(ClaimSQL.unanswered, conditions) { (row) -> BootTime? in
        row.isNull(0) ? nil : BootTime(bootID: row.text(0), milliseconds: row.integer(1))
      }
      guard let known else {
        throw StoreError.stale(
          attempt.job, fence: attempt.fence, current: try record(of: attempt.job)?.fence)
      }
      // A note of an earlier boot is no question that anybody could have answered since.
      if let known, let moment, known.bootID == moment.bootID { return known }
      try connection.run(
        ClaimSQL.setUnanswered,
        conditions + [.optional(moment?.bootID), .optional(moment?.milliseconds)])
      return moment
    }
  }
}
