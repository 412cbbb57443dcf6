import ArgumentParser
import HotglueCore
import HotglueStore

struct DraftShow: WorkspaceCommand {
  static let record = CommandRecord("draft show", .readsWorkspace, requires: .role(.viewer))
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "show a draft with its text, and whether it can be submitted")

  @OptionGroup var global: GlobalOptions

  @Flag(help: "Print the text alone, byte for byte.")
  var text = false

  @Argument(help: ArgumentHelp("The draft's ID or link.", valueName: "draft"))
  var draft: String

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    try session.rescueDrafts()
    let draft = try session.draft(draft)
    if text {
      session.output.stored(draft.text)
    } else {
      try session.show(draft: draft)
    }
    return .done
  }
}

extension WorkspaceSession {
  func show(draft: Draft) throws {
    if output.isQuiet {
      output.rawLine(String(draft.id))
      return
    }
    let isOpen = draft.state == .open && DraftDesk(store).isOpenInEditor(draft.id)
    let problem = draft.state == .submitted ? nil : problem(of: draft)
    if output.isJSON {
      output.object(
        DraftJSON.object(
          draft,
          [
            JSON.Member("text", .text(String(validating: draft.text, as: UTF8.self))),
            JSON.Member("problem", .text(problem?.message)),
            JSON.Member("in_editor", .bool(isOpen)),
            JSON.Member("entity", .text(draft.entity)),
          ]))
      return
    }
    output.breadcrumb(workspace.text, "drafts", String(draft.id))
    output.fields([
      ("draft", Cell(draft.id)), ("kind", Cell(draft.kind.rawValue)), ("name", Cell(draft.name)),
      ("workspace", Cell(draft.workspace.text)),
      ("state", Cell(draft.state.rawValue + (isOpen ? ", in an editor" : ""))),
      ("touched", Cell(draft.isTouched ? "yes" : "no")),
      ("base_revision", Cell(draft.baseRevision.map(String.init))),
      ("created", Cell(draft.createdAt)), ("updated", Cell(draft.updatedAt)),
      ("became", Cell(draft.entity)), ("problem", Cell(problem?.message)),
      ("link", Cell(EntityLink.draft(draft.id, in: draft.workspace).text)),
    ])
    output.rawLine("")
    for line in String(decoding: draft.text, as: UTF8.self).split(
      separator: "\n", omittingEmptySubsequences: false)
    {
      output.line(String(line))
    }
  }

  private func problem(of draft: Draft) -> CommandError? {
    do {
      _ = try DraftForms.read(draft, in: self)
      return nil
    } catch {
      return error
    }
  }
}
