/// A length of time in whole milliseconds, never negative and at most 142,000 years, so that moments
/// and lengths can be added without overflow.
///
/// Written as a number and a unit: `500ms`, `30s`, `5m`, `2h`, `7d`. Read as `10min` and `1 hour`, too.
public struct Span: Comparable, Hashable, Sendable {
  public let milliseconds: Int64

  public init(milliseconds: Int64) { self.milliseconds = min(max(0, milliseconds), Self.longest) }
  public static func seconds(_ value: Int64) -> Span { Span(value, times: 1000) }
  public static func minutes(_ value: Int64) -> Span { Span(value, times: 60_000) }
  public static func hours(_ value: Int64) -> Span { Span(value, times: 3_600_000) }
  public static func days(_ value: Int64) -> Span { Span(value, times: 86_400_000) }

  private init(_ value: Int64, times unit: Int64) {
    let (product, overflow) = value.multipliedReportingOverflow(by: unit)
    self.init(milliseconds: overflow ? (value < 0 ? 0 : Self.longest) : product)
  }

  private static let longest: Int64 = 1 << 52
  public static let zero = Span(milliseconds: 0)

  public static func < (left: Span, right: Span) -> Bool {
    left.milliseconds < right.milliseconds
  }
}

extension Span {
  private static let units: [(suffix: String, milliseconds: Int64)] = [
    ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
  ]

  /// How else people write a unit.
  private static let unitWords: [(words: Set<String>, milliseconds: Int64)] = [
    (["s", "sec", "secs", "second", "seconds"], 1000),
    (["m", "min", "mins", "minute", "minutes"], 60_000),
    (["h", "hr", "hrs", "hour", "hours"], 3_600_000), (["d", "day", "days"], 86_400_000),
    (["w", "week", "weeks"], 604_800_000), (["ms", "msec"], 1),
  ]

  /// Reads `500ms`, `1.5s`, `1h30m`, `10min`, `1 hour`, or a bare `0`. Any other number needs its unit.
  /// The longest span is 100 years.
  public init?(_ text: String) {
    if text == "0" {
      self = .zero
      return
    }
    var rest = text[...]
    var total: Int64 = 0
    guard !rest.isEmpty, rest.last != " " else { return nil }
    while !rest.isEmpty {
      let number = rest.prefix { ("0"..."9").contains($0) || $0 == "." }
      rest = rest.dropFirst(number.count)
      rest = rest.drop { $0 == " " }
      let letters = rest.prefix { ("a"..."z").contains($0) }
      rest = rest.dropFirst(letters.count).drop { $0 == " " }
      guard let unit = Self.unitWords.first(where: { $0.words.contains(String(letters)) }),
        let part = Self.scaled(number, by: unit.milliseconds)
      else { return nil }
      total += part
      guard total <= 100 * 365 * 86_400_000 else { return nil }
    }
    milliseconds = total
  }

  /// `number` times `unit`, exact in integers: `1.5` hours is 5,400,000 ms.
  private static func scaled(_ number: Substring, by unit: Int64) -> Int64? {
    let parts = number.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count <= 2, let whole = Int64(parts[0]), whole >= 0 else { return nil }
    let (product, overflow) = whole.multipliedReportingOverflow(by: unit)
    guard !overflow, product <= 100 * 365 * 86_400_000 else { return nil }
    guard parts.count == 2 else { return product }
    guard (1...6).contains(parts[1].count), let digits = Int64(parts[1]) else { return nil }
    var scale: Int64 = 1
    for _ in parts[1] { scale *= 10 }
    return product + digits * unit / scale
  }

  /// The span in the largest unit that writes it exactly: `90s` is `90s`, `120s` is `2m`.
  public var text: String {
    guard milliseconds > 0 else { return "0s" }
    for unit in Self.units.reversed() where milliseconds % unit.milliseconds == 0 {
      return "\(milliseconds / unit.milliseconds)\(unit.suffix)"
    }
    return "\(milliseconds)ms"
  }

  /// The span for a person: its two largest units, rounded down (`1h 5m`, `3.2s`, `40ms`).
  public var approximateText: String {
    let seconds = milliseconds / 1000
    switch milliseconds {
    case ..<1000: return "\(milliseconds)ms"
    case ..<10_000: return "\(seconds).\(milliseconds % 1000 / 100)s"
    case ..<60_000: return "\(seconds)s"
    case ..<3_600_000: return "\(seconds / 60)m \(seconds % 60)s"
    case ..<86_400_000: return "\(seconds / 3600)h \(seconds / 60 % 60)m"
    default: return "\(seconds / 86_400)d \(seconds / 3600 % 24)h"
    }
  }
}
