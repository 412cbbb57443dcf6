import HotglueStore

/// Compares the schema of a store with the one that this program makes. Triggers are off and the schema is
/// not trusted, so that what others have added does nothing; here it is named.
enum SchemaAudit {
  /// One object of a schema: `trigger t`.
  private struct Object: Hashable {
    var kind: String
    var name: String
    var definition: String?

    var title: String { "\(kind) '\(name)'" }
  }

  /// What this program makes. The same for the life of a process.
  private static let expected = Result { () throws(StoreError) in
    let model = try Connection(path: ":memory:")
    try Schema.create(on: model)
    return Set(try objects(of: model))
  }

  /// Every difference, in words. The views that syncs make for people, whose names have slashes, are no
  /// part of it.
  static func differences(in connection: Connection) throws(StoreError) -> [String] {
    let expected = try expected.get()
    let found = Set(try objects(of: connection))
    let missing = expected.subtracting(found)
    let strange = found.subtracting(expected)
    let changed = Set(missing.map(\.title)).intersection(strange.map(\.title))
    var words = changed.map { "\($0) is not as hotglue makes it" }
    words += strange.map(\.title).filter { !changed.contains($0) }
      .map { "\($0) is not of hotglue's making" }
    words += missing.map(\.title).filter { !changed.contains($0) }.map { "\($0) is missing" }
    return words.sorted()
  }

  /// Refuses a store with a schema of its own.
  static func require(in connection: Connection) throws(StoreError) {
    guard let first = try differences(in: connection).first else { return }
    throw StoreError.corrupt(path: connection.path, detail: first)
  }

  private static func objects(of connection: Connection) throws(StoreError) -> [Object] {
    try connection.all(CheckSQL.schema, []) { row in
      Object(kind: row.text(0), name: row.text(1), definition: row.optionalText(2))
    }
  }
}
