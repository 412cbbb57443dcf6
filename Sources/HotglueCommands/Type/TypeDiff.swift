import ArgumentParser
import HotglueCore
import HotglueStore

struct TypeDiff: WorkspaceCommand {
  static let record = CommandRecord("type diff", .readsWorkspace, requires: .role(.viewer))
  static let configuration = CommandConfiguration(
    commandName: "diff", abstract: "show what changed between two revisions of a job type",
    discussion: "Without revisions: from the one before the last to the last.")

  @OptionGroup var global: GlobalOptions

  @Argument(help: ArgumentHelp("The type's name.", valueName: "name"))
  var name: String

  @Argument(help: ArgumentHelp("The earlier revision.", valueName: "from"))
  var from: Int?

  @Argument(help: ArgumentHelp("The later revision (default: the last).", valueName: "to"))
  var to: Int?

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    let name = try session.name(name, of: .type)
    let history = TypeHistory(
      name: name, try session.store.revisions(ofType: name, in: session.workspace))
    let after = try history.revision(to)
    let before =
      try from.map { (number) throws(CommandError) in try history.revision(number) }
      ?? history.before(after)
    let changes =
      before?.revision == after.revision ? [] : after.definition.changes(from: before?.definition)
    let output = session.output
    if output.isJSON {
      output.object(
        .object([
          JSON.Member("name", .string(name)),
          JSON.Member("workspace", .string(session.workspace.text)),
          JSON.Member("from", .optional(before?.revision)),
          JSON.Member("to", .integer(after.revision)),
          JSON.Member("changes", .array(changes.map(TypeJSON.settingChange))),
        ]))
    } else if output.isQuiet {
      for change in changes { output.line(change.key) }
    } else {
      let start = before.map { "revision \($0.revision)" } ?? "nothing"
      output.line("type '\(name)', from \(start) to revision \(after.revision)")
      TypeChangeText(output: output).lines(of: changes)
    }
    return .done
  }
}

/// All revisions of a type, oldest first.
struct TypeHistory {
  let name: String
  let all: [JobType]

  init(name: String, _ all: [JobType]) {
    self.name = name
    self.all = all
  }

  /// The revision with this number; the last one without.
  func revision(_ number: Int?) throws(CommandError) -> JobType {
    let found = number == nil ? all.last : all.first { $0.revision == number }
    guard let found else {
      throw CommandError(
        "unknown_revision", .notFound, "type '\(name)' has no revision \(number ?? 0)",
        hint: "it has 1 to \(all.last?.revision ?? 0)", facts: [JSON.Member("type", .string(name))])
    }
    return found
  }

  func before(_ type: JobType) -> JobType? { all.last { $0.revision < type.revision } }
}
