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
      snake_case. A table [automation.NAME] defines an automation in the same way. What the file does not say of a type becomes the default. Types that the file \
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
    var contents = try TypeFile.tables(of: bytes)
    let tables = contents.tables.filter { $0.path.first == AutomationTable.noun }
    contents.tables.removeAll { $0.path.first == AutomationTable.noun }
    let types = try TypeFile(
      contents, folder: folder, umask: session.environment.umask, now: session.now
    ).types
    let reader = AutomationTable(session: session, folder: folder)
    let automations = try tables.map { try reader.read($0) }
    let changes = try session.store.apply(
      types, automations, in: session.workspace, dryRun: dryRun, by: session.actor,
      at: session.now)
    TypeChangeText(output: session.output).show(changes.types, dryRun: dryRun)
    for change in changes.automations { show(change, session.output) }
    if types.isEmpty, automations.isEmpty {
      session.output.note("the file names no type and no automation: nothing was changed")
    }
    if !automations.isEmpty, !dryRun { try session.noteWithoutTicker() }
    return .done
  }

  private func show(_ change: AutomationChange, _ output: Output) {
    let after = change.after
    output.result(
      json: .object([
        JSON.Member("automation", .string(after.name)),
        JSON.Member("workspace", .string(after.workspace.text)),
        JSON.Member("revision", .integer(after.revision)),
        JSON.Member("changed", .bool(change.isChange)), JSON.Member("dry_run", .bool(dryRun)),
      ]), id: after.name
    ) {
      let subject = "automation '\(after.name)' in workspace '\(after.workspace)'"
      guard change.isChange else { return "\(subject) is at revision \(after.revision) already" }
      return "\(subject) \(dryRun ? "would be" : "is") at revision \(after.revision)"
    }
    guard change.isChange, !output.isJSON, !output.isQuiet else { return }
    TypeChangeText(output: output).lines(of: after.contract.changes(from: change.before?.contract))
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
