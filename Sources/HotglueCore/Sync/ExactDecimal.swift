/// A number of a JSON text with every digit it was written with: what a `Double` would round.
///
/// Its value is `digits` as an integer, times ten to the power of `exponent`. Two spellings of one value
/// are equal: `1.50`, `1.5` and `15e-1`.
public struct ExactDecimal: Hashable, Comparable, Sendable {
  public let isNegative: Bool
  /// Without zeros at either end; empty for zero.
  public let digits: [UInt8]
  public let exponent: Int

  /// Reads a number as JSON writes it; `nil` for any other text, and for an exponent of more than
  /// seventeen digits.
  public init?(_ text: some Sequence<UInt8>) {
    var isNegative = false
    var digits: [UInt8] = []
    var exponent = 0
    var written = 0
    var writtenIsNegative = false
    var part = 0
    var seen = 0
    for byte in text {
      switch (byte, part) {
      case (UInt8(ascii: "-"), 0) where seen == 0: isNegative = true
      case (UInt8(ascii: "."), 0): part = 1
      case (UInt8(ascii: "e"), 0...1), (UInt8(ascii: "E"), 0...1): part = 2
      case (UInt8(ascii: "-"), 2): (writtenIsNegative, part) = (true, 3)
      case (UInt8(ascii: "+"), 2): part = 3
      case (UInt8(ascii: "0")...UInt8(ascii: "9"), 0...1):
        let digit = byte - UInt8(ascii: "0")
        if !digits.isEmpty || digit != 0 { digits.append(digit) }
        if part == 1 { exponent -= 1 }
      case (UInt8(ascii: "0")...UInt8(ascii: "9"), _):
        part = 3
        guard written < 10_000_000_000_000_000 else { return nil }
        written = written * 10 + Int(byte - UInt8(ascii: "0"))
      default: return nil
      }
      seen += 1
    }
    guard seen > 0 else { return nil }
    exponent += writtenIsNegative ? -written : written
    while digits.last == 0 {
      digits.removeLast()
      exponent += 1
    }
    self.isNegative = isNegative && !digits.isEmpty
    self.digits = digits
    self.exponent = digits.isEmpty ? 0 : exponent
  }

  public var isInteger: Bool { exponent >= 0 }

  /// The value as a machine integer, when it is one.
  public var integer: Int64? {
    guard isInteger, digits.count + exponent <= 19 else { return nil }
    var value: Int64 = 0
    for digit in digits + Array(repeating: 0, count: exponent) {
      let (product, over) = value.multipliedReportingOverflow(by: 10)
      let (sum, more) =
        isNegative
        ? product.subtractingReportingOverflow(Int64(digit))
        : product.addingReportingOverflow(Int64(digit))
      if over || more { return nil }
      value = sum
    }
    return value
  }

  /// One spelling for each value, with an exponent where it is not zero.
  public var text: String {
    guard !digits.isEmpty else { return "0" }
    let number = String(decoding: digits.map { $0 + UInt8(ascii: "0") }, as: UTF8.self)
    return (isNegative ? "-" : "") + number + (exponent == 0 ? "" : "e\(exponent)")
  }

  public static func < (left: ExactDecimal, right: ExactDecimal) -> Bool {
    if left.isNegative != right.isNegative { return left.isNegative }
    let order = left.magnitudeOrder(right)
    return left.isNegative ? order > 0 : order < 0
  }

  /// Negative, zero or positive, as the distance from zero is less than, equal to or greater than
  /// that of the other.
  private func magnitudeOrder(_ other: ExactDecimal) -> Int {
    if digits.isEmpty || other.digits.isEmpty { return digits.count - other.digits.count }
    let mine = digits.count + exponent
    let theirs = other.digits.count + other.exponent
    if mine != theirs { return mine < theirs ? -1 : 1 }
    if digits == other.digits { return 0 }
    return digits.lexicographicallyPrecedes(other.digits) ? -1 : 1
  }

  /// Whether this is a whole multiple of `divisor`, by long division over the digits; `nil` where that
  /// cannot be told: a divisor of zero or of more than 17 digits, exponents thousands apart.
  public func isMultiple(of divisor: ExactDecimal) -> Bool? {
    guard !divisor.digits.isEmpty, divisor.digits.count <= 17 else { return nil }
    if digits.isEmpty { return true }
    let shift = exponent - divisor.exponent
    // Digits that do not end in zero cannot hold the factor of ten that the divisor adds.
    if shift < 0 { return false }
    guard shift <= 5000 else { return nil }
    let modulus = divisor.digits.reduce(UInt64(0)) { $0 * 10 + UInt64($1) }
    var rest: UInt64 = 0
    for digit in digits { rest = (rest * 10 + UInt64(digit)) % modulus }
    for _ in 0..<shift { rest = rest * 10 % modulus }
    return rest == 0
  }
}
