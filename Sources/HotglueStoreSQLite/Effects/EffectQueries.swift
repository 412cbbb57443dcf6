public import HotglueCore
public import HotglueStore

extension SQLiteStore {
  public func effect(_ name: EffectName) throws(StoreError) -> Effect? {
    if let job = name.job {
      return try connection.first(
        EffectSQL.ofJob, [.text(name.workspace.text), .integer(job), .text(name.key)],
        decodeEffect)
    }
    return try connection.first(
      EffectSQL.ofWorkspace, [.text(name.workspace.text), .text(name.key)], decodeEffect)
  }

  public func effects(
    in workspace: WorkspaceID, of job: JobID?, states: Set<EffectState>, before: EffectID?,
    limit: Int
  ) throws(StoreError) -> [Effect] {
    let query = EffectListQuery(workspace, of: job, states, before: before, limit: limit)
    return try connection.all(text: query.text, query.values, decodeEffect)
  }

  public func output(
    of effect: EffectID, in workspace: WorkspaceID
  ) throws(StoreError) -> [UInt8]? {
    try connection.first(
      EffectSQL.output, [.integer(effect), .text(workspace.text)], { $0.bytes(0) })
  }

  func decodeEffect(_ row: Row) throws(StoreError) -> Effect {
    var columns = row.columns()
    let id = columns.integer()
    let workspace = try decodeWorkspaceID(columns.text())
    let scope = columns.optionalInteger().map(EffectName.Scope.job) ?? .workspace
    let key = columns.text()
    let stateText = columns.text()
    guard let name = EffectName(workspace: workspace, scope: scope, key: key),
      let state = EffectState(rawValue: stateText)
    else { throw StoreError.corrupt(path: path, detail: "effect \(id) cannot be read") }
    let intent = columns.count()
    let job = columns.optionalInteger()
    let fence = columns.optionalInteger()
    let isBegunByHandler = columns.flag()
    let facts = EffectFacts(
      state: state, intent: intent, startedAt: Timestamp(milliseconds: columns.integer()),
      doubtSince: columns.optionalInteger().map(Timestamp.init(milliseconds:)))
    let finishedAt = columns.optionalInteger().map(Timestamp.init(milliseconds:))
    let exitStatus = columns.optionalCount()
    let signal = columns.optionalCount()
    let reason = columns.optionalText()
    let outputBytes = columns.optionalInteger()
    let keepsOutput = columns.flag()
    let command = try columns.optionalText().map(decodeStrings)
    var effect = Effect(
      id: id, name: name, facts: facts, job: job, fence: fence,
      isBegunByHandler: isBegunByHandler,
      finishedAt: finishedAt, exitStatus: exitStatus, signal: signal, reason: reason,
      outputBytes: outputBytes, keepsOutput: keepsOutput, attemptIsCurrent: columns.flag())
    effect.command = command
    return effect
  }
}

/// The statement behind `effects(in:of:states:before:limit:)`.
///
/// The few that are open have an index of their own; those of one job are found by it,
/// also those of the workspace that it began, and sorted; any other list goes down the workspace's IDs and stops at its limit.
struct EffectListQuery {
  private(set) var text: String
  private(set) var values: [SQLValue]

  init(
    _ workspace: WorkspaceID, of job: JobID?, _ states: Set<EffectState>, before: EffectID?,
    limit: Int
  ) {
    values = [.text(workspace.text)]
    let areOpen = !states.isEmpty && states.allSatisfy(\.isOpen)
    if let job {
      values.append(.integer(job))
      text = "\(EffectSQL.columns) FROM effect WHERE \(EffectSQL.belongsToJob)"
    } else {
      let index = areOpen ? "effect_open" : "sqlite_autoindex_effect_1"
      text = "\(EffectSQL.columns) FROM effect INDEXED BY \(index) WHERE workspace = ?1"
    }
    if areOpen { text += " AND state IN ('intended', 'unknown')" }
    if !states.isEmpty {
      let words = states.map { "'\($0.rawValue)'" }.sorted().joined(separator: ", ")
      text += " AND state IN (\(words))"
    }
    if let before {
      values.append(.integer(before))
      text += " AND id < ?\(values.count)"
    }
    values.append(.integer(limit))
    text += " ORDER BY id DESC LIMIT ?\(values.count)"
  }
}
