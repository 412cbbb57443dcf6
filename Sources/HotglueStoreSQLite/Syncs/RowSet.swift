/// A set of row numbers, a bit each, in pieces of 65,536: what a million rows in a row take is 128 KiB.
struct RowSet {
  private var chunks: [Int64: [UInt64]] = [:]
  /// Pieces that changed since `takeChanged`.
  private var changed: Set<Int64> = []
  static let bitsPerChunk: Int64 = 65_536

  init() {}

  func contains(_ row: Int64) -> Bool {
    guard let words = chunks[row >> 16] else { return false }
    return words[Int(row & 0xFFFF) >> 6] & (1 << UInt64(row & 63)) != 0
  }

  mutating func insert(_ row: Int64) {
    let bit: UInt64 = 1 << UInt64(row & 63)
    let place = Int(row & 0xFFFF) >> 6
    chunks[row >> 16, default: Array(repeating: 0, count: 1024)][place] |= bit
    changed.insert(row >> 16)
  }

  mutating func remove(_ row: Int64) {
    let bit: UInt64 = 1 << UInt64(row & 63)
    chunks[row >> 16]?[Int(row & 0xFFFF) >> 6] &= ~bit
  }

  /// The least row that is not below `row`.
  func first(from row: Int64) -> Int64? {
    for chunk in chunks.keys.sorted() where chunk >= row >> 16 {
      guard let words = chunks[chunk] else { continue }
      var place = chunk == row >> 16 ? Int(row & 0xFFFF) >> 6 : 0
      var mask: UInt64 = chunk == row >> 16 ? ~0 << UInt64(row & 63) : ~0
      while place < words.count {
        let word = words[place] & mask
        if word != 0 { return chunk << 16 + Int64(place << 6 + word.trailingZeroBitCount) }
        mask = ~0
        place += 1
      }
    }
    return nil
  }

  mutating func removeAll() {
    chunks = [:]
    changed = []
  }

  /// All pieces are to be taken by `takeChanged` once more.
  mutating func markAllChanged() { changed = Set(chunks.keys) }

  /// Adds the rows of a piece.
  mutating func load(_ bytes: [UInt8], chunk: Int64) {
    var words = chunks[chunk] ?? Array(repeating: UInt64(0), count: 1024)
    for (index, byte) in bytes.enumerated() where index < 8192 {
      words[index >> 3] |= UInt64(byte) << UInt64((index & 7) * 8)
    }
    chunks[chunk] = words
  }

  /// The pieces that changed since this was asked last, without the zeros at their end.
  mutating func takeChanged() -> [(chunk: Int64, bytes: [UInt8])] {
    let found = changed.sorted().map { chunk in
      var bytes = (chunks[chunk] ?? []).flatMap { word in
        (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64($0 * 8)) }
      }
      while bytes.last == 0 { bytes.removeLast() }
      return (chunk: chunk, bytes: bytes)
    }
    changed = []
    return found
  }
}
