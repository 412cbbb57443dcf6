/// The permissions that files do not get when a command makes them (umask(2)), recorded with the
/// directory in which the command runs, as at(1) records both.
public struct FileMask: Hashable, Sendable {
  public var bits: UInt16

  /// What is taken where nothing is recorded.
  public static let standard = FileMask(bits: 0o022)

  public init(bits: UInt16) { self.bits = bits & 0o777 }

  /// As `umask` prints it: `0022`.
  public init?(_ text: String) {
    guard (1...4).contains(text.utf8.count), let bits = UInt16(text, radix: 8), bits <= 0o777,
      text.utf8.allSatisfy(\.isDigit)
    else { return nil }
    self.bits = bits
  }

  public var text: String {
    let digits = String(bits, radix: 8)
    return String(repeating: "0", count: 4 - digits.utf8.count) + digits
  }
}
