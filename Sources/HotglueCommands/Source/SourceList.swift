import ArgumentParser
import HotglueCore
import HotglueStore

struct SourceList: WorkspaceCommand {
  static let record = CommandRecord("source list", .readsWorkspace, requires: .role(.viewer))
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "show the sources of the workspace, by name")

  @OptionGroup var global: GlobalOptions

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    let output = session.output
    let sources = try session.store.sources(in: session.workspace)
    output.breadcrumb(session.workspace.text, "sources")
    if output.isJSON {
      for source in sources { output.jsonLine(SourceJSON.object(source)) }
    } else if output.isQuiet {
      for source in sources { output.line(source.name) }
    } else {
      var rows: [[Cell]] = []
      for source in sources {
        let last = try session.store.syncRuns(
          of: source.id, in: session.workspace, before: nil, limit: 1
        ).first
        let records = try session.store.recordStreams(of: source.id, in: session.workspace)
          .reduce(0) { $0 + $1.records }
        rows.append([
          Cell(source.name), Cell(last?.state.rawValue), Cell(last?.startedAt), Cell(records),
          Cell(ShellWords.joined(source.definition.command)),
        ])
      }
      output.table(["name", "last sync", "begun", "records", "command"], rows)
    }
    return .done
  }
}

struct SourceShow: WorkspaceCommand {
  static let record = CommandRecord("source show", .readsWorkspace, requires: .role(.viewer))
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "tell what a source is, and which streams are taken",
    discussion: "What is in its configuration is not shown.")

  @OptionGroup var global: GlobalOptions

  @Flag(help: "Print the catalog alone, as the tap is given it.")
  var catalog = false

  @Argument(help: ArgumentHelp("The source's name or link.", valueName: "source"))
  var source: String

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    try session.show(session.source(source), catalogOnly: catalog)
    return .done
  }
}

extension WorkspaceSession {
  func show(_ source: Source, catalogOnly: Bool = false) throws {
    if catalogOnly {
      guard let catalog = source.definition.catalog else {
        throw CommandError(
          "no_catalog", .notFound, "source '\(source.name)' has no catalog",
          hint: "ask the tap for one: 'hotglue source discover \(Shell.quoted(source.name))'")
      }
      output.object(catalog)
    } else if output.isJSON {
      output.object(SourceJSON.withCatalog(source))
    } else if output.isQuiet {
      output.line(source.name)
    } else {
      output.breadcrumb(workspace.text, "sources", source.name)
      SourceText(output: output).show(source)
    }
  }
}

struct SourceRemove: WorkspaceCommand {
  static let record = CommandRecord("source remove", .changesWorkspace, requires: .role(.owner))
  static let configuration = CommandConfiguration(
    commandName: "remove", abstract: "take a source away, with its records and its history",
    discussion: """
      Refused while a sync of it runs. A configuration that only was referred to stays where it is.
      """)

  @OptionGroup var global: GlobalOptions

  @Flag(help: "Only say what would go.")
  var dryRun = false

  @Argument(help: ArgumentHelp("The source's name or link.", valueName: "source"))
  var source: String

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    let source = try session.source(source)
    let records = try session.store.recordStreams(of: source.id, in: session.workspace)
      .reduce(0) { $0 + $1.records }
    if !dryRun {
      if records > 0 {
        try session.output.confirm(
          "remove source '\(source.name)' of workspace '\(session.workspace)' with its "
            + "\(records) records?")
      }
      _ = try session.store.removeSource(
        source.name, in: session.workspace, by: session.actor, at: session.now)
      let files = SourceFiles(of: session.store)
      try files.forget(source.definition.config)
      for kind in ["state", "catalog"] { try files.runFile(kind, of: source.id).remove() }
    }
    session.output.result(
      json: .object([
        JSON.Member("name", .string(source.name)),
        JSON.Member("workspace", .string(session.workspace.text)),
        JSON.Member("removed", .bool(!dryRun)), JSON.Member("records", .integer(records)),
        JSON.Member("dry_run", .bool(dryRun)),
      ]), id: source.name
    ) {
      "source '\(source.name)' \(dryRun ? "would be" : "is") removed from workspace "
        + "'\(session.workspace)', with \(records) record\(records == 1 ? "" : "s")"
    }
    return .done
  }
}
