/// One stream of a catalog as JSON, and the places in it where something about its selection may stand.
///
/// Taps read one of three forms: the metadata, members of the stream itself, and `selected` within its
/// schema. All are written, so that each tap finds its own.
struct CatalogEntry: Hashable, Sendable {
  private var value: JSON
  private var metadata: [JSON]
  /// Where in `metadata` a breadcrumb stands; of repeated ones the first.
  private var places: [[String]: Int] = [:]
  private var hasMetadata: Bool

  /// `nil` when it has neither an identifier nor a name.
  init?(_ json: JSON) {
    guard json["tap_stream_id"]?.stringValue ?? json["stream"]?.stringValue != nil else {
      return nil
    }
    value = json
    hasMetadata = json["metadata"]?.arrayValue != nil
    metadata = json["metadata"]?.arrayValue ?? []
    for (index, element) in metadata.enumerated() {
      guard let breadcrumb = element["breadcrumb"]?.stringArray else { continue }
      if places[breadcrumb] == nil { places[breadcrumb] = index }
    }
  }

  var json: JSON { hasMetadata ? value.setting("metadata", .array(metadata)) : value }

  /// What identifies the stream.
  var id: String { value["tap_stream_id"]?.stringValue ?? value["stream"]?.stringValue ?? "" }
  /// What it is called; several streams may have one name.
  var name: String { value["stream"]?.stringValue ?? id }
  var names: [String] { id == name ? [id] : [id, name] }

  subscript(key: String) -> JSON? { value[key] }

  var properties: [JSON.Member] { value["schema"]?["properties"]?.members ?? [] }

  func metadata(at breadcrumb: [String]) -> JSON? {
    places[breadcrumb].flatMap { metadata[$0]["metadata"] }
  }

  mutating func set(_ key: String, _ new: JSON) { value = value.setting(key, new) }

  mutating func setMetadata(_ key: String, _ new: JSON, at breadcrumb: [String]) {
    hasMetadata = true
    if let place = places[breadcrumb] {
      let known = metadata[place]["metadata"] ?? .object([])
      metadata[place] = metadata[place].setting("metadata", known.setting(key, new))
      return
    }
    places[breadcrumb] = metadata.count
    metadata.append(
      .object([
        JSON.Member("breadcrumb", .strings(breadcrumb)),
        JSON.Member("metadata", .object([JSON.Member(key, new)])),
      ]))
  }

  /// Says within the schema that the stream is wanted or not.
  mutating func setInSchema(selected isWanted: Bool) {
    guard let schema = value["schema"], schema.members != nil else { return }
    value = value.setting("schema", schema.setting("selected", .bool(isWanted)))
  }

  /// Says within the schema which properties are wanted; `nil` leaves what is said of one.
  mutating func setInSchema(_ isWanted: (String) -> Bool?) {
    guard let schema = value["schema"], let properties = schema["properties"]?.members else {
      return
    }
    let changed = properties.map { member in
      guard member.value.members != nil, let isWanted = isWanted(member.key) else { return member }
      return JSON.Member(member.key, member.value.setting("selected", .bool(isWanted)))
    }
    value = value.setting("schema", schema.setting("properties", .object(changed)))
  }

  // MARK: What it says

  var isSelected: Bool {
    let root = metadata(at: [])
    return root?["selected"]?.boolValue ?? value["selected"]?.boolValue
      ?? value["schema"]?["selected"]?.boolValue ?? root?["selected-by-default"]?.boolValue ?? true
  }

  func isSelected(field: String, _ schema: JSON) -> Bool {
    let metadata = metadata(at: ["properties", field])
    switch metadata?["inclusion"]?.stringValue {
    case "automatic": return true
    case "unsupported": return false
    default:
      return metadata?["selected"]?.boolValue ?? schema["selected"]?.boolValue
        ?? metadata?["selected-by-default"]?.boolValue ?? true
    }
  }

  func isAutomatic(field: String) -> Bool {
    metadata(at: ["properties", field])?["inclusion"]?.stringValue == "automatic"
  }
}
