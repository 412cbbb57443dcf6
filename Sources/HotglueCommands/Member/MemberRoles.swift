import ArgumentParser
import HotglueCore

struct MemberRoles: HotglueCommand {
  static let kind = CommandKind.memberRoles
  static let configuration = CommandConfiguration(
    commandName: "roles", abstract: "print what every command does, and the role that it takes",
    discussion: """
      The program itself runs on this table. A role counts in workspaces that have members. '*':
      the command acts on the store as a whole, and takes the role in every such workspace.
      """)

  @OptionGroup var global: GlobalOptions

  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    let output = Output(environment, global)
    let kinds = CommandKind.allCases.filter { !$0.words[0].hasPrefix("__") }
    if output.isJSON {
      for kind in kinds { output.jsonLine(Self.json(kind)) }
    } else if output.isQuiet {
      for kind in kinds { output.line(kind.name) }
    } else {
      output.table(
        ["command", "access", "role"],
        kinds.map { kind in
          let mark = if case .roleEverywhere = kind.need { "*" } else { "" }
          return [
            Cell(kind.name), Cell(kind.access.rawValue),
            Cell(kind.leastRole.map { $0.rawValue + mark }),
          ]
        })
    }
    return .done
  }

  private static func json(_ kind: CommandKind) -> JSON {
    let everywhere = if case .roleEverywhere = kind.need { true } else { false }
    return .object([
      JSON.Member("command", .string(kind.name)),
      JSON.Member("access", .string(kind.access.rawValue)),
      JSON.Member("role", .text(kind.leastRole?.rawValue)),
      JSON.Member("everywhere", .bool(everywhere)),
    ])
  }
}
