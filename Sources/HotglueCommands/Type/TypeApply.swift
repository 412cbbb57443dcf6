import ArgumentParser
import HotglueCore
import HotglueStore

struct TypeApply: WorkspaceCommand {
  static let record = CommandRecord("type apply", .changesWorkspace, requires: .role(.owner))
  static let configuration = CommandConfiguration(
    commandName: "apply", abstract: "set job types as a file says, all of them or none",
    discussion: """
      The file is TOML: a table [type.NAME] for each type, with 'command' (an array), 'cwd' (by \
      default the file's folder), 'limit', and the policy flags of 'type set' in \
      snake_case. What the file does not say of a type becomes the default. Types that the file \
      does not name stay as they are. 'type export' writes such a file.
      """)

  @OptionGroup var global: GlobalOptions

  @Flag(help: "Only show what would change.")
  var dryRun = false

  @Argument(help: ArgumentHelp("The file, or '-' for what is piped in.", valueName: "file|-"))
  var file: String

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    let environment = session.environment
    let here = try environment.recordedDirectory(JobTypeWords.elsewhere)
    var bytes: [UInt8] = []
    var folder = here
    if file == "-" {
      while bytes.count <= TypeFile.longest {
        let more = try environment.readInput(1 << 16)
        if more.isEmpty { break }
        bytes += more
      }
    } else {
      let path = Path.joined(here, file)
      bytes = try LineInput.bytes(of: path, limit: TypeFile.longest)
      folder = Path.folder(of: path)
    }
    let types = try TypeFile(
      bytes, folder: folder, umask: session.environment.umask, now: session.now
    ).types
    let changes = try session.store.setTypes(
      types, in: session.workspace, dryRun: dryRun, by: session.actor, at: session.now)
    TypeChangeText(output: session.output).show(changes, dryRun: dryRun)
    if types.isEmpty { session.output.note("the file names no type: nothing was changed") }
    return .done
  }
}

struct TypeExport: WorkspaceCommand {
  static let record = CommandRecord("type export", .readsWorkspace, requires: .role(.viewer))
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "write job types in the form that 'type apply' reads")

  @OptionGroup var global: GlobalOptions

  @Argument(help: ArgumentHelp("The types (default: all).", valueName: "name"))
  var names: [String] = []

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    var types: [JobType] = []
    if names.isEmpty {
      types = try session.store.types(in: session.workspace)
    } else {
      for name in try names.map({ try session.name($0, of: .type) }) {
        types.append(try session.store.type(name, in: session.workspace))
      }
    }
    if session.output.isJSON {
      for type in types { session.output.jsonLine(TypeJSON.object(type)) }
    } else {
      session.output.stored(TypeFile.text(types.map { ($0.name, $0.definition) }).utf8)
    }
    return .done
  }
}
