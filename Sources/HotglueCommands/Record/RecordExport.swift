import ArgumentParser
import HotglueCore
import HotglueStore

struct RecordExport: WorkspaceCommand {
  static let record = CommandRecord("record export", .readsWorkspace, requires: .role(.viewer))
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "print records as JSON Lines or CSV",
    discussion: """
      '--format' is jsonl (the default) or csv. JSON Lines are the records as the tap sent them, numbers with all their digits; with --json \
      each is wrapped as 'record list' does it. CSV (RFC 4180) is of one stream: a column for each \
      property of its schema, by name; null is empty, and what is no plain value is JSON.
      """)

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
    let streams = try pages.streams(stream)
    switch global.format {
    case .jsonl, .json, .table, .tsv, nil:
      for stream in streams {
        let form = RecordForm(source: source, stream: stream)
        _ = try pages.walk(stream, filter) { record in
          if session.output.isJSON {
            session.output.jsonLine(try form.json(record))
          } else {
            session.output.jsonText(record.data)
          }
          return !session.environment.output.isClosed
        }
      }
    case .csv:
      guard !session.output.isJSON else {
        throw CommandError.usage("'--json' and '--format csv' cannot both be given")
      }
      guard streams.count == 1, let stream = streams.first else {
        throw CommandError.usage(
          streams.isEmpty
            ? "source '\(source.name)' has no stream yet"
            : "source '\(source.name)' has \(streams.count) streams, and CSV is of one",
          hint: "name one: \(streams.prefix(20).map { "'\($0.name)'" }.joined(separator: ", "))")
      }
      try exportTable(stream, pages, filter, session)
    }
    return .done
  }

  private func exportTable(
    _ stream: RecordStream, _ pages: RecordPages, _ filter: RecordFilter,
    _ session: WorkspaceSession
  ) throws {
    let schema = try session.store.schemas(
      of: pages.source.id, stream: stream.name, in: session.workspace
    ).last
    let properties = try schema.map { try JSON.parse($0.schema) }?["properties"]?.members ?? []
    guard !properties.isEmpty else {
      throw CommandError.usage(
        "the schema of stream '\(stream.name)' names no properties, and CSV has a column for each",
        hint: "--format jsonl")
    }
    let table = CommaSeparated(columns: properties.map(\.key))
    let output = StoredBytes(session.output)
    output.append(table.header)
    _ = try pages.walk(stream, filter) { record in
      output.append(table.line(try JSON.parse(record.data)))
      return !session.environment.output.isClosed
    }
    output.end()
  }
}

/// A table by RFC 4180: lines end in CR LF, and what needs quotes has them.
struct CommaSeparated {
  let columns: [String]

  var header: String { columns.map(Self.quoted).joined(separator: ",") + "\r\n" }

  func line(_ record: JSON) -> String {
    columns.map { column in
      switch record[column] {
      case nil, .some(.null): ""
      // An empty text differs from a null.
      case .string(let text): text.isEmpty ? "\"\"" : Self.quoted(text)
      case .some(let value): Self.quoted(value.text)
      }
    }.joined(separator: ",") + "\r\n"
  }

  static func quoted(_ text: String) -> String {
    let needsQuotes = text.utf8.contains { byte in
      byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\"") || byte == 0x0A || byte == 0x0D
    }
    guard needsQuotes else { return text }
    return "\"" + text.replacing("\"", with: "\"\"") + "\""
  }
}
