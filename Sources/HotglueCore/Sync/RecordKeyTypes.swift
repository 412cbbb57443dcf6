/// The types that a schema declares for the properties of a record key.
///
/// A record's identity is the values and types of its key: `1` and `"1"` are two records. So a key
/// property that changes its type is another key, though its name stays, also where it takes a further
/// type or loses one: its records may come as the other from then on.
public struct RecordKeyTypes: Hashable, Sendable {
  /// In the order of the key; `nil` where the schema declares none.
  private var types: [(Set<String>)?]
  private let key: [String]

  public init(of key: [String], in schema: JSON?) {
    self.key = key
    types = key.map { name in
      schema?["properties"]?[name].flatMap { Self.declared(by: $0) }
    }
  }

  /// A schema that declares no type leaves the one of the schema before.
  public var isComplete: Bool { types.allSatisfy { $0 != nil } }

  public mutating func fill(from earlier: RecordKeyTypes) {
    guard key == earlier.key else { return }
    types = zip(types, earlier.types).map { $0 ?? $1 }
  }

  /// Whether a property of both keys is of another type.
  public func differ(from before: RecordKeyTypes) -> Bool {
    guard key == before.key else { return false }
    return zip(types, before.types).contains { mine, theirs in
      guard let mine, let theirs else { return false }
      return Self.kinds(mine) != Self.kinds(theirs)
    }
  }

  /// A whole number is the same key however it is written, so `integer` and `number` are one kind.
  private static func kinds(_ types: Set<String>) -> Set<String> {
    Set(types.map { $0 == "integer" ? "number" : $0 })
  }

  /// One text for keys of the same properties and kinds.
  public var canonicalText: String {
    let kinds = types.map { types in types.map { Self.kinds($0).sorted().joined(separator: "|") } }
    return JSON.array(
      zip(key, kinds).map { name, kinds in .strings([name, kinds ?? ""]) }
    ).text
  }

  /// Each property with its type, as `id (integer)`.
  public var texts: [String] {
    zip(key, types).map { name, types in
      guard let types, !types.isEmpty else { return name }
      return "\(name) (\(types.sorted().joined(separator: " or ")))"
    }
  }

  /// The types that the schema of a value declares, but for null; `nil`: it declares none.
  public static func declared(by schema: JSON) -> Set<String>? { types(of: schema, depth: 0) }

  private static func types(of schema: JSON, depth: Int) -> Set<String>? {
    guard depth < 8 else { return nil }
    var found: Set<String> = []
    if let type = schema["type"] {
      for name in type.stringArray ?? [type.stringValue ?? ""] where name != "null" {
        found.insert(name)
      }
      return found.isEmpty ? nil : found
    }
    guard let branches = (schema["anyOf"] ?? schema["oneOf"])?.arrayValue else { return nil }
    for branch in branches {
      if branch["type"]?.stringValue == "null" { continue }
      guard let types = types(of: branch, depth: depth + 1) else { return nil }
      found.formUnion(types)
    }
    return found.isEmpty ? nil : found
  }
}
