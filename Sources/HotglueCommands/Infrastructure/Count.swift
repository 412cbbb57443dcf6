/// A number with what it counts: `1 job`, `2 jobs`, `1 loss`.
enum Count {
  static func of(_ number: some BinaryInteger, _ noun: String) -> String {
    guard number != 1 else { return "1 \(noun)" }
    return "\(number) \(noun)\(noun.hasSuffix("ss") ? "es" : "s")"
  }
}
