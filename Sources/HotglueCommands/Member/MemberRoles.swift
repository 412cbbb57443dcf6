import ArgumentParser
import HotglueCore

struct MemberRoles: HotglueCommand {
  static let record = CommandRecord("workspace member roles", .none, requires: .none)
  static let configuration = CommandConfiguration(
    commandName: "roles", abstract: "print what every command does, and the role that it takes",
    discussion: """
      The program itself runs on this table. A role counts in workspaces that have members. '*':
      the command acts on the store as a whole, and takes the role in every such workspace.
      """)

  @OptionGroup var global: GlobalOptions

  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    let output = Output(environment, global)
    let records = CommandRegistry.records.filter { !$0.isInternal }
    if output.isJSON {
      for record in records { output.jsonLine(Self.json(record)) }
    } else if output.isQuiet {
      for record in records { output.line(record.name) }
    } else {
      output.table(
        ["command", "access", "role"],
        records.map { record in
          let mark = if case .everywhere = record.required { "*" } else { "" }
          return [
            Cell(record.name), Cell(record.access.rawValue),
            Cell(record.leastRole.map { $0.rawValue + mark }),
          ]
        })
    }
    return .done
  }

  private static func json(_ record: CommandRecord) -> JSON {
    let everywhere = if case .everywhere = record.required { true } else { false }
    return .object([
      JSON.Member("command", .string(record.name)),
      JSON.Member("access", .string(record.access.rawValue)),
      JSON.Member("role", .text(record.leastRole?.rawValue)),
      JSON.Member("everywhere", .bool(everywhere)),
    ])
  }
}
