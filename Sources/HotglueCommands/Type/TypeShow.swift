import ArgumentParser
import HotglueCore
import HotglueStore

struct TypeShow: WorkspaceCommand {
  static let kind = CommandKind.typeShow
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "tell the whole contract of a job type in words")

  @OptionGroup var global: GlobalOptions

  @Option(help: ArgumentHelp("An earlier revision (default: the last).", valueName: "n"))
  var revision: Int?

  @Argument(help: ArgumentHelp("The type's name.", valueName: "name"))
  var name: String

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    let name = try session.name(name, of: .type)
    let type: JobType
    if let revision {
      let all = try session.store.revisions(ofType: name, in: session.workspace)
      type = try TypeHistory(name: name, all).revision(revision)
    } else {
      type = try session.store.type(name, in: session.workspace)
    }
    return try session.show(type: type)
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
