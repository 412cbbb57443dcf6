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
    guard let context = try found(by: loader) else { return .done }
    try loader.confirmGroup(of: context)
    show(context, Output(environment, global))
    return .done
  }

  private func show(_ context: ResolvedContext, _ output: Output) {
    let workspace = context.workspace?.text
    let pinned = context.pinned
    if output.isJSON {
      output.object(
        .object([
          JSON.Member("workspace", .text(workspace)),
          JSON.Member("generation", .optional(context.generation)),
          JSON.Member("pinned", pinned?.json ?? .null),
        ]))
    } else if let pinned {
      output.line("\(workspace ?? "-")#\(pinned.job)")
    } else {
      output.line(workspace ?? "-")
    }
  }

  private func found(by loader: ContextLoader) throws -> ResolvedContext? {
    do {
      return try loader.resolve(global)
    } catch ContextError.nothingFound {
      return nil
    }
  }
}
