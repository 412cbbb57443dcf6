import ArgumentParser
import HotglueCore

struct ContextPrompt: HotglueCommand {
  static let configuration = CommandConfiguration(
    commandName: "prompt", abstract: "print a short form of the context for a shell prompt",
    discussion: """
      Opens no store, and prints nothing, with status 0, where no context is found. A context without a \
      workspace is '-', that of a job's attempt 'acme#42'.

      --snippet prints what puts it into a shell's prompt; into ~/.bashrc, for example, goes \
      eval "$(hotglue context prompt --snippet bash)"
      """)
  static let record = CommandRecord(
    "context prompt", .none, requires: .none)

  @OptionGroup var global: GlobalOptions

  @Option(help: ArgumentHelp("Print the lines that set up the prompt.", valueName: "bash|zsh|fish"))
  var snippet: ShellKind?

  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    if let snippet {
      Output(environment, global).rawLine(PromptSnippet.text(for: snippet))
      return .done
    }
    return try Self.print(QuickGlobals(global), asJSON: global.json, in: environment)
  }

  /// The prompt for flags that may be read without the parser: a shell runs it before every command,
  /// and even an empty set of the parser's options costs more than finding the context.
  static func print(
    _ flags: QuickGlobals, asJSON: Bool, in environment: CommandEnvironment
  ) throws -> ExitStatus {
    let loader = ContextLoader(environment)
    let context: ResolvedContext
    do {
      context = try loader.resolve(flags)
    } catch let error as ContextError where error.isNothingFound {
      return .done
    }
    let line = asJSON ? json(context, in: environment) : text(context)
    environment.output.append(line + "\n")
    return .done
  }

  private static func text(_ context: ResolvedContext) -> String {
    let workspace = context.workspace?.text ?? "-"
    guard let pinned = context.pinned else { return workspace }
    return "\(workspace)#\(pinned.job)"
  }

  private static func json(
    _ context: ResolvedContext, in environment: CommandEnvironment
  ) -> String {
    let json: JSON = .object([
      JSON.Member("workspace", .text(context.workspace?.text)),
      JSON.Member("generation", .optional(context.generation)),
      JSON.Member("pinned", context.pinned?.json ?? .null),
    ])
    return environment.isTerminal(.output) ? json.prettyText : json.text
  }
}

/// The shells that there are snippets and completions for.
enum ShellKind: String, CaseIterable, ExpressibleByArgument {
  case bash
  case zsh
  case fish
}

extension QuickGlobals {
  /// What decides which context is resolved, of flags that the parser has read.
  init(_ options: GlobalOptions) {
    workspace = options.workspace
    context = options.context
    store = options.store
    expect = options.expect
  }

  /// The global flags of a command line that names the command `words` and has no other flags, read
  /// without the parser and the table of commands; `nil`: not all of it is understood, so they are to
  /// read it.
  init?(_ arguments: [String], around words: [String]) {
    self.init()
    var rest = arguments[...]
    var missing = words[...]
    while let word = rest.popFirst() {
      if word == missing.first {
        missing.removeFirst()
      } else if take(flag: word) {
        continue
      } else if word.hasPrefix("--"), let equals = word.firstIndex(of: "=") {
        guard take(option: String(word[..<equals]), String(word[word.index(after: equals)...]))
        else { return nil }
      } else {
        guard word.hasPrefix("-"), let value = rest.popFirst(), !value.hasPrefix("-"),
          take(option: word, value)
        else { return nil }
      }
    }
    if !missing.isEmpty { return nil }
  }
}
