import ArgumentParser
import HotglueCore
import HotglueStore

/// What may stand at the cursor, one candidate a line: its text, a tab, and what it is. A line
/// `:files`, `:folders` or `:programs` leaves it to the shell.
///
/// It never fails and never changes anything: where nothing can be resolved nothing is offered, and a
/// switch that was cut short is left as it is.
struct Complete: HotglueCommand {
  static let record = CommandRecord(
    "__complete", .readsStore, requires: .role(.viewer), contextFlags: .nothing)
  static let configuration = CommandConfiguration(
    commandName: "__complete",
    abstract: "print what may stand at the cursor; the completion scripts of shells call it",
    shouldDisplay: false)

  @OptionGroup var global: GlobalOptions

  @Argument(parsing: .postTerminator) var words: [String] = []

  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    let line = CompletionLine(words, home: environment.variables["HOME"])
    switch line.wanted {
    case .program: Output(environment, global).rawLine(":programs")
    case .file: Output(environment, global).rawLine(":files")
    case .command: print(commands(environment), line, environment)
    case .verb(let path):
      print(CommandRegistry.verbs(of: path).map { candidate(path + [$0]) }, line, environment)
    case .option(let options):
      let all = options.filter { !$0.isHidden }.compactMap { option in
        option.names.last { $0.hasPrefix("--") }.map { Candidate(text: $0, help: option.help) }
      }
      print(all, line, environment)
    case .value(let parameter): printValues(of: parameter, line, environment)
    case .nothing: break
    }
    return .done
  }

  private func commands(_ environment: CommandEnvironment) -> [Candidate] {
    let own = (CommandRegistry.verbs(of: []) + ["help"]).map { candidate([$0]) }
    let externals = ProgramSearch(environment: environment).names(after: ExternalCommand.prefix)
    return own
      + externals.map { Candidate(text: $0, help: ExternalCommand.prefix + $0) }
      .filter { external in !own.contains { $0.text == external.text } }
  }

  private func candidate(_ words: [String]) -> Candidate {
    var found: (any ParsableCommand.Type)? = RootCommand.self
    for word in words {
      found = found?.configuration.subcommands.first { $0.configuration.commandName == word }
    }
    return Candidate(text: words.last ?? "", help: found?.configuration.abstract ?? "")
  }

  private func printValues(
    of parameter: CommandShape.Parameter, _ line: CompletionLine, _ environment: CommandEnvironment
  ) {
    let kind = ValueKind(parameter, of: line.command)
    switch kind {
    case .file: Output(environment, global).rawLine(":files")
    case .folder: Output(environment, global).rawLine(":folders")
    case .words(let words): print(words.map { Candidate(text: $0) }, line, environment)
    case .workspace, .job, .type, .automation, .queue, .state, .unknown:
      guard
        let session = try? StoreSession.open(
          for: Self.record, line.global.options, in: environment, repairing: false),
        let found = try? CompletionValues(session: session).candidates(kind)
      else { return }
      // An argument that is there already is not offered again.
      let taken = Set(parameter.names.isEmpty ? line.given : [])
      print(found.filter { !taken.contains($0.text) }, line, environment)
    }
  }

  private func print(
    _ candidates: [Candidate], _ line: CompletionLine, _ environment: CommandEnvironment
  ) {
    let output = Output(environment, global)
    for candidate in candidates where candidate.text.hasPrefix(line.text) {
      // What a store holds is made visible; text that this changes would not be what is meant.
      guard Visible.text(candidate.text) == candidate.text else { continue }
      let help = Visible.text(String(candidate.help.prefix(60)))
      output.rawLine("\(line.lead)\(candidate.text)\t\(help)")
    }
  }
}
