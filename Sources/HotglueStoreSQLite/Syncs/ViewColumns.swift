import HotglueCore
import HotglueStore

/// The columns of a stream's view: one for each property of its schema, each under a name that SQLite
/// tells apart from all others.
///
/// SQLite compares names without the case of ASCII letters, and answers `id` with a column `ID`. Of
/// properties that are one name to it the first keeps its name, and the others have a number behind it.
struct ViewColumns {
  struct Column {
    var property: String
    var name: String
    var expression: String
  }

  private(set) var columns: [Column] = []
  /// What a user has to know who looks for a property.
  private(set) var notes: [String] = []

  static let own = ["_key", "_updated_at", "_data"]
  /// SQLite's bound of a result, with the columns that every view has.
  static let most = 2000 - own.count

  /// `schemas`: all that the stream ever had, since records of each may be there.
  init(of declaration: StreamDeclaration, after schemas: [String]) {
    let all = Self.properties(declaration.schema)
    // The names that SQLite reads from a JSON text end at a NUL.
    let properties = all.filter { !$0.key.utf8.contains(0) }
    for property in all where property.key.utf8.contains(0) {
      notes.append(
        "the view of stream '\(declaration.name)' has no column for property "
          + "'\(SQLiteName.printable(property.key))', whose name holds a NUL: '_data' has it")
    }
    let earlier = schemas.filter { $0 != declaration.schema }.map(Self.properties)
    let chosen = Self.chosen(properties.map(\.key), key: declaration.key)
    var taken = Set(Self.own)
    var names: [String: String] = [:]
    for property in Self.precedence(chosen, key: declaration.key) {
      names[property] = Self.free(property, &taken)
    }
    let isChosen = Set(chosen)
    for property in properties where isChosen.contains(property.key) {
      guard let name = names[property.key] else { continue }
      let type = declaration.isChecked ? Self.type(of: property, in: earlier) : nil
      let value = Self.value(of: property.key)
      columns.append(
        Column(
          property: property.key, name: name,
          expression: type.map { "CAST(\(value) AS \($0))" } ?? "(\(value))"))
      if name != property.key {
        notes.append(
          "in the view of stream '\(declaration.name)' property '\(property.key)' is column '\(name)'"
        )
      }
    }
    if properties.count > chosen.count {
      notes.append(
        "the view of stream '\(declaration.name)' holds \(chosen.count) of its \(properties.count) "
          + "properties, as many as SQLite allows: '_data' and 'hotglue record export' have all")
    }
  }

  private static func properties(_ schema: String) -> [JSON.Member] {
    do throws(JSONError) {
      var seen: Set<[UInt8]> = []
      return (try JSON.parse(schema)["properties"]?.members ?? [])
        .filter { seen.insert(Array($0.key.utf8)).inserted }
    } catch {
      return []
    }
  }

  private static func chosen(_ properties: [String], key: [String]) -> [String] {
    guard properties.count > most else { return properties }
    let isKey = Set(key)
    return Array(
      (properties.filter(isKey.contains) + properties.filter { !isKey.contains($0) }).prefix(most))
  }

  // MARK: Names

  /// Who keeps a name: a field of the record key, then what has the fewest capitals.
  private static func precedence(_ properties: [String], key: [String]) -> [String] {
    let isKey = Set(key)
    func rank(_ name: String) -> Int {
      isKey.contains(name) ? -1 : name.utf8.count { $0 >= 0x41 && $0 <= 0x5A }
    }
    return properties.map { (rank($0), $0) }.sorted {
      $0.0 != $1.0 ? $0.0 < $1.0 : $0.1.utf8.lexicographicallyPrecedes($1.1.utf8)
    }.map(\.1)
  }

  private static func free(_ property: String, _ taken: inout Set<String>) -> String {
    let plain = property.isEmpty ? "_empty" : SQLiteName.printable(property)
    var name = plain
    var number = 2
    while !taken.insert(SQLiteName.folded(name)).inserted {
      name = "\(plain)_\(number)"
      number += 1
    }
    return name
  }

  // MARK: Values

  /// SQLite gives each value as it is, and a cast makes the same of it; other programs take the type of the
  /// column from the cast. Where a record may hold something else there is none.
  private static func type(of property: JSON.Member, in earlier: [[JSON.Member]]) -> String? {
    guard var types = RecordKeyTypes.declared(by: property.value) else { return nil }
    for schema in earlier {
      guard let before = schema.first(where: { $0.key == property.key }) else { continue }
      guard let others = RecordKeyTypes.declared(by: before.value) else { return nil }
      types.formUnion(others)
    }
    switch types {
    // Digits that a whole number of eight bytes cannot hold are not cut off.
    case ["integer"]: return "DECIMAL(38,0)"
    case ["number"], ["integer", "number"]: return "DOUBLE"
    case ["boolean"]: return "BOOLEAN"
    case ["string"], ["object"], ["array"], ["array", "object"]: return "TEXT"
    default: return nil
    }
  }

  /// A path of SQLite names members by letters alone, and SQLite before 3.42 compares them as they are
  /// written: one beyond ASCII is looked for also as most taps, being Python, escape it. Any other name is
  /// looked for among the members.
  private static func value(of property: String) -> String {
    let isPlain =
      !property.isEmpty && !property.utf8.contains { $0 == 0x22 || $0 == 0x5C || $0 < 0x20 }
    guard isPlain else {
      return "(SELECT value FROM json_each(data) AS member WHERE member.key = "
        + "\(SQLiteName.literal(property)))"
    }
    let escaped = inASCII(property)
    let plain = "data ->> \(SQLiteName.literal("$.\"\(property)\""))"
    if escaped == property { return plain }
    return "coalesce(\(plain), data ->> \(SQLiteName.literal("$.\"\(escaped)\"")))"
  }

  private static func inASCII(_ text: String) -> String {
    text.utf16.map { unit in
      if let scalar = Unicode.Scalar(unit), scalar.isASCII { return String(scalar) }
      let digits = String(unit, radix: 16)
      return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }.joined()
  }
}

/// Names and texts in the words of SQLite.
enum SQLiteName {
  /// What a name is to SQLite, which takes ASCII letters of either case for one.
  static func folded(_ name: String) -> String {
    String(
      decoding: name.utf8.map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 }, as: UTF8.self)
  }

  /// No statement holds a NUL: its picture stands for it.
  static func printable(_ name: String) -> String {
    name.utf8.contains(0) ? name.replacing("\0", with: "\u{2400}") : name
  }

  static func quoted(_ name: String) -> String { "\"\(doubled(printable(name), "\""))\"" }

  static func literal(_ text: String) -> String { "'\(doubled(printable(text), "'"))'" }

  /// A text that may hold a NUL.
  static func text(_ text: String) -> String {
    guard text.utf8.contains(0) else { return literal(text) }
    let digits = text.utf8.map { byte in
      let digits = String(byte, radix: 16)
      return digits.count == 1 ? "0" + digits : digits
    }
    return "CAST(x'\(digits.joined())' AS TEXT)"
  }

  private static func doubled(_ text: String, _ quote: Character) -> String {
    var out = ""
    for character in text.unicodeScalars {
      out.unicodeScalars.append(character)
      if Character(character) == quote { out.append(quote) }
    }
    return out
  }
}
