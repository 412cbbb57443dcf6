import ArgumentParser
import HotglueCore
import HotglueProcess
import HotglueSinger
import HotglueStore

struct SourceDiscover: WorkspaceCommand {
  static let record = CommandRecord(
    "source discover", .changesWorkspace, requires: .role(.operator))
  static let configuration = CommandConfiguration(
    commandName: "discover", abstract: "Request the catalog from the tap and keep it",
    discussion: """
      Runs the tap with --discover. What was selected of known streams remains. A new stream is \
      selected if it matches the patterns of 'source select', and if there are none. Each change is \
      shown: '+' a new stream, '-' one that is gone, '~' one whose fields, types or key changed.
      """)

  @OptionGroup var global: GlobalOptions

  @Flag(help: "Only tell what would change.")
  var dryRun = false

  @Option(
    help: ArgumentHelp("Give up after this time (default: 5m).", valueName: "duration"),
    transform: Arguments.value)
  var timeout = Span.minutes(5)

  @Argument(help: ArgumentHelp("The source's name or link.", valueName: "source"))
  var source: String

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    let source = try session.source(source)
    let found = try Discovery(source, in: session, timeout: timeout).run()
    var definition = source.definition
    let known = definition.knownCatalog
    let selection = definition.selection
    let catalog = found.found(after: known) { selection.includes($0.names) }
    definition.catalog = catalog.json
    let after =
      dryRun
      ? source
      : try session.store.setSource(
        source.name, to: definition, in: session.workspace,
        expecting: .revision(source.revision), by: session.actor, at: session.now)
    let changes = CatalogChange.all(from: known, to: catalog)
    for change in changes { session.output.note(change.text) }
    if session.output.isJSON {
      session.output.object(
        .object([
          JSON.Member("source", .string(source.name)),
          JSON.Member("workspace", .string(session.workspace.text)),
          JSON.Member("revision", .integer(after.revision)), JSON.Member("dry_run", .bool(dryRun)),
          JSON.Member("streams", .array(catalog.streams.map(SourceJSON.stream))),
          JSON.Member("changes", .array(changes.map(\.json))),
        ]))
    } else if session.output.isQuiet {
      for stream in catalog.streams { session.output.line(stream.id) }
    } else {
      SourceText(output: session.output).streams(catalog, definition)
    }
    if !dryRun {
      for gap in CatalogSelection.gaps(of: after) {
        session.output.note(gap.note)
        session.output.hint(gap.hint)
      }
    }
    return .done
  }
}

/// Runs a tap with `--discover` and reads its answer.
struct Discovery {
  private let launch: TapLaunch
  private let timeout: Span
  private static let longest = 256 << 20

  init(_ source: Source, in session: WorkspaceSession, timeout: Span) {
    launch = TapLaunch(source, in: session)
    self.timeout = timeout
  }

  func run() throws -> Catalog {
    let signals = try LeavingSignals()
    var bytes: [UInt8] = []
    let end: TapRun.End
    do {
      defer { launch.stopLeftovers() }
      let tap = try launch.start(["--discover"])
      var isTooLong = false
      end = try launch.read(tap, idleTimeout: timeout, signals: signals).run(
        take: { piece in
          guard bytes.count + piece.count <= Self.longest else {
            isTooLong = true
            return
          }
          bytes.append(contentsOf: piece)
        }, pause: {})
      if isTooLong { throw CommandError.badInput("the tap's catalog is longer than 256 MiB") }
    } catch let failure as TapFailure {
      throw CommandError(failure, of: launch.source.name)
    }
    try end.requireSuccess("nothing was changed", of: launch.source)
    return try SourceOptions.catalog(bytes, named: "the tap's answer to --discover")
  }
}

extension TapRun.End {
  /// For commands that run a tap themselves.
  func requireSuccess(_ otherwise: String, of source: Source) throws(CommandError) {
    switch self {
    case .finished, .enough: return
    case .failed(let failure): throw CommandError(failure, of: source.name)
    case .told(let signal):
      throw CommandError(
        "interrupted", ExitStatus(rawValue: 128 + signal), "interrupted: \(otherwise)")
    case .refused(let error): throw CommandError(error.code, .unsuccessful, error.message)
    }
  }
}
