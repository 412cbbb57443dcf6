import ArgumentParser
import HotglueCore
import HotglueProcess
import HotglueSinger
import HotglueStore

struct SourceTest: WorkspaceCommand {
  static let record = CommandRecord("source test", .readsWorkspace, requires: .role(.operator))
  static let configuration = CommandConfiguration(
    commandName: "test", abstract: "Run the tap until its first records, and store nothing",
    discussion: """
      The tap gets what a sync gives it, and is stopped after so many records. Exits with 0 when it \
      came so far, or to its own end, and 1 when it failed. A tap that sends nothing of the selected \
      streams, or a record of a stream that the catalog does not have, fails as in a sync. So does a \
      tap without a catalog that sends no SCHEMA, RECORD or STATE.
      """)

  @OptionGroup var global: GlobalOptions

  @Option(help: ArgumentHelp("Stop after so many records (default: 10).", valueName: "n"))
  var records = 10

  @Option(
    help: ArgumentHelp("Fail after a silence of this time (default: 1m).", valueName: "duration"),
    transform: Arguments.value)
  var timeout = Span.minutes(1)

  @Argument(help: ArgumentHelp("The source's name or link.", valueName: "source"))
  var source: String

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    let source = try session.source(source)
    let counted = try TapTrial(source, in: session).run(
      bookmark: nil, until: records, idleTimeout: timeout)
    session.output.result(json: counted.json(of: source), id: source.name) {
      "source '\(source.name)' works: \(counted.text)"
    }
    counted.tell(session.output)
    return .done
  }
}

/// Runs a tap and counts what it sends, without a word to the store.
struct TapTrial {
  struct Counted {
    var records: Int64
    var bytes: Int64
    var others: [(type: String, count: Int64)]
    /// What a sync would note, in sentences.
    var notes: [String]

    var text: String {
      ([("RECORD", records)] + others).map { "\($0.1) \($0.0)" }.joined(separator: ", ")
        + " (\(ByteCount.approximateText(bytes)))"
    }

    func tell(_ output: Output) {
      for note in notes { output.note("note: \(note)") }
    }

    func json(of source: Source) -> JSON {
      .object([
        JSON.Member("source", .string(source.name)),
        JSON.Member("workspace", .string(source.workspace.text)),
        JSON.Member("dry_run", .bool(true)), JSON.Member("received", .integer(records)),
        JSON.Member("bytes", .integer(bytes)),
        JSON.Member(
          "messages",
          .object(
            ([("RECORD", records)] + others).map { JSON.Member($0.0, .integer($0.1)) })),
        JSON.Member("notes", .strings(notes)),
      ])
    }
  }

  private let launch: TapLaunch
  private let source: Source

  init(_ source: Source, in session: WorkspaceSession) {
    self.source = source
    launch = TapLaunch(source, in: session)
  }

  /// `limit`: records after which it is stopped; `nil` runs it to its end.
  func run(bookmark: Bookmark?, until limit: Int?, idleTimeout: Span?) throws -> Counted {
    let signals = try LeavingSignals()
    var counter = MessageCounter(
      source.definition.resolver(), lineLimit: source.definition.lineBound)
    var bytes: Int64 = 0
    let end: TapRun.End
    do {
      defer {
        launch.stopLeftovers()
        forget()
      }
      let tap = try launch.start(
        launch.catalogArguments(as: "trial-catalog")
          + launch.stateArguments(bookmark, as: "trial-state"))
      let reading = launch.read(tap, idleTimeout: idleTimeout, signals: signals)
      end = try reading.run(
        take: { (piece) throws(SyncError) in
          bytes += Int64(piece.count)
          try counter.take(piece)
        }, pause: {},
        isEnough: { limit.map { counter.records >= Int64($0) } ?? false })
      if end == .finished { try counter.finish(log: reading.lastLine) }
    } catch let failure as TapFailure {
      throw CommandError(failure, of: source.name)
    } catch let error as SyncError {
      throw refusal(error, counter.records > 0)
    }
    switch end {
    case .failed(let failure):
      throw CommandError(
        failure, of: source.name,
        hint: hint.text(
          failure.kind.rawValue, failure.message, hasSent: counter.records > 0))
    case .refused(let error): throw refusal(error, counter.records > 0)
    default: try end.requireSuccess("nothing was stored", of: source)
    }
    return Counted(
      records: counter.records, bytes: bytes,
      others: counter.types.sorted { $0.key < $1.key }.map { ($0.key, $0.value) },
      notes: counter.notes)
  }

  private var hint: TapHint { TapHint(source: source) }

  private func refusal(_ error: SyncError, _ hasSent: Bool) -> CommandError {
    CommandError(
      error.code, .unsuccessful, error.message,
      hint: hint.text(error.code, error.message, hasSent: hasSent))
  }

  private func forget() {
    for kind in ["trial-catalog", "trial-state"] {
      // What is left is replaced by the next trial.
      try? launch.files.runFile(kind, of: source.id).remove()
    }
  }
}
