import ArgumentParser
import HotglueCore

struct ContextPrompt: HotglueCommand {
  static let configuration = CommandConfiguration(
    commandName: "prompt", abstract: "print a short form of the context for a shell prompt",
    discussion: """
      Opens no store, and prints nothing, with status 0, where no context is found.
      For bash: PS1='$(hotglue context prompt 2>/dev/null) \\w \\$ '
      """)
  static let kind = CommandKind.contextPrompt

  @OptionGroup var global: GlobalOptions

  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    let loader = ContextLoader(environment)
    let context: ResolvedContext
    do {
      context = try loader.resolve(global)
    } catch ContextError.nothingFound {
      return .done
    }
    try loader.confirmGroup(of: context)
    let workspace = context.workspace?.text ?? "-"
    let output = Output(environment, global)
    if output.isJSON {
      output.object(
        .object([
          JSON.Member("workspace", .text(context.workspace?.text)),
          JSON.Member("generation", .optional(context.generation)),
          JSON.Member("pinned", context.pinned?.json ?? .null),
        ]))
    } else {
      output.line(context.pinned.map { "\(workspace)#\($0.job)" } ?? workspace)
    }
    return .done
  }
}
