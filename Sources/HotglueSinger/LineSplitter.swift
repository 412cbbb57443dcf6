/// Cuts pieces of output into lines, and keeps the beginning of a line until its end has come.
///
/// What is kept is bounded: a line that grows past the limit is an error as soon as it does.
struct LineSplitter {
  private var kept: [UInt8] = []
  /// Lines that were handed on.
  private(set) var lines: Int64 = 0
  let limit: Int

  init(limit: Int) { self.limit = limit }

  mutating func add(
    _ bytes: UnsafeBufferPointer<UInt8>,
    _ body: (UnsafeBufferPointer<UInt8>, Int64) throws(SyncError) -> Void
  ) throws(SyncError) {
    var start = 0
    while let end = Self.newline(in: bytes, from: start) {
      let line = UnsafeBufferPointer(rebasing: bytes[start..<end])
      start = end + 1
      lines += 1
      guard kept.count + line.count <= limit else {
        throw .tooLong(line: lines, limit: limit)
      }
      if kept.isEmpty {
        try body(line, lines)
      } else {
        kept.append(contentsOf: line)
        try flush(body)
      }
    }
    guard start < bytes.count else { return }
    guard kept.count + bytes.count - start <= limit else {
      throw .tooLong(line: lines + 1, limit: limit)
    }
    kept.append(contentsOf: bytes[start...])
  }

  /// Hands on a last line that has no end.
  mutating func finish(
    _ body: (UnsafeBufferPointer<UInt8>, Int64) throws(SyncError) -> Void
  ) throws(SyncError) {
    guard !kept.isEmpty else { return }
    lines += 1
    try flush(body)
  }

  private mutating func flush(
    _ body: (UnsafeBufferPointer<UInt8>, Int64) throws(SyncError) -> Void
  ) throws(SyncError) {
    let number = lines
    try kept.withUnsafeBufferPointer { (line) throws(SyncError) in try body(line, number) }
    kept.removeAll(keepingCapacity: kept.capacity <= 1 << 20)
  }

  /// Eight bytes at a time.
  private static func newline(in bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
    let raw = UnsafeRawBufferPointer(bytes)
    var index = start
    while index &+ 8 <= bytes.count {
      let word =
        UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: index, as: UInt64.self))
        ^ 0x0A0A_0A0A_0A0A_0A0A
      let marks = (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
      if marks != 0 { return index &+ (marks.trailingZeroBitCount &>> 3) }
      index &+= 8
    }
    while index < bytes.count {
      if bytes[index] == 0x0A { return index }
      index &+= 1
    }
    return nil
  }
}
