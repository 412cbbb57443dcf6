public import HotglueCore
public import HotglueStore

extension SQLiteStore: TypeStore {
  public func setType(
    _ name: String, in workspace: WorkspaceID, by actor: Actor, at now: Timestamp,
    _ change: (TypeDefinition?) -> TypeDefinition?
  ) throws(StoreError) -> TypeChange? {
    try write { () throws(StoreError) in
      try requireActive(workspace, for: actor)
      let before = try currentType(name, in: workspace)
      guard let definition = change(before?.definition) else { return nil }
      let step = try set(name, to: definition, in: workspace, by: actor, at: now)
      if step.isChange {
        try logActivity(actor, in: workspace, subject: "type/\(name)", at: now)
      }
      return step
    }
  }

  public func setTypes(
    _ types: [(name: String, definition: TypeDefinition)], in workspace: WorkspaceID,
    dryRun: Bool, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> [TypeChange] {
    try apply(types, [], in: workspace, dryRun: dryRun, by: actor, at: now).types
  }

  public func apply(
    _ types: [(name: String, definition: TypeDefinition)], _ automations: [AutomationSetting],
    in workspace: WorkspaceID, dryRun: Bool, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> (types: [TypeChange], automations: [AutomationChange]) {
    if dryRun {
      return try read { () throws(StoreError) in
        var steps: [TypeChange] = []
        for (name, definition) in types {
          steps.append(try step(name, to: definition, in: workspace, by: actor, at: now))
        }
        var changes: [AutomationChange] = []
        for setting in automations {
          changes.append(try preview(setting, in: workspace, by: actor, at: now))
        }
        return (steps, changes)
      }
    }
    return try write { () throws(StoreError) in
      try requireActive(workspace, for: actor)
      var steps: [TypeChange] = []
      for (name, definition) in types {
        steps.append(try set(name, to: definition, in: workspace, by: actor, at: now))
      }
      let changed = steps.filter(\.isChange).map(\.after.name)
      if !changed.isEmpty {
        try logActivity(
          actor, in: workspace,
          subject: changed.count == 1 ? "type/\(changed[0])" : "\(changed.count) types", at: now)
      }
      var changes: [AutomationChange] = []
      for setting in automations {
        changes.append(
          try put(setting, in: workspace, expecting: .anything, by: actor, at: now))
      }
      return (steps, changes)
    }
  }

  public func removeType(
    _ name: String, in workspace: WorkspaceID, dryRun: Bool, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> Int {
    if dryRun {
      return try read { () throws(StoreError) in
        _ = try type(name, in: workspace)
        return try countWaiting(name, in: workspace)
      }
    }
    return try write { () throws(StoreError) in
      try requireActive(workspace, for: actor)
      let changed = try connection.run(
        TypeSQL.remove, [.text(workspace.text), .text(name), .integer(now.milliseconds)])
      guard changed == 1 else { throw try unknownType(name, in: workspace) }
      try logActivity(actor, in: workspace, subject: "type/\(name)", at: now)
      return try countWaiting(name, in: workspace)
    }
  }

  public func types(in workspace: WorkspaceID) throws(StoreError) -> [JobType] {
    try connection.all(TypeSQL.all, [.text(workspace.text)]) { (row) throws(StoreError) in
      try decodeType(row, in: workspace)
    }
  }

  public func type(_ name: String, in workspace: WorkspaceID) throws(StoreError) -> JobType {
    guard let type = try currentType(name, in: workspace) else {
      throw try unknownType(name, in: workspace)
    }
    return type
  }

  public func revisions(
    ofType name: String, in workspace: WorkspaceID
  ) throws(StoreError) -> [JobType] {
    let found = try connection.all(
      TypeSQL.revisions, [.text(workspace.text), .text(name)]
    ) { (row) throws(StoreError) in try decodeType(row, in: workspace) }
    guard !found.isEmpty else { throw try unknownType(name, in: workspace) }
    return found
  }
}

extension SQLiteStore {
  /// The type's current revision, or `nil` when it is not defined.
  func currentType(_ name: String, in workspace: WorkspaceID) throws(StoreError) -> JobType? {
    try connection.first(
      TypeSQL.current, [.text(workspace.text), .text(name)]
    ) { (row) throws(StoreError) in try decodeType(row, in: workspace) }
  }

  private func unknownType(
    _ name: String, in workspace: WorkspaceID
  ) throws(StoreError) -> StoreError {
    let names = try connection.all(TypeSQL.names, [.text(workspace.text)], { $0.text(0) })
    return .unknownType(name, workspace, near: NearMatch.among(names, to: name))
  }

  private func countWaiting(_ name: String, in workspace: WorkspaceID) throws(StoreError) -> Int {
    try connection.first(
      TypeSQL.countWaiting, [.text(workspace.text), .text(name)], { Int($0.integer(0)) }) ?? 0
  }

  /// What setting the type would come to.
  private func step(
    _ name: String, to definition: TypeDefinition, in workspace: WorkspaceID, by actor: Actor,
    at now: Timestamp
  ) throws(StoreError) -> TypeChange {
    let before = try currentType(name, in: workspace)
    if let before, before.definition == definition {
      return TypeChange(before: before, after: before)
    }
    let last = try connection.first(
      TypeSQL.lastRevision, [.text(workspace.text), .text(name)], { Int($0.integer(0)) })
    let running =
      last == nil
      ? 0
      : try countRunning(ofType: name, upTo: Int64(TypeChange.mostRunning), in: workspace)
    return TypeChange(
      before: before,
      after: JobType(
        workspace: workspace, name: name, revision: (last ?? 0) + 1, definition: definition,
        setAt: now, setBy: actor.user), running: Int(running))
  }

  /// Sets the type inside the transaction that is open.
  func set(
    _ name: String, to definition: TypeDefinition, in workspace: WorkspaceID, by actor: Actor,
    at now: Timestamp
  ) throws(StoreError) -> TypeChange {
    let step = try step(name, to: definition, in: workspace, by: actor, at: now)
    guard step.isChange else { return step }
    try connection.run(
      TypeSQL.addRevision,
      [
        .text(workspace.text), .text(name), .integer(step.after.revision),
        .text(definition.json.text), .integer(now.milliseconds), .text(actor.user),
      ])
    try connection.run(
      TypeSQL.setCurrent,
      [
        .text(workspace.text), .text(name), .integer(step.after.revision),
        .optional(definition.limit),
      ])
    return step
  }

  private func decodeType(_ row: Row, in workspace: WorkspaceID) throws(StoreError) -> JobType {
    var columns = row.columns()
    let name = columns.text()
    let revision = columns.count()
    guard let json = try decodeJSON(columns.text()), let definition = TypeDefinition(json: json)
    else {
      throw StoreError.corrupt(
        path: path, detail: "revision \(revision) of type '\(name)' cannot be read")
    }
    return JobType(
      workspace: workspace, name: name, revision: revision, definition: definition,
      setAt: Timestamp(milliseconds: columns.integer()), setBy: columns.text())
  }
}
