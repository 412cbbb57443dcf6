import ArgumentParser
import Glibc
import HotglueCore
import HotglueStore

struct Initialize: HotglueCommand {
  static let configuration = CommandConfiguration(
    commandName: "init", abstract: "Create a context and its store in this directory",
    discussion: """
      Creates .hotglue/ with a store, a context, and a .gitignore that keeps both out of a repository. \
      With a name it also creates that workspace and selects it.

      Where they exist already it says so and changes nothing; with a name it selects the workspace in \
      a context that has none, and refuses one that is in another workspace (73).

      EXAMPLES
        hotglue init acme
        hotglue init --user personal
        hotglue init --group deploy team
      """)
  static let record = CommandRecord(
    "init", .none, requires: .none, answersWithChange: true)

  @OptionGroup var global: GlobalOptions

  @Flag(help: "Make the one in the home folder, which counts where no other is found.")
  var user = false

  @Option(
    help: ArgumentHelp(
      "Share the store with a group, whose members can then run commands as each of its workers.",
      valueName: "name"))
  var group: String?

  @Argument(help: ArgumentHelp("A workspace to create and select.", valueName: "workspace"))
  var name: String?

  func validate() throws {
    guard global.workspaces.isEmpty, global.store == nil, global.context == nil else {
      throw ValidationError("'init' takes no -w, --store or --context")
    }
  }

  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    let workspace = try name.map { try WorkspaceID(argument: $0) }
    let path = try path(environment)
    var made: ContextMaker.Made
    do {
      made = try ContextMaker(environment: environment, group: group, workspace: workspace)
        .make(at: path)
    } catch let error as SystemError {
      throw CommandError(creating: path, error)
    }
    let selects = workspace.map { made.file.workspace != $0 } ?? false
    if let workspace, selects {
      try select(workspace, at: path, environment)
      made.file.workspace = workspace
    }
    let output = Output(environment, global)
    let file = made.file
    let store = Path.joined(Path.folder(of: made.realPath), file.store)
    let json = JSON.object([
      JSON.Member("context_file", .string(made.realPath)), JSON.Member("store", .string(store)),
      JSON.Member("store_id", .string(file.storeID)), JSON.Member("created", .bool(made.isNew)),
      JSON.Member("group", .text(made.group)),
      JSON.Member("workspace", .text(file.workspace?.text)),
    ])
    let place = file.workspace.map { " in workspace '\($0)'" } ?? ""
    output.result(json: json, id: made.realPath) {
      made.isNew
        ? "made context '\(made.realPath)'\(place) and store '\(store)'"
        : selects
          ? "context '\(made.realPath)' was there already and is\(place) now"
          : "context '\(made.realPath)' is there already\(place); nothing was changed"
    }
    guard !output.isJSON else { return .done }
    if file.workspace == nil {
      output.hint(user ? "hotglue init --user WORKSPACE" : "hotglue init WORKSPACE")
    } else if made.isNew || selects {
      output.hint("hotglue job run -- echo hello")
    }
    if environment.variables["HOTGLUE_CONTEXT"] != nil {
      output.note("note: HOTGLUE_CONTEXT is set, so another context counts until it is unset")
    }
    return .done
  }

  /// Selects a workspace in a context that was there and has none.
  private func select(
    _ workspace: WorkspaceID, at path: String, _ environment: CommandEnvironment
  ) throws {
    var options = global
    options.context = path
    let session = try StoreSession.open(for: WorkspaceSwitch.record, options, in: environment)
      .naming
    guard let source = session.context.source else { throw ContextError.nothingFound }
    try session.store.makeWorkspace(workspace, by: session.actor, at: session.now)
    let transition = SwitchTransition(
      session: session, source: source, target: workspace.text, ifGeneration: nil)
    _ = try transition.carryOut(nil, on: [])
  }

  private func path(_ environment: CommandEnvironment) throws -> String {
    guard user else {
      return Path.joined(
        try environment.recordedDirectory(
          "run 'hotglue init' in a directory whose path is UTF-8 text",
          whenGone: "change to a directory that exists, as 'cd /', then try again"),
        ".hotglue/context.json")
    }
    guard let path = try ContextLoader(environment).userPath() else {
      throw CommandError.noHome(
        in: environment, hint: "set HOME to an absolute path, or run 'hotglue init' in a folder")
    }
    return path
  }
}
