/// What is known of an effect.
public enum EffectState: String, CaseIterable, Sendable {
  /// The intent is recorded and nothing is known of its end yet. Once nobody carries it out any more
  /// it is as good as `unknown`, and is shown so.
  case intended
  /// It happened; the output is recorded.
  case confirmed
  /// It was tried, and may have happened.
  case unknown
  /// It was tried and is known not to have happened.
  case failed
  /// It was called off: somebody said that it has not happened.
  case abandoned

  /// Whether a confirmation is still accepted.
  public var isOpen: Bool { self == .intended || self == .unknown }
}

/// What to do about an effect that may have happened.
public enum UnknownPolicy: Hashable, Sendable {
  /// Stop and say so.
  case refuse
  /// Carry it out again: the other side tells a repetition by its key.
  case rerun
  /// Ask this command, by `sh -c`: 0 it happened, 1 it did not, anything else leaves it unknown.
  case check(String)

  /// Reads `refuse`, `rerun` or `check=COMMAND`.
  public init?(_ text: String) {
    switch text {
    case "refuse": self = .refuse
    case "rerun": self = .rerun
    default:
      guard text.hasPrefix("check="), text.utf8.count > 6, !text.utf8.contains(0) else {
        return nil
      }
      self = .check(String(text.dropFirst(6)))
    }
  }
}

/// What a check command said.
public enum CheckAnswer: Hashable, Sendable {
  case happened
  case didNotHappen
  case undecided
}

/// How the carrying out of an effect ended.
public enum EffectEnd: Hashable, Sendable {
  /// It happened.
  case confirmed(status: Int?)
  /// The command ended in a way that says nothing about the other side.
  case unknown(status: Int?, signal: Int?)
  /// The command could not be executed, or ended with a status that means 'it has not happened'.
  case notDone(status: Int)
  case abandoned
}

/// Exit statuses that mean 'it has not happened', as `6,7,40-49`.
public struct NotDoneStatuses: Hashable, Sendable {
  private let ranges: [ClosedRange<Int>]

  public static let none = NotDoneStatuses(ranges: [])
  private init(ranges: [ClosedRange<Int>]) { self.ranges = ranges }

  /// `nil` for anything but numbers and ranges between 1 and 255: 0 always means that it happened.
  public init?(_ text: String) {
    var ranges: [ClosedRange<Int>] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map(Self.number)
      guard let first = ends[0], let last = ends.count == 2 ? ends[1] : first, ends.count <= 2,
        first <= last
      else { return nil }
      ranges.append(first...last)
    }
    self.init(ranges: ranges)
  }

  private static func number(_ text: Substring) -> Int? {
    guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let value = Int(text),
      (1...255).contains(value)
    else { return nil }
    return value
  }

  public func contains(_ status: Int) -> Bool { ranges.contains { $0.contains(status) } }
}
