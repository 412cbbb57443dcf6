/// What a tap can give, and what of it is wanted: the catalog of its streams.
///
/// It is kept as the tap wrote it; only what says what is wanted is changed, in both ways that taps
/// read: the metadata, and the older members of the stream itself.
public struct Catalog: Hashable, Sendable {
  public private(set) var json: JSON

  /// `nil` when it is no object with a list of named streams.
  public init?(_ json: JSON) {
    guard let streams = json["streams"]?.arrayValue,
      streams.allSatisfy({ Self.name(of: $0) != nil })
    else { return nil }
    self.json = json
  }

  public var streams: [Stream] { values.map(Stream.init) }

  /// One stream of the catalog.
  public struct Stream: Hashable, Sendable {
    /// As its messages name it.
    public var name: String
    public var key: [String]
    /// `INCREMENTAL`, `FULL_TABLE` or `LOG_BASED`; `nil`: the tap's own choice.
    public var method: String?
    public var replicationKey: String?
    public var isSelected: Bool
    public var fields: [Field]

    fileprivate init(_ json: JSON) {
      name = Catalog.name(of: json) ?? ""
      let root = Catalog.metadata([], of: json)
      key =
        root?["table-key-properties"]?.stringArray ?? json["key_properties"]?.stringArray ?? []
      method =
        root?["replication-method"]?.stringValue ?? json["replication_method"]?.stringValue
        ?? root?["forced-replication-method"]?.stringValue
      replicationKey =
        root?["replication-key"]?.stringValue ?? json["replication_key"]?.stringValue
      isSelected = Catalog.isSelected(root, json["selected"])
      fields = (json["schema"]?["properties"]?.members ?? []).map { member in
        let told = Catalog.metadata(["properties", member.key], of: json)
        let inclusion = told?["inclusion"]?.stringValue
        return Field(
          name: member.key, isAutomatic: inclusion == "automatic",
          isSelected: inclusion == "automatic"
            || inclusion != "unsupported" && Catalog.isSelected(told, nil))
      }
    }
  }

  public struct Field: Hashable, Sendable {
    public var name: String
    /// The tap sends it in any case.
    public var isAutomatic: Bool
    public var isSelected: Bool
  }

  // MARK: Changes

  /// A stream is wanted or not.
  public mutating func select(_ name: String, _ isWanted: Bool) {
    change(name) { stream in
      stream = Self.setting("selected", .bool(isWanted), at: [], of: stream)
      stream = stream.setting("selected", .bool(isWanted))
    }
  }

  /// Of a stream just these fields are wanted, and those that come in any case.
  public mutating func select(fields: Set<String>, of name: String) {
    change(name) { stream in
      for field in Stream(stream).fields where !field.isAutomatic {
        stream = Self.setting(
          "selected", .bool(fields.contains(field.name)), at: ["properties", field.name],
          of: stream)
      }
    }
  }

  public mutating func replicate(_ name: String, by method: String) {
    change(name) { stream in
      stream = Self.setting("replication-method", .string(method), at: [], of: stream)
      stream = stream.setting("replication_method", .string(method))
    }
  }

  public mutating func replicate(_ name: String, along key: String) {
    change(name) { stream in
      stream = Self.setting("replication-key", .string(key), at: [], of: stream)
      stream = stream.setting("replication_key", .string(key))
    }
  }

  /// What was found anew, with what was wanted of the streams that are known. Where nothing was said
  /// of a field, it is wanted. New streams are, when `takesNew`.
  public func found(after known: Catalog?, takesNew: Bool) -> Catalog {
    var result = self
    for stream in streams {
      guard let old = known?.values.first(where: { Self.name(of: $0) == stream.name }) else {
        result.select(stream.name, takesNew)
        result.change(stream.name) { $0 = Self.sayingFields(of: $0) }
        continue
      }
      result.change(stream.name) { json in
        json = Self.sayingFields(of: json)
        for key in ["selected", "replication-method", "replication-key"] {
          guard let value = Self.metadata([], of: old)?[key] else { continue }
          json = Self.setting(key, value, at: [], of: json)
        }
        for key in ["selected", "replication_method", "replication_key"] {
          if let value = old[key] { json = json.setting(key, value) }
        }
        for field in Stream(old).fields {
          let place = ["properties", field.name]
          guard json["schema"]?["properties"]?[field.name] != nil,
            let wanted = Self.metadata(place, of: old)?["selected"]
          else { continue }
          json = Self.setting("selected", wanted, at: place, of: json)
        }
      }
    }
    return result
  }

  /// Taps differ in what they send of a field of which nothing is said; so something is.
  private static func sayingFields(of stream: JSON) -> JSON {
    var stream = stream
    for field in Stream(stream).fields {
      let place = ["properties", field.name]
      let told = metadata(place, of: stream)
      guard told?["inclusion"]?.stringValue == "available", told?["selected"] == nil else {
        continue
      }
      stream = setting("selected", .bool(true), at: place, of: stream)
    }
    return stream
  }

  // MARK: Reading the text

  private var values: [JSON] { json["streams"]?.arrayValue ?? [] }

  private mutating func change(_ name: String, _ body: (inout JSON) -> Void) {
    var streams = values
    for index in streams.indices where Self.name(of: streams[index]) == name {
      body(&streams[index])
    }
    json = json.setting("streams", .array(streams))
  }

  private static func name(of stream: JSON) -> String? {
    stream["stream"]?.stringValue ?? stream["tap_stream_id"]?.stringValue
  }

  private static func isSelected(_ metadata: JSON?, _ older: JSON?) -> Bool {
    metadata?["selected"]?.boolValue ?? older?.boolValue
      ?? metadata?["selected-by-default"]?.boolValue ?? true
  }

  private static func metadata(_ breadcrumb: [String], of stream: JSON) -> JSON? {
    stream["metadata"]?.arrayValue?
      .first { $0["breadcrumb"]?.stringArray == breadcrumb }?["metadata"]
  }

  private static func setting(
    _ key: String, _ value: JSON, at breadcrumb: [String], of stream: JSON
  ) -> JSON {
    var entries = stream["metadata"]?.arrayValue ?? []
    let entry = entries.firstIndex { $0["breadcrumb"]?.stringArray == breadcrumb }
    if let entry {
      let metadata = entries[entry]["metadata"] ?? .object([])
      entries[entry] = entries[entry].setting("metadata", metadata.setting(key, value))
    } else {
      entries.append(
        .object([
          JSON.Member("breadcrumb", .strings(breadcrumb)),
          JSON.Member("metadata", .object([JSON.Member(key, value)])),
        ]))
    }
    return stream.setting("metadata", .array(entries))
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
