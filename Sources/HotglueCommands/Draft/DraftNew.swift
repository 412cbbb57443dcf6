import ArgumentParser
import HotglueCore
import HotglueStore

struct DraftNew: WorkspaceCommand {
  static let record = CommandRecord("draft new", .changesWorkspace, requires: .role(.operator))
  static let configuration = CommandConfiguration(
    commandName: "new", abstract: "begin a draft of a job, a type or a source in your editor",
    discussion: """
      Opens $VISUAL, else $EDITOR, else vi, on a commented template. What is typed is kept when the \
      editor ends, however it ends, and bound to the workspace. At a terminal the editor is opened \
      again while there is a mistake; else it is opened once, and a draft with a mistake is kept and \
      told with status 65. 'draft submit' makes what it describes.
      """)

  @OptionGroup var global: GlobalOptions

  @Option(help: ArgumentHelp("Read the text from there; open no editor.", valueName: "file|-"))
  var from: String?

  @Argument(help: ArgumentHelp("What it becomes: job, type or source.", valueName: "kind"))
  var what: String

  @Argument(
    help: ArgumentHelp("The type's or source's name, or the type of the job.", valueName: "name"))
  var name: String?

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    let form = try DraftForms.form(named: what)
    try session.rescueDrafts()
    let template = Array(try form.template(of: name, in: session).utf8)
    let here = try session.environment.recordedDirectory(DraftWords.elsewhere)
    var draft = NewDraft(
      kind: form.kind, name: name, template: template, text: template, directory: here,
      context: session.context.source?.key)
    if let from {
      let source = try DraftSource(from, in: session)
      draft.text = source.text
      draft.directory = source.folder
      draft.name = DraftForms.name(in: source.text, of: form.kind) ?? name
      return try DraftSaving(session).show(start(draft, session))
    }
    let editor = try EditorChoice(in: session)
    let editing = try DraftEditing(session, with: editor)
    return try DraftSaving(session).edit(start(draft, session), with: editing)
  }

  private func start(_ draft: NewDraft, _ session: WorkspaceSession) throws -> Draft {
    try session.store.startDraft(
      draft, in: session.workspace, by: session.actor, at: session.now)
  }
}

/// A text that is given instead of typed, as it is.
struct DraftSource {
  let text: [UInt8]
  /// What its relative paths start from.
  let folder: String

  init(_ name: String, in session: WorkspaceSession) throws {
    let environment = session.environment
    let here = try environment.recordedDirectory(DraftWords.elsewhere)
    if name == "-" {
      var bytes: [UInt8] = []
      while bytes.count <= Draft.longest {
        let more = try environment.readInput(1 << 16)
        if more.isEmpty { break }
        bytes += more
      }
      text = bytes
      folder = here
    } else {
      let path = Path.joined(here, name)
      text = try LineInput.bytes(of: path, limit: Draft.longest)
      folder = Path.folder(of: path)
    }
    guard text.count <= Draft.longest else {
      throw CommandError.badInput(
        "the text is longer than \(Draft.longest >> 20) MiB", hint: "nothing was kept; shorten it")
    }
  }
}

/// The end of every command that saves a draft: what is kept, and what is wrong with it.
struct DraftSaving {
  let session: WorkspaceSession

  init(_ session: WorkspaceSession) { self.session = session }

  func edit(_ draft: Draft, with editing: DraftEditing) throws -> ExitStatus {
    let (kept, problem) = try editing.edit(draft)
    return try show(kept, problem)
  }

  func show(_ draft: Draft) throws -> ExitStatus {
    do {
      _ = try DraftForms.read(draft, in: session)
    } catch {
      return try show(draft, error)
    }
    return try show(draft, nil)
  }

  private func show(_ draft: Draft, _ problem: CommandError?) throws -> ExitStatus {
    let output = session.output
    output.result(json: DraftJSON.object(draft), id: String(draft.id)) {
      "\(DraftWords.subject(draft)) is kept"
        + (draft.state == .bin ? "; it was moved to the bin meanwhile" : "")
    }
    if let problem { throw DraftWords.refusal(problem, of: draft) }
    if !output.isJSON {
      output.hint(
        draft.state == .bin
          ? "bring it back with 'hotglue draft restore \(draft.id)'"
          : "when it is ready, 'hotglue draft submit \(draft.id)'")
    }
    return .done
  }
}
