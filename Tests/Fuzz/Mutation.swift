/// Changes to bytes that stay near what a reader accepts.
enum Mutation {
  /// `bytes` with some changes; `words` are pieces that mean something to the reader.
  static func of(_ bytes: [UInt8], words: [String], _ chance: inout Chance) -> [UInt8] {
    var out = bytes
    for _ in 0...chance.size(12) { change(&out, words, &chance) }
    return out
  }

  private static func change(_ out: inout [UInt8], _ words: [String], _ chance: inout Chance) {
    let place = chance.below(out.count + 1)
    let end = min(out.count, place + chance.below(chance.percent(80) ? 8 : out.count + 1))
    switch chance.below(8) {
    case 0 where place < out.count: out[place] = UInt8(truncatingIfNeeded: chance.next())
    case 1 where place < out.count: out[place] ^= 1 << UInt8(chance.below(8))
    case 2: out.removeSubrange(place..<end)
    case 3: out.insert(contentsOf: out[place..<end], at: chance.below(out.count + 1))
    case 4 where !words.isEmpty, 5 where !words.isEmpty:
      out.insert(contentsOf: Array(chance.pick(words).utf8), at: place)
    case 6:
      // Depth and length are what budgets are for.
      let piece = place < end ? Array(out[place..<end]) : [UInt8(ascii: "[")]
      let times = min(chance.size(2000), 60_000 / piece.count)
      out.insert(
        contentsOf: Array(repeatElement(piece, count: times).joined()), at: place)
    default:
      let odd: [UInt8] = [0, 0x0A, 0x1B, 0x22, 0x5C, 0x7F, 0x80, 0xC0, 0xED, 0xF5, 0xFF]
      out.insert(chance.pick(odd), at: place)
    }
  }
}
