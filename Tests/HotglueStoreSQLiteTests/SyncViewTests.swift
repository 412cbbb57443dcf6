import CSQLite
import HotglueCore
import HotglueStore
import StoreConformance
import Testing

@testable import HotglueStoreSQLite

@Suite("records for people with sqlite3")
struct SyncViewTests {
  let fixture: SQLiteFixture
  let source: Source

  init() throws {
    fixture = try SQLiteFixture()
    _ = try fixture.workspace()
    source = try fixture.store.setSource(
      "crm", to: SourceDefinition(command: ["tap"], directory: "/"), in: fixture.acme,
      expecting: .absent, by: StoreFixture.alice, at: SQLiteFixture.start)
  }

  private func session(_ stream: String, schema: String) throws -> any SyncSession {
    let session = try fixture.store.beginSync(
      SyncRequest(workspace: fixture.acme, source: source.id, attempt: nil),
      by: StoreFixture.alice, at: SQLiteFixture.start)
    _ = try session.declare(
      StreamDeclaration(
        name: stream, schema: schema, key: ["id"], bookmarkProperties: [], line: 1),
      mayChangeKey: false, at: SQLiteFixture.start)
    return session
  }

  private func rows(_ text: String) throws -> [[String]] {
    // As the program `sqlite3` has it. The store's own connections trust no view with functions, and
    // read none.
    let reader = try Connection(path: fixture.path, access: .readOnly)
    try reader.execute("PRAGMA trusted_schema = ON")
    return try reader.all(text: text) { row in
      (0..<3).map { row.isNull($0) ? "NULL" : row.text($0) }
    }
  }

