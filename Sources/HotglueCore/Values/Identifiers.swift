/// The name of a workspace: `[a-z0-9][a-z0-9-]{0,62}`. It is never renamed and never reused.
public struct WorkspaceID: Hashable, Comparable, Sendable, CustomStringConvertible {
  public let text: String

  /// The ID, or `nil` when `text` is not of that form.
  public init?(_ text: String) {
    let bytes = text.utf8
    guard (1...63).contains(bytes.count), bytes.first != UInt8(ascii: "-") else { return nil }
    let allowed = bytes.allSatisfy { byte in
      byte.isDigit || byte == UInt8(ascii: "-")
        || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    }
    guard allowed else { return nil }
    self.text = text
  }

  public static let rule = "lower-case letters, digits and '-', at most 63, not starting with '-'"
  public var description: String { text }
  public static func < (left: WorkspaceID, right: WorkspaceID) -> Bool { left.text < right.text }
}

/// A job's number: unique across the store, never per workspace, never reused.
public typealias JobID = Int64

/// Names an attempt of a job. It grows with every claim and never repeats, also across a restored
/// backup.
public typealias Fence = Int64

/// Names who minds an attempt: 1 at the claim, one more at every adoption.
public typealias Watch = Int64

/// A moment of the boot clock of one boot of one machine: milliseconds since boot, suspend included.
public struct BootTime: Hashable, Sendable {
  public var bootID: String
  public var milliseconds: Int64
  public init(bootID: String, milliseconds: Int64) {
    self.bootID = bootID
    self.milliseconds = milliseconds
  }

  /// Whether this moment has passed at `now`. A moment of another boot has: that boot is over.
  public func hasPassed(at now: BootTime) -> Bool {
    bootID != now.bootID || milliseconds <= now.milliseconds
  }

  public func advanced(by span: Span) -> BootTime {
    BootTime(bootID: bootID, milliseconds: milliseconds + span.milliseconds)
  }
}
