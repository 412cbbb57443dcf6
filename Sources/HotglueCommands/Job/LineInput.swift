import Glibc
import HotglueCore

/// Bytes that come line by line from a file or from standard input, read in large pieces.
final class LineInput {
  private let source: Source
  private var buffer: [UInt8] = []
  private var position = 0
  private var atEnd = false
  /// The number of the line that was read last, from 1.
  private(set) var line = 0
  /// Bytes of the line that was read last.
  private(set) var lineBytes = 0
  private static let piece = 1 << 20
  /// Bytes of a line at most: a payload of 1 MiB fits, however it is escaped, with its command.
  static let longestLine = 8 << 20

  /// A line that is longer.
  struct TooLong: Error {
    let line: Int
  }

  enum Source {
    /// An open file; closed with this object.
    case descriptor(Int32, path: String)
    case reader((_ count: Int) throws(SystemError) -> [UInt8])
  }

  init(_ source: Source) { self.source = source }

  static func open(_ path: String) throws -> LineInput {
    LineInput(.descriptor(try descriptor(of: path), path: path))
  }

  /// A file that is named and not there is no such thing, rather than a failure of the machine.
  private static func descriptor(of path: String) throws -> Int32 {
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    if descriptor >= 0 { return descriptor }
    guard errno == ENOENT else { throw SystemError("open", path) }
    throw CommandError(
      "no_such_file", .notFound, "no file '\(path)'",
      facts: [JSON.Member("path", .string(path))])
  }

  deinit {
    if case .descriptor(let descriptor, _) = source { close(descriptor) }
  }

  /// Goes back to the first byte; false where that cannot be done, as in a pipe.
  func rewind() -> Bool {
    guard case .descriptor(let descriptor, _) = source, lseek(descriptor, 0, SEEK_SET) == 0
    else { return false }
    buffer.removeAll(keepingCapacity: true)
    position = 0
    atEnd = false
    line = 0
    return true
  }

  /// Whether `rewind` works.
  var canRewind: Bool {
    guard case .descriptor(let descriptor, _) = source else { return false }
    return lseek(descriptor, 0, SEEK_CUR) >= 0
  }

  /// Gives the next line, without its end, to `body`; `nil` when there is none. A last line without
  /// a line feed is a line, and one that is too long throws. The bytes are valid during the call
  /// only.
  func nextLine<Result>(_ body: (ArraySlice<UInt8>) throws -> Result) throws -> Result? {
    var searched = position
    while true {
      if let end = lineFeed(from: searched) {
        line += 1
        let start = position
        position = end + 1
        lineBytes = end - start
        guard lineBytes <= Self.longestLine else { throw TooLong(line: line) }
        return try body(buffer[start..<end])
      }
      guard buffer.count - position <= Self.longestLine else { throw TooLong(line: line + 1) }
      searched = buffer.count
      if atEnd {
        guard position < buffer.count else { return nil }
        line += 1
        let start = position
        position = buffer.count
        lineBytes = position - start
        return try body(buffer[start...])
      }
      searched -= position
      try fill()
    }
  }

  private func lineFeed(from start: Int) -> Int? {
    buffer.withUnsafeBytes { bytes in
      guard start < bytes.count, let base = bytes.baseAddress,
        let found = memchr(base + start, 0x0A, bytes.count - start)
      else { return nil }
      return UnsafeRawPointer(found) - base
    }
  }

  /// Drops what was given out and reads the next piece behind what is left.
  private func fill() throws(SystemError) {
    if position > 0 {
      buffer.removeFirst(position)
      position = 0
    }
    let count: Int
    switch source {
    case .reader(let read):
      let bytes = try read(Self.piece)
      buffer.append(contentsOf: bytes)
      count = bytes.count
    case .descriptor(let descriptor, let path):
      count = try Self.read(descriptor, path, upTo: Self.piece, into: &buffer)
    }
    if count == 0 { atEnd = true }
  }

  private static func read(
    _ descriptor: Int32, _ path: String, upTo room: Int, into buffer: inout [UInt8]
  ) throws(SystemError) -> Int {
    var count = 0
    var failure: Int32 = 0
    let piece = [UInt8](unsafeUninitializedCapacity: room) { space, filled in
      repeat {
        count = Glibc.read(descriptor, space.baseAddress, room)
      } while count < 0 && errno == EINTR
      failure = errno
      filled = max(0, count)
    }
    guard count >= 0 else { throw SystemError("read", path, code: failure) }
    buffer.append(contentsOf: piece)
    return count
  }

  /// All bytes of a file that may be `limit` long at most; one more when it is longer.
  static func bytes(of path: String, limit: Int) throws -> [UInt8] {
    let descriptor = try descriptor(of: path)
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    while bytes.count <= limit {
      let room = min(1 << 16, limit + 1 - bytes.count)
      if try read(descriptor, path, upTo: room, into: &bytes) == 0 { break }
    }
    return bytes
  }
}
