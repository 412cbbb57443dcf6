public import HotglueCore
public import HotglueStore

extension SQLiteStore {
  public func context(_ key: ContextKey) throws(StoreError) -> ContextRecord? {
    try connection.first(
      WorkspaceSQL.context, [.text(key.contextID), .text(key.path)]
    ) { (row) throws(StoreError) in
      let workspace = try optionalWorkspaceID(row.optionalText(1))
      let previous = try optionalWorkspaceID(row.optionalText(2))
      var intent: ContextRecord.Intent?
      if let generation = row.optionalInteger(3),
        let target = try optionalWorkspaceID(row.optionalText(4))
      {
        intent = ContextRecord.Intent(generation: generation, workspace: target)
      }
      return ContextRecord(
        generation: row.integer(0), workspace: workspace, previous: previous, intent: intent)
    }
  }

  public func beginSwitch(
    _ key: ContextKey, from file: ContextRecord, to workspace: WorkspaceID,
    drafts: [DraftStamp: Bool], by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> ContextRecord.Intent {
    try write { () throws(StoreError) in
      try requireActive(workspace)
      let known = try context(key)
      if let known, known.intent != nil || known.generation != file.generation {
        throw StoreError.staleGeneration(
          expected: file.generation, found: known.intent?.generation ?? known.generation)
      }
      let intent = ContextRecord.Intent(generation: file.generation + 1, workspace: workspace)
      try move(drafts, of: key, leaving: file.workspace, by: intent, at: now)
      try set(
        key,
        ContextRecord(
          generation: file.generation, workspace: file.workspace, previous: file.previous,
          intent: intent), by: actor)
      return intent
    }
  }

  public func confirmSwitch(
    _ key: ContextKey, _ intent: ContextRecord.Intent, by actor: Actor, at now: Timestamp
  ) throws(StoreError) {
    try write { () throws(StoreError) in
      guard let known = try context(key), known.intent == intent else {
        throw StoreError.staleGeneration(
          expected: intent.generation, found: try context(key)?.generation ?? 0)
      }
      // Whoever ends it, the row is of the one who switched.
      var switcher = try beginner(ofIntentOf: key) ?? actor
      switcher.repairedBy = actor.repairedBy
      try set(
        key,
        ContextRecord(
          generation: intent.generation, workspace: intent.workspace, previous: known.workspace,
          intent: nil))
      let moved = try connection.all(DraftSQL.moved, [.text(key.contextID), .text(key.path)]) {
        (row) throws(StoreError) in
        (id: row.integer(0), workspace: try decodeWorkspaceID(row.text(1)))
      }
      for draft in moved {
        try logActivity(switcher, in: draft.workspace, subject: "draft/\(draft.id)", at: now)
      }
      try connection.run(DraftSQL.confirmMoves, [.text(key.contextID), .text(key.path)])
      // The path begins with its own slash.
      try logActivity(switcher, in: intent.workspace, subject: "context\(key.path)", at: now)
    }
  }

  public func rollBackSwitch(_ key: ContextKey, to file: ContextRecord) throws(StoreError) {
    try write { () throws(StoreError) in
      try set(
        key,
        ContextRecord(
          generation: file.generation, workspace: file.workspace, previous: file.previous,
          intent: nil))
      try connection.run(DraftSQL.undoMoves, [.text(key.contextID), .text(key.path)])
    }
  }

  /// The drafts that are there must be those that the switch was decided on.
  private func move(
    _ drafts: [DraftStamp: Bool], of key: ContextKey, leaving workspace: WorkspaceID?,
    by intent: ContextRecord.Intent, at now: Timestamp
  ) throws(StoreError) {
    var found: [DraftStamp] = []
    if let workspace {
      found = try connection.all(
        DraftSQL.stampsOfContext,
        [.text(key.contextID), .text(key.path), .text(workspace.text)],
        { DraftStamp(id: $0.integer(0), version: Int($0.integer(1))) })
    }
    guard Set(found) == Set(drafts.keys) else { throw StoreError.draftsChanged }
    if let workspace, drafts.values.contains(true) {
      do throws(StoreError) {
        try requireActive(workspace)
      } catch {
        // Archived since the switch was decided on: nothing in it changes any more.
        guard case .archivedWorkspace = error else { throw error }
        throw StoreError.draftsChanged
      }
    }
    for (draft, moves) in drafts where moves {
      try connection.run(
        DraftSQL.move,
        [
          .text(key.contextID), .text(key.path), .integer(draft.id), .integer(draft.version),
          .integer(now.milliseconds), .integer(intent.generation),
        ])
    }
  }

  /// Who began the switch that is open; `nil` when that was not recorded.
  private func beginner(ofIntentOf key: ContextKey) throws(StoreError) -> Actor? {
    try connection.first(
      WorkspaceSQL.intentBy, [.text(key.contextID), .text(key.path)], { $0.optionalText(0) }
    ).flatMap { $0.flatMap { Actor(text: $0) } }
  }

  private func set(
    _ key: ContextKey, _ record: ContextRecord, by actor: Actor? = nil
  ) throws(StoreError) {
    try connection.run(
      WorkspaceSQL.setContext,
      [
        .text(key.contextID), .text(key.path), .integer(record.generation),
        .optional(record.workspace?.text), .optional(record.previous?.text),
        .optional(record.intent?.generation), .optional(record.intent?.workspace.text),
        .optional(actor?.text),
      ])
  }

  private func optionalWorkspaceID(_ text: String?) throws(StoreError) -> WorkspaceID? {
    guard let text else { return nil }
    return try decodeWorkspaceID(text)
  }
}
