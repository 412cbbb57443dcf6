import HotglueCore
import HotglueStore

/// `edit NAME` without flags: a draft of the entity, submitted when the editor is left.
///
/// It remembers the revision that it shows, so an entity that was changed meanwhile is not
/// overwritten; killed anywhere it is a draft like any other.
struct EntityEditing {
  let kind: DraftKind
  let name: String

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    try session.rescueDrafts()
    let editing = try DraftEditing(session, with: EditorChoice(in: session))
    let start = try DraftForms.form(of: kind).existing(name, in: session)
    let begun = try session.store.startDraft(
      NewDraft(
        kind: kind, name: name, template: Array(start.text.utf8), text: Array(start.text.utf8),
        directory: try session.environment.recordedDirectory(DraftWords.elsewhere),
        baseRevision: start.revision,
        context: session.context.source?.key),
      in: session.workspace, by: session.actor, at: session.now)
    let (kept, problem) = try editing.edit(begun)
    if let problem { throw DraftWords.refusal(problem, of: kept) }
    guard kept.text != kept.template else {
      _ = try session.takingDraft(kept.id) {
        try session.store.discardDraft(
          kept.id, in: session.workspace, by: session.actor, at: session.now)
      }
      session.output.note(
        "\(kind.rawValue) '\(name)' of workspace '\(session.workspace)' is as it was")
      return .done
    }
    let (done, outcome) = try DraftSubmit.submit(kept.id, in: session)
    try DraftSubmit.show(done, outcome, session)
    return .done
  }
}
