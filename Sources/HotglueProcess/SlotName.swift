import CSupervisor

/// What the name of a slot says: `PID-START-RANDOM`.
///
/// A claim writes the name into the attempt's row before anything is started. So the row holds the
/// supervisor's process ID and start time, and the mark of everything that its handlers start, whatever
/// becomes of the slot's file.
public struct SlotName: Hashable, Sendable {
  public let text: String
  public let pid: Int32
  /// Clock ticks of the machine's boot clock.
  public let startTime: UInt64

  /// `nil`: not the name of a supervisor's slot.
  public init?(_ text: String) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, let pid = Int32(parts[0]), pid > 1,
      let start = UInt64(parts[1], radix: 16), parts[2].utf8.count == 16,
      parts[2].allSatisfy(\.isHexDigit),
      text.utf8.count < HG_MARK_BYTES
    else { return nil }
    self.text = text
    self.pid = pid
    startTime = start
  }

  /// In the environment of all that handlers of this supervisor start, as `HOTGLUE_MARK`.
  public var mark: String { text }

  /// The supervisor, while it lives and can be seen from here.
  public var supervisor: SeenProcess? {
    guard let process = SeenProcess(pid), process.startTime == startTime else { return nil }
    return process
  }
}
