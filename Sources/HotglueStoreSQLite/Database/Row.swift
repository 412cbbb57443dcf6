import CSQLite
import HotglueStore

/// The current row of a running statement; valid only inside the closure that gets it.
struct Row {
  let statement: OpaquePointer

  func isNull(_ column: Int32) -> Bool { sqlite3_column_type(statement, column) == SQLITE_NULL }

  /// A number of a row. What is damaged or was put there by other programs is bounded, so that the
  /// arithmetic of moments, lengths and counts on it cannot overflow. Hotglue stores no larger ones.
  func integer(_ column: Int32) -> Int64 {
    min(max(exactInteger(column), -Self.largest), Self.largest)
  }

  /// A number of which all bits count: a key of a record, a hash, a time of the kernel.
  func exactInteger(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }

  /// 142,000 years of milliseconds; times 1,000 it still fits.
  static let largest: Int64 = 1 << 52

  func text(_ column: Int32) -> String {
    guard let bytes = sqlite3_column_text(statement, column) else { return "" }
    let count = Int(sqlite3_column_bytes(statement, column))
    return String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
  }

  func bytes(_ column: Int32) -> [UInt8] {
    guard let start = sqlite3_column_blob(statement, column) else { return [] }
    return Array(
      UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, column))))
  }

  func recordKey(_ column: Int32) -> RecordKey {
    switch sqlite3_column_type(statement, column) {
    case SQLITE_INTEGER: .integer(exactInteger(column))
    case SQLITE_TEXT: .text(text(column))
    default: .bytes(bytes(column))
    }
  }

  func optionalInteger(_ column: Int32) -> Int64? { isNull(column) ? nil : integer(column) }
  func optionalText(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }

  /// Reads the columns one after the other, in the order in which the statement names them.
  func columns(from first: Int32 = 0) -> Columns { Columns(row: self, next: first) }
}

struct Columns {
  private let row: Row
  private var next: Int32

  fileprivate init(row: Row, next: Int32) {
    self.row = row
    self.next = next
  }

  private mutating func take() -> Int32 {
    next += 1
    return next - 1
  }

  mutating func integer() -> Int64 { row.integer(take()) }
  mutating func exactInteger() -> Int64 { row.exactInteger(take()) }
  mutating func count() -> Int { Int(row.integer(take())) }
  mutating func flag() -> Bool { row.integer(take()) != 0 }
  mutating func text() -> String { row.text(take()) }
  mutating func optionalInteger() -> Int64? { row.optionalInteger(take()) }
  mutating func optionalCount() -> Int? { row.optionalInteger(take()).map { Int($0) } }
  mutating func optionalText() -> String? { row.optionalText(take()) }
}
