import ArgumentParser
import Glibc
import HotglueCore
import HotglueStore

struct Initialize: HotglueCommand {
  static let configuration = CommandConfiguration(
    commandName: "init", abstract: "make a context and its store in this folder",
    discussion: "Makes .hotglue/ with a store and a context without a workspace. Where they are"
      + " there already, says so and changes nothing.")
  static let kind = CommandKind.initialize

  @OptionGroup var global: GlobalOptions

  @Flag(help: "Make the one in the home folder, which counts where no other is found.")
  var user = false

  @Option(
    help: ArgumentHelp(
      "Share the store with a group, whose members can then run commands as each of its workers.",
      valueName: "name"))
  var group: String?

  func validate() throws {
    guard global.workspaces.isEmpty, global.store == nil, global.context == nil else {
      throw ValidationError("'init' takes no -w, --store or --context")
    }
  }

  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    let path = try path(environment)
    let made: ContextMaker.Made
    do {
      made = try ContextMaker(environment: environment, group: group).make(at: path)
    } catch let error as SystemError {
      throw CommandError(creating: path, error)
    }
    let output = Output(environment, global)
    let file = made.file
    let store = Path.joined(Path.folder(of: made.realPath), file.store)
    let json = JSON.object([
      JSON.Member("context_file", .string(made.realPath)), JSON.Member("store", .string(store)),
      JSON.Member("store_id", .string(file.storeID)), JSON.Member("created", .bool(made.isNew)),
      JSON.Member("group", .text(made.group)),
    ])
    output.result(json: json, id: made.realPath) {
      made.isNew
        ? "made context '\(made.realPath)' and store '\(store)'"
        : "context '\(made.realPath)' is there already; nothing was changed"
    }
    guard !output.isJSON else { return .done }
    if made.isNew {
      output.hint("hotglue workspace create ID, then hotglue workspace switch ID")
    }
    if environment.variables["HOTGLUE_CONTEXT"] != nil {
      output.note("note: HOTGLUE_CONTEXT is set, so another context counts until it is unset")
    }
    return .done
  }

  private func path(_ environment: CommandEnvironment) throws -> String {
    guard user else {
      return Path.joined(
        try environment.recordedDirectory(
          "run 'hotglue init' in a directory whose path is UTF-8 text"),
        ".hotglue/context.json")
    }
    guard let path = try ContextLoader(environment).userPath() else {
      throw CommandError(
        "no_home", .badContext, "no home folder: HOME and XDG_CONFIG_HOME are not set",
        hint: "set HOME, or run 'hotglue init' in a folder")
    }
    return path
  }
}
