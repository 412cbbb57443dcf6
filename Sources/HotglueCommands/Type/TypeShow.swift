import ArgumentParser
import HotglueCore
import HotglueStore

struct TypeShow: WorkspaceCommand {
  static let record = CommandRecord("type show", .readsWorkspace, requires: .role(.viewer))
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "tell the whole contract of a job type in words",
    discussion: """
      Also of the types that are built in: exec, that of a bare command, and sync, that of a sync.
      """)

  @OptionGroup var global: GlobalOptions

  @Option(help: ArgumentHelp("An earlier revision (default: the last).", valueName: "n"))
  var revision: Int?

  @Argument(help: ArgumentHelp("The type's name.", valueName: "name"))
  var name: String

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    let name = try session.name(name, of: .type)
    if let builtIn = BuiltInType(name) { return try show(builtIn, session) }
    let type: JobType
    if let revision {
      let all = try session.store.revisions(ofType: name, in: session.workspace)
      type = try TypeHistory(name: name, all).revision(revision)
    } else {
      type = try session.store.type(name, in: session.workspace)
    }
    return try session.show(type: type)
  }

  private func show(_ type: BuiltInType, _ session: WorkspaceSession) throws -> ExitStatus {
    guard revision == nil else {
      throw CommandError.usage(
        "type '\(type.name)' is built in and has no revisions", hint: "leave '--revision' out")
    }
    let output = session.output
    if output.isJSON {
      output.object(TypeJSON.object(type, in: session.workspace))
    } else if output.isQuiet {
      output.line(type.name)
    } else {
      output.breadcrumb(session.workspace.text, "types", type.name)
      let facts: [(name: String, cell: Cell)] = [
        ("type", Cell(type.name)), ("workspace", Cell(session.workspace.text)),
        ("set by", Cell("hotglue itself: it is built in, and 'type set' refuses it")),
      ]
      output.fields(
        facts + TypeContractText(type.definition, of: type).lines.map { ($0.name, Cell($0.text)) })
    }
    return .done
  }
}

extension WorkspaceSession {
  func show(type: JobType) throws -> ExitStatus {
    if output.isJSON {
      output.object(TypeJSON.object(type))
    } else if output.isQuiet {
      output.line(type.name)
    } else {
      output.breadcrumb(workspace.text, "types", type.name)
      let facts: [(name: String, cell: Cell)] = [
        ("type", Cell(type.name)),
        ("link", Cell(EntityLink.type(type.name, in: type.workspace).text)),
        ("workspace", Cell(type.workspace.text)),
        ("revision", Cell(type.revision)), ("set at", Cell(type.setAt)),
        ("set by", Cell(type.setBy)),
      ]
      output.fields(
        facts + TypeContractText(type.definition).lines.map { ($0.name, Cell($0.text)) })
    }
    return .done
  }
}
