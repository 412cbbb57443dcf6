/// The status a command ends with. Scripts rely on each of these numbers.
public struct ExitStatus: RawRepresentable, Hashable, Sendable {
  public var rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// Done, and durable.
  public static let done = ExitStatus(rawValue: 0)
  /// What was run or waited for did not succeed.
  public static let unsuccessful = ExitStatus(rawValue: 1)
  public static let usage = ExitStatus(rawValue: 64)
  public static let badInput = ExitStatus(rawValue: 65)
  /// No such thing.
  public static let notFound = ExitStatus(rawValue: 66)
  public static let storeUnusable = ExitStatus(rawValue: 69)
  public static let internalError = ExitStatus(rawValue: 70)
  public static let cannotCreate = ExitStatus(rawValue: 73)
  public static let inputOutput = ExitStatus(rawValue: 74)
  /// Busy, or a time-out.
  public static let tryLater = ExitStatus(rawValue: 75)
  public static let notPermitted = ExitStatus(rawValue: 77)
  /// No context, or one that cannot be used.
  public static let badContext = ExitStatus(rawValue: 78)
  public static let contextMismatch = ExitStatus(rawValue: 80)
  /// Stale, late, not allowed in this state, or a conflict of keys.
  public static let refused = ExitStatus(rawValue: 81)
  /// A confirmation or an explicit name is needed.
  public static let needsConfirmation = ExitStatus(rawValue: 82)
  public static let outcomeUnknown = ExitStatus(rawValue: 83)
}
