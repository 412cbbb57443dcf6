import ArgumentParser
import HotglueCore
import HotglueStore

struct DraftEdit: WorkspaceCommand {
  static let record = CommandRecord("draft edit", .changesWorkspace, requires: .role(.operator))
  static let configuration = CommandConfiguration(
    commandName: "edit", abstract: "go on with a draft, or begin one from what is there",
    usage: "hotglue draft edit [flags] (DRAFT | KIND NAME)",
    discussion: """
      With KIND and NAME a new draft begins as what is there now, and remembers its revision: when \
      that has changed before the draft is submitted, the draft is refused, with what has changed.
      """)

  @OptionGroup var global: GlobalOptions

  @Option(help: ArgumentHelp("Read the text from there; open no editor.", valueName: "file|-"))
  var from: String?

  @Argument(
    help: ArgumentHelp("The draft's ID or link; or the kind, before a name.", valueName: "draft"))
  var draft: String

  @Argument(help: ArgumentHelp("The name or link of what to begin from.", valueName: "name"))
  var name: String?

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    try session.rescueDrafts()
    let source = try from.map { try DraftSource($0, in: session) }
    guard source?.text.isEmpty != true else {
      throw CommandError.badInput(
        "the text is empty: nothing was kept", hint: "give one with --from")
    }
    // Whether it may be edited here comes before what to edit it with.
    let subject = try subject(in: session)
    // Before a draft begins: without an editor it would be in nobody's way, but of no use either.
    let editing =
      source == nil ? try DraftEditing(session, with: EditorChoice(in: session)) : nil
    let start: Draft
    switch subject {
    case .draft(let known): start = known
    case .beginning(let kind, let text): start = try begin(kind, with: text, in: session)
    }
    if let source {
      return try DraftSaving(session).show(
        session.takingDraft(start.id) {
          try DraftKeeper(store: session.store, actor: session.actor, now: session.now)
            .keep(source.text, of: start).draft
        })
    }
    guard let editing else { return .done }
    return try DraftSaving(session).edit(start, with: editing)
  }

  /// What is edited: a draft that is open, or one that begins from what is there.
  private enum Subject {
    case draft(Draft)
    case beginning(DraftKind, DraftStart)
  }

  private func subject(in session: WorkspaceSession) throws -> Subject {
    guard let name else { return .draft(try open(in: session)) }
    let form = try DraftForms.form(named: draft)
    return .beginning(form.kind, try form.existing(name, in: session))
  }

  private func open(in session: WorkspaceSession) throws -> Draft {
    if DraftKind(rawValue: draft) != nil {
      throw CommandError.usage(
        "'\(draft)' is a kind of draft, and nothing is named",
        hint: "name what to edit: 'hotglue draft edit \(draft) NAME'")
    }
    let found = try session.draft(draft)
    guard found.state == .open else {
      throw StoreError.draftNotOpen(found.id, state: found.state)
    }
    return found
  }

  private func begin(
    _ kind: DraftKind, with start: DraftStart, in session: WorkspaceSession
  ) throws -> Draft {
    let name = start.name
    let others = try session.store.drafts(
      in: session.workspace, state: .open, kind: kind, before: nil, limit: 1000
    ).filter { $0.name == name }
    if let other = others.first {
      session.output.note(
        naming: "draft \(other.id) is of \(kind.rawValue) '\(name)' too; to go on with that one: "
          + "'hotglue draft edit \(other.id)'")
    }
    return try session.store.startDraft(
      NewDraft(
        kind: kind, name: name, template: Array(start.text.utf8), text: Array(start.text.utf8),
        directory: try session.environment.recordedDirectory(DraftWords.elsewhere),
        baseRevision: start.revision,
        context: session.context.source?.key),
      in: session.workspace, by: session.actor, at: session.now)
  }
}