  @Test("a stream is a table with a column per property, whatever its name")
  func stream() throws {
    for name in ["contacts", "o'ne \"two\"; DROP TABLE job", "🦊"] {
      let session = try session(
        name,
        schema: #"{"properties":{"id":{},"ID":{},"it's":{},"a\"b":{},"_key":{},"o":{}}}"#)
      var batch = RecordBatch()
      let data = batch.add(Array(#"{"id":7,"it's":"x","a\"b":1,"o":{"p":[1]}}"#.utf8))
      batch.append(stream: 0, key: .integer(7), data: data)
      _ = try session.stage(batch, publishing: nil, at: SQLiteFixture.start)
      let view = "\"acme/crm/\(name.replacing("\"", with: "\"\""))\""
      #expect(try rows("SELECT id, \"it's\", o FROM \(view)") == [])
      _ = try session.finish(
        .succeeded(Publication(bookmark: nil, tallies: [:]), notes: []), at: SQLiteFixture.start)
      #expect(try rows("SELECT id, \"it's\", o FROM \(view)") == [["7", "x", #"{"p":[1]}"#]])
      #expect(
        try rows("SELECT _key, _updated_at, _data -> '$.id' FROM \(view)")
          == [["7", SQLiteFixture.start.rfc3339, "7"]])
    }
    #expect(
      try rows("SELECT count(*), min(workspace), min(source) FROM record")
        == [["3", "acme", "crm"]])
    _ = try fixture.store.removeSource(
      "crm", in: fixture.acme, by: StoreFixture.alice, at: SQLiteFixture.start)
    #expect(try rows("SELECT count(*), 1, 1 FROM record") == [["0", "1", "1"]])
    #expect(
      try rows(
        "SELECT count(*), 1, 1 FROM sqlite_schema WHERE type = 'view' AND name LIKE 'acme/%'")
        == [["0", "1", "1"]])
    #expect(try fixture.store.check() == [])
  }

  @Test("a property beyond ASCII has its value in the view, also where the tap escapes its name")
  func escapedNames() throws {
    let session = try session("s", schema: #"{"properties":{"id":{},"café":{},"🦊":{}}}"#)
    var batch = RecordBatch()
    let spellings = [
      #"{"id":1,"café":"x","🦊":5}"#, #"{"id":2,"caf\u00e9":"y","\ud83e\udd8a":6}"#, #"{"id":3}"#,
    ]
    for (place, text) in spellings.enumerated() {
      batch.append(
        stream: 0, key: .integer(Int64(place + 1)), data: batch.add(Array(text.utf8)))
    }
    _ = try session.stage(batch, publishing: nil, at: SQLiteFixture.start)
    _ = try session.finish(
      .succeeded(Publication(bookmark: nil, tallies: [:]), notes: []), at: SQLiteFixture.start)
    #expect(
      try rows("SELECT id, \"café\", \"🦊\" FROM \"acme/crm/s\" ORDER BY id")
        == [["1", "x", "5"], ["2", "y", "6"], ["3", "NULL", "NULL"]])
  }

  /// A record of the stream, staged and published.
  private func publish(_ session: any SyncSession, _ record: String, key: Int64 = 7) throws {
    var batch = RecordBatch()
    batch.append(stream: 0, key: .integer(key), data: batch.add(Array(record.utf8)))
    _ = try session.stage(batch, publishing: nil, at: SQLiteFixture.start)
    _ = try session.finish(
      .succeeded(Publication(bookmark: nil, tallies: [:]), notes: []), at: SQLiteFixture.start)
  }

  @Test("streams that SQLite takes for one have a view each, and keep it")
  func viewNames() throws {
    for (number, name) in ["orders", "Orders", "ORDERS_2", "a\0b"].enumerated() {
      let session = try session(name, schema: #"{"properties":{"id":{}}}"#)
      try publish(session, "{\"id\":\(number)}")
    }
    for (number, view) in ["orders", "Orders_2", "ORDERS_2_2", "a\u{2400}b"].enumerated() {
      #expect(try rows("SELECT id, 1, 1 FROM \"acme/crm/\(view)\"") == [["\(number)", "1", "1"]])
    }
    let declared = try fixture.store.beginSync(
      SyncRequest(workspace: fixture.acme, source: source.id, attempt: nil),
      by: StoreFixture.alice, at: SQLiteFixture.start
    ).declare(
      StreamDeclaration(
        name: "Orders", schema: #"{"properties":{"id":{},"x":{}}}"#, key: ["id"],
        bookmarkProperties: [], line: 1), mayChangeKey: false, at: SQLiteFixture.start)
    #expect(declared.notes == ["the SQL view of stream 'Orders' is 'acme/crm/Orders_2'"])
    #expect(try rows("SELECT id, x, 1 FROM \"acme/crm/Orders_2\"") == [["1", "NULL", "1"]])
    #expect(try rows("SELECT id, 1, 1 FROM \"acme/crm/orders\"") == [["0", "1", "1"]])
    _ = try fixture.store.removeSource(
      "crm", in: fixture.acme, by: StoreFixture.alice, at: SQLiteFixture.start)
    #expect(
      try rows("SELECT count(*), 1, 1 FROM sqlite_schema WHERE type = 'view' AND name LIKE '%/%'")
        == [["0", "1", "1"]])
  }

  @Test("properties that SQLite takes for one have a column each; the record key keeps its name")
  func columnNames() throws {
    let properties =
      #"{"ID":{},"id":{},"Id":{},"":{},"_key":{},"a\"b":{},"c\\d":{},"e\u0001":{"type":"integer"},"n\u0000":{},"é":{},"É":{}}"#
    let session = try session("s", schema: #"{"properties":\#(properties)}"#)
    try publish(
      session,
      #"{"ID":1,"id":2,"Id":3,"":4,"_key":5,"a\"b":6,"c\\d":7,"e\u0001":8,"n\u0000":9,"é":10,"É":11}"#
    )
    #expect(
      try rows(
        "SELECT ID_3 || '-' || id || '-' || Id_2, _empty || '-' || _key_2 || '-' || _key, "
          + "\"a\"\"b\" || '-' || \"c\\d\" || '-' || \"e\u{1}\" FROM \"acme/crm/s\"")
        == [["1-2-3", "4-5-7", "6-7-8"]])
    #expect(
      try rows("SELECT \"é\", \"É\", 1 FROM \"acme/crm/s\"") == [["10", "11", "1"]])
  }

  @Test("a property whose name holds a NUL has no column, and the declaration says so")
  func nulInName() throws {
    let session = try session()
    let declared = try session.declare(
      StreamDeclaration(
        name: "s", schema: #"{"properties":{"n\u0000":{},"n":{},"\u0000":{}}}"#, key: ["n"],
        bookmarkProperties: [], line: 1), mayChangeKey: false, at: SQLiteFixture.start)
    #expect(declared.notes.count == 2 && declared.notes[0].contains("'n\u{2400}'"))
    try publish(session, #"{"n\u0000":9,"n":1}"#)
    #expect(
      try rows("SELECT name, 1, 1 FROM pragma_table_info('acme/crm/s')").map(\.first)
        == ["_key", "_updated_at", "_data", "n"])
    #expect(try rows("SELECT n, 1, 1 FROM \"acme/crm/s\"") == [["1", "1", "1"]])
  }

  @Test("a view has as many columns as SQLite allows, and says what it leaves out")
  func manyColumns() throws {
    let schema = { (count: Int) in
      "{\"properties\":{\((0..<count).map { "\"p\($0)\":{}" }.joined(separator: ","))}}"
    }
    let session = try fixture.store.beginSync(
      SyncRequest(workspace: fixture.acme, source: source.id, attempt: nil),
      by: StoreFixture.alice, at: SQLiteFixture.start)
    func declare(_ name: String, _ count: Int, key: String) throws -> DeclaredStream {
      try session.declare(
        StreamDeclaration(
          name: name, schema: schema(count), key: [key], bookmarkProperties: [], line: 1),
        mayChangeKey: false, at: SQLiteFixture.start)
    }
    #expect(try declare("wide", 1997, key: "p0").notes == [])
    let wider = try declare("wider", 2100, key: "p2099")
    #expect(wider.view == .columns)
    #expect(wider.notes.count == 1 && wider.notes[0].contains("1997 of its 2100 properties"))
    var batch = RecordBatch()
    for stream in 0...1 {
      batch.append(
        stream: stream, key: .integer(1), data: batch.add(Array(#"{"p1996":5,"p2099":6}"#.utf8)))
    }
    _ = try session.stage(batch, publishing: nil, at: SQLiteFixture.start)
    _ = try session.finish(
      .succeeded(Publication(bookmark: nil, tallies: [:]), notes: []), at: SQLiteFixture.start)
    #expect(try rows("SELECT p1996, 1, 1 FROM \"acme/crm/wide\"") == [["5", "1", "1"]])
    #expect(try rows("SELECT p2099, 1, 1 FROM \"acme/crm/wider\"") == [["6", "1", "1"]])
  }

  @Test("a column has the type of its schema, unless a record may hold another")
  func types() throws {
    let first = try session(
      "s",
      schema:
        #"{"properties":{"id":{"type":"integer"},"n":{"type":["null","number"]},"w":{"type":"string"}}}"#
    )
    try publish(first, #"{"id":12345678901234567890,"n":5,"w":"x"}"#)
    #expect(
      try rows("SELECT typeof(id), typeof(n), typeof(w) FROM \"acme/crm/s\"")
        == [["real", "real", "text"]])
    let second = try session(
      "s",
      schema:
        #"{"properties":{"id":{"type":"integer"},"n":{"type":"number"},"w":{"type":"integer"}}}"#)
    try publish(second, #"{"id":8,"n":1.5,"w":3}"#, key: 8)
    #expect(
      try rows("SELECT w, typeof(w), 1 FROM \"acme/crm/s\" ORDER BY _key")
        == [["x", "text", "1"], ["3", "integer", "1"]])
  }

  @Test("DuckDB parses the statements of all views: no bare word is a keyword there")
  func wordsOfViews() throws {
    _ = try session("s", schema: #"{"properties":{"id":{},"at":{}}}"#)
    let views = try rows("SELECT name, sql, 1 FROM sqlite_schema WHERE type = 'view'")
    #expect(views.count >= 3)
    for view in views {
      let words = view[1].split { !($0.isLetter || $0 == "_" || $0 == "\"") }
      #expect(!words.contains("at") && !words.contains("by"), "\(view[0])")
    }
  }

  private func declare(
    _ name: String, columns: Int, in session: any SyncSession
  ) throws -> DeclaredStream {
    let properties = (0..<columns).map { "\"property\($0)\":{}" }.joined(separator: ",")
    return try session.declare(
      StreamDeclaration(
        name: name, schema: "{\"properties\":{\(properties)}}", key: ["id"],
        bookmarkProperties: [], line: 1),
      mayChangeKey: false, at: SQLiteFixture.start)
  }

  private func session() throws -> any SyncSession {
    try fixture.store.beginSync(
      SyncRequest(workspace: fixture.acme, source: source.id, attempt: nil),
      by: StoreFixture.alice, at: SQLiteFixture.start)
  }

  @Test("two hundred streams of eighty columns have their views")
  func manyViews() throws {
    let session = try session()
    for number in 0..<200 {
      #expect(try declare("s\(number)", columns: 80, in: session).view == .columns)
    }
  }

  @Test("columns of views have a bound: a stream past it has whole records until there is room")
  func bound() throws {
    let session = try session()
    // Past the bound, whatever a column takes.
    let declared = try (0..<30).map { try declare("s\($0)", columns: 900, in: session) }
    let full = declared.count { $0.view == .columns }
    #expect((10..<30).contains(full))
    #expect(declared.map(\.view) == declared.indices.map { $0 < full ? .columns : .wholeRecords })
    let bytes = "SELECT sum(length(sql)) <= \(StreamView.mostBytes), 1, 1 FROM sqlite_schema"
    #expect(try rows(bytes + " WHERE type = 'view' AND name LIKE 'acme/%'") == [["1", "1", "1"]])
    #expect(try rows("SELECT _key, _data, 1 FROM \"acme/crm/s29\"") == [])
    // Of these not even the name fits.
    let long = String(repeating: "x", count: 300 << 10)
    #expect(try declare(long, columns: 0, in: session).view == .none)
    #expect(try declare("small", columns: 1, in: session).view == .columns)

    #expect(try declare("s29", columns: 900, in: session).view == .wholeRecords)
    for number in 0..<2 { _ = try declare("s\(number)", columns: 1, in: session) }
    #expect(try declare("s29", columns: 900, in: session).view == .columns)
    #expect(try rows("SELECT _key, property899, 1 FROM \"acme/crm/s29\"") == [])
  }

  @Test("a statement ends well however often the schema changes while it is prepared")
  func restlessSchema() throws {
    let other = OtherWriter(try Connection(path: fixture.path))
    let connection = fixture.store.connection
    #expect(try connection.first(OpenSQL.meta, [], { $0.text(0) }) != nil)
    try other.changeSchema()
    // SQLite asks the authorizer whenever it prepares a statement.
    sqlite3_set_authorizer(
      connection.handle,
      { context, _, _, _, _, _ in
        guard let context else { return SQLITE_DENY }
        return Unmanaged<OtherWriter>.fromOpaque(context).takeUnretainedValue().isAllowed()
      }, Unmanaged.passUnretained(other).toOpaque())
    defer { sqlite3_set_authorizer(connection.handle, nil, nil) }
    #expect(try connection.first(OpenSQL.meta, [], { $0.text(0) }) != nil)
    #expect(other.changes > 10)
    #expect(sqlite3_get_autocommit(connection.handle) != 0)
  }

  @Test("a restored store gives out no number of a run or source again")
  func restore() throws {
    let backup = fixture.folder.file("backup.db")
    try fixture.store.backup(to: backup)
    let first = try session("s", schema: "{}")
    try fixture.restore(from: backup)
    let store = try SQLiteStore.open(at: fixture.path)
    let second = try store.beginSync(
      SyncRequest(workspace: fixture.acme, source: source.id, attempt: nil),
      by: StoreFixture.alice, at: SQLiteFixture.start)
    #expect(second.run.id > first.run.id)
    #expect(throws: StoreError.self) {
      try first.finish(
        .succeeded(Publication(bookmark: nil, tallies: [:]), notes: []), at: SQLiteFixture.start)
    }
  }
}

/// Another process that declares streams all the time.
private final class OtherWriter {
  let connection: Connection
  var changes = 0

  init(_ connection: Connection) { self.connection = connection }

  func changeSchema() throws {
    changes += 1
    try connection.execute("CREATE VIEW \"acme/other/s\(changes)\" AS SELECT 1")
  }

  /// Whether the schema could be changed, for SQLite.
  func isAllowed() -> Int32 {
    do {
      try changeSchema()
      return SQLITE_OK
    } catch {
      return SQLITE_DENY
    }
  }
}
