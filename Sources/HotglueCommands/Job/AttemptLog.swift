import HotglueCore
import HotglueProcess
import HotglueStore

/// The output of one attempt, read from its first byte to its last; also while it is written, and
/// across the log's move to its place at the attempt's end.
final class AttemptLog {
  private let folder: String
  private let job: JobID
  private let fence: Fence
  private let slot: String
  private let watch: FileWatch?
  private var reader: LogReader?
  /// What is written from now on is told by the watch, or nothing will be.
  private(set) var isWatched = false
  /// Where what is read from a slot goes when the attempt ends.
  private var finalPath: String?

  /// Whether the last piece that was printed ended a line.
  var endsWithLine = true

  /// What a piece of a log is.
  enum Piece {
    case bytes([UInt8], from: Int64)
    /// So many bytes were taken out here, since the log grew past its cap.
    case leftOut(Int64)
  }

  /// `folder` is the store's folder.
  init(of job: JobID, _ attempt: Attempt, below folder: String, watch: FileWatch? = nil) {
    self.watch = watch
    self.folder = folder
    self.job = job
    fence = attempt.fence
    slot = attempt.slot
  }

  /// Gives `body` what was written since the last call. `attempt` says where the log is now.
  /// Returns whether there is a log.
  @discardableResult
  func read(as attempt: Attempt, _ body: (Piece) throws -> Void) throws -> Bool {
    if reader == nil { reader = try open(attempt) }
    guard let reader else { return false }
    while true {
      let offset = reader.offset
      switch try reader.read() {
      case .bytes(let bytes): try body(.bytes(bytes, from: offset))
      case .leftOut(let count): try body(.leftOut(count))
      case .end:
        // The handler of a stream has gone on to another job; what was this one's is in its place.
        guard reader.isOver, let finalPath,
          let rest = try LogReader.open(
            path: Path.joined(folder, finalPath), offset: reader.offset)
        else { return true }
        self.reader = rest
        return try read(as: attempt, body)
      }
    }
  }

  /// A piece with the time before each line that begins in it, as that line's first byte was written.
  func stamped(_ bytes: [UInt8], from offset: Int64) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count + bytes.count / 2)
    var begins = endsWithLine
    for (index, byte) in bytes.enumerated() {
      if begins { result += stamp(offset + Int64(index)) }
      begins = byte == UInt8(ascii: "\n")
      result.append(byte)
    }
    return result
  }

  private func stamp(_ offset: Int64) -> [UInt8] {
    let time = reader?.writtenAtMs(offset).map(Timestamp.init(milliseconds:))
    return Array((time?.rfc3339 ?? "-").utf8) + [UInt8(ascii: " ")]
  }

  /// An attempt that has ended names its log. One that runs, or that is being recorded, writes in its
  /// slot, which knows where the log will go.
  private func open(_ attempt: Attempt) throws -> LogReader? {
    if attempt.finishedAt != nil {
      guard let log = attempt.usage.log else { return nil }
      return try LogReader.open(path: Path.joined(folder, log))
    }
    guard let written = Slot.evidence(storeFolder: folder, slot: slot)?.attempt,
      written.job == job, written.fence == fence
    else { return nil }
    // The slot is a file that others may write: it tells whose log it has, and not where that goes.
    let path = LogPath.of(job: job, fence: fence)
    finalPath = path
    let reader = try LogReader.open(
      LogReader.Origin(
        storeFolder: folder, slot: slot, job: job, fence: fence,
        streamFrom: written.logFrom),
      finalPath: path)
    // Before the first byte is read.
    if let reader, let watch { isWatched = watch.add(reader.path) }
    return reader
  }
}
