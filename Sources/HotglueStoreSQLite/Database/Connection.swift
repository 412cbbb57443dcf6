import CSQLite
import HotglueCore
import HotglueStore

/// One connection to a SQLite file: prepared statements by name, and errors as `StoreError`.
///
/// It is used by one thread at a time (`NOMUTEX`). It never checkpoints by itself, neither after a
/// commit nor at its close: the writer gate decides when that is safe.
final class Connection {
  let path: String
  let handle: OpaquePointer
  private let logLength = UnsafeMutablePointer<UInt32>.allocate(capacity: 1)
  private var prepared: [UnsafePointer<UInt8>: OpaquePointer] = [:]
  /// The statement that was given a snapshot of its own, because the schema kept changing.
  private var snapshotHolder: OpaquePointer?

  enum Access {
    case readWrite, readOnly
    /// For reading only, and without anything that lies beside the file: no log, no journal.
    case alone
  }

  /// `path` holds no symbolic link: SQLite, and what it writes a copy into, follow none, not even one that
  /// another user puts there in the moment of the open.
  init(path: String, access: Access = .readWrite) throws(StoreError) {
    csqlite_prepare_process()
    let flags =
      (access == .readWrite ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY)
      | (access == .alone ? SQLITE_OPEN_URI : 0) | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
      | SQLITE_OPEN_NOFOLLOW
    var opened: OpaquePointer?
    let name = access == .alone ? Self.address(ofUnchanging: path) : path
    let code = sqlite3_open_v2(name, &opened, flags, nil)
    logLength.initialize(to: 0)
    guard code == SQLITE_OK, let opened else {
      logLength.deallocate()
      let text = opened.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
      sqlite3_close_v2(opened)
      throw StoreError(code: code, message: text, path: path)
    }
    self.path = path
    handle = opened
    sqlite3_busy_timeout(handle, Self.busyMilliseconds)
    sqlite3_wal_autocheckpoint(handle, 0)
    _ = csqlite_configure(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    _ = csqlite_configure(handle, SQLITE_DBCONFIG_ENABLE_FKEY, 1)
    // A store holds no code: what others put into its schema does nothing.
    _ = csqlite_configure(handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0)
    _ = csqlite_configure(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
    _ = csqlite_configure(handle, SQLITE_DBCONFIG_DEFENSIVE, 1)
    sqlite3_wal_hook(
      handle,
      { context, _, _, frames in
        context?.assumingMemoryBound(to: UInt32.self).pointee = UInt32(max(0, frames))
        return SQLITE_OK
      }, logLength)
  }

  /// As SQLite names a file that nobody writes, and that has nothing beside it.
  private static func address(ofUnchanging path: String) -> String {
    var address = "file:"
    for byte in path.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."),
        UInt8(ascii: "-"), UInt8(ascii: "_"):
        address.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        let digits = String(byte, radix: 16)
        address += "%" + (digits.count < 2 ? "0" : "") + digits
      }
    }
    return address + "?immutable=1"
  }

  /// How many frames the log has after a commit, taken once: `nil` when nothing was written since it
  /// was asked last, because then this connection cannot tell.
  func takeFramesInLog() -> UInt32? {
    defer { logLength.pointee = 0 }
    return logLength.pointee == 0 ? nil : logLength.pointee
  }

  /// For the recovery of the log by a first reader, and for other programs that write; hotglue's
  /// own writers wait at the gate.
  static let busyMilliseconds: Int32 = 5000

  deinit {
    for statement in prepared.values { sqlite3_finalize(statement) }
    sqlite3_close_v2(handle)
    logLength.deallocate()
  }

  // MARK: Statements

  /// Runs a statement that returns no rows; the number of rows it changed.
  @discardableResult
  func run(_ sql: SQL, _ values: [SQLValue] = []) throws(StoreError) -> Int {
    let statement = try bound(sql, values)
    defer { reset(statement) }
    let code = firstStep(statement)
    guard code == SQLITE_DONE || code == SQLITE_ROW else { throw failure(code, sql) }
    return Int(sqlite3_changes64(handle))
  }

  /// The first row, decoded; `nil` when there is none.
  func first<T>(
    _ sql: SQL, _ values: [SQLValue] = [], _ decode: (Row) throws(StoreError) -> T
  ) throws(StoreError) -> T? {
    let statement = try bound(sql, values)
    defer { reset(statement) }
    let code = firstStep(statement)
    if code == SQLITE_DONE { return nil }
    guard code == SQLITE_ROW else { throw failure(code, sql) }
    return try decode(Row(statement: statement))
  }

  /// All rows, decoded.
  func all<T>(
    _ sql: SQL, _ values: [SQLValue] = [], _ decode: (Row) throws(StoreError) -> T
  ) throws(StoreError) -> [T] {
    let statement = try bound(sql, values)
    defer { reset(statement) }
    return try rows(of: statement, name: sql.name.description, decode)
  }

