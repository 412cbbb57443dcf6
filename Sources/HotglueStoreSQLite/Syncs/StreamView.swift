import HotglueCore
import HotglueStore

/// A view of one stream for people with `sqlite3`: a row per visible record, a column per property.
///
/// It is named `WORKSPACE/SOURCE/STREAM`, which no table can be taken for. A text, a number or a truth
/// value comes as SQLite's own; an object or a list as JSON text. Numbers past what SQLite holds are
/// rounded here, and exact in the column `_data`.
struct StreamView {
  let workspace: WorkspaceID
  let source: String
  let stream: String
  let id: Int64

  /// SQLite takes 2,000 columns; a schema may have more.
  private static let mostColumns = 1000

  /// Every command reads the text of all views when it opens the store, some 30 ms for a million
  /// bytes: so many bytes they may have in all. A stream whose view would not fit has none.
  static let mostBytes: Int64 = 256 << 10

  /// Recreates the view; within a transaction. False: there is no room for it.
  func make(of declaration: StreamDeclaration, in connection: Connection) throws(StoreError) -> Bool
  {
    try drop(in: connection)
    let columns = properties(of: declaration).map { property in
      ", \(Self.value(of: property)) AS \(Self.quoted(property))"
    }
    let text = """
      CREATE VIEW \(Self.quoted(name)) AS
        SELECT key AS _key, updated_at AS _updated_at, data AS _data\(columns.joined())
        FROM record WHERE workspace = \(Self.literal(workspace.text))
          AND source = \(Self.literal(source)) AND stream = \(Self.literal(stream))
      """
    let taken = try connection.first(StreamViewSQL.bytes, [], { $0.integer(0) }) ?? 0
    guard taken + Int64(text.utf8.count) <= Self.mostBytes else { return false }
    try connection.execute(text)
    return true
  }

  var name: String { "\(workspace.text)/\(source)/\(stream)" }

  func drop(in connection: Connection) throws(StoreError) {
    try connection.execute("DROP VIEW IF EXISTS \(Self.quoted(name))")
  }

  /// A path of SQLite cannot name a property with a quote or a backslash, nor a statement a NUL.
  private func properties(of declaration: StreamDeclaration) -> [String] {
    let members: [JSON.Member]
    do throws(JSONError) {
      members = try JSON.parse(declaration.schema)["properties"]?.members ?? []
    } catch {
      return []
    }
    var taken: Set<String> = ["_key", "_updated_at", "_data"]
    return members.map(\.key).prefix(Self.mostColumns).filter { name in
      !name.isEmpty && !name.utf8.contains { $0 == 0x22 || $0 == 0x5C || $0 < 0x20 }
        && taken.insert(name.lowercased()).inserted
    }
  }

  /// Records are kept as the tap wrote them, and SQLite before 3.42 compares a name letter by letter: one
  /// beyond ASCII is looked for also as most taps, being Python, escape it.
  private static func value(of property: String) -> String {
    let plain = "json_extract(data, \(literal("$.\"\(property)\"")))"
    let escaped = inASCII(property)
    if escaped == property { return plain }
    return "coalesce(\(plain), json_extract(data, \(literal("$.\"\(escaped)\""))))"
  }

  private static func inASCII(_ text: String) -> String {
    text.utf16.map { unit in
      if let scalar = Unicode.Scalar(unit), scalar.isASCII { return String(scalar) }
      let digits = String(unit, radix: 16)
      return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }.joined()
  }

  private static func quoted(_ name: String) -> String { "\"\(doubled(name, "\""))\"" }
  private static func literal(_ text: String) -> String { "'\(doubled(text, "'"))'" }

  private static func doubled(_ text: String, _ quote: Character) -> String {
    var out = ""
    for character in text.unicodeScalars where character != "\0" {
      out.unicodeScalars.append(character)
      if Character(character) == quote { out.append(quote) }
    }
    return out
  }
}

enum StreamViewSQL {
  static let bytes = SQL(
    "stream_view.bytes",
    """
    SELECT coalesce(sum(length(CAST(sql AS BLOB))), 0) FROM sqlite_master
    WHERE type = 'view' AND name LIKE '%/%'
    """)
}
