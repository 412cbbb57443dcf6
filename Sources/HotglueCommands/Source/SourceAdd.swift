import ArgumentParser
import HotglueCore
import HotglueStore

struct SourceAdd: WorkspaceCommand {
  static let record = CommandRecord("source add", .changesWorkspace, requires: .role(.owner))
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "define a source: a tap, and how its records are taken",
    usage: "hotglue source add NAME [flags] -- TAP COMMAND…",
    discussion: """
      The command is run without a shell, in this folder; '--config', '--catalog' and '--state' are \
      added to it. Secrets belong into the configuration, which is a file: it is never shown, and \
      never an argument of anything. Nothing is run yet: 'source test' tries it.
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup var options: SourceOptions

  @Argument(help: ArgumentHelp("The source's name.", valueName: "name"))
  var name: String

  @Argument(parsing: .postTerminator, help: "The tap and its own arguments, behind '--'.")
  var command: [String] = []

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    try SourceName.check(name)
    let directory = try session.environment.recordedDirectory(TapWords.elsewhere)
    try TapWords.check(command)
    var definition = SourceDefinition(command: command, directory: directory)
    definition.umask = session.environment.umask
    let files = SourceFiles(of: session.store)
    do {
      try options.apply(to: &definition, in: session.environment) { bytes in
        try files.keep(bytes, id: session.environment.newID())
      }
      let source = try session.store.setSource(
        name, to: definition, in: session.workspace, expecting: .absent, by: session.actor,
        at: session.now)
      session.output.result(
        json: SourceJSON.object(source), id: source.name
      ) { "source '\(name)' is added to workspace '\(session.workspace)'" }
      if definition.catalog == nil {
        session.output.note(naming: "next: 'hotglue source discover \(Shell.quoted(name))'")
      }
      return .done
    } catch {
      // Nothing refers to what was kept.
      try files.forget(definition.config)
      throw error
    }
  }
}

/// The command of a tap.
enum TapWords {
  static let elsewhere: Hint = "run it from the directory in which the tap is to run"

  /// What hotglue adds itself is not given twice.
  private static let ours = ["--config", "--catalog", "--state", "--discover", "--properties"]

  static func check(_ command: [String]) throws(CommandError) {
    do {
      try CommandWords.check(command)
    } catch {
      throw .usage(error.problem, hint: "hotglue source add NAME [flags] -- TAP COMMAND…")
    }
    for word in command.dropFirst() {
      guard let flag = ours.first(where: { word == $0 || word.hasPrefix($0 + "=") }) else {
        continue
      }
      throw .usage(
        "'\(flag)' stands in the tap's command",
        hint: ["--config", "--catalog", "--properties"].contains(flag)
          ? "give it before '--': hotglue passes it on" : "leave it out: hotglue adds it")
    }
  }
}
