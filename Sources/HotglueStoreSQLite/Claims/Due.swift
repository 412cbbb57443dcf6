public import HotglueCore
public import HotglueStore

extension SQLiteStore {
  public func expire(
    in workspaces: [WorkspaceID], at now: Timestamp
  ) throws(StoreError) -> [ExpiredJob] {
    // Mostly nothing has expired: a look finds that out without the write lock.
    guard try !expired(in: workspaces, at: now).isEmpty else { return [] }
    return try write { () throws(StoreError) in
      let jobs = try expired(in: workspaces, at: now)
      for job in jobs { try endExpired(job.id, at: now) }
      return jobs
    }
  }

  /// Archived workspaces count too: a deadline that has passed has happened already.
  public func expired(
    in workspaces: [WorkspaceID], at now: Timestamp
  ) throws(StoreError) -> [ExpiredJob] {
    var jobs: [ExpiredJob] = []
    for workspace in workspaces {
      jobs += try connection.all(
        ClaimSQL.expired, [.integer(now.milliseconds), .text(workspace.text)],
        { ExpiredJob(id: $0.integer(0), workspace: workspace) })
    }
    return jobs
  }

  /// Cancels a job whose deadline has passed, inside the caller's transaction.
  func endExpired(_ id: JobID, at now: Timestamp) throws(StoreError) {
    guard let job = try record(of: id) else { return }
    let transition = try decide(job, .deadlinePassed, at: now)
    try apply(transition, to: job, at: now)
    try addEvent(job, transition, by: "deadline", reason: transition.reason?.rawValue, at: now)
  }

  public func nextDue(
    in workspaces: [WorkspaceID], queues: [String], types: [String], except closed: Set<TypePlace>,
    at now: Timestamp
  ) throws(StoreError) -> Timestamp? {
    try read { () throws(StoreError) in
      var earliest: Int64?
      // A closed type or queue is no reason to come: what opens it changes the store.
      var gates = LaneGates(closed: closed)
      for workspace in workspaces where try isActive(workspace) {
        var place = ("", "")
        while let first = try nextLane(in: workspace, after: place) {
          place = (first.queue, first.type)
          guard queues.isEmpty || queues.contains(first.queue),
            types.isEmpty || types.contains(first.type),
            try gates.room(in: first, self) > 0
          else { continue }
          if try firstDue(from: first, at: now) != nil { return now }
          // Each rank's head is its earliest; the head of a lane is of its first rank only.
          var head: LaneHead? = first
          while let current = head {
            if current.runAt > now.milliseconds {
              earliest = min(earliest ?? current.runAt, current.runAt)
            }
            guard current.rank < Int64.max else { break }
            head = try self.head(after: current, rank: current.rank + 1)
          }
        }
      }
      return earliest.map(Timestamp.init(milliseconds:))
    }
  }

  public func changeCounter() throws(StoreError) -> Int64 {
    try connection.first(ClaimSQL.dataVersion, [], { $0.integer(0) }) ?? 0
  }
}
