import CSupervisor
import Glibc

/// Looks at what an attempt says of its progress.
///
/// The supervisor keeps the last line in its slot; whoever minds the attempt looks there as often as
/// it likes. So a handler that reports a million times costs nobody but its own supervisor, and a
/// worker that is frozen is not written to.
public struct SlotProgress {
  private let place: SlotPlace
  private let job: Int64
  private let fence: Int64
  private var sequence: UInt64 = 0

  public init(storeFolder: String, slot: String, job: Int64, fence: Int64) {
    place = SlotPlace(storeFolder: storeFolder, slot: slot)
    self.job = job
    self.fence = fence
  }

  /// The last progress line, if there is a new one since the last look. A slot that is gone or
  /// cannot be read has none: what the attempt came to does not hang on it.
  public mutating func look() -> [UInt8]? {
    var line = [UInt8](repeating: 0, count: EndedAttempt.Report.longestLine)
    var length: UInt32 = 0
    let error = hg_slot_read_progress(
      place.storeFolder, place.slot, job, fence, &sequence, &line, &length)
    guard error == 0, length > 0 else { return nil }
    return Array(line.prefix(Int(length)))
  }
}
