import ArgumentParser
import HotglueCore

struct JobLifecycle: HotglueCommand {
  static let record = CommandRecord("job lifecycle", .none, requires: .none)
  static let configuration = CommandConfiguration(
    commandName: "lifecycle", abstract: "print the states of a job and every way between them",
    discussion: "The program itself runs on this table: what is not in it is refused.")

  @OptionGroup var global: GlobalOptions

  @Flag(help: "Print the picture, in the language of Graphviz.")
  var dot = false

  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    let output = Output(environment, global)
    if dot {
      if output.isJSON {
        throw CommandError.usage(
          "'--dot' and '--json' cannot both be given", hint: "leave one of them out")
      }
      output.rawLine(Lifecycle.dot)
    } else if output.isJSON {
      for row in Lifecycle.rows { output.jsonLine(Self.json(row)) }
    } else {
      output.table(
        ["from", "event", "to", "condition"],
        Lifecycle.rows.map { row in
          [
            Cell(row.from?.rawValue), Cell(row.event.rawValue),
            Cell(row.to.map(\.rawValue).joined(separator: ", ")), Cell(row.condition),
          ]
        })
    }
    return .done
  }

  private static func json(_ row: Lifecycle.Row) -> JSON {
    .object([
      JSON.Member("from", .text(row.from?.rawValue)),
      JSON.Member("event", .string(row.event.rawValue)),
      JSON.Member("to", .strings(row.to.map(\.rawValue))),
      JSON.Member("condition", .string(row.condition)),
    ])
  }
}
