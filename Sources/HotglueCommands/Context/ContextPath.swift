import ArgumentParser
import HotglueCore

struct ContextPath: HotglueCommand {
  static let configuration = CommandConfiguration(
    commandName: "path", abstract: "print the path of the context file that counts here")
  static let record = CommandRecord(
    "context path", .none, requires: .none, contextFlags: .all)

  @OptionGroup var global: GlobalOptions

  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    let context = try ContextLoader(environment).resolve(global)
    guard let source = context.source else {
      throw CommandError(
        "no_context", .badContext, "no context file counts: --store and -w name everything")
    }
    let output = Output(environment, global)
    if output.isJSON {
      output.object(
        .object([
          JSON.Member("context_file", .string(source.realPath)),
          JSON.Member("origin", .text(context.origins.contextFile?.rawValue)),
        ]))
    } else {
      output.line(source.realPath)
    }
    return .done
  }
}
