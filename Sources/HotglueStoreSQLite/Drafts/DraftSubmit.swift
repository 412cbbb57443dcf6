public import HotglueCore
public import HotglueStore

extension SQLiteStore {
  public func submitDraft(
    _ stamp: DraftStamp, in workspace: WorkspaceID, as submission: DraftSubmission, over: Int?,
    by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> (Draft, DraftOutcome) {
    try write { () throws(StoreError) in
      try requireActive(workspace, for: actor)
      let draft = try draft(stamp.id, in: workspace)
      guard draft.state == .open else {
        throw StoreError.draftNotOpen(stamp.id, state: draft.state)
      }
      guard draft.version == stamp.version else { throw StoreError.draftChanged(stamp.id) }
      let (outcome, entity) = try make(
        submission, of: draft, over: over, in: workspace, by: actor, at: now)
      try connection.run(
        DraftSQL.submit,
        [
          .text(workspace.text), .integer(stamp.id), .integer(stamp.version),
          .integer(now.milliseconds), .text(entity),
        ])
      try logActivity(
        actor, in: workspace, subject: "draft/\(stamp.id) \(entity)", at: now)
      return (try self.draft(stamp.id, in: workspace), outcome)
    }
  }

  /// Makes what the draft asks for, inside its transaction; with the name of what was made.
  private func make(
    _ submission: DraftSubmission, of draft: Draft, over: Int?, in workspace: WorkspaceID,
    by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> (DraftOutcome, entity: String) {
    switch submission {
    case .job(let request):
      let jobs = try store([request], in: workspace, by: actor, at: now)
      guard let job = jobs.first else {
        throw StoreError.unexpected("draft \(draft.id) made no job")
      }
      return (.job(job), "job/\(job.id)")
    case .type(let name, let definition):
      let current = try currentType(name, in: workspace)
      let expected = over ?? draft.baseRevision
      guard current?.revision == expected else {
        throw StoreError.draftBehind(
          DraftConflict(
            draft: draft.id, name: name,
            base: try revision(draft.baseRevision, of: name, workspace),
            current: current))
      }
      let change = try set(name, to: definition, in: workspace, by: actor, at: now)
      return (.type(change), "type/\(name)")
    case .source(let name, let definition):
      let current = try currentSource(name, in: workspace)
      guard current?.revision == over ?? draft.baseRevision else {
        throw StoreError.draftBehind(
          DraftConflict(
            draft: draft.id, name: name, baseRevision: draft.baseRevision,
            meanwhile: .source(current: current)))
      }
      let after = try put(name, over: current, definition, in: workspace, by: actor, at: now)
      return (.source(before: current, after: after), "source/\(name)")
    case .automation(let setting):
      let name = setting.name
      let current = try currentAutomation(name, in: workspace)
      guard current?.revision == over ?? draft.baseRevision else {
        throw StoreError.draftBehind(
          DraftConflict(
            draft: draft.id, name: name, baseRevision: draft.baseRevision,
            meanwhile: .automation(current: current)))
      }
      let after = try put(setting, over: current, in: workspace, by: actor, at: now)
      let change = AutomationChange(before: current, after: after)
      return (.automation(change), "automation/\(name)")
    }
  }

  private func revision(
    _ number: Int?, of name: String, _ workspace: WorkspaceID
  ) throws(StoreError) -> JobType? {
    guard let number else { return nil }
    return try revisions(ofType: name, in: workspace).first { $0.revision == number }
  }
}
