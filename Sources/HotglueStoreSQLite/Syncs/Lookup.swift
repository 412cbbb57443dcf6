import CSQLite
import HotglueStore

/// The newest version of a key, as one lookup finds it.
struct FoundVersion {
  var id: Int64
  /// The record's bytes within the running statement; `nil` when it was removed.
  var data: UnsafeBufferPointer<UInt8>?
}

/// Finds and writes versions without an allocation per record: keys and data are bound where they lie
/// in the batch, which outlives each statement.
struct VersionStatements {
  private let find: OpaquePointer
  private let insert: OpaquePointer
  private let overwrite: OpaquePointer
  private let connection: Connection

  init(_ connection: Connection) throws(StoreError) {
    self.connection = connection
    find = try connection.statement(SyncSQL.versionsOfKey)
    insert = try connection.statement(SyncSQL.insertVersion)
    overwrite = try connection.statement(SyncSQL.overwriteVersion)
  }

  /// Runs `body` with the newest version of the key that is not a dead run's, or `nil`.
  func newest<T>(
    stream: Int64, key: BoundKey, dead: DeadRanges, _ body: (FoundVersion?) -> T
  ) throws(StoreError) -> T {
    sqlite3_bind_int64(find, 1, stream)
    key.bind(to: find, 2)
    defer { sqlite3_reset(find) }
    while true {
      let code = sqlite3_step(find)
      if code == SQLITE_DONE { return body(nil) }
      guard code == SQLITE_ROW else { throw connection.failure(code, "sync.versions_of_key") }
      let id = sqlite3_column_int64(find, 0)
      if !dead.ranges.isEmpty, dead.contains(id) { continue }
      guard sqlite3_column_type(find, 1) != SQLITE_NULL else {
        return body(FoundVersion(id: id, data: nil))
      }
      let start = sqlite3_column_blob(find, 1)?.assumingMemoryBound(to: UInt8.self)
      let count = Int(sqlite3_column_bytes(find, 1))
      return body(
        FoundVersion(id: id, data: UnsafeBufferPointer(start: start, count: count)))
    }
  }

  /// `data` without an address is a removal.
  func insert(
    _ id: Int64, stream: Int64, key: BoundKey, at: Int64, data: UnsafeBufferPointer<UInt8>
  ) throws(StoreError) {
    sqlite3_bind_int64(insert, 1, id)
    sqlite3_bind_int64(insert, 2, stream)
    key.bind(to: insert, 3)
    sqlite3_bind_int64(insert, 4, at)
    bindText(data, to: insert, 5)
    try run(insert, "sync.insert_version")
  }

  func overwrite(
    _ id: Int64, at: Int64, data: UnsafeBufferPointer<UInt8>
  ) throws(StoreError) {
    sqlite3_bind_int64(overwrite, 1, id)
    sqlite3_bind_int64(overwrite, 2, at)
    bindText(data, to: overwrite, 3)
    try run(overwrite, "sync.overwrite_version")
  }

  private func run(_ statement: OpaquePointer, _ name: String) throws(StoreError) {
    let code = sqlite3_step(statement)
    sqlite3_reset(statement)
    guard code == SQLITE_DONE else { throw connection.failure(code, name) }
  }

  private func bindText(
    _ bytes: UnsafeBufferPointer<UInt8>, to statement: OpaquePointer, _ index: Int32
  ) {
    guard let start = bytes.baseAddress else {
      sqlite3_bind_null(statement, index)
      return
    }
    start.withMemoryRebound(to: CChar.self, capacity: bytes.count) {
      _ = sqlite3_bind_text(statement, index, $0, Int32(bytes.count), nil)
    }
  }
}

/// A key that lies in a batch, ready to be bound.
enum BoundKey {
  case integer(Int64)
  case text(UnsafeBufferPointer<UInt8>)
  case bytes(UnsafeBufferPointer<UInt8>)
  /// A record without a key: the number it came with, so that records lie in the order in which they
  /// came, and the hash of its content.
  case copy(number: Int64, UInt64, UInt64)

  func bind(to statement: OpaquePointer, _ index: Int32) {
    switch self {
    case .integer(let number): sqlite3_bind_int64(statement, index, number)
    case .text(let bytes):
      guard let start = bytes.baseAddress else {
        _ = csqlite_bind_text(statement, index, "", 0)
        return
      }
      start.withMemoryRebound(to: CChar.self, capacity: bytes.count) {
        _ = sqlite3_bind_text(statement, index, $0, Int32(bytes.count), nil)
      }
    case .bytes(let bytes):
      sqlite3_bind_blob(statement, index, bytes.baseAddress, Int32(bytes.count), nil)
    case .copy(let number, let high, let low):
      withUnsafeBytes(of: (number.bigEndian, high.bigEndian, low.bigEndian)) { room in
        _ = csqlite_bind_blob(statement, index, room.baseAddress, 24)
      }
    }
  }
}
