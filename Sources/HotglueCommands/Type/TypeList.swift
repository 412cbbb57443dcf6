import ArgumentParser
import HotglueCore
import HotglueStore

struct TypeList: WorkspaceCommand {
  static let record = CommandRecord("type list", .readsWorkspace, requires: .role(.viewer))
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "show the job types of the workspace, by name",
    discussion: """
      The types that are built in, exec and sync, are in no list; 'type show' tells of them.
      """)

  @OptionGroup var global: GlobalOptions

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    let output = session.output
    let types = try session.store.types(in: session.workspace)
    output.breadcrumb(session.workspace.text, "types")
    if output.isJSON {
      for type in types { output.jsonLine(TypeJSON.object(type)) }
    } else if output.isQuiet {
      for type in types { output.line(type.name) }
    } else {
      output.table(
        ["name", "revision", "queue", "limit", "replay", "attempts", "set", "command"],
        types.map { type in
          let definition = type.definition
          return [
            Cell(type.name), Cell(type.revision), Cell(definition.queue),
            Cell(definition.limit.map(String.init)), Cell(definition.policy.replay.rawValue),
            Cell(definition.policy.maxAttempts), Cell(type.setAt),
            Cell(ShellWords.joined(definition.command)),
          ]
        })
    }
    return .done
  }
}

struct TypeRemove: WorkspaceCommand {
  static let record = CommandRecord("type remove", .changesWorkspace, requires: .role(.owner))
  static let configuration = CommandConfiguration(
    commandName: "remove", abstract: "take a job type's definition away; its jobs wait",
    discussion: """
      Nothing is lost: jobs of the type wait until it is defined again, attempts that run go on, and \
      the revisions stay on record.
      """)

  @OptionGroup var global: GlobalOptions

  @Flag(help: "Only say how many jobs would wait.")
  var dryRun = false

  @Argument(help: ArgumentHelp("The type's name.", valueName: "name"))
  var name: String

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    let name = try session.name(name, of: .type)
    guard BuiltInType(name) == nil else {
      throw CommandError.usage(
        "type '\(name)' is built in", hint: "only types that 'type set' defined can be removed")
    }
    let waiting = try session.store.removeType(
      name, in: session.workspace, dryRun: dryRun, by: session.actor, at: session.now)
    session.output.result(
      json: .object([
        JSON.Member("name", .string(name)),
        JSON.Member("workspace", .string(session.workspace.text)),
        JSON.Member("removed", .bool(!dryRun)), JSON.Member("waiting", .integer(waiting)),
        JSON.Member("dry_run", .bool(dryRun)),
      ]), id: name
    ) {
      let jobs = waiting == 1 ? "1 job of it waits" : "\(waiting) jobs of it wait"
      return "type '\(name)' \(dryRun ? "would be" : "is") removed from workspace "
        + "'\(session.workspace)'" + (waiting == 0 ? "" : "; \(jobs) until it is defined again")
    }
    return .done
  }
}
