import Glibc
import HotglueCore
import HotglueStore

/// The records of a batch in the order of streams and keys, and those of one key as they came.
///
/// Neighbours in a tree are then written one after the other, and a key's records lie together. Most
/// taps send in the order of their keys already: then nothing is sorted.
struct BatchOrder {
  private let batch: RecordBatch
  private let sorted: [Int32]?

  init(_ batch: RecordBatch) {
    self.batch = batch
    let entries = batch.entries
    sorted = batch.bytes.withUnsafeBufferPointer { bytes in
      var isSorted = true
      for index in 1..<max(1, entries.count)
      where Self.order(entries[index - 1], entries[index], bytes) > 0 {
        isSorted = false
        break
      }
      if isSorted { return nil }
      return (0..<Int32(entries.count)).sorted { left, right in
        let order = Self.order(entries[Int(left)], entries[Int(right)], bytes)
        return order != 0 ? order < 0 : left < right
      }
    }
  }

  subscript(place: Int) -> Int {
    guard let sorted else { return place }
    return Int(sorted[place])
  }

  func hasSameKey(_ left: Int, _ right: Int) -> Bool {
    batch.bytes.withUnsafeBufferPointer { bytes in
      Self.order(batch.entries[self[left]], batch.entries[self[right]], bytes) == 0
    }
  }

  /// As SQLite orders: whole numbers, then texts, then bytes. Records without a key stay
  /// in the order in which they came.
  private static func order(
    _ left: RecordBatch.Entry, _ right: RecordBatch.Entry, _ bytes: UnsafeBufferPointer<UInt8>
  ) -> Int {
    if left.stream != right.stream { return left.stream < right.stream ? -1 : 1 }
    switch (left.key, right.key) {
    case (.integer(let mine), .integer(let theirs)):
      return mine == theirs ? 0 : mine < theirs ? -1 : 1
    case (.text(let mine), .text(let theirs)), (.bytes(let mine), .bytes(let theirs)):
      return compare(bytes, mine, theirs)
    case (.content, .content): return 0
    default: return rank(left.key) - rank(right.key)
    }
  }

  private static func compare(
    _ bytes: UnsafeBufferPointer<UInt8>, _ left: Range<Int>, _ right: Range<Int>
  ) -> Int {
    guard let base = bytes.baseAddress else { return 0 }
    let order = memcmp(
      base + left.lowerBound, base + right.lowerBound, min(left.count, right.count))
    return order != 0 ? Int(order) : left.count - right.count
  }

  private static func rank(_ key: RecordBatch.Key) -> Int {
    switch key {
    case .integer: 0
    case .text: 1
    case .bytes: 2
    case .content: 3
    }
  }
}
