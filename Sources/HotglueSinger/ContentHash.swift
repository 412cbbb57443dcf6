/// The identity of a record that has no key: 128 bits over its members, in whatever order they come.
///
/// Two different records of one stream with the same hash would be taken for one. At 128 bits that is
/// not to be expected of any data that nobody made for it; a tap that wants to lose records need not send them.
struct ContentHash {
  private(set) var high: UInt64 = 0x243F_6A88_85A3_08D3
  private(set) var low: UInt64 = 0x1319_8A2E_0370_7344

  /// Adds a member: sums do not depend on the order.
  mutating func add(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) {
    high &+= Self.hash(value, Self.hash(name, 0xA409_3822_299F_31D0))
    low &+= Self.hash(value, Self.hash(name, 0x082E_FA98_EC4E_6C89))
  }

  private static func hash(_ bytes: UnsafeBufferPointer<UInt8>, _ seed: UInt64) -> UInt64 {
    let raw = UnsafeRawBufferPointer(bytes)
    var state = seed ^ UInt64(bytes.count) &* 0x9E37_79B9_7F4A_7C15
    var index = 0
    while index &+ 8 <= bytes.count {
      let word = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: index, as: UInt64.self))
      state = mix(state ^ word)
      index &+= 8
    }
    var tail: UInt64 = 0
    while index < bytes.count {
      tail = tail << 8 | UInt64(bytes[index])
      index &+= 1
    }
    return mix(mix(state ^ tail))
  }

  /// One round of multiplication over 128 bits, folded.
  private static func mix(_ value: UInt64) -> UInt64 {
    let product = (value ^ 0xE703_7ED1_A0B4_28DB).multipliedFullWidth(by: 0x8EBC_6AF0_9C88_C6E3)
    return product.high ^ product.low
  }
}
