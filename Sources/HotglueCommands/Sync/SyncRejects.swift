import ArgumentParser
import HotglueCore
import HotglueSinger
import HotglueStore

struct SyncRejects: WorkspaceCommand {
  static let record = CommandRecord("sync rejects", .readsWorkspace, requires: .role(.viewer))
  static let configuration = CommandConfiguration(
    commandName: "rejects", abstract: "Show the records that were set aside, and take them again",
    discussion: """
      Shows the records of the last run that has any, or of --run, each with the reason. Line numbers \
      are of the tap's output. Records are kept as long as the job of their run would be: 14 days, or \
      90 if it failed.

      With --retry the records are checked again, of all runs that are kept or of --run: against the \
      present schema of their stream, as the last sync recorded it, and with the present settings of the \
      source. Those that pass are stored like records of a sync. The others remain, with their new \
      reason. The retry is a sync job without a tap: it needs the role that 'sync run' needs, appears in \
      'sync history' as a run of its own, and keeps the bookmark. While another sync of the source runs, \
      it is refused (81).

      A record cannot be taken again if only its beginning was kept (truncated), which is so past 16 KiB; \
      or if its stream sent a later record of its key, sent the record itself again, or was sent whole \
      since then (outdated). A truncated record comes again with 'hotglue sync run SOURCE --full STREAM'.

      EXAMPLES
        hotglue sync rejects crm
        hotglue sync rejects crm --retry --dry-run
        hotglue sync rejects crm --retry --stream orders
      """)

  @OptionGroup var global: GlobalOptions

  @Flag(help: "Check the records again, and store those that pass.")
  var retry = false

  @Flag(help: "With --retry: only count what would pass.")
  var dryRun = false

  @Option(help: ArgumentHelp("Of this run.", valueName: "run"))
  var run: SyncRunID?

  @Option(help: ArgumentHelp("Of this stream only.", valueName: "stream"))
  var stream: String?

  @OptionGroup var pages: PageOptions

  @Argument(help: ArgumentHelp("The source's name or link.", valueName: "source"))
  var source: String

  /// A retry is a sync, and needs what a sync needs.
  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    guard retry else {
      guard !dryRun else { throw CommandError.usage("'--dry-run' is for '--retry'") }
      let session = try WorkspaceSession.open(for: Self.record, global, in: environment)
      return try session.telling { try run(in: session) }
    }
    guard pages.limit == nil, pages.cursor == nil else {
      throw CommandError.usage("'--limit' and '--cursor' cannot be given with '--retry'")
    }
    if dryRun {
      let session = try WorkspaceSession.open(for: SyncRunCommand.record, global, in: environment)
      return try session.telling { try retry(in: session).tryOut() }
    }
    let host = try WorkerHost.open(for: SyncRunCommand.record, global, in: environment)
    let session = try host.session.entering(host.session.requireWorkspace())
    return try session.telling { try retry(in: session).run(at: host, isVerbose: global.verbose) }
  }

  private func retry(in session: WorkspaceSession) throws -> RejectRetryCommand {
    let source = try session.source(source)
    if let run {
      let chosen = try session.run(run, of: source)
      if let target = chosen.target { throw CommandError.targetJudges(run, target, source) }
    }
    return RejectRetryCommand(
      session: session, source: source,
      order: RejectRetryOrder(run: run, streams: try names(of: source, in: session)))
  }

  /// All that the stream may be stored under; `nil`: all streams are meant.
  private func names(of source: Source, in session: WorkspaceSession) throws -> [String]? {
    guard let stream else { return nil }
    let names = source.definition.otherNames(of: stream).union([stream])
    let stored = try session.store.recordStreams(of: source.id, in: session.workspace).map(\.name)
    guard stored.contains(where: names.contains) else {
      let known = Set(stored + (source.definition.knownCatalog?.streams ?? []).flatMap(\.names))
      guard !known.contains(stream) else { return names.sorted() }
      throw StoreError.unknownStream(
        stream, source: source.id, near: NearMatch.among(known, to: stream))
    }
    return names.sorted()
  }

  // MARK: The list

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    let most = try pages.most(session.output)
    let source = try session.source(source)
    let chosen = try run.map { try session.run($0, of: source).id }
    let list = PagedList(
      session.base, in: session.workspace,
      filters: ["source=\(source.id)", "run=\(run ?? 0)", "stream=\(stream ?? "")"])
    let start = try list.start(at: pages.cursor)
    guard
      let run = try chosen
        ?? session.store.lastRunWithRejects(of: source.id, in: session.workspace)
    else { return .done }
    let selection = RejectSelection(
      source: source.id, workspace: session.workspace, run: run,
      streams: try names(of: source, in: session))
    var after = start?.before ?? 0
    var shown = 0
    while true {
      let wanted = most == 0 ? 200 : min(200, most - shown + 1)
      var page = try session.store.rejects(
        selection, onlyPossible: false, after: after, limit: wanted)
      let isMore = page.count == wanted
      // One more than is shown was read, to know whether there is a next page.
      let isLast = most > 0 && shown + page.count > most
      if isLast { page.removeLast() }
      show(page, source, session.output)
      shown += page.count
      after = page.last?.id ?? after
      if isLast { return try tellNext(list, after) }
      guard isMore, !session.environment.output.isClosed else { return .done }
    }
  }

  private func tellNext(_ list: PagedList, _ after: Int64) throws -> ExitStatus {
    try list.tellNext(before: after, since: nil)
    return .done
  }

  private func show(_ rejects: [SetAsideRecord], _ source: Source, _ output: Output) {
    if output.isJSON {
      for reject in rejects { output.jsonLine(Self.json(reject, source)) }
    } else if output.isQuiet {
      for reject in rejects { output.rawLine(String(reject.id)) }
    } else {
      output.table(
        ["run", "stream", "line", "at", "reason", "retry", "record"],
        rejects.map {
          [
            Cell($0.run), Cell($0.stream), Cell($0.line), Cell($0.path.isEmpty ? nil : $0.path),
            Cell($0.reason), Cell($0.retry.rawValue), Cell($0.data),
          ]
        })
    }
  }

  private static func json(_ reject: SetAsideRecord, _ source: Source) -> JSON {
    .object([
      JSON.Member("source", .string(source.name)), JSON.Member("id", .integer(reject.id)),
      JSON.Member("run", .integer(reject.run)), JSON.Member("stream", .string(reject.stream)),
      JSON.Member("line", .integer(reject.line)), JSON.Member("path", .string(reject.path)),
      JSON.Member("reason", .string(reject.reason)),
      JSON.Member("retry", .string(reject.retry.rawValue)),
      JSON.Member("data", .string(reject.data)),
    ])
  }
}
