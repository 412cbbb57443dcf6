public import HotglueCore
public import HotglueStore

extension SQLiteStore: SourceStore {
  public func setSource(
    _ name: String, to definition: SourceDefinition, in workspace: WorkspaceID,
    expecting expectation: SourceExpectation, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> Source {
    try write { () throws(StoreError) in
      try requireActive(workspace, for: actor)
      let before = try currentSource(name, in: workspace)
      switch (expectation, before) {
      case (.absent, .some): throw StoreError.sourceExists(name, workspace)
      case (.revision, nil): throw try unknownSource(name, in: workspace)
      case (.revision(let expected), .some(let found)) where found.revision != expected:
        throw StoreError.staleSource(name, expected: expected, found: found.revision)
      default: break
      }
      if let before, before.definition == definition { return before }
      let after = try put(name, over: before, definition, in: workspace, by: actor, at: now)
      try logActivity(actor, in: workspace, subject: "source/\(name)", at: now)
      return after
    }
  }

  public func removeSource(
    _ name: String, in workspace: WorkspaceID, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> Source {
    try write { () throws(StoreError) in
      try requireActive(workspace, for: actor)
      let source = try source(name, in: workspace)
      try refuseLiveRun(of: source.id, in: workspace)
      try connection.run(
        SyncSQL.interruptRuns, [.integer(source.id), .integer(now.milliseconds)])
      try connection.run(
        DeliverySQL.interruptRuns, [.integer(source.id), .integer(now.milliseconds)])
      if let place = try position(of: source.id, in: workspace) {
        try giveUp(staged: place.staged, above: place.published, of: source.id)
      }
      try StreamView.dropAll(of: source.id, in: connection)
      try connection.run(SourceSQL.remove, [.integer(source.id), .integer(now.milliseconds)])
      try logActivity(actor, in: workspace, subject: "source/\(name)", at: now)
      return source
    }
  }

  public func sources(in workspace: WorkspaceID) throws(StoreError) -> [Source] {
    try connection.all(SourceSQL.all, [.text(workspace.text)]) { (row) throws(StoreError) in
      try decodeSource(row, in: workspace)
    }
  }

  public func source(_ name: String, in workspace: WorkspaceID) throws(StoreError) -> Source {
    guard let source = try currentSource(name, in: workspace) else {
      throw try unknownSource(name, in: workspace)
    }
    return source
  }

  public func owner(
    ofSource id: SourceID
  ) throws(StoreError) -> (workspace: WorkspaceID, name: String)? {
    try connection.first(SourceSQL.owner, [.integer(id)]) { (row) throws(StoreError) in
      (try decodeWorkspaceID(row.text(0)), row.text(1))
    }
  }
}

extension SQLiteStore {
  /// Makes the source what `definition` says, and logs nothing; within a transaction. What is so already
  /// stays at its revision.
  func put(
    _ name: String, over before: Source?, _ definition: SourceDefinition,
    in workspace: WorkspaceID, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> Source {
    if let before {
      if before.definition == definition { return before }
      try connection.run(
        SourceSQL.change,
        [
          .integer(before.id), .text(definition.json.text), .integer(now.milliseconds),
          .text(actor.user),
        ])
    } else {
      try connection.run(
        SourceSQL.insert,
        [
          .text(workspace.text), .text(name), .text(definition.json.text),
          .integer(now.milliseconds), .text(actor.user),
        ])
    }
    return try source(name, in: workspace)
  }

  /// The source of that name, if there is one.
  func currentSource(
    _ name: String, in workspace: WorkspaceID
  ) throws(StoreError) -> Source? {
    try connection.first(
      SourceSQL.one, [.text(workspace.text), .text(name)]
    ) { (row) throws(StoreError) in try decodeSource(row, in: workspace) }
  }

  private func unknownSource(
    _ name: String, in workspace: WorkspaceID
  ) throws(StoreError) -> StoreError {
    let names = try sources(in: workspace).map(\.name)
    return .unknownSource(name, workspace, near: NearMatch.among(names, to: name))
  }

  func requireSource(_ id: SourceID, in workspace: WorkspaceID) throws(StoreError) {
    let name = String(id)
    guard let owner = try owner(ofSource: id), owner.workspace == workspace else {
      throw StoreError.unknownSource(name, workspace, near: [])
    }
  }

  func sourceName(_ id: SourceID) throws(StoreError) -> String {
    try owner(ofSource: id)?.name ?? String(id)
  }

  private func decodeSource(_ row: Row, in workspace: WorkspaceID) throws(StoreError) -> Source {
    var columns = row.columns()
    let id = columns.integer()
    let name = columns.text()
    let revision = columns.count()
    guard let json = try decodeJSON(columns.text()),
      let definition = SourceDefinition(json: json)
    else {
      throw StoreError.corrupt(path: path, detail: "source '\(name)' cannot be read")
    }
    return Source(
      id: id, workspace: workspace, name: name, revision: revision, definition: definition,
      createdAt: Timestamp(milliseconds: columns.integer()),
      setAt: Timestamp(milliseconds: columns.integer()), setBy: columns.text())
  }
}

enum SourceSQL {
  static let one = SQL(
    "source.one",
    """
    SELECT id, name, revision, definition, created_at, set_at, set_by
    FROM source INDEXED BY source_name
    WHERE workspace = ?1 AND name = ?2 AND removed_at IS NULL
    """)
  static let all = SQL(
    "source.all",
    """
    SELECT id, name, revision, definition, created_at, set_at, set_by
    FROM source INDEXED BY source_name
    WHERE workspace = ?1 AND removed_at IS NULL ORDER BY name
    """)
  static let owner = SQL(
    "source.owner", "SELECT workspace, name FROM source WHERE id = ?1 AND removed_at IS NULL")
  static let insert = SQL(
    "source.insert",
    """
    INSERT INTO source (workspace, name, revision, definition, created_at, set_at, set_by)
    VALUES (?1, ?2, 1, ?3, ?4, ?4, ?5)
    """)
  static let change = SQL(
    "source.change",
    """
    UPDATE source SET definition = ?2, set_at = ?3, set_by = ?4, revision = revision + 1
    WHERE id = ?1 AND removed_at IS NULL
    """)
  static let remove = SQL(
    "source.remove", "UPDATE source SET removed_at = ?2 WHERE id = ?1 AND removed_at IS NULL")
}
