public import HotglueCore
public import HotglueStore

extension SQLiteStore: DraftStore {
  public func startDraft(
    _ draft: NewDraft, in workspace: WorkspaceID, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> Draft {
    try write { () throws(StoreError) in
      // Not only in an active one: what was typed into a draft that was submitted meanwhile is kept
      // as a new draft, whatever has become of the workspace. Commands refuse archived ones first.
      _ = try self.workspace(workspace)
      try connection.run(
        DraftSQL.insert,
        [
          .text(workspace.text), .text(draft.kind.rawValue), .optional(draft.name),
          .optional(draft.context?.contextID), .optional(draft.context?.path),
          .text(draft.directory), .optional(draft.baseRevision), .integer(now.milliseconds),
          .text(actor.user), .bytes(draft.template), .bytes(draft.text), .text(actor.text),
        ])
      let id = connection.lastInsertedID
      try logActivity(actor, in: workspace, subject: "draft/\(id)", at: now)
      return try self.draft(id, in: workspace)
    }
  }

  public func draft(_ id: DraftID, in workspace: WorkspaceID) throws(StoreError) -> Draft {
    let found = try connection.first(
      DraftSQL.one, [.text(workspace.text), .integer(id)]
    ) { (row) throws(StoreError) in try decodeDraft(row, in: workspace) }
    if let found { return found }
    guard let owner = try owner(ofDraft: id) else { throw StoreError.unknownDraft(id) }
    throw StoreError.draftOfOtherWorkspace(id, owner: owner)
  }

  public func owner(ofDraft id: DraftID) throws(StoreError) -> WorkspaceID? {
    guard let text = try connection.first(DraftSQL.owner, [.integer(id)], { $0.text(0) }) else {
      return nil
    }
    return try decodeWorkspaceID(text)
  }

  public func drafts(
    in workspace: WorkspaceID, state: DraftState, kind: DraftKind?, before: DraftID?, limit: Int
  ) throws(StoreError) -> [Draft] {
    try connection.all(
      DraftSQL.page,
      [
        .text(workspace.text), .text(state.rawValue), .integer(before ?? Int64.max),
        .optional(kind?.rawValue), .integer(limit),
      ]
    ) { (row) throws(StoreError) in try decodeDraft(row, in: workspace) }
  }

  public func openDrafts(
    of context: ContextKey, in workspace: WorkspaceID
  ) throws(StoreError) -> [Draft] {
    try connection.all(
      DraftSQL.ofContext,
      [.text(context.contextID), .text(context.path), .text(workspace.text)]
    ) { (row) throws(StoreError) in try decodeDraft(row, in: workspace) }
  }

  public func noteEditor(
    ofDraft id: DraftID, in workspace: WorkspaceID, by actor: Actor
  ) throws(StoreError) {
    var known = try editor(ofDraft: id, in: workspace)
    known?.authority = actor.authority
    if known == actor { return }
    try write { () throws(StoreError) in
      _ = try draft(id, in: workspace)
      try connection.run(
        DraftSQL.noteEditor, [.text(workspace.text), .integer(id), .text(actor.text)])
    }
  }

  public func editor(
    ofDraft id: DraftID, in workspace: WorkspaceID
  ) throws(StoreError) -> Actor? {
    try connection.first(
      DraftSQL.editor, [.text(workspace.text), .integer(id)], { $0.optionalText(0) }
    ).flatMap { $0.flatMap { Actor(text: $0) } }
  }

  public func saveDraft(
    _ id: DraftID, in workspace: WorkspaceID, text: [UInt8], name: String?, by actor: Actor,
    at now: Timestamp
  ) throws(StoreError) -> Draft {
    try write { () throws(StoreError) in
      let before = try draft(id, in: workspace)
      if before.text == text, name == nil || name == before.name { return before }
      guard before.state != .submitted else {
        throw StoreError.draftNotOpen(id, state: before.state)
      }
      try connection.run(
        DraftSQL.save,
        [
          .text(workspace.text), .integer(id), .bytes(text), .optional(name),
          .integer(now.milliseconds),
        ])
      return try done(id, in: workspace, by: actor, at: now)
    }
  }

  public func discardDraft(
    _ id: DraftID, in workspace: WorkspaceID, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> Draft {
    try write { () throws(StoreError) in
      try requireActive(workspace, for: actor)
      let changed = try connection.run(
        DraftSQL.discard, [.text(workspace.text), .integer(id), .integer(now.milliseconds)])
      guard changed == 1 else {
        throw StoreError.draftNotOpen(id, state: try draft(id, in: workspace).state)
      }
      return try done(id, in: workspace, by: actor, at: now)
    }
  }

  public func restoreDraft(
    _ id: DraftID, in workspace: WorkspaceID, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> Draft {
    try write { () throws(StoreError) in
      try requireActive(workspace, for: actor)
      let changed = try connection.run(
        DraftSQL.restore, [.text(workspace.text), .integer(id)])
      guard changed == 1 else {
        throw StoreError.draftNotOpen(id, state: try draft(id, in: workspace).state)
      }
      return try done(id, in: workspace, by: actor, at: now)
    }
  }

  public func pruneDrafts(
    before moment: Timestamp, limit: Int, dryRun: Bool
  ) throws(StoreError) -> [DraftID] {
    let values: [SQLValue] = [.integer(moment.milliseconds), .integer(limit)]
    if dryRun { return try connection.all(DraftSQL.prunable, values, { $0.integer(0) }) }
    return try write { () throws(StoreError) in
      let drafts = try connection.all(DraftSQL.prunable, values, { $0.integer(0) })
      for id in drafts { try connection.run(DraftSQL.remove, [.integer(id)]) }
      return drafts
    }
  }
}

extension SQLiteStore {
  /// The end of a step that changed a draft: its row in the log, and what it is now.
  private func done(
    _ id: DraftID, in workspace: WorkspaceID, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> Draft {
    try logActivity(actor, in: workspace, subject: "draft/\(id)", at: now)
    return try draft(id, in: workspace)
  }

  private func decodeDraft(_ row: Row, in workspace: WorkspaceID) throws(StoreError) -> Draft {
    var columns = row.columns()
    let id = columns.integer()
    let kind = DraftKind(rawValue: columns.text())
    let name = columns.optionalText()
    let state = DraftState(rawValue: columns.text())
    guard let kind, let state else {
      throw StoreError.corrupt(path: path, detail: "draft \(id) cannot be read")
    }
    return Draft(
      id: id, workspace: workspace, kind: kind, name: name, state: state, template: row.bytes(10),
      text: row.bytes(11), directory: row.text(5),
      baseRevision: row.optionalInteger(6).map { Int($0) },
      version: Int(row.integer(4)), createdAt: Timestamp(milliseconds: row.integer(7)),
      updatedAt: Timestamp(milliseconds: row.integer(8)), entity: row.optionalText(9))
  }
}
