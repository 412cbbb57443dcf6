/// The only source of chance: a seed is one input, on every machine.
struct Chance {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// SplitMix64 (Steele, Lea, Flood 2014).
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func below(_ bound: Int) -> Int {
    Int(next().multipliedFullWidth(by: UInt64(max(1, bound))).high)
  }

  mutating func percent(_ share: Int) -> Bool { below(100) < share }

  mutating func pick<Element>(_ from: [Element]) -> Element { from[below(from.count)] }

  /// Mostly small, and sometimes up to the bound.
  mutating func size(_ most: Int) -> Int { below(1 + (percent(90) ? min(most, 6) : most)) }
}
