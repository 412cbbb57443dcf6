/// A number of bytes: `4096`, `64K`, `64M`, `2G` (powers of 1024).
public enum ByteCount {
  public static func parse(_ text: String) -> Int64? {
    var digits = text[...]
    var unit: Int64 = 1
    switch text.last {
    case "K", "k": unit = 1 << 10
    case "M", "m": unit = 1 << 20
    case "G", "g": unit = 1 << 30
    default: break
    }
    if unit > 1 { digits.removeLast() }
    guard let count = Int64(digits), count >= 0 else { return nil }
    let (product, overflow) = count.multipliedReportingOverflow(by: unit)
    return overflow ? nil : product
  }

  public static func text(_ bytes: Int64) -> String {
    for (suffix, unit) in [("G", Int64(1 << 30)), ("M", 1 << 20), ("K", 1 << 10)]
    where bytes >= unit && bytes % unit == 0 {
      return "\(bytes / unit)\(suffix)"
    }
    return String(bytes)
  }

  /// For a person, a size that is over a limit, and the limit: as bytes where rounding would make
  /// them look alike.
  public static func texts(_ bytes: Int64, over limit: Int64) -> (size: String, limit: String) {
    let (size, bound) = (approximateText(bytes), approximateText(limit))
    return size == bound ? ("\(bytes) bytes", "\(limit) bytes") : (size, bound)
  }

  /// For a person: one decimal in the largest unit that fits.
  public static func approximateText(_ bytes: Int64) -> String {
    for (suffix, unit) in [("GB", Int64(1_000_000_000)), ("MB", 1_000_000), ("kB", 1000)]
    where bytes >= unit {
      return "\(bytes / unit).\(bytes % unit * 10 / unit) \(suffix)"
    }
    return "\(bytes) B"
  }
}
