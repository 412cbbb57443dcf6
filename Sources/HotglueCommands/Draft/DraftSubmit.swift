import ArgumentParser
import HotglueCore
import HotglueStore

struct DraftSubmit: WorkspaceCommand {
  static let record = CommandRecord("draft submit", .changesWorkspace, requires: .role(.operator))
  static let configuration = CommandConfiguration(
    commandName: "submit", abstract: "make what a draft describes",
    discussion: """
      The job is enqueued, or the type or source set, and the draft marked submitted: both or neither. A draft \
      that began from a revision is refused over a newer one, with what has changed since.
      """)

  @OptionGroup var global: GlobalOptions

  @Option(
    help: ArgumentHelp(
      "Submit over this revision, though the draft does not start from it; not of a job.",
      valueName: "revision"))
  var over: Int?

  @Argument(help: ArgumentHelp("The draft's ID or link.", valueName: "draft"))
  var draft: String

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    try session.rescueDrafts()
    let id = try session.draftNumber(draft)
    // Before its lock: a draft of another workspace, or none, is told as such.
    let draft = try session.store.draft(id, in: session.workspace)
    if over != nil, draft.kind == .job {
      throw CommandError.usage(
        "'--over' names a revision, and draft \(id) is of a job, which has none",
        hint: "\(again: .withoutOption("--over"))")
    }
    let (done, outcome) = try Self.submit(id, over: over, in: session)
    try Self.show(done, outcome, session)
    return .done
  }

  static func submit(
    _ id: DraftID, over: Int? = nil, in session: WorkspaceSession
  ) throws -> (Draft, DraftOutcome) {
    let (done, outcome) = try session.takingDraft(id) {
      let draft = try session.store.draft(id, in: session.workspace)
      guard draft.state == .open else { throw StoreError.draftNotOpen(id, state: draft.state) }
      let submission: DraftSubmission
      do throws(CommandError) {
        submission = try DraftForms.read(draft, in: session)
      } catch {
        throw DraftWords.refusal(error, of: draft)
      }
      // What a draft makes takes the role of the command that makes it otherwise.
      let maker: CommandRecord =
        switch submission {
        case .job: JobEnqueue.record
        case .type: TypeSet.record
        case .source: draft.baseRevision == nil ? SourceAdd.record : SourceEdit.record
        case .automation:
          draft.baseRevision == nil ? AutomationAdd.record : AutomationEdit.record
        }
      let entitled = try session.base.standing(for: maker).entering(session.workspace)
      do {
        return try session.store.submitDraft(
          draft.stamp, in: session.workspace, as: submission, over: over, by: entitled.actor,
          at: session.now)
      } catch StoreError.draftBehind(let conflict) {
        throw CommandError(conflict, base: DraftForms.base(of: draft, in: session), over: over)
      }
    }
    if case .source(let before?, let after) = outcome,
      before.definition.config != after.definition.config
    {
      // Nothing refers any more to a configuration that was kept.
      try SourceFiles(of: session.store).forget(before.definition.config)
    }
    return (done, outcome)
  }

  static func show(
    _ draft: Draft, _ outcome: DraftOutcome, _ session: WorkspaceSession
  ) throws {
    let output = session.output
    switch outcome {
    case .job(let job):
      let link = EntityLink.job(job.id, in: draft.workspace)
      output.result(
        json: DraftJSON.object(
          draft,
          [JSON.Member("job", .integer(job.id)), JSON.Member("job_link", .string(link.text))]),
        id: String(job.id)
      ) {
        "draft \(draft.id) is submitted: job \(job.id) in workspace '\(draft.workspace)'"
          + (job.isNew ? "" : ", which its key named before")
      }
      if job.waitsForType, let name = draft.name { try session.noteUndefined([name]) }
    case .type(let change):
      output.result(
        json: DraftJSON.object(
          draft,
          [
            JSON.Member("type", .string(change.after.name)),
            JSON.Member("revision", .integer(change.after.revision)),
            JSON.Member("changed", .bool(change.isChange)),
          ]), id: change.after.name
      ) {
        "draft \(draft.id) is submitted: type '\(change.after.name)' in workspace "
          + "'\(draft.workspace)' is at revision \(change.after.revision)"
          + (change.isChange ? "" : ", as it was")
      }
      if !output.isJSON, !output.isQuiet, change.isChange {
        TypeChangeText(output: output).lines(
          of: change.after.definition.changes(from: change.before?.definition))
      }
    case .source(let before, let after):
      let isChange = before != after
      output.result(
        json: DraftJSON.object(
          draft,
          [
            JSON.Member("source", .string(after.name)),
            JSON.Member("revision", .integer(after.revision)),
            JSON.Member("changed", .bool(isChange)),
          ]), id: after.name
      ) {
        "draft \(draft.id) is submitted: source '\(after.name)' in workspace "
          + "'\(draft.workspace)' is at revision \(after.revision)"
          + (isChange ? "" : ", as it was")
      }
      if !output.isJSON, !output.isQuiet, isChange {
        TypeChangeText(output: output).lines(
          of: after.definition.changes(from: before?.definition))
      }
    case .automation(let change):
      let after = change.after
      output.result(
        json: DraftJSON.object(
          draft,
          [
            JSON.Member("automation", .string(after.name)),
            JSON.Member("revision", .integer(after.revision)),
            JSON.Member("changed", .bool(change.isChange)),
          ]), id: after.name
      ) {
        "draft \(draft.id) is submitted: automation '\(after.name)' in workspace "
          + "'\(draft.workspace)' is at revision \(after.revision)"
          + (change.isChange ? "" : ", as it was")
      }
      if !output.isJSON, !output.isQuiet, change.isChange {
        TypeChangeText(output: output).lines(
          of: after.contract.changes(from: change.before?.contract))
      }
    }
  }
}
