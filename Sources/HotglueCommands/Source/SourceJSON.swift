import HotglueCore
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
      JSON.Member("config", .text(definition.config)),
      JSON.Member("config_kept", .bool(definition.config.map(SourceFiles.isKept) ?? false)),
      JSON.Member(
        "streams",
        definition.knownCatalog.map { .array($0.streams.map(stream)) } ?? .null),
      JSON.Member("selected", definition.streams.map { .strings($0) } ?? .null),
      JSON.Member(
        "keys",
        .object(
          definition.keys.sorted { $0.key < $1.key }.map {
            JSON.Member($0.key, .strings($0.value))
          })),
      JSON.Member("on_reject", .string(definition.rejects.text)),
      JSON.Member("idle_timeout", .text(definition.idleTimeout?.text)),
      JSON.Member("created_at", .string(source.createdAt.rfc3339)),
      JSON.Member("set_at", .string(source.setAt.rfc3339)),
      JSON.Member("set_by", .string(source.setBy)),
    ]
  }

  static func stream(_ stream: Catalog.Stream) -> JSON {
    .object([
      JSON.Member("stream", .string(stream.name)),
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
      ("folder", Cell(definition.directory)), ("config", Cell(Self.config(definition))),
      ("on reject", Cell(definition.rejects.text)),
      ("idle timeout", Cell(definition.idleTimeout?.text ?? "none")),
      ("set at", Cell(source.setAt)), ("set by", Cell(source.setBy)),
    ]
    for (stream, key) in definition.keys.sorted(by: { $0.key < $1.key }) {
      fields.append(("key of \(stream)", Cell(key.joined(separator: ", "))))
    }
    if definition.catalog == nil {
      fields.append(
        ("streams", Cell(definition.streams?.joined(separator: ", ") ?? "all that the tap sends")))
    }
    output.fields(fields)
    if let catalog = definition.knownCatalog { streams(catalog, definition) }
  }

  func streams(_ catalog: Catalog, _ definition: SourceDefinition) {
    output.table(
      ["stream", "taken", "method", "key", "along", "fields"],
      catalog.streams.map { stream in
        let key = definition.keys[stream.name] ?? stream.key
        let wanted = stream.fields.count(where: \.isSelected)
        return [
          Cell(stream.name), Cell(stream.isSelected ? "yes" : "no"), Cell(stream.method),
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
