public import HotglueCore
public import HotglueStore

extension SQLiteStore: QueueStore {
  public func setLimit(
    _ limit: Int?, ofQueue name: String, in workspace: WorkspaceID, by actor: Actor,
    at now: Timestamp
  ) throws(StoreError) -> QueueLimitChange {
    try write { () throws(StoreError) in
      try requireActive(workspace)
      let place: [SQLValue] = [.text(workspace.text), .text(name)]
      let before = try self.limit(ofQueue: name, in: workspace)
      let change = QueueLimitChange(name: name, before: before, after: limit)
      guard change.isChange else { return change }
      if let limit {
        try connection.run(QueueSQL.setLimit, place + [.integer(limit)])
        try connection.run(QueueSQL.countThoseThatRun, place)
      } else {
        try connection.run(QueueSQL.removeLimit, place)
      }
      try logActivity(actor, in: workspace, subject: "queue/\(name)", at: now)
      return change
    }
  }

  public func queues(in workspace: WorkspaceID) throws(StoreError) -> [Queue] {
    try connection.all(QueueSQL.all, [.text(workspace.text)]) { row in
      Queue(
        workspace: workspace, name: row.text(0), limit: row.optionalInteger(1).map { Int($0) },
        running: Int(row.integer(2)), pending: Int(row.integer(3)))
    }
  }
}

extension SQLiteStore {
  func limit(ofQueue name: String, in workspace: WorkspaceID) throws(StoreError) -> Int? {
    let found = try connection.first(
      QueueSQL.limit, [.text(workspace.text), .text(name)], { $0.optionalInteger(0) })
    return (found ?? nil).map { Int($0) }
  }

  /// How many jobs of a queue with a limit run, counted up to `bound`.
  func countRunning(
    inQueue name: String, upTo bound: Int64, in workspace: WorkspaceID
  ) throws(StoreError) -> Int64 {
    try connection.first(
      QueueSQL.countRunning, [.text(workspace.text), .text(name), .integer(bound)],
      { $0.integer(0) }) ?? 0
  }
}
