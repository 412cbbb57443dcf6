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
    _ key: ContextKey, from file: ContextRecord, to workspace: WorkspaceID, at now: Timestamp
  ) throws(StoreError) -> ContextRecord.Intent {
    try write { () throws(StoreError) in
      try requireActive(workspace)
      let known = try context(key)
      if let known, known.intent != nil || known.generation != file.generation {
        throw StoreError.staleGeneration(
          expected: file.generation, found: known.intent?.generation ?? known.generation)
      }
      let intent = ContextRecord.Intent(generation: file.generation + 1, workspace: workspace)
      try set(
        key,
        ContextRecord(
          generation: file.generation, workspace: file.workspace, previous: file.previous,
          intent: intent))
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
      try set(
        key,
        ContextRecord(
          generation: intent.generation, workspace: intent.workspace, previous: known.workspace,
          intent: nil))
      try logActivity(actor, in: intent.workspace, subject: "context/\(key.path)", at: now)
    }
  }

  public func rollBackSwitch(_ key: ContextKey, to file: ContextRecord) throws(StoreError) {
    try write { () throws(StoreError) in
      try set(
        key,
        ContextRecord(
          generation: file.generation, workspace: file.workspace, previous: file.previous,
          intent: nil))
    }
  }

  private func set(_ key: ContextKey, _ record: ContextRecord) throws(StoreError) {
    try connection.run(
      WorkspaceSQL.setContext,
      [
        .text(key.contextID), .text(key.path), .integer(record.generation),
        .optional(record.workspace?.text), .optional(record.previous?.text),
        .optional(record.intent?.generation), .optional(record.intent?.workspace.text),
      ])
  }

  private func optionalWorkspaceID(_ text: String?) throws(StoreError) -> WorkspaceID? {
    guard let text else { return nil }
    return try decodeWorkspaceID(text)
  }
}
