import ArgumentParser
import HotglueCore
import HotglueStore

struct RecordList: WorkspaceCommand {
  static let record = CommandRecord("record list", .readsWorkspace, requires: .role(.viewer))
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "show records of a source in the order of their keys",
    discussion: """
      What is shown is what was published last; a sync that runs meanwhile does not hold this up, and \
      is not held up.
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup var filters: RecordFilterOptions

  @OptionGroup var pages: PageOptions

  @Argument(help: ArgumentHelp("The source's name or link.", valueName: "source"))
  var source: String

  @Argument(help: ArgumentHelp("One stream (default: all).", valueName: "stream"))
  var stream: String?

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    let limit = try self.pages.most(session.output)
    let source = try session.source(source)
    let filter = try filters.filter(
      at: session.now, zone: session.environment.localZone)
    let pages = try RecordPages(session: session, source: source)
    // A duration names another moment at each call: the field, not the moment, is the query.
    let query = PageCursor.hash(
      of: [String(source.id), stream ?? "", filters.since ?? ""] + filters.conditions)
    let start = try self.pages.cursor.map { try self.start(at: $0, query, session) }
    session.output.breadcrumb(session.workspace.text, "sources", source.name, "records")
    var streams = try pages.streams(stream)
    if let start { streams = streams.filter { $0.name >= start.stream } }
    var rows: [[Cell]] = []
    var shown = 0
    var last: RecordCursor?
    for stream in streams {
      let form = RecordForm(source: source, stream: stream)
      let after = start.flatMap { $0.stream == stream.name ? $0.after : nil }
      let isWhole = try pages.walk(stream, after: after, filter) { record in
        if limit > 0, shown == limit { return false }
        shown += 1
        last = RecordCursor(
          workspace: session.workspace, query: query, stream: stream.name, after: record.key)
        if session.output.isJSON {
          session.output.jsonLine(try form.json(record))
        } else if session.output.isQuiet {
          session.output.line(try form.keyText(record) ?? "-")
        } else {
          rows.append([
            Cell(stream.name), Cell(try form.keyText(record)), Cell(record.updatedAt),
            Cell(record.data),
          ])
          if rows.count == 500 { flush(&rows, session.output) }
        }
        return true
      }
      if !isWhole {
        flush(&rows, session.output)
        if let last {
          try session.environment.output.flush()
          session.output.note("next page: --cursor \(last.text)")
        }
        return .done
      }
    }
    flush(&rows, session.output)
    return .done
  }

  private func flush(_ rows: inout [[Cell]], _ output: Output) {
    if !rows.isEmpty { output.table(["stream", "key", "updated", "data"], rows) }
    rows = []
  }

  private func start(
    at text: String, _ query: UInt64, _ session: WorkspaceSession
  ) throws(CommandError) -> RecordCursor {
    guard let cursor = RecordCursor(text) else {
      throw .usage("'--cursor' cannot be '\(text)'", hint: "give one that 'record list' printed")
    }
    guard cursor.workspace == session.workspace else {
      throw CommandError(
        "context_mismatch", .contextMismatch,
        "the cursor belongs to workspace '\(cursor.workspace)', but the context is "
          + "'\(session.workspace)' (\(session.context.workspaceProvenance))",
        hint: "\(again: .workspace(cursor.workspace))",
        facts: [
          JSON.Member("workspace", .string(cursor.workspace.text)),
          JSON.Member("context_workspace", .string(session.workspace.text)),
        ])
    }
    guard cursor.query == query else {
      throw CommandError(
        "context_mismatch", .contextMismatch, "the cursor belongs to a list with other filters",
        hint: "give the source, stream and filters of the page it was printed with")
    }
    return cursor
  }
}

struct RecordCount: WorkspaceCommand {
  static let record = CommandRecord("record count", .readsWorkspace, requires: .role(.viewer))
  static let configuration = CommandConfiguration(
    commandName: "count", abstract: "count records, stream by stream",
    discussion: "Without filters nothing is read but the counts, which are kept.")

  @OptionGroup var global: GlobalOptions
  @OptionGroup var filters: RecordFilterOptions

  @Argument(help: ArgumentHelp("The source's name or link.", valueName: "source"))
  var source: String

  @Argument(help: ArgumentHelp("One stream (default: all).", valueName: "stream"))
  var stream: String?

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    let source = try session.source(source)
    let filter = try filters.filter(
      at: session.now, zone: session.environment.localZone)
    let pages = try RecordPages(session: session, source: source)
    var counts: [(name: String, records: Int64)] = []
    for stream in try pages.streams(stream) {
      var count = stream.records
      if !filter.isEmpty {
        count = 0
        _ = try pages.walk(stream, filter) { _ in
          count += 1
          return true
        }
      }
      counts.append((stream.name, count))
    }
    let output = session.output
    if output.isJSON {
      for count in counts {
        output.jsonLine(
          .object([
            JSON.Member("source", .string(source.name)),
            JSON.Member("stream", .string(count.name)),
            JSON.Member("records", .integer(count.records)),
          ]))
      }
    } else if output.isQuiet || stream != nil {
      output.rawLine(String(counts.reduce(0) { $0 + $1.records }))
    } else {
      output.table(["stream", "records"], counts.map { [Cell($0.name), Cell($0.records)] })
    }
    return .done
  }
}
