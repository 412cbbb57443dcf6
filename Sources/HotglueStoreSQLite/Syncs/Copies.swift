import HotglueCore
import HotglueStore

extension SQLiteSyncSession {
  /// Takes one of the records of this content that were there before and were not sent yet: its version, or
  /// `nil` when there is none.
  ///
  /// They are listed by content once, when the first record of a stream without keys comes, in a
  /// temporary table of this connection: on disk, so that memory stays flat, and nobody else's
  /// concern, so that nobody waits. An index of contents in the store itself would be written to in
  /// random places, a page for each record.
  func takeCopy(of content: ContentKey, stream index: Int) throws(StoreError) -> Int64? {
    if streams[index].listsCopies == nil { try listCopies(of: index) }
    guard streams[index].listsCopies == true else { return nil }
    let place: [SQLValue] = [
      .integer(streams[index].id), .integer(Int64(bitPattern: content.high)),
      .integer(Int64(bitPattern: content.low)),
    ]
    let found = try connection.first(CopySQL.find, place, { $0.integer(0) })
    guard let found else { return nil }
    try connection.run(CopySQL.take, place + [.integer(found)])
    return found
  }

  private func listCopies(of index: Int) throws(StoreError) {
    try connection.execute(CopySQL.table)
    try connection.run(CopySQL.clear, [.integer(streams[index].id)])
    var after: RecordKey?
    var isAny = false
    var isMore = true
    while isMore {
      let page = try versions(of: index, after: after, limit: 1000)
      for version in page where version.key != after {
        after = version.key
        guard !version.isRemoval, !streams[index].wasSent(version.id),
          case .bytes(let bytes) = version.key, bytes.count == 24
        else { continue }
        isAny = true
        try connection.run(
          CopySQL.add,
          [
            .integer(streams[index].id), .integer(Self.number(bytes[8..<16])),
            .integer(Self.number(bytes[16..<24])), .integer(version.id),
          ])
      }
      isMore = page.count == 1000
    }
    streams[index].listsCopies = isAny
  }

  private static func number(_ bytes: ArraySlice<UInt8>) -> Int64 {
    Int64(bitPattern: bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
  }
}

/// The list of what a stream without keys held before the run.
enum CopySQL {
  static let table = """
    CREATE TEMP TABLE IF NOT EXISTS sync_copy (
      stream INTEGER NOT NULL, high INTEGER NOT NULL, low INTEGER NOT NULL, id INTEGER NOT NULL,
      PRIMARY KEY (stream, high, low, id)
    ) STRICT, WITHOUT ROWID
    """
  static let clear = SQL("copy.clear", "DELETE FROM temp.sync_copy WHERE stream = ?1")
  static let add = SQL(
    "copy.add", "INSERT INTO temp.sync_copy (stream, high, low, id) VALUES (?1, ?2, ?3, ?4)")
  static let find = SQL(
    "copy.find",
    """
    SELECT id FROM temp.sync_copy WHERE stream = ?1 AND high = ?2 AND low = ?3
    ORDER BY id LIMIT 1
    """)
  static let take = SQL(
    "copy.take",
    "DELETE FROM temp.sync_copy WHERE stream = ?1 AND high = ?2 AND low = ?3 AND id = ?4")
}
