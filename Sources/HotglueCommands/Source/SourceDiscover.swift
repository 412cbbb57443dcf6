import ArgumentParser
import HotglueCore
import HotglueProcess
import HotglueSinger
import HotglueStore

struct SourceDiscover: WorkspaceCommand {
  static let kind = CommandKind.sourceDiscover
  static let configuration = CommandConfiguration(
    commandName: "discover", abstract: "ask the tap what it can give, and keep its answer",
    discussion: """
      Runs the tap with --discover. What was selected of streams that are known stays; a stream that \
      is new is taken, unless streams were selected by name. Each change is told: '+' a new stream, \
      '-' one that is gone, '~' one with other fields.
      """)

  @OptionGroup var global: GlobalOptions

  @Flag(help: "Only tell what would change.")
  var dryRun = false

  @Option(
    help: ArgumentHelp("Give up after this time (default: 5m).", valueName: "duration"),
    transform: Arguments.span)
  var timeout = Span.minutes(5)

  @Argument(help: ArgumentHelp("The source's name or link.", valueName: "source"))
  var source: String

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    let source = try session.source(source)
    let found = try Discovery(source, in: session, timeout: timeout).run()
    var definition = source.definition
    let known = definition.knownCatalog
    let catalog = found.found(after: known, takesNew: definition.streams == nil)
    definition.catalog = catalog.json
    let after =
      dryRun
      ? source
      : try session.store.setSource(
        source.name, to: definition, in: session.workspace,
        expecting: .revision(source.revision), by: session.actor, at: session.now)
    tell(CatalogChange.all(from: known, to: catalog), session)
    if session.output.isJSON {
      session.output.object(
        .object([
          JSON.Member("source", .string(source.name)),
          JSON.Member("workspace", .string(session.workspace.text)),
          JSON.Member("revision", .integer(after.revision)), JSON.Member("dry_run", .bool(dryRun)),
          JSON.Member("streams", .array(catalog.streams.map(SourceJSON.stream))),
        ]))
    } else if session.output.isQuiet {
      for stream in catalog.streams { session.output.line(stream.name) }
    } else {
      SourceText(output: session.output).streams(catalog, definition)
    }
    return .done
  }

  private func tell(_ changes: [CatalogChange], _ session: WorkspaceSession) {
    for change in changes { session.output.note("\(change.sign) \(change.stream)") }
  }
}

/// A difference between two catalogs.
struct CatalogChange {
  var sign: String
  var stream: String

  static func all(from old: Catalog?, to new: Catalog) -> [CatalogChange] {
    let before = old?.streams ?? []
    let after = new.streams
    let known = Dictionary(before.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    let names = Set(after.map(\.name))
    var changes: [CatalogChange] = []
    for stream in after {
      guard let known = known[stream.name] else {
        changes.append(CatalogChange(sign: "+", stream: stream.name))
        continue
      }
      if Set(known.fields.map(\.name)) != Set(stream.fields.map(\.name)) {
        changes.append(CatalogChange(sign: "~", stream: stream.name))
      }
    }
    for stream in before where !names.contains(stream.name) {
      changes.append(CatalogChange(sign: "-", stream: stream.name))
    }
    return changes
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
      throw CommandError(failure)
    }
    try end.requireSuccess("nothing was changed")
    return try SourceOptions.catalog(bytes, named: "the tap's answer to --discover")
  }
}

extension TapRun.End {
  /// For commands that run a tap themselves.
  func requireSuccess(_ otherwise: String) throws(CommandError) {
    switch self {
    case .finished, .enough: return
    case .failed(let failure): throw CommandError(failure)
    case .told(let signal):
      throw CommandError(
        "interrupted", ExitStatus(rawValue: 128 + signal), "interrupted: \(otherwise)")
    case .refused(let error): throw CommandError(error.code, .unsuccessful, error.message)
    }
  }
}
