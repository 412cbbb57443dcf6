import ArgumentParser
import HotglueCore
import HotglueStore

struct TypeSet: WorkspaceCommand {
  static let record = CommandRecord("type set", .changesWorkspace, requires: .role(.owner))
  static let configuration = CommandConfiguration(
    commandName: "set", abstract: "define a job type, or change what is named of it",
    usage: "hotglue type set NAME [flags] [-- COMMAND…]",
    discussion: """
      What is not named stays as it is; of a new type it is the default. Every change is a new \
      revision, and an attempt runs the revision that is current when it is claimed; one that runs \
      already goes on as it was claimed, and by that it is decided what its end means. The command \
      runs without a shell, in this folder. 'type apply' sets a type as a whole.
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup(title: "Policy") var policy: PolicyOptions

  @Option(
    help: ArgumentHelp(
      "How many jobs of the type run at once in the workspace (default: none).",
      valueName: "n|none"))
  var limit: String?

  @Flag(
    inversion: .prefixedNo,
    help: "One process of the command answers many jobs; see hotglue-handlers(7).")
  var persistent: Bool?

  @Argument(help: ArgumentHelp("The type's name.", valueName: "name"))
  var name: String

  @Argument(parsing: .postTerminator, help: "The command and its arguments, behind '--'.")
  var command: [String] = []

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    let name = try session.name(name, of: .type)
    var said = JobSettings()
    do throws(BadSetting) {
      let clock = SettingClock(now: session.now)
      for given in policy.given { try said.set(given.setting, to: given.value, clock) }
    } catch {
      throw CommandError(error)
    }
    do {
      try JobTypeWords.check(name)
      if !command.isEmpty { try CommandWords.check(command) }
      let edit = TypeEdit(
        said: said, command: command,
        directory: command.isEmpty
          ? "" : try session.environment.recordedDirectory(JobTypeWords.elsewhere),
        umask: session.environment.umask, limit: try limit.map(TypeSetting.limit),
        isStream: persistent)
      var refusal: UnusableRequest?
      let change = try session.store.setType(
        name, in: session.workspace, by: session.actor, at: session.now
      ) { current in
        do throws(UnusableRequest) {
          return try edit.applied(to: current)
        } catch {
          refusal = error
          return nil
        }
      }
      guard let change else {
        throw refusal ?? UnusableRequest(problem: "type '\(name)' was not set", hint: "try again")
      }
      TypeChangeText(output: session.output).show([change], dryRun: false)
      return .done
    } catch let error as UnusableRequest {
      throw CommandError.usage(error.problem, hint: error.hint)
    }
  }
}

/// What a command line changes of a type.
private struct TypeEdit {
  var said: JobSettings
  var command: [String]
  /// Where the command line was given.
  var directory: String
  var umask: FileMask
  /// Outer `nil`: not named. Inner `nil`: no limit.
  var limit: Int??
  var isStream: Bool?

  func applied(to current: TypeDefinition?) throws(UnusableRequest) -> TypeDefinition {
    var definition = current ?? TypeDefinition(command: [], directory: "")
    if !command.isEmpty {
      definition.command = command
      definition.directory = directory
      definition.umask = umask
    }
    guard !definition.command.isEmpty else {
      throw UnusableRequest(
        problem: "a new type needs its command",
        hint: "hotglue type set NAME [flags] -- COMMAND…")
    }
    try definition.take(said)
    if let limit { definition.limit = limit }
    if let isStream { definition.isStream = isStream }
    return definition
  }
}
