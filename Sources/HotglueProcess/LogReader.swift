import CSupervisor
import Glibc

/// Reads an attempt's log, also while it is written, and says where its middle was taken out.
///
/// The file is kept open, so that its move to its final place goes unnoticed. A log that lies in a
/// slot may become another attempt's (when this one ended without a word): what is read from it
/// counts only while the slot still says that the attempt is the one that is meant.
public final class LogReader {
  public enum Chunk: Equatable, Sendable {
    case bytes([UInt8])
    /// So many bytes were taken out here.
    case leftOut(Int64)
    /// Nothing more for now; with an attempt that has ended: nothing more.
    case end
  }

  /// The slot a running attempt writes in.
  public struct Origin: Sendable {
    public var storeFolder: String
    public var slot: String
    public var job: Int64
    public var fence: Int64
    /// Of a stream's job: where its part of the slot's log begins.
    public var streamFrom: Int64?

    public init(
      storeFolder: String, slot: String, job: Int64, fence: Int64, streamFrom: Int64? = nil
    ) {
      self.storeFolder = storeFolder
      self.slot = slot
      self.job = job
      self.fence = fence
      self.streamFrom = streamFrom
    }
  }

  private let descriptor: Int32
  private let path: String
  private let origin: Origin?
  /// Where the next chunk begins, in what the attempt wrote.
  public private(set) var offset: Int64
  /// The slot's log goes on with another job of its stream: the rest of this one's, from the offset
  /// on, is in its final place.
  public private(set) var isOver = false
  private var base: Int64 { origin?.streamFrom ?? 0 }

  private init(descriptor: Int32, path: String, origin: Origin?, offset: Int64) {
    self.descriptor = descriptor
    self.path = path
    self.origin = origin
    self.offset = offset
  }

  deinit { Glibc.close(descriptor) }

  /// Opens a log in its final place; nil: there is none (yet).
  public static func open(path: String, offset: Int64 = 0) throws(ProcessError) -> LogReader? {
    try open(path: path, origin: nil, offset: offset)
  }

  /// Opens the log of an attempt that runs in a slot, or that has just ended; nil: neither file is
  /// there (yet).
  public static func open(
    _ origin: Origin, finalPath: String, offset: Int64 = 0
  ) throws(ProcessError) -> LogReader? {
    let final = "\(origin.storeFolder)/\(finalPath)"
    if let reader = try open(path: final, origin: nil, offset: offset) { return reader }
    let current = "\(origin.storeFolder)/slots/\(origin.slot).log"
    if let reader = try open(path: current, origin: origin, offset: offset),
      reader.isStillMeant()
    {
      return reader
    }
    // It was moved between the two looks.
    return try open(path: final, origin: nil, offset: offset)
  }

  private static func open(
    path: String, origin: Origin?, offset: Int64
  ) throws(ProcessError) -> LogReader? {
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    if descriptor < 0 && errno == ENOENT { return nil }
    guard descriptor >= 0 else { throw .system(call: "open", path: path, errno: errno) }
    return LogReader(descriptor: descriptor, path: path, origin: origin, offset: offset)
  }

  /// The next piece, at most `limit` bytes.
  public func read(limit: Int = 65536) throws(ProcessError) -> Chunk {
    let at = base + offset
    let data = hg_next_data(descriptor, at)
    if data < 0 {
      if origin?.streamFrom != nil { isOver = !isStillMeant() }
      return .end
    }
    if data > at {
      let hole = data - at
      offset += hole
      return .leftOut(hole)
    }
    let room = min(Int64(limit), hg_next_hole(descriptor, at) - at)
    if room <= 0 { return .end }
    var block = [UInt8](repeating: 0, count: Int(room))
    var count: Int
    repeat {
      count = pread(descriptor, &block, block.count, off_t(at))
    } while count < 0 && errno == EINTR
    guard count >= 0 else { throw .system(call: "read", path: path, errno: errno) }
    if count == 0 { return .end }
    if !isStillMeant() {
      isOver = origin?.streamFrom != nil
      return .end
    }
    offset += Int64(count)
    return .bytes(Array(block.prefix(count)))
  }

  /// Whether the file is this attempt's: it was moved to its place, or the slot still has it. The
  /// slot turns to another attempt before that one can write a byte.
  private func isStillMeant() -> Bool {
    guard let origin else { return true }
    // A stream's log is copied, never moved.
    if origin.streamFrom != nil { return isInSlot(origin) }
    var opened = stat()
    var named = stat()
    if fstat(descriptor, &opened) == 0,
      stat("\(origin.storeFolder)/slots/\(origin.slot).log", &named) != 0
        || opened.st_ino != named.st_ino || opened.st_dev != named.st_dev
    {
      return true
    }
    return isInSlot(origin)
  }

  private func isInSlot(_ origin: Origin) -> Bool {
    let attempt = Slot.evidence(storeFolder: origin.storeFolder, slot: origin.slot)?.attempt
    return attempt?.job == origin.job && attempt?.fence == origin.fence
  }
}
