import ArgumentParser
import HotglueCore
import HotglueStore

struct SourceSelect: WorkspaceCommand {
  static let kind = CommandKind.sourceSelect
  static let configuration = CommandConfiguration(
    commandName: "select", abstract: "choose the streams and fields to take, and how",
    usage: "hotglue source select SOURCE (STREAM… | --all) [flags]",
    discussion: """
      The streams named are taken, and no others; records already stored of others stay. Without a \
      stream and without --all the selection stays and only the flags count. Fields and methods need \
      a catalog: 'source discover'.
      """)

  @OptionGroup var global: GlobalOptions

  @Flag(help: "Take every stream, also those that a later discovery finds.")
  var all = false

  @Option(
    name: .customLong("field"),
    help: ArgumentHelp(
      "Take just these fields of a stream, and those that come in any case; '*' for all. "
        + "May be repeated.", valueName: "stream=field,…"))
  var fields: [String] = []

  @Option(
    name: .customLong("method"),
    help: ArgumentHelp(
      "How a stream is replicated: incremental, full-table or log-based. May be repeated.",
      valueName: "stream=method"))
  var methods: [String] = []

  @Option(
    name: .customLong("replication-key"),
    help: ArgumentHelp(
      "The field along which a stream is incremental. May be repeated.",
      valueName: "stream=field"))
  var replicationKeys: [String] = []

  @Argument(help: ArgumentHelp("The source's name or link.", valueName: "source"))
  var source: String

  @Argument(help: ArgumentHelp("Streams to take.", valueName: "stream"))
  var streams: [String] = []

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    guard !all || streams.isEmpty else {
      throw CommandError.usage("'--all' and streams cannot both be given")
    }
    guard all || !streams.isEmpty || !fields.isEmpty || !methods.isEmpty || !replicationKeys.isEmpty
    else {
      throw CommandError.usage(
        "nothing is selected", hint: "hotglue source select SOURCE (STREAM… | --all) [flags]")
    }
    let source = try session.source(source)
    var definition = source.definition
    if all {
      definition.streams = nil
    } else if !streams.isEmpty {
      definition.streams = streams.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }
    if var catalog = definition.knownCatalog {
      try choose(in: &catalog, definition.streams)
      definition.catalog = catalog.json
    } else if !fields.isEmpty || !methods.isEmpty || !replicationKeys.isEmpty {
      throw CommandError(
        "no_catalog", .refused, "source '\(source.name)' has no catalog to select fields in",
        hint: "ask the tap for one: 'hotglue source discover \(Shell.quoted(source.name))'")
    }
    let after = try session.store.setSource(
      source.name, to: definition, in: session.workspace, expecting: .revision(source.revision),
      by: session.actor, at: session.now)
    session.output.result(json: SourceJSON.object(after), id: after.name) {
      let what = definition.streams.map { $0.joined(separator: ", ") } ?? "all streams"
      return "source '\(after.name)' of workspace '\(session.workspace)' takes \(what)"
    }
    return .done
  }

  private func choose(in catalog: inout Catalog, _ wanted: [String]?) throws(CommandError) {
    let known = catalog.streams
    for stream in wanted ?? [] { _ = try Self.find(stream, in: known) }
    if all || !streams.isEmpty {
      for stream in known {
        catalog.select(stream.name, wanted?.contains(stream.name) ?? true)
      }
    }
    for text in fields {
      let (name, fields) = try SourceOptions.assignment(text, flag: "--field")
      let stream = try Self.find(name, in: known)
      if fields == ["*"] {
        catalog.select(fields: Set(stream.fields.map(\.name)), of: name)
        continue
      }
      for field in fields { try Self.check(field, of: stream) }
      catalog.select(fields: Set(fields), of: name)
    }
    for text in methods {
      let (name, words) = try SourceOptions.assignment(text, flag: "--method")
      _ = try Self.find(name, in: known)
      let method = words[0].uppercased().replacing("-", with: "_")
      guard words.count == 1, ["INCREMENTAL", "FULL_TABLE", "LOG_BASED"].contains(method) else {
        throw .usage(
          "'--method' cannot be '\(text)'",
          hint: "give STREAM=incremental, STREAM=full-table or STREAM=log-based")
      }
      catalog.replicate(name, by: method)
    }
    for text in replicationKeys {
      let (name, words) = try SourceOptions.assignment(text, flag: "--replication-key")
      let stream = try Self.find(name, in: known)
      guard words.count == 1 else {
        throw .usage("'--replication-key' cannot be '\(text)'", hint: "give STREAM=FIELD")
      }
      try Self.check(words[0], of: stream)
      catalog.replicate(name, along: words[0])
    }
  }

  private static func find(
    _ name: String, in streams: [Catalog.Stream]
  ) throws(CommandError) -> Catalog.Stream {
    if let stream = streams.first(where: { $0.name == name }) { return stream }
    let near = NearMatch.among(streams.map(\.name), to: name)
    throw CommandError(
      "unknown_stream", .notFound, "the catalog has no stream '\(name)'",
      hint: near.isEmpty
        ? "it has \(streams.prefix(20).map { "'\($0.name)'" }.joined(separator: ", "))"
        : "did you mean \(near.map { "'\($0)'" }.joined(separator: " or "))?",
      facts: [JSON.Member("stream", .string(name)), JSON.Member("near", .strings(near))])
  }

  private static func check(
    _ field: String, of stream: Catalog.Stream
  ) throws(CommandError) {
    let names = stream.fields.map(\.name)
    guard !names.contains(field) else { return }
    let near = NearMatch.among(names, to: field)
    throw CommandError(
      "unknown_field", .notFound, "stream '\(stream.name)' has no field '\(field)'",
      hint: near.isEmpty
        ? "see them with 'hotglue source show --catalog'"
        : "did you mean \(near.map { "'\($0)'" }.joined(separator: " or "))?",
      facts: [JSON.Member("field", .string(field))])
  }
}
