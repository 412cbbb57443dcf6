import ArgumentParser
import HotglueCore
import HotglueProcess

/// The program: arguments in; text or JSON, and an exit status, out.
public enum Hotglue {
  public static let version = "0.1.0"

  /// As process 1 of a PID namespace, where no signal would end a command, it goes on in a child. Called
  /// before any thread is there. Returns whether that was so.
  public static func leaveFirstProcess() -> Bool {
    // Without a child it goes on as it is.
    (try? FirstProcess.leave()) ?? true
  }

  /// A limit of memory that is reached is told, and ends the process with status 75.
  public static func reportMemoryLimits() { MemoryLimit.reportWhenReached() }

  /// Runs one command line, without the program's name.
  public static func run(arguments: [String], in environment: CommandEnvironment) -> Int32 {
    var environment = environment
    environment.arguments = arguments
    let (status, toldLoss) = answer(arguments, environment)
    do {
      try environment.output.flush()
    } catch {
      guard !toldLoss else { return status.rawValue }
      let lost = CommandError(error).saying(what: arguments, lostBy: environment.output)
      report(lost, json: Dispatch.asksForJSON(arguments), environment)
      return (status == .done ? lost.exit : status).rawValue
    }
    return status.rawValue
  }

  /// `toldLoss`: that the output cannot be written has been said, as the reason why the command failed.
  private static func answer(
    _ arguments: [String], _ environment: CommandEnvironment
  ) -> (ExitStatus, toldLoss: Bool) {
    do {
      return (try act(arguments, environment), false)
    } catch {
      var refusal = CommandError(from: error, in: environment)
      let loss = environment.output.failure.map { CommandError($0) }
      let isLoss = refusal.message == loss?.message
      if isLoss { refusal = refusal.saying(what: arguments, lostBy: environment.output) }
      report(refusal, json: Dispatch.asksForJSON(arguments), environment)
      return (refusal.exit, isLoss)
    }
  }

  private static func act(
    _ arguments: [String], _ environment: CommandEnvironment
  ) throws -> ExitStatus {
    if arguments == ["--version"] {
      environment.output.append(version + "\n")
      return .done
    }
    if arguments.contains("prompt"),
      let quick = QuickGlobals(arguments, around: ["context", "prompt"])
    {
      return try ContextPrompt.print(quick, asJSON: quick.flags.contains("--json"), in: environment)
    }
    switch Dispatch.decide(arguments) {
    case .refused(let error): throw error
    case .tree(let arguments): return try walkTree(arguments, environment)
    case .command(let type, let rest): return try start(type, rest, environment)
    }
  }

  /// Parses the one command that is named; only when that fails is the tree asked, so that messages
  /// and usage lines show the whole command.
  private static func start(
    _ type: any HotglueCommand.Type, _ rest: [String], _ environment: CommandEnvironment
  ) throws -> ExitStatus {
    if type == JobEnqueue.self, let quick = QuickEnqueue(rest) {
      let session = try WorkspaceSession.open(
        for: JobEnqueue.record, quick.global.options, in: environment)
      return try session.telling { try quick.action.run(in: session) }
    }
    if type == SyncRunCommand.self, rest.last == "--" {
      // A variable that was to hold the target, and is empty: the store was not meant.
      throw CommandError.usage(
        "nothing stands behind '--'",
        hint: "name a target; without '--' the records go into the store")
    }
    let command: any HotglueCommand
    do {
      command = try type.parse(rest)
    } catch {
      return try explain(type, rest, environment)
    }
    return try run(command, environment)
  }

  /// Help, or what is wrong with the arguments.
  private static func explain(
    _ type: any HotglueCommand.Type, _ rest: [String], _ environment: CommandEnvironment
  ) throws -> ExitStatus {
    do {
      return try walkTree(type.record.words + rest, environment)
    } catch {
      if type == JobReport.self { JobReport.tellRefusal(of: rest, in: environment) }
      throw error
    }
  }

  private static func walkTree(
    _ arguments: [String], _ environment: CommandEnvironment
  ) throws -> ExitStatus {
    if arguments.count == 2, arguments[0] == "help",
      let text = try externalHelp(arguments[1], environment)
    {
      environment.output.append(text)
      return .done
    }
    do {
      var parsed = try RootCommand.parseAsRoot(arguments)
      if let command = parsed as? any HotglueCommand { return try run(command, environment) }
      // A noun alone, or `help`: its own run throws the text to show.
      try parsed.run()
      return .done
    } catch let error as CommandError {
      throw error
    } catch {
      return try show(error, arguments, environment)
    }
  }

