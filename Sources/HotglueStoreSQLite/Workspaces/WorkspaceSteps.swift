public import HotglueCore
public import HotglueStore

extension SQLiteStore: WorkspaceStore {
  public func createWorkspace(
    _ id: WorkspaceID, name: String, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> Workspace {
    try write { () throws(StoreError) in
      guard try connection.first(WorkspaceSQL.state, [.text(id.text)], { _ in true }) == nil else {
        throw StoreError.workspaceExists(id)
      }
      try connection.run(
        WorkspaceSQL.insert, [.text(id.text), .text(name), .integer(now.milliseconds)])
      try logActivity(actor, in: id, subject: "workspace/\(id)", at: now)
      // In a store with members it belongs to somebody from the start.
      guard try connection.first(MemberSQL.any, [], { _ in true }) != nil else { return }
      try connection.run(
        MemberSQL.set,
        [
          .text(id.text), .text(actor.user), .text(Role.owner.rawValue),
          .integer(now.milliseconds), .text(actor.user),
        ])
      try logActivity(actor, in: id, subject: "member/\(actor.user)", at: now)
    }
    return Workspace(id: id, name: name, state: .active, isProtected: false, createdAt: now)
  }

  public func workspaces() throws(StoreError) -> [Workspace] {
    try connection.all(WorkspaceSQL.all, [], decodeWorkspace)
  }

  public func workspace(_ id: WorkspaceID) throws(StoreError) -> Workspace {
    guard
      let found = try connection.first(WorkspaceSQL.one, [.text(id.text)], decodeWorkspace)
    else { throw try unknownWorkspace(id) }
    return found
  }

  public func contents(of id: WorkspaceID) throws(StoreError) -> WorkspaceContents {
    try read { () throws(StoreError) in
      _ = try workspace(id)
      let drafts = try connection.first(
        DraftSQL.countOpen, [.text(id.text)], { Int($0.integer(0)) })
      return WorkspaceContents(jobsByState: try jobsByState(in: id), openDrafts: drafts ?? 0)
    }
  }

  public func archiveWorkspace(
    _ id: WorkspaceID, by actor: Actor, at now: Timestamp
  ) throws(StoreError) {
    try write { () throws(StoreError) in
      try requireActive(id, for: actor)
      try connection.run(WorkspaceSQL.archive, [.text(id.text), .integer(now.milliseconds)])
      try logActivity(actor, in: id, subject: "workspace/\(id)", at: now)
    }
  }

  public func unarchiveWorkspace(
    _ id: WorkspaceID, by actor: Actor, at now: Timestamp
  ) throws(StoreError) {
    try write { () throws(StoreError) in
      _ = try workspace(id)
      try requireAuthority(of: actor, in: id)
      guard try connection.run(WorkspaceSQL.unarchive, [.text(id.text)]) == 1 else { return }
      try logActivity(actor, in: id, subject: "workspace/\(id)", at: now)
    }
  }

  public func renameWorkspace(
    _ id: WorkspaceID, to name: String, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> Bool {
    try write { () throws(StoreError) in
      try requireActive(id, for: actor)
      guard try connection.run(WorkspaceSQL.rename, [.text(id.text), .text(name)]) == 1 else {
        return false
      }
      try logActivity(actor, in: id, subject: "workspace/\(id)", at: now)
      return true
    }
  }
}

extension SQLiteStore {
  /// The workspace exists and is not archived.
  func requireActive(_ id: WorkspaceID) throws(StoreError) {
    switch try connection.first(WorkspaceSQL.state, [.text(id.text)], { $0.text(0) }) {
    case "active": return
    case nil: throw try unknownWorkspace(id)
    default: throw StoreError.archivedWorkspace(id)
    }
  }

  func unknownWorkspace(_ id: WorkspaceID) throws(StoreError) -> StoreError {
    let names = try connection.all(WorkspaceSQL.names, [], { $0.text(0) })
    return .unknownWorkspace(id, near: NearMatch.among(names, to: id.text))
  }

  /// Counts by indexes alone. Only blocked jobs have none of their own: they are what remains.
  func jobsByState(in id: WorkspaceID) throws(StoreError) -> [JobState: Int] {
    let key: [SQLValue] = [.text(id.text)]
    func count(_ sql: SQL) throws(StoreError) -> Int {
      try connection.first(sql, key, { Int($0.integer(0)) }) ?? 0
    }
    var counts: [JobState: Int] = [:]
    counts[.pending] = try count(WorkspaceSQL.countPending)
    counts[.running] = try count(WorkspaceSQL.countRunning)
    let finished = try connection.all(
      WorkspaceSQL.countFinished, key, { (JobState(rawValue: $0.text(0)), Int($0.integer(1))) })
    for (state, number) in finished {
      if let state { counts[state] = number }
    }
    let all = try count(WorkspaceSQL.countAll)
    counts[.blocked] = all - counts.values.reduce(0, +)
    return counts.filter { $0.value > 0 }
  }

  public func log(
    _ actor: Actor, in workspace: WorkspaceID?, subjects: [String], at now: Timestamp
  ) throws(StoreError) {
    guard !subjects.isEmpty else { return }
    try write { () throws(StoreError) in
      for subject in subjects {
        try logActivity(actor, in: workspace, subject: subject, at: now)
      }
    }
  }

  /// The row that every mutation leaves in the log.
  func logActivity(
    _ actor: Actor, in workspace: WorkspaceID?, subject: String?, at now: Timestamp
  ) throws(StoreError) {
    try connection.run(
      WorkspaceSQL.logActivity,
      [
        .integer(now.milliseconds), .optional(workspace?.text), .text(actor.user),
        .text(actor.command), .text(actor.workspaceOrigin), .optional(actor.terminal),
        .optional(actor.job), .optional(subject), .optional(actor.repairedBy),
      ])
  }

  func decodeWorkspace(_ row: Row) throws(StoreError) -> Workspace {
    var columns = row.columns()
    let id = try decodeWorkspaceID(columns.text())
    let name = columns.text()
    return Workspace(
      id: id, name: name, state: columns.text() == "archived" ? .archived : .active,
      isProtected: columns.flag(), createdAt: Timestamp(milliseconds: columns.integer()))
  }

  func decodeWorkspaceID(_ text: String) throws(StoreError) -> WorkspaceID {
    guard let id = WorkspaceID(text) else {
      throw StoreError.corrupt(path: path, detail: "'\(text)' is no workspace ID")
    }
    return id
  }
}
