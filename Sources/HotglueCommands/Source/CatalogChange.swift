import HotglueCore

/// A difference between two catalogs of a source.
struct CatalogChange {
  var sign: String
  var stream: String
  /// What changed of a stream that both have.
  var details: [String] = []

  var text: String {
    details.isEmpty ? "\(sign) \(stream)" : "\(sign) \(stream): \(details.joined(separator: ", "))"
  }

  var json: JSON {
    .object([
      JSON.Member("change", .string(sign)), JSON.Member("stream", .string(stream)),
      JSON.Member("details", .strings(details)),
    ])
  }

  static func all(from old: Catalog?, to new: Catalog) -> [CatalogChange] {
    let before = old?.streams ?? []
    let after = new.streams
    let known = Dictionary(before.map { ($0.id, $0) }) { first, _ in first }
    let present = Set(after.map(\.id))
    return after.compactMap { stream in
      guard let earlier = known[stream.id] else {
        return CatalogChange(sign: "+", stream: stream.id)
      }
      let details = details(from: earlier, to: stream)
      return details.isEmpty ? nil : CatalogChange(sign: "~", stream: stream.id, details: details)
    } + before.filter { !present.contains($0.id) }.map { CatalogChange(sign: "-", stream: $0.id) }
  }

  private static func details(from old: Catalog.Stream, to new: Catalog.Stream) -> [String] {
    let before = Dictionary(old.fields.map { ($0.name, $0.schema) }) { first, _ in first }
    let after = Set(new.fields.map(\.name))
    var details: [String] = []
    for field in new.fields {
      guard let earlier = before[field.name] else {
        details.append("+\(field.name)")
        continue
      }
      guard !earlier.isEquivalent(to: field.schema) else { continue }
      let (was, isNow) = (type(of: earlier), type(of: field.schema))
      details.append(
        was == isNow ? "\(field.name) has another schema" : "\(field.name) is \(isNow), was \(was)")
    }
    details += old.fields.filter { !after.contains($0.name) }.map { "-\($0.name)" }
    if old.key != new.key {
      details.append("its key is (\(new.key.joined(separator: ", ")))")
    }
    return details
  }

  private static func type(of schema: JSON) -> String {
    let types = schema["type"]?.stringArray ?? schema["type"]?.stringValue.map { [$0] } ?? []
    let text = types.isEmpty ? "any type" : types.joined(separator: " or ")
    return schema["format"]?.stringValue.map { "\(text) (\($0))" } ?? text
  }
}