  private static func run(
    _ command: any HotglueCommand, _ environment: CommandEnvironment
  ) throws -> ExitStatus {
    if command.global.workspaces.count > 1, !type(of: command).record.repeatsWorkspace {
      throw CommandError.usage(
        "-w is given \(command.global.workspaces.count) times",
        hint: "a command acts in one workspace: give it once")
    }
    try checkFormat(of: command)
    do {
      return try command.run(in: environment)
    } catch {
      throw CommandError(from: error, in: environment)
    }
  }

  /// JSON Lines and CSV are of records; the other forms are of every command.
  private static func checkFormat(of command: any HotglueCommand) throws(CommandError) {
    guard let format = command.global.format else { return }
    let isExport = command is RecordExport
    guard format.isOfExport == isExport || isExport && format == .json else {
      let offered = OutputFormat.allCases.filter { $0.isOfExport == isExport }.map(\.rawValue)
      throw .usage(
        "invalid value '\(format.rawValue)' for '--format'",
        hint: "one of \(offered.joined(separator: ", "))")
    }
    guard !command.global.json || format == .json || isExport else {
      throw .usage(
        "'--json' and '--format \(format.rawValue)' exclude each other",
        hint: "\(again: .withoutOption("--format"))")
    }
  }

  /// Help goes to standard output; a mistake in the arguments is refused like any other.
  private static func show(
    _ error: any Error, _ arguments: [String], _ environment: CommandEnvironment
  ) throws -> ExitStatus {
    let columns = environment.terminalSize(.output)?.columns ?? 80
    guard RootCommand.exitCode(for: error) != .success else {
      environment.output.append(RootCommand.fullMessage(for: error, columns: columns) + "\n")
      if [[], ["help"], ["--help"], ["-h"]].contains(arguments) { listExternals(environment) }
      return .done
    }
    guard case .command(let type, let rest) = Dispatch.decide(arguments) else {
      let mistake = UsageCheck(shape: CommandShape(of: GlobalOptions.self))
        .mistake(in: arguments.filter { $0.hasPrefix("-") })
      throw CommandError.usage(
        mistake?.message ?? RootCommand.message(for: error),
        hint: mistake?.hint.map { Hint($0) } ?? "see 'hotglue help'")
    }
    // What the parser finds beyond the form of the arguments is what the command itself checks.
    let shape = CommandShape(of: type)
    let mistake = UsageCheck(shape: shape).mistake(in: rest)
    let usage = type.configuration.shouldDisplay ? shape.usage(of: type) : nil
    throw CommandError.usage(
      mistake?.message ?? RootCommand.message(for: error),
      hint: (mistake?.hint ?? usage).map { Hint($0) } ?? "see 'hotglue help'")
  }

  /// What `help NAME` says of a command that is not ours; `nil` for those that are.
  private static func externalHelp(
    _ name: String, _ environment: CommandEnvironment
  ) throws -> String? {
    if CommandRegistry.verbs(of: []).contains(name) || name == "help" || name.hasPrefix("-") {
      return nil
    }
    let search = ProgramSearch(environment: environment)
    guard case .program(let path) = search.find(ExternalCommand.prefix + name) else {
      throw Dispatch.unknown([name], externals: search.names(after: ExternalCommand.prefix))
    }
    return Visible.text("'\(name)' is an external command: \(path)") + "\n"
  }

  /// What `hotglue NAME` runs from PATH, below the help of all commands.
  private static func listExternals(_ environment: CommandEnvironment) {
    let search = ProgramSearch(environment: environment)
    let names = search.names(after: ExternalCommand.prefix).filter {
      !CommandRegistry.verbs(of: []).contains($0) && $0 != "help"
    }
    guard !names.isEmpty else { return }
    let list = names.map { "  \(Visible.text($0))\n" }.joined()
    environment.output.append("\nEXTERNAL COMMANDS (hotglue-NAME in PATH):\n" + list)
  }

  private static func report(
    _ error: CommandError, json: Bool, _ environment: CommandEnvironment
  ) {
    // What was printed before the refusal comes before it on a terminal; a failure of standard
    // output is told by the caller's own flush.
    try? environment.output.flush()
    environment.errorOutput.append(error.lines(json: json, in: environment))
    try? environment.errorOutput.flush()
  }
}
