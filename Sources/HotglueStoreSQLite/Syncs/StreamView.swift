import HotglueCore
import HotglueStore

/// A view of one stream for people with `sqlite3` or DuckDB: a row per visible record, a column per property.
///
/// It is named `WORKSPACE/SOURCE/STREAM`, which no table can be taken for; a stream whose name SQLite takes
/// for that of another one has a number behind it. A text, a number or a truth value comes as SQLite's own;
/// an object or a list as JSON text. Numbers past what SQLite holds are rounded here, and exact in the column
/// `_data`. DuckDB reads the view `record` through SQLite and the columns by its own functions, so that the
/// statement has only what both know, and no bare word that is a keyword there.
struct StreamView {
  let workspace: WorkspaceID
  let source: String
  let stream: String
  let id: Int64

  /// Every command reads the text of all views when it opens the store, some 30 ms for a million bytes:
  /// so many bytes they may have in all.
  static let mostBytes: Int64 = 1 << 20
  /// So many more are for views without columns, of streams whose columns do not fit.
  static let mostBytesWithoutColumns: Int64 = 256 << 10

  /// Recreates the view, in the form for which there is room; within a transaction.
  func make(
    _ columns: ViewColumns, in connection: Connection
  ) throws(StoreError) -> DeclaredStream.ViewForm {
    let name = try claimName(in: connection)
    let list = columns.columns.map { ", \($0.expression) AS \(SQLiteName.quoted($0.name))" }
    let full = statement(name, list.joined())
    let short = statement(name, "")
    let taken =
      try connection.first(StreamViewSQL.bytesOfOthers, [.text(name)], { $0.integer(0) }) ?? 0
    let form: DeclaredStream.ViewForm =
      if taken + Int64(full.utf8.count) <= Self.mostBytes {
        .columns
      } else if taken + Int64(short.utf8.count) <= Self.mostBytes + Self.mostBytesWithoutColumns {
        .wholeRecords
      } else {
        .none
      }
    try drop(in: connection)
    switch form {
    case .columns: try connection.execute(full)
    case .wholeRecords: try connection.execute(short)
    case .none: break
    }
    try connection.run(StreamViewSQL.setForm, [.integer(id), .flag(form == .columns)])
    return form
  }

  private func statement(_ name: String, _ columns: String) -> String {
    """
    CREATE VIEW \(SQLiteName.quoted(name)) AS
      SELECT key AS _key, updated_at AS _updated_at, data AS _data\(columns)
      FROM record WHERE workspace = \(SQLiteName.literal(workspace.text))
        AND source = \(SQLiteName.literal(source)) AND stream = \(SQLiteName.text(stream))
    """
  }

  var plainName: String {
    SQLiteName.printable("\(workspace.text)/\(source)/\(stream)")
  }

  /// The name of the stream's view; `nil`: it has none yet.
  func name(in connection: Connection) throws(StoreError) -> String? {
    try connection.first(StreamViewSQL.name, [.integer(id)], { $0.optionalText(0) })
      .flatMap { $0 }
  }

  private func claimName(in connection: Connection) throws(StoreError) -> String {
    if let known = try name(in: connection) { return known }
    var name = plainName
    var number = 2
    while try connection.first(StreamViewSQL.isTaken, [.text(name)], { _ in true }) == true {
      name = "\(plainName)_\(number)"
      number += 1
    }
    try connection.run(StreamViewSQL.setName, [.integer(id), .text(name)])
    return name
  }

  func drop(in connection: Connection) throws(StoreError) {
    guard let name = try name(in: connection) else { return }
    try connection.execute("DROP VIEW IF EXISTS \(SQLiteName.quoted(name))")
  }

  /// Drops the views of all streams of a source, and frees their names; within a transaction.
  static func dropAll(of source: SourceID, in connection: Connection) throws(StoreError) {
    let names = try connection.all(StreamViewSQL.names, [.integer(source)], { $0.text(0) })
    for name in names { try connection.execute("DROP VIEW IF EXISTS \(SQLiteName.quoted(name))") }
    try connection.run(StreamViewSQL.forgetNames, [.integer(source)])
  }
}

enum StreamViewSQL {
  static let bytesOfOthers = SQL(
    "stream_view.bytes_of_others",
    """
    SELECT coalesce(sum(length(CAST(sql AS BLOB))), 0) FROM sqlite_master
    WHERE type = 'view' AND name LIKE '%/%' AND name <> ?1 COLLATE NOCASE
    """)
  static let setForm = SQL(
    "stream_view.set_form", "UPDATE sync_stream SET has_columns = ?2 WHERE id = ?1")
  static let name = SQL("stream_view.name", "SELECT view FROM sync_stream WHERE id = ?1")
  static let isTaken = SQL(
    "stream_view.is_taken",
    "SELECT 1 FROM sync_stream WHERE view IS NOT NULL AND view = ?1 COLLATE NOCASE")
  static let setName = SQL(
    "stream_view.set_name", "UPDATE sync_stream SET view = ?2 WHERE id = ?1")
  static let names = SQL(
    "stream_view.names", "SELECT view FROM sync_stream WHERE source = ?1 AND view IS NOT NULL")
  static let forgetNames = SQL(
    "stream_view.forget_names",
    "UPDATE sync_stream SET view = NULL, has_columns = 0 WHERE source = ?1")
}
