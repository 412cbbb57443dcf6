import ArgumentParser
import HotglueCore
import HotglueStore

struct WorkspaceShell: HotglueCommand {
  static let record = CommandRecord("workspace shell", .readsStore, requires: .role(.viewer))
  static let configuration = CommandConfiguration(
    commandName: "shell", abstract: "run a shell or a command in a workspace, beside all others",
    usage: "hotglue workspace shell [flags] ID [-- COMMAND…]",
    discussion: """
      Runs $SHELL (or /bin/sh), or the command, with a context file of its own, which HOTGLUE_CONTEXT \
      names. So two terminals can work in two workspaces at once: a switch elsewhere does not change \
      this one, and 'workspace switch' inside changes this one only. A shell inside a shell has its \
      own file again. The file goes when the shell ends; drafts that were started in it stay. Inside, a \
      protected workspace counts as named, until 'workspace switch' is used there.

      Ends with the status of the shell or command, 128 + the number of a signal; 127 when there is no \
      such program, 126 when it cannot be executed.
      """)

  @OptionGroup var global: GlobalOptions

  @Argument(help: "The workspace.")
  var id: String

  @Argument(parsing: .postTerminator, help: "The command and its arguments, behind '--'.")
  var command: [String] = []

  func validate() throws {
    guard global.workspaces.isEmpty else {
      throw ValidationError("'shell' takes the workspace as its argument, not by -w")
    }
  }

  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    let words = command.isEmpty ? [shell(in: environment)] : command
    let (file, path) = try prepared(words[0], in: environment)
    let context = try PrivateContext.make(file, in: environment)
    if command.isEmpty, environment.isTerminal(.error), let workspace = file.workspace {
      Output(environment, global).note(
        "workspace '\(workspace)' in this shell only; 'exit' ends it")
    }
    return try Handover(environment: environment).run(path, words, context: context)
  }

  /// The context and the program's path. The store is closed again behind it: a shell may stay for
  /// days.
  private func prepared(
    _ name: String, in environment: CommandEnvironment
  ) throws -> (ContextFile, path: String) {
    let session = try StoreSession.open(for: Self.record, global, in: environment)
    let there = try session.entering(WorkspaceID(argument: id))
    guard there.record.state == .active else { throw StoreError.archivedWorkspace(there.workspace) }
    let file = ContextFile(
      contextID: environment.newID(), store: session.context.store,
      storeID: try session.context.storeID ?? session.store.info().storeID,
      workspace: there.workspace, generation: ContextFile.shellGeneration, tenant: .shell,
      within: session.context.attempt)
    return (file, try program(name, in: environment))
  }

  private func shell(in environment: CommandEnvironment) -> String {
    guard let shell = environment.variables["SHELL"], !shell.isEmpty else { return "/bin/sh" }
    return shell
  }

  private func program(_ name: String, in environment: CommandEnvironment) throws -> String {
    switch ProgramSearch(environment: environment).find(name) {
    case .program(let path): return path
    case .notExecutable(let path): throw CommandError.notExecutable(path)
    case .nothing:
      throw CommandError(
        "not_executed", .noProgram, "cannot execute '\(name)': there is no such program",
        hint: command.isEmpty ? "set SHELL, or give a command behind '--'" : nil,
        facts: [JSON.Member("path", .string(name))])
    }
  }
}
