import HotglueCore
import HotglueSinger
import HotglueStore

/// A source as JSON. Absent values are `null`; what is in its configuration is never shown.
enum SourceJSON {
  static func object(_ source: Source) -> JSON { .object(members(source)) }

  /// With its catalog as a whole.
  static func withCatalog(_ source: Source) -> JSON {
    .object(
      members(source) + [JSON.Member("catalog", source.definition.catalog ?? .null)])
  }

  private static func members(_ source: Source) -> [JSON.Member] {
    let definition = source.definition
    return [
      JSON.Member("id", .integer(source.id)),
      JSON.Member("workspace", .string(source.workspace.text)),
      JSON.Member(
        "link",
        .string(EntityLink.source(source.id, in: source.workspace).text)),
      JSON.Member("name", .string(source.name)),
      JSON.Member("revision", .integer(source.revision)),
      JSON.Member("command", .strings(definition.command)),
      JSON.Member("cwd", .string(definition.directory)),
      JSON.Member("umask", .string(definition.umask.text)),
      JSON.Member("config", .text(definition.config)),
      JSON.Member("config_kept", .bool(definition.config.map(SourceFiles.isKept) ?? false)),
      JSON.Member(
        "streams",
        definition.knownCatalog.map { .array($0.streams.map(stream)) } ?? .null),
      JSON.Member("selected", definition.selection.patterns.map { .strings($0) } ?? .null),
      JSON.Member("not", .strings(definition.selection.excluded)),
      JSON.Member("properties", .bool(definition.takesProperties)),
      JSON.Member("keys", lists(definition.keys)),
      JSON.Member("ignore", lists(definition.ignored)),
      JSON.Member("validate", .bool(definition.validates)),
      JSON.Member("line_limit", .integer(definition.lineBound)),
      JSON.Member("on_reject", .string((definition.rejects ?? .standard).text)),
      JSON.Member("idle_timeout", .text(definition.idleTimeout?.text)),
      JSON.Member("resume", .string(definition.resumesAtEnd ? "end" : "bookmark")),
      JSON.Member("missing", definition.missing.json),
      JSON.Member("created_at", .string(source.createdAt.rfc3339)),
      JSON.Member("set_at", .string(source.setAt.rfc3339)),
      JSON.Member("set_by", .string(source.setBy)),
    ]
  }

  private static func lists(_ lists: [String: [String]]) -> JSON {
    .object(lists.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .strings($0.value)) })
  }

  static func stream(_ stream: Catalog.Stream) -> JSON {
    .object([
      JSON.Member("stream", .string(stream.name)),
      JSON.Member("tap_stream_id", .string(stream.id)),
      JSON.Member("selected", .bool(stream.isSelected)),
      JSON.Member("key", .strings(stream.key)),
      JSON.Member("method", .text(stream.method)),
      JSON.Member("replication_key", .text(stream.replicationKey)),
      JSON.Member(
        "fields", .strings(stream.fields.filter(\.isSelected).map(\.name))),
      JSON.Member(
        "left_out", .strings(stream.fields.filter { !$0.isSelected }.map(\.name))),
    ])
  }
}

extension SourceDefinition {
  var knownCatalog: Catalog? { catalog.flatMap { Catalog($0) } }

  /// Bytes of a line of the tap's output, at most.
  var lineBound: Int { lineLimit ?? SyncOptions.standardLineLimit }

  /// What else the streams of this name or identifier are called.
  func otherNames(of name: String) -> Set<String> {
    let streams = (knownCatalog?.streams ?? []).filter { $0.names.contains(name) }
    return Set(streams.flatMap(\.names)).subtracting([name])
  }

  /// `stored`: the names under which the source has records.
  func resolver(stored: Set<String> = []) -> StreamResolver {
    StreamResolver(catalog: knownCatalog, selection: selection, stored: stored)
  }
}

/// A source in words.
struct SourceText {
  let output: Output

  func show(_ source: Source) {
    let definition = source.definition
    var fields: [(name: String, cell: Cell)] = [
      ("source", Cell(source.name)), ("id", Cell(source.id)),
      ("link", Cell(EntityLink.source(source.id, in: source.workspace).text)),
      ("workspace", Cell(source.workspace.text)),
      ("revision", Cell(source.revision)), ("command", Cell(ShellWords.joined(definition.command))),
      ("folder", Cell(definition.directory)), ("umask", Cell(definition.umask.text)),
      ("config", Cell(Self.config(definition))),
      ("on reject", Cell((definition.rejects ?? .standard).text)),
      ("idle timeout", Cell(definition.idleTimeout?.text ?? "none")),
      ("resume", Cell(definition.resumesAtEnd ? "end" : "bookmark")),
      ("set at", Cell(source.setAt)), ("set by", Cell(source.setBy)),
    ]
    if definition.takesProperties { fields.append(("catalog", Cell("given by --properties"))) }
    if !definition.validates { fields.append(("validate", Cell("off"))) }
    if definition.lineLimit != nil {
      fields.append(("line limit", Cell(ByteCount.text(Int64(definition.lineBound)))))
    }
    for (stream, names) in definition.ignored.sorted(by: { $0.key < $1.key }) {
      fields.append(("ignored in \(stream)", Cell(names.joined(separator: ", "))))
    }
    for (stream, keeps) in definition.missing.kept.sorted(by: { $0.key < $1.key }) {
      fields.append(
        (stream == "*" ? "missing" : "missing of \(stream)", Cell(keeps ? "keep" : "remove")))
    }
    for (stream, key) in definition.keys.sorted(by: { $0.key < $1.key }) {
      fields.append(("key of \(stream)", Cell(key.joined(separator: ", "))))
    }
    if definition.catalog == nil {
      fields.append(
        (
          "streams",
          Cell(definition.selection.patterns?.joined(separator: ", ") ?? "all that the tap sends")
        ))
    }
    if !definition.selection.excluded.isEmpty {
      fields.append(("without", Cell(definition.selection.excluded.joined(separator: ", "))))
    }
    output.fields(fields)
    if let catalog = definition.knownCatalog { streams(catalog, definition) }
  }

  func streams(_ catalog: Catalog, _ definition: SourceDefinition) {
    let streams = catalog.streams
    let hasNames = streams.contains { $0.name != $0.id }
    output.table(
      ["stream"] + (hasNames ? ["name"] : [])
        + ["taken", "method", "key", "replication key", "fields"],
      streams.map { stream in
        let identity = StreamResolver.Stream(id: stream.id, name: stream.name, title: stream.id)
        let key = definition.keys.setting(for: identity) ?? stream.key
        let wanted = stream.fields.count(where: \.isSelected)
        return [Cell(stream.id)] + (hasNames ? [Cell(stream.name)] : []) + [
          Cell(stream.isSelected ? "yes" : "no"), Cell(stream.method),
          Cell(key.isEmpty ? nil : key.joined(separator: ",")), Cell(stream.replicationKey),
          Cell(
            wanted == stream.fields.count
              ? "\(wanted)" : "\(wanted) of \(stream.fields.count)"),
        ]
      })
  }

  private static func config(_ definition: SourceDefinition) -> String? {
    guard let config = definition.config else { return nil }
    return SourceFiles.isKept(config) ? "kept in the store's folder" : config
  }
}
