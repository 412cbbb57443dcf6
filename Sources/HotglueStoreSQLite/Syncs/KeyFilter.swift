import HotglueStore

/// Tells of most keys that they are not in a set, in 128 KiB however large the set is.
struct KeyFilter {
  private static let bits: UInt64 = 1 << 20
  private var words = [UInt64](repeating: 0, count: Int(Self.bits >> 6))

  mutating func insert(_ hash: UInt64) {
    let bit = hash & (Self.bits - 1)
    words[Int(bit >> 6)] |= 1 << (bit & 63)
  }

  /// False: it was not inserted.
  func mayContain(_ hash: UInt64) -> Bool {
    let bit = hash & (Self.bits - 1)
    return words[Int(bit >> 6)] & (1 << (bit & 63)) != 0
  }
}

extension RecordKey {
  /// The same as of a batch's key that is equal.
  var filterHash: UInt64 {
    switch self {
    case .integer(let number): KeyHash.of(number)
    case .text(let text): KeyHash.of(text.utf8)
    case .bytes(let bytes): KeyHash.of(bytes)
    }
  }
}

extension RecordBatch.Key {
  func filterHash(in bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
    switch self {
    case .integer(let number): KeyHash.of(number)
    case .text(let place), .bytes(let place): KeyHash.of(bytes[place])
    case .content(let high, let low): RecordKey.content(high, low).filterHash
    }
  }
}

/// FNV-1a, with the high bits mixed into those that count.
private enum KeyHash {
  static func of(_ bytes: some Sequence<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    return hash ^ (hash >> 32)
  }

  static func of(_ number: Int64) -> UInt64 {
    let product = UInt64(bitPattern: number) &* 0x9E37_79B9_7F4A_7C15
    return product ^ (product >> 32)
  }
}
