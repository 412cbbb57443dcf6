import HotglueCore
import HotglueStore

extension SQLiteSyncSession {
  /// Takes one of the records of this content that were there before and may come again: its version,
  /// or `nil` when there is none.
  ///
  /// They are listed by content once, when the first record of a stream without keys comes, in a
  /// temporary table of this connection: on disk, so that memory stays flat, and nobody else's
  /// concern, so that nobody waits. An index of contents in the store itself would be written to in
  /// random places, a page for each record. Of a run that resumes only what was received since its
  /// bookmark is listed, until a record may be any.
  func takeCopy(
    of content: ContentKey, _ repetition: RecordBatch.Repetition, stream index: Int
  ) throws(StoreError) -> Int64? {
    try listCopies(of: index, repetition)
    let place: [SQLValue] = [
      .integer(streams[index].id), .integer(Int64(bitPattern: content.high)),
      .integer(Int64(bitPattern: content.low)),
    ]
    let floor = repetition == .recent ? streams[index].repeats.resumesAbove : 0
    let found = try connection.first(
      CopySQL.find, place + [.integer(floor)], { (rank: $0.integer(0), id: $0.integer(1)) })
    guard let found else { return nil }
    try connection.run(CopySQL.take, place + [.integer(found.rank), .integer(found.id)])
    return found.id
  }

  private func listCopies(
    of index: Int, _ repetition: RecordBatch.Repetition
  ) throws(StoreError) {
    let repeats = streams[index].repeats
    switch (repeats.listed, repetition) {
    case (.all, _), (.recent, .recent), (_, .never): return
    case (.none, _):
      try connection.execute(CopySQL.table)
      try connection.run(CopySQL.clear, [.integer(streams[index].id)])
    case (.recent, .any): break
    }
    if repeats.listed == .none {
      try listCopies(of: index, above: repeats.resumesAbove, upTo: repeats.begun)
      streams[index].repeats.listed = .recent
    }
    if repetition == .any {
      try listCopies(of: index, above: 0, upTo: min(repeats.resumesAbove, repeats.begun))
      streams[index].repeats.listed = .all
    }
  }

  /// Keys of records without one begin with their numbers, so a range of versions lies together.
  private func listCopies(
    of index: Int, above low: Int64, upTo high: Int64
  ) throws(StoreError) {
    guard low < high else { return }
    var after = RecordKey.bytes(
      withUnsafeBytes(of: (low + 1).bigEndian) { Array($0) })
    var isMore = true
    while isMore {
      let page = try versions(of: index, after: after, limit: 1000)
      isMore = page.count == 1000
      for version in page where version.key != after {
        after = version.key
        guard case .bytes(let bytes) = version.key, bytes.count == 24 else { continue }
        guard Self.number(bytes[0..<8]) <= high else {
          isMore = false
          break
        }
        if version.isRemoval { continue }
        let wasSent = streams[index].wasSent(version.id)
        // What this replacement of the stream has sent already comes again only past the bookmark.
        if wasSent, streams[index].replacement != nil,
          version.id <= streams[index].repeats.resumesAbove
        {
          continue
        }
        streams[index].repeats.expect(version.id)
        try connection.run(
          CopySQL.add,
          [
            .integer(streams[index].id), .integer(Self.number(bytes[8..<16])),
            .integer(Self.number(bytes[16..<24])), .flag(wasSent), .integer(version.id),
          ])
      }
    }
  }

  private static func number(_ bytes: ArraySlice<UInt8>) -> Int64 {
    Int64(bitPattern: bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
  }
}

/// The list of what a stream without keys held before the run. What a replacement has not sent yet
/// comes before what it has.
enum CopySQL {
  static let table = """
    CREATE TEMP TABLE IF NOT EXISTS sync_copy (
      stream INTEGER NOT NULL, high INTEGER NOT NULL, low INTEGER NOT NULL,
      was_sent INTEGER NOT NULL, id INTEGER NOT NULL,
      PRIMARY KEY (stream, high, low, was_sent, id)
    ) STRICT, WITHOUT ROWID
    """
  static let clear = SQL("copy.clear", "DELETE FROM temp.sync_copy WHERE stream = ?1")
  static let add = SQL(
    "copy.add",
    "INSERT INTO temp.sync_copy (stream, high, low, was_sent, id) VALUES (?1, ?2, ?3, ?4, ?5)")
  static let find = SQL(
    "copy.find",
    """
    SELECT was_sent, id FROM temp.sync_copy
    WHERE stream = ?1 AND high = ?2 AND low = ?3 AND id > ?4 ORDER BY was_sent, id LIMIT 1
    """)
  static let take = SQL(
    "copy.take",
    """
    DELETE FROM temp.sync_copy
    WHERE stream = ?1 AND high = ?2 AND low = ?3 AND was_sent = ?4 AND id = ?5
    """)
}
