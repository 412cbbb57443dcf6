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
    /// Where its part of the slot's log begins, where it has a part.
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
  public let path: String
  private let origin: Origin?
  /// Where the next chunk begins, in what the attempt wrote.
  public private(set) var offset: Int64
  /// The slot's log goes on with another job of its stream: the rest of this one's, from the offset
  /// on, is in its final place.
  public private(set) var isOver = false
  private var base: Int64 { origin?.streamFrom ?? 0 }
  private let times: LogTimes

  private init(
    descriptor: Int32, path: String, origin: Origin?, finalPath: String?, offset: Int64
  ) {
    self.descriptor = descriptor
    times = LogTimes(at: [path, finalPath].compactMap { $0.map(LogTimes.path(of:)) })
    self.path = path
    self.origin = origin
    self.offset = offset
  }

  deinit { Glibc.close(descriptor) }

  /// Opens a log in its final place; nil: there is none (yet).
  public static func open(path: String, offset: Int64 = 0) throws(ProcessError) -> LogReader? {
    try open(path: path, origin: nil, finalPath: nil, offset: offset)
  }

  /// Opens the log of an attempt that runs in a slot, or that has just ended; nil: neither file is
  /// there (yet).
  public static func open(
    _ origin: Origin, finalPath: String, offset: Int64 = 0
  ) throws(ProcessError) -> LogReader? {
    let final = "\(origin.storeFolder)/\(finalPath)"
    if let reader = try open(path: final, offset: offset) { return reader }
    let current = "\(origin.storeFolder)/slots/\(origin.slot).log"
    if let reader = try open(path: current, origin: origin, finalPath: final, offset: offset),
      reader.isStillMeant()
    {
      return reader
    }
    // It was moved between the two looks.
    return try open(path: final, offset: offset)
  }

  private static func open(
    path: String, origin: Origin?, finalPath: String?, offset: Int64
  ) throws(ProcessError) -> LogReader? {
    let descriptor = hg_open_file(AT_FDCWD, path, O_RDONLY)
    if descriptor < 0 && errno == ENOENT { return nil }
    guard descriptor >= 0 else { throw .system(call: "open", path: path, errno: errno) }
    return LogReader(
      descriptor: descriptor, path: path, origin: origin, finalPath: finalPath, offset: offset)
  }

  /// Removes a log and the times that lie beside it: those first, so that a log which is still there
  /// tells of what is left.
  public static func remove(path: String) throws(ProcessError) {
    for path in [LogTimes.path(of: path), path] where unlink(path) != 0 && errno != ENOENT {
      throw .system(call: "remove", path: path, errno: errno)
    }
  }

  /// The next piece, at most `limit` bytes.
  public func read(limit: Int = 65536) throws(ProcessError) -> Chunk {
    let at = base + offset
    let data = hg_next_data(descriptor, at)
    if data < 0 {
      if origin?.streamFrom != nil { isOver = !isStillMeant() }
      // A handler that has the file itself has truncated it: what comes now begins at its beginning.
      if origin?.streamFrom == nil, size < offset { offset = 0 }
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

  /// When what a chunk begins with was written, in milliseconds; `nil`: the system does not tell. A
  /// handler that has the file itself (`--keep-children`) leaves no times but that of its last word.
  public func writtenAtMs(_ offset: Int64) -> Int64? {
    if let noted = times.ms(at: offset) { return noted }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return nil }
    return Int64(status.st_mtim.tv_sec) * 1000 + Int64(status.st_mtim.tv_nsec) / 1_000_000
  }

  private var size: Int64 {
    var status = stat()
    return fstat(descriptor, &status) == 0 ? Int64(status.st_size) : .max
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
