/// What a tap can send, and what of it is wanted: the catalog of its streams.
///
/// It is kept as the tap wrote it, except for what says which streams and fields are wanted. A stream is
/// its `tap_stream_id`; its name may be that of other streams, too.
public struct Catalog: Hashable, Sendable {
  private var entries: [CatalogEntry]
  /// The catalog without its streams.
  private let rest: JSON

  public var json: JSON { rest.setting("streams", .array(entries.map(\.json))) }

  /// `nil` when it is not an object with a list of streams that have identifiers or names.
  public init?(_ json: JSON) {
    guard let streams = json["streams"]?.arrayValue else { return nil }
    entries = streams.compactMap(CatalogEntry.init)
    guard entries.count == streams.count else { return nil }
    rest = json.setting("streams", .array([]))
  }

  public var streams: [Stream] { entries.map(Stream.init) }

  /// One stream of the catalog.
  public struct Stream: Hashable, Sendable {
    /// The `tap_stream_id`; a stream without one is identified by its name.
    public var id: String
    public var name: String
    public var key: [String]
    /// `INCREMENTAL`, `FULL_TABLE` or `LOG_BASED`; `nil`: the tap decides.
    public var method: String?
    public var replicationKey: String?
    public var isSelected: Bool
    public var fields: [Field]
    /// It states no method of replication, and has the metadata of a table or an empty method: whether the
    /// tap sends all of it in each run is not known.
    public var needsMethod: Bool

    fileprivate init(_ entry: CatalogEntry) {
      id = entry.id
      name = entry.name
      let root = entry.metadata(at: [])
      key =
        root?["table-key-properties"]?.stringArray ?? entry["key_properties"]?.stringArray ?? []
      // Taps of the Meltano SDK write an empty text where they choose one themselves: it states none.
      let stated = [
        root?["replication-method"], entry["replication_method"],
        root?["forced-replication-method"],
      ]
      method = Self.firstText(of: stated)
      needsMethod =
        method == nil
        && (Self.tableSigns.contains { root?[$0] != nil }
          || stated.contains { $0?.stringValue == "" })
      replicationKey = Self.firstText(of: [root?["replication-key"], entry["replication_key"]])
      isSelected = entry.isSelected
      fields = entry.properties.map { member in
        Field(
          name: member.key, isAutomatic: entry.isAutomatic(field: member.key),
          isSelected: entry.isSelected(field: member.key, member.value),
          schema: Self.withoutSelection(member.value))
      }
    }

    public var names: [String] { id == name ? [id] : [id, name] }

    private static let tableSigns = [
      "table-key-properties", "view-key-properties", "is-view", "database-name", "schema-name",
      "row-count",
    ]

    private static func firstText(of values: [JSON?]) -> String? {
      values.lazy.compactMap { $0?.stringValue }.first { !$0.isEmpty }
    }

    private static func withoutSelection(_ schema: JSON) -> JSON {
      guard case .object(let members) = schema else { return schema }
      return .object(members.filter { $0.key != "selected" })
    }
  }

  public struct Field: Hashable, Sendable {
    public var name: String
    /// The tap sends it in any case.
    public var isAutomatic: Bool
    public var isSelected: Bool
    public var schema: JSON
  }

  // MARK: Changes

  /// Streams are wanted or not.
  public mutating func select(_ isWanted: (Stream) -> Bool) {
    for index in entries.indices { select(at: index, isWanted(Stream(entries[index]))) }
  }

  private mutating func select(at index: Int, _ isWanted: Bool) {
    entries[index].setMetadata("selected", .bool(isWanted), at: [])
    entries[index].set("selected", .bool(isWanted))
    entries[index].setInSchema(selected: isWanted)
  }

  /// Of a stream just these fields are wanted, and those that the tap sends in any case.
  public mutating func select(fields: Set<String>, of id: String) {
    change(id) { entry in
      for member in entry.properties where !entry.isAutomatic(field: member.key) {
        entry.setMetadata(
          "selected", .bool(fields.contains(member.key)), at: ["properties", member.key])
      }
      let automatic = Set(entry.properties.map(\.key).filter(entry.isAutomatic))
      entry.setInSchema { fields.contains($0) || automatic.contains($0) }
    }
  }

  public mutating func replicate(_ id: String, by method: String) {
    change(id) { entry in
      entry.setMetadata("replication-method", .string(method), at: [])
      entry.set("replication_method", .string(method))
    }
  }

  public mutating func replicate(_ id: String, along key: String) {
    change(id) { entry in
      entry.setMetadata("replication-key", .string(key), at: [])
      entry.set("replication_key", .string(key))
    }
  }

  private mutating func change(_ id: String, _ body: (inout CatalogEntry) -> Void) {
    for index in entries.indices where entries[index].id == id { body(&entries[index]) }
  }

  /// What was found anew, with what was wanted of the streams that are known. Where nothing was said
  /// of a field, it is wanted; of a new stream `isWanted` decides.
  public func found(after known: Catalog?, isWanted: (Stream) -> Bool) -> Catalog {
    var earlier: [String: CatalogEntry] = [:]
    for entry in known?.entries ?? [] where earlier[entry.id] == nil { earlier[entry.id] = entry }
    var result = self
    for index in result.entries.indices {
      let before = earlier[entries[index].id]
      if let before {
        result.entries[index].keepChoices(of: before)
      } else {
        result.select(at: index, isWanted(Stream(entries[index])))
      }
      result.entries[index].stateFields()
    }
    return result
  }
}

extension CatalogEntry {
  /// What was chosen of this stream in an earlier catalog.
  fileprivate mutating func keepChoices(of earlier: CatalogEntry) {
    let root = earlier.metadata(at: [])
    for key in ["selected", "replication-method", "replication-key"] {
      if let value = root?[key], value != .string("") { setMetadata(key, value, at: []) }
    }
    for key in ["selected", "replication_method", "replication_key"] {
      if let value = earlier[key], value != .string("") { set(key, value) }
    }
    if let value = earlier["schema"]?["selected"]?.boolValue { setInSchema(selected: value) }
    let properties = Set(properties.map(\.key))
    var chosen: [String: Bool] = [:]
    for member in earlier.properties where properties.contains(member.key) {
      let place = ["properties", member.key]
      if let wanted = earlier.metadata(at: place)?["selected"] {
        setMetadata("selected", wanted, at: place)
      }
      chosen[member.key] = member.value["selected"]?.boolValue
    }
    setInSchema { chosen[$0] }
  }

  /// Taps differ in what they send of a field of which nothing is said, so something is said of each.
  fileprivate mutating func stateFields() {
    var wanted: [String: Bool] = [:]
    for member in properties {
      let place = ["properties", member.key]
      let isWanted = isSelected(field: member.key, member.value)
      if metadata(at: place)?["inclusion"]?.stringValue == "available",
        metadata(at: place)?["selected"] == nil
      {
        setMetadata("selected", .bool(isWanted), at: place)
      }
      wanted[member.key] = isWanted
    }
    setInSchema { wanted[$0] }
  }
}

extension JSON {
  /// This object with a member of that value, in its place if there is one; anything else as it is.
  public func setting(_ key: String, _ value: JSON) -> JSON {
    guard case .object(var members) = self else { return self }
    if let place = members.lastIndex(where: { $0.key == key }) {
      members[place].value = value
    } else {
      members.append(Member(key, value))
    }
    return .object(members)
  }
}
