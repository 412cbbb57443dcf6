import ArgumentParser
import HotglueCore
import HotglueStore

struct SourceEdit: WorkspaceCommand {
  static let record = CommandRecord("source edit", .changesWorkspace, requires: .role(.owner))
  static let configuration = CommandConfiguration(
    commandName: "edit", abstract: "change what is named of a source",
    usage: "hotglue source edit SOURCE [flags] [-- TAP COMMAND…]",
    discussion: """
      When nothing is named, your editor is opened on the source, as for 'draft edit source NAME', and \
      what was typed is submitted; with a mistake in it the draft is kept.

      What is not named stays as it is: records, bookmark and history too. A new command runs in this \
      folder. A sync that runs goes on as it began.
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup var options: SourceOptions

  @Flag(name: .customLong("no-config"), help: "Give the tap no configuration any more.")
  var noConfig = false

  @Flag(name: .customLong("no-catalog"), help: "Give the tap no catalog any more.")
  var noCatalog = false

  @Option(
    name: .customLong("no-key"),
    help: ArgumentHelp("Use the tap's own key of this stream again.", valueName: "stream"))
  var noKey: [String] = []

  @Option(
    name: .customLong("no-ignore"),
    help: ArgumentHelp("Compare all fields of this stream or pattern again.", valueName: "stream"))
  var noIgnore: [String] = []

  @Option(
    name: .customLong("if-revision"),
    help: ArgumentHelp("Refuse unless it is at this revision.", valueName: "n"))
  var ifRevision: Int?

  @Argument(help: ArgumentHelp("The source's name or link.", valueName: "source"))
  var source: String

  @Argument(parsing: .postTerminator, help: "The tap and its own arguments, behind '--'.")
  var command: [String] = []

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    guard
      !options.isEmpty || noConfig || noCatalog || !noKey.isEmpty || !noIgnore.isEmpty
        || !command.isEmpty
    else {
      guard ifRevision == nil else {
        throw CommandError.usage(
          "nothing is named to be changed",
          hint: "hotglue source edit SOURCE [flags] [-- TAP COMMAND…]")
      }
      return try EntityEditing(kind: .source, name: session.source(source).name).run(in: session)
    }
    guard !(noConfig && options.config != nil), !(noCatalog && options.catalog != nil) else {
      throw CommandError.usage("a thing cannot be given and taken away at once")
    }
    let before = try session.source(source)
    var definition = before.definition
    if noConfig { definition.config = nil }
    if noCatalog { definition.catalog = nil }
    for stream in noKey { definition.keys[stream] = nil }
    for stream in noIgnore { definition.ignored[stream] = nil }
    if !command.isEmpty {
      let directory = try session.environment.recordedDirectory(TapWords.elsewhere)
      try TapWords.check(command)
      definition.command = command
      definition.directory = directory
      definition.umask = session.environment.umask
    }
    let files = SourceFiles(of: session.store)
    var kept: String?
    let after: Source
    do {
      try options.apply(to: &definition, in: session.environment) { bytes in
        let name = try files.keep(bytes, id: session.environment.newID())
        kept = name
        return name
      }
      after = try session.store.setSource(
        before.name, to: definition, in: session.workspace,
        expecting: .revision(ifRevision ?? before.revision), by: session.actor, at: session.now)
    } catch {
      try files.forget(kept)
      throw error
    }
    if before.definition.config != after.definition.config {
      try files.forget(before.definition.config)
    }
    session.output.result(json: SourceJSON.object(after), id: after.name) {
      before.revision == after.revision
        ? "source '\(after.name)' of workspace '\(session.workspace)' is as it was"
        : "source '\(after.name)' of workspace '\(session.workspace)' is changed "
          + "(revision \(after.revision))"
    }
    return .done
  }
}
