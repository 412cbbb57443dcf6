import ArgumentParser
import HotglueCore
import HotglueStore

struct SyncHistory: WorkspaceCommand {
  static let record = CommandRecord("sync history", .readsWorkspace, requires: .role(.viewer))
  static let configuration = CommandConfiguration(
    commandName: "history", abstract: "show the runs of a source, newest first",
    discussion: """
      A run is one attempt of a sync job. One that was given up without a word, since its process \
      died, is 'interrupted'; what it had published stays. A run with a target went there, and not \
      into the store.
      """)

  @OptionGroup var global: GlobalOptions

  @Option(help: ArgumentHelp("At most so many (default: all).", valueName: "n"))
  var limit = 0

  @Option(help: ArgumentHelp("Only runs older than this one.", valueName: "run"))
  var before: SyncRunID?

  @Flag(help: "Show the schemas instead that the streams had, and since which run.")
  var schemas = false

  @Argument(help: ArgumentHelp("The source's name or link.", valueName: "source"))
  var source: String

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    guard limit >= 0 else {
      throw CommandError.usage("'--limit' cannot be '\(limit)'", hint: "give 0 for all, or more")
    }
    let source = try session.source(source)
    session.output.breadcrumb(session.workspace.text, "sources", source.name, "history")
    if schemas { return try showSchemas(of: source, in: session) }
    var before = before
    var shown = 0
    while limit == 0 || shown < limit {
      let wanted = limit == 0 ? 200 : min(200, limit - shown)
      let runs = try session.store.syncRuns(
        of: source.id, in: session.workspace, before: before, limit: wanted)
      show(runs, source, session.output)
      shown += runs.count
      before = runs.last?.id
      if runs.count < wanted || session.environment.output.isClosed { break }
    }
    return .done
  }

  private func show(_ runs: [SyncRun], _ source: Source, _ output: Output) {
    if output.isJSON {
      for run in runs { output.jsonLine(SyncRunJSON.object(run, source)) }
    } else if output.isQuiet {
      for run in runs { output.rawLine(String(run.id)) }
    } else {
      output.table(
        [
          "run", "state", "job", "target", "begun", "took", "received", "added", "changed",
          "removed", "rejected", "error",
        ],
        runs.map { run in
          let total = run.streams.reduce(StreamTally()) { $0 + $1.tally }
          let took = run.finishedAt.map {
            Span(milliseconds: $0.milliseconds - run.startedAt.milliseconds).approximateText
          }
          // What a target made of the records it alone knows.
          func judged(_ count: Int64) -> Cell {
            Cell(run.target == nil ? String(count) : nil)
          }
          return [
            Cell(run.id), SyncStatus.cell(run.state.rawValue), Cell(run.job.map(String.init)),
            Cell(run.target.map(String.init)), Cell(run.startedAt), Cell(took),
            Cell(total.received), judged(total.added), judged(total.changed),
            judged(total.removed), judged(total.rejected), Cell(run.error?.message),
          ]
        })
    }
  }

  private func showSchemas(of source: Source, in session: WorkspaceSession) throws -> ExitStatus {
    let schemas = try session.store.schemas(of: source.id, stream: nil, in: session.workspace)
    if session.output.isJSON {
      for schema in schemas {
        session.output.jsonLine(
          .object([
            JSON.Member("source", .string(source.name)),
            JSON.Member("stream", .string(schema.stream)),
            JSON.Member("version", .integer(schema.version)),
            JSON.Member("run", .integer(schema.run)), JSON.Member("at", .string(schema.at.rfc3339)),
            JSON.Member("line", .integer(schema.line)), JSON.Member("key", .strings(schema.key)),
            JSON.Member("schema", try JSON.parse(schema.schema)),
          ]))
      }
    } else {
      session.output.table(
        ["stream", "version", "run", "line", "at", "key", "schema"],
        schemas.map { schema in
          [
            Cell(schema.stream), Cell(schema.version), Cell(schema.run), Cell(schema.line),
            Cell(schema.at), Cell(schema.key.joined(separator: ",")), Cell(schema.schema),
          ]
        })
    }
    return .done
  }
}

enum SyncRunJSON {
  static func object(_ run: SyncRun, _ source: Source) -> JSON {
    .object([
      JSON.Member("run", .integer(run.id)), JSON.Member("source", .string(source.name)),
      JSON.Member("job", .optional(run.job)), JSON.Member("fence", .optional(run.fence)),
      JSON.Member("target", .optional(run.target)),
      JSON.Member("state", .string(run.state.rawValue)), JSON.Member("full", .bool(run.isFull)),
      JSON.Member("started_at", .string(run.startedAt.rfc3339)),
      JSON.Member("finished_at", .text(run.finishedAt?.rfc3339)),
      JSON.Member("given", run.given.flatMap(SyncTold.value) ?? .null),
      JSON.Member("bookmark", run.bookmark.flatMap(SyncTold.value) ?? .null),
      JSON.Member("publications", .integer(run.publications)),
      JSON.Member("streams", SyncTold(runs: [run]).streamsJSON),
      JSON.Member(
        "error",
        run.error.map {
          .object([
            JSON.Member("code", .string($0.code)), JSON.Member("message", .string($0.message)),
            JSON.Member("kind", .string($0.kind)),
          ])
        } ?? .null),
      JSON.Member("notes", .strings(run.notes)),
    ])
  }
}