  /// All rows of a statement whose text is put together at run time; it is not kept.
  func all<T>(
    text: String, _ values: [SQLValue] = [], _ decode: (Row) throws(StoreError) -> T
  ) throws(StoreError) -> [T] {
    var made: OpaquePointer?
    let code = sqlite3_prepare_v3(handle, text, -1, 0, &made, nil)
    guard code == SQLITE_OK, let statement = made else { throw failure(code, text) }
    defer {
      reset(statement)
      sqlite3_finalize(statement)
    }
    try bind(values, to: statement, name: text)
    return try rows(of: statement, name: text, decode)
  }

  /// Runs a script of statements without parameters.
  func execute(_ script: String) throws(StoreError) {
    let code = sqlite3_exec(handle, script, nil, nil, nil)
    guard code == SQLITE_OK else { throw failure(code, script) }
  }

  var lastInsertedID: Int64 { sqlite3_last_insert_rowid(handle) }

  private func rows<T>(
    of statement: OpaquePointer, name: String, _ decode: (Row) throws(StoreError) -> T
  ) throws(StoreError) -> [T] {
    var found: [T] = []
    var code = firstStep(statement)
    while code == SQLITE_ROW {
      found.append(try decode(Row(statement: statement)))
      code = sqlite3_step(statement)
    }
    guard code == SQLITE_DONE else { throw failure(code, name) }
    return found
  }

  /// The first step of a statement. SQLite prepares it again when the schema has changed, and gives up
  /// when it changes again each time, as while a sync declares many streams. Within a snapshot the
  /// schema is one, so the statement is given one of its own until `reset`.
  private func firstStep(_ statement: OpaquePointer) -> Int32 {
    let code = sqlite3_step(statement)
    guard code & 0xFF == SQLITE_SCHEMA, sqlite3_get_autocommit(handle) != 0 else { return code }
    sqlite3_reset(statement)
    guard sqlite3_exec(handle, "BEGIN", nil, nil, nil) == SQLITE_OK else { return code }
    snapshotHolder = statement
    return sqlite3_step(statement)
  }

  private func reset(_ statement: OpaquePointer) {
    sqlite3_reset(statement)
    guard snapshotHolder == statement else { return }
    snapshotHolder = nil
    sqlite3_exec(handle, "COMMIT", nil, nil, nil)
  }

  private func bound(_ sql: SQL, _ values: [SQLValue]) throws(StoreError) -> OpaquePointer {
    let statement = try statement(sql)
    try bind(values, to: statement, name: "\(sql.name)")
    return statement
  }

  /// The prepared form; for callers that bind and step by themselves, and reset it when they are done.
  func statement(_ sql: SQL) throws(StoreError) -> OpaquePointer {
    let address = sql.text.utf8Start
    if let known = prepared[address] { return known }
    var made: OpaquePointer?
    let code = address.withMemoryRebound(to: CChar.self, capacity: sql.text.utf8CodeUnitCount) {
      sqlite3_prepare_v3(
        handle, $0, Int32(sql.text.utf8CodeUnitCount), UInt32(SQLITE_PREPARE_PERSISTENT), &made,
        nil)
    }
    guard code == SQLITE_OK, let made else { throw failure(code, sql) }
    prepared[address] = made
    return made
  }

  private func bind(
    _ values: [SQLValue], to statement: OpaquePointer, name: @autoclosure () -> String
  ) throws(StoreError) {
    var index: Int32 = 0
    for value in values {
      index += 1
      let code: Int32
      switch value {
      case .null: code = sqlite3_bind_null(statement, index)
      case .integer(let number): code = sqlite3_bind_int64(statement, index, number)
      case .bytes(let bytes):
        code = bytes.withUnsafeBytes { room in
          // No bytes at all may have no address, which SQLite would take for NULL.
          guard let start = room.baseAddress else {
            return sqlite3_bind_zeroblob(statement, index, 0)
          }
          return csqlite_bind_blob(statement, index, start, Int32(room.count))
        }
      case .text(var string):
        code = string.withUTF8 { bytes in
          // An empty string may have no address, which SQLite would take for NULL.
          guard let start = bytes.baseAddress else {
            return csqlite_bind_text(statement, index, "", 0)
          }
          return start.withMemoryRebound(to: CChar.self, capacity: bytes.count) {
            csqlite_bind_text(statement, index, $0, Int32(bytes.count))
          }
        }
      }
      guard code == SQLITE_OK else { throw failure(code, name()) }
    }
  }

  // MARK: Errors

  private func failure(_ code: Int32, _ sql: SQL) -> StoreError {
    failure(code, sql.name.description)
  }

  func failure(_ code: Int32, _ name: String) -> StoreError {
    let message = String(cString: sqlite3_errmsg(handle))
    return StoreError(code: code, message: "\(message) (\(name))", path: path)
  }
}
