/// What an automation draws by its name: the values of `~` and its jitter. Stable, so that a preview
/// holds, and different from one automation to the next.
public enum AutomationSeed {
  /// FNV-1a of workspace and name.
  public static func of(_ name: String, in workspace: String) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in "\(workspace)\n\(name)".utf8 {
      hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
    }
    return hash
  }

  /// The offset in [0, `jitter`) of an automation.
  public static func offset(_ jitter: Span, seed: UInt64) -> Span {
    let share = Jitter.hash(seed, 0x6A69_7474_6572)
    let width = UInt64(clamping: jitter.milliseconds)
    return Span(milliseconds: Int64(share.multipliedFullWidth(by: width).high))
  }
}

extension Schedule {
  /// The shortest time between two occurrences, as far as the coming year shows; at most 2,000 are
  /// looked at.
  public func shortestInterval(zone: Zone, from second: Int64) -> Span? {
    if case .every(let span) = self { return span }
    let year = second..<second + 366 * 86_400
    let found = occurrences(zone: zone, in: year, limit: 2000).map(\.second)
    return zip(found, found.dropFirst()).map { Span.seconds($1 - $0) }.min()
  }
}