struct SyncReset: WorkspaceCommand {
  static let record = CommandRecord("sync reset", .changesWorkspace, requires: .role(.operator))
  static let configuration = CommandConfiguration(
    commandName: "reset", abstract: "let the next sync start from an earlier bookmark",
    discussion: """
      Records stay as they are; what the tap sends again is compared with them. Refused while a sync \
      of the source runs. With --target that target's bookmark: the next sync into it sends again \
      what came after, and the one of the store stays.
      """)

  @OptionGroup var global: GlobalOptions

  @Option(
    help: ArgumentHelp(
      "What this run published last, or 'start': without a bookmark.", valueName: "run|start"))
  var to: String

  @Option(
    help: ArgumentHelp("Of this target, not of the store; see 'sync status'.", valueName: "number"))
  var target: SyncTargetID?

  @Flag(help: "Only tell the bookmark.")
  var dryRun = false

  @Argument(help: ArgumentHelp("The source's name or link.", valueName: "source"))
  var source: String

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    let source = try session.source(source)
    let run: SyncRunID? = try to == "start" ? nil : number()
    let chosen = try run.map { try session.run($0, of: source) }
    if let target {
      // A run of this workspace went into no target of another one.
      let changes: [GivenArguments.Change] = run == nil ? [] : [.option("--to", "RUN")]
      _ = try session.target(target, of: source, changes: changes)
    }
    if let chosen, chosen.target != target { throw CommandError.runElsewhere(chosen, target) }
    if let chosen, chosen.bookmark == nil {
      throw CommandError.refused(
        "run \(chosen.id) of source '\(source.name)' published no bookmark",
        hint: "choose another: 'hotglue sync history \(Shell.quoted(source.name))'")
    }
    var bookmark = chosen?.bookmark
    if !dryRun {
      if let target {
        bookmark = try session.store.resetTarget(
          target, of: source.id, to: run, in: session.workspace, by: session.actor,
          at: session.now
        ).bookmark
      } else {
        bookmark = try session.store.resetBookmark(
          of: source.id, to: run, in: session.workspace, by: session.actor, at: session.now
        ).bookmark
      }
    }
    session.output.result(
      json: .object([
        JSON.Member("source", .string(source.name)),
        JSON.Member("workspace", .string(session.workspace.text)),
        JSON.Member("target", .optional(target)),
        JSON.Member("bookmark", bookmark.flatMap(SyncTold.value) ?? .null),
        JSON.Member("dry_run", .bool(dryRun)),
      ]), id: source.name
    ) {
      "the next sync of source '\(source.name)' in workspace '\(session.workspace)' "
        + (target.map { "into target \($0) " } ?? "")
        + "\(dryRun ? "would start" : "starts") "
        + (bookmark.map { "from \($0.text)" } ?? "from the beginning")
    }
    return .done
  }

  private func number() throws(CommandError) -> SyncRunID {
    guard let number = SyncRunID(to), number > 0 else {
      throw .usage("'--to' cannot be '\(to)'", hint: "give the number of a run, or start")
    }
    return number
  }
}

extension WorkspaceSession {
  /// `changes`: what else the command line says in another workspace.
  func target(
    _ id: SyncTargetID, of source: Source, changes: [GivenArguments.Change] = []
  ) throws -> SyncTarget {
    let known = try store.syncTargets(of: source.id, in: workspace)
    if let found = known.first(where: { $0.id == id }) { return found }
    if let owner = try store.owner(ofTarget: id), owner.workspace != workspace {
      throw CommandError.mismatch(
        of: "target", String(id), owner: owner.workspace, in: self,
        changes: [.argument(source.name, try shownSource(owner))] + changes)
    }
    throw StoreError.unknownTarget(id, source: source.id)
  }

  /// A run of the source. Numbers are unique across workspaces: that of a run
  /// of another one is told as that.
  func run(_ id: SyncRunID, of source: Source) throws -> SyncRun {
    do throws(StoreError) {
      return try store.syncRun(id, of: source.id, in: workspace)
    } catch {
      guard case .unknownSyncRun = error, let owner = try store.owner(ofRun: id),
        owner.workspace != workspace
      else { throw error }
      throw CommandError.mismatch(
        of: "run", String(id), owner: owner.workspace, in: self,
        changes: [.argument(source.name, try shownSource(owner))])
    }
  }

  /// The name of a source of another workspace, for whoever may read there.
  private func shownSource(
    _ owner: (workspace: WorkspaceID, source: String)
  ) throws(StoreError) -> String {
    let standing = try store.role(of: base.user, in: owner.workspace)
    return standing.allows(SourceShow.record.leastRole)
      ? owner.source : "SOURCE"
  }
}

extension CommandError {
  /// What one place has confirmed says nothing of another.
  static func runElsewhere(_ run: SyncRun, _ target: SyncTargetID?) -> CommandError {
    let place = run.target.map { "into target \($0)" } ?? "into the store"
    return .refused(
      "run \(run.id) went \(place), not \(target.map { "into target \($0)" } ?? "into the store")",
      hint: run.target.map { "give '--target \($0)', or a run of the store" }
        ?? "leave '--target' out, or give a run into that target")
  }
}
