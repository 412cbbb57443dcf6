/// How long to wait before the next attempt: `KIND[:BASE[:CAP]]`, for example `exponential:10s:1h`.
public struct Backoff: Hashable, Sendable {
  public enum Kind: String, CaseIterable, Sendable {
    case exponential, linear, fixed
  }

  public var kind: Kind
  public var base: Span
  public var cap: Span

  public init(kind: Kind, base: Span = .seconds(10), cap: Span = .hours(1)) {
    self.kind = kind
    self.base = base
    self.cap = cap
  }

  public static let standard = Backoff(kind: .exponential)

  /// Reads `KIND[:BASE[:CAP]]`; a cap below the base is refused.
  public init?(_ text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard (1...3).contains(parts.count), let kind = Kind(rawValue: parts[0]) else { return nil }
    self.init(kind: kind)
    if parts.count > 1 {
      guard let base = Span(parts[1]) else { return nil }
      self.base = base
      if base > cap { cap = base }
    }
    if parts.count > 2 {
      guard let cap = Span(parts[2]), cap >= base else { return nil }
      self.cap = cap
    }
  }

  public var text: String { "\(kind.rawValue):\(base.text):\(cap.text)" }

  /// The wait after the `count`th failure (from 1), before jitter.
  func plainDelay(afterFailure count: Int) -> Span {
    let grown: Int64
    switch kind {
    case .fixed: grown = base.milliseconds
    case .linear:
      let (product, overflow) = base.milliseconds.multipliedReportingOverflow(
        by: Int64(max(1, count)))
      grown = overflow ? cap.milliseconds : product
    case .exponential:
      // Past 40 doublings every base of a millisecond or more is over any cap.
      let doublings = min(max(0, count - 1), 40)
      let (product, overflow) = base.milliseconds.multipliedReportingOverflow(by: 1 << doublings)
      grown = overflow ? cap.milliseconds : product
    }
    return Span(milliseconds: min(grown, cap.milliseconds))
  }
}

/// How much chance is mixed into a delay. The chance is a hash of job and attempt, not a dice
/// roll, so the next times can be previewed exactly.
public enum Jitter: String, CaseIterable, Sendable {
  /// The delay as it is.
  case none
  /// Half the delay, and a share of the other half.
  case equal
  /// A share of the delay.
  case full

  func applied(to delay: Span, job: JobID, attempt: Int) -> Span {
    let share = Self.hash(UInt64(bitPattern: job), UInt64(bitPattern: Int64(attempt)))
    func portion(_ milliseconds: Int64) -> Int64 {
      Int64(share.multipliedFullWidth(by: UInt64(milliseconds)).high)
    }
    switch self {
    case .none: return delay
    case .equal:
      let half = delay.milliseconds / 2
      return Span(milliseconds: half + portion(delay.milliseconds - half))
    case .full: return Span(milliseconds: portion(delay.milliseconds))
    }
  }

  /// Two rounds of SplitMix64 (Steele, Lea, Flood 2014): every bit of the input reaches every bit
  /// of the output. It must never change: recorded previews rely on it.
  static func hash(_ first: UInt64, _ second: UInt64) -> UInt64 {
    func mix(_ value: UInt64) -> UInt64 {
      var z = value &+ 0x9E37_79B9_7F4A_7C15
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
    return mix(mix(first) ^ second)
  }
}
