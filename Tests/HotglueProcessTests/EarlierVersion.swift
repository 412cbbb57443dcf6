import Glibc
import HotglueProcess
import TestSupport
import Testing

/// Turns what supervisors of this version write and say into what those of version 3 did: their
/// outcomes lack the eight bytes behind the count of lines that were not understood.
enum EarlierVersion {
  static let number: UInt32 = 3
  private static let outcomeBytes = 528
  private static let cutAt = 408
  private static let cutBytes = 8

  /// FNV-1a, never 0.
  private static func sum(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    let hash = bytes.reduce(UInt64(14_695_981_039_346_656_037)) {
      ($0 ^ UInt64($1)) &* 1_099_511_628_211
    }
    return hash == 0 ? 1 : hash
  }

  private static func put<Value: FixedWidthInteger>(
    _ value: Value, at offset: Int, in bytes: inout [UInt8]
  ) {
    withUnsafeBytes(of: value.littleEndian) {
      bytes.replaceSubrange(offset..<offset + $0.count, with: $0)
    }
  }

  private static func number<Value: FixedWidthInteger>(
    _ bytes: [UInt8], at offset: Int, as type: Value.Type
  ) -> Value {
    (0..<MemoryLayout<Value>.size).reduce(0) { $0 | Value(bytes[offset + $1]) << Value($1 * 8) }
  }

  private static func change(_ path: String, _ change: (inout [UInt8]) -> Void) throws {
    let file = open(path, O_RDWR | O_CLOEXEC)
    try #require(file >= 0, "\(path)")
    defer { close(file) }
    var status = stat()
    try #require(fstat(file, &status) == 0)
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    try #require(pread(file, &bytes, bytes.count, 0) == bytes.count)
    change(&bytes)
    try #require(pwrite(file, bytes, bytes.count, 0) == bytes.count)
  }

  /// The slot, whose outcome is written.
  static func take(slot: String, of workshop: Workshop) throws {
    try change("\(workshop.store)/slots/\(slot)") { bytes in
      put(number, at: 8, in: &bytes)
      let at = 4096
      let hadOutcome = number(bytes, at: at + outcomeBytes - 8, as: UInt64.self) != 0
      let from = at + cutAt
      bytes.removeSubrange(from..<from + cutBytes)
      bytes.insert(contentsOf: repeatElement(0, count: cutBytes), at: at + outcomeBytes - cutBytes)
      let checksumAt = at + outcomeBytes - cutBytes - 8
      put(hadOutcome ? sum(bytes[at..<checksumAt]) : 0, at: checksumAt, in: &bytes)
    }
  }

  /// The first so many answers of its streams.
  static func take(answers count: Int, slot: String, of workshop: Workshop) throws {
    try change("\(workshop.store)/slots/\(slot).answers") { bytes in
      put(number, at: 8, in: &bytes)
      var at = 4096
      for _ in 0..<count {
        let length = Int(number(bytes, at: at + 24, as: UInt32.self))
        let from = at + 40 + cutAt
        bytes.removeSubrange(from..<from + cutBytes)
        bytes.insert(contentsOf: repeatElement(0, count: cutBytes), at: at + length - cutBytes)
        put(sum(bytes[at + 16..<at + length]), at: at, in: &bytes)
        at += length
      }
    }
  }

  /// Stands between those who call a supervisor and the supervisor, and speaks version 3 to them. What
  /// they say in another one it does not pass on, as a supervisor would not.
  final class Mouth: @unchecked Sendable {
    private let listener: Int32
    private let supervisor: SupervisorLink

    /// From now on calls of the slot arrive here; the supervisor hears one caller.
    init(slot: String, of workshop: Workshop) throws {
      supervisor = try workshop.connect(slot)
      let path = "\(workshop.store)/slots/\(slot).sock"
      unlink(path)
      listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
      let bound = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
      }
      try #require(bound == 0 && listen(listener, 4) == 0)
      try EarlierVersion.change("\(workshop.store)/slots/\(slot)") {
        EarlierVersion.put(EarlierVersion.number, at: 8, in: &$0)
      }
      _ = BackgroundThread.start { [self] in serve() }
    }

    private func serve() {
      let caller = accept(listener, nil, nil)
      _ = fcntl(caller, F_SETFD, FD_CLOEXEC)
      close(listener)
      defer { close(caller) }
      var said: [UInt8] = []
      var answered: [UInt8] = []
      while true {
        var ends = [
          pollfd(fd: caller, events: Int16(POLLIN), revents: 0),
          pollfd(fd: supervisor.fileDescriptor, events: Int16(POLLIN), revents: 0),
        ]
        guard poll(&ends, 2, -1) > 0 else { return }
        if ends[0].revents != 0 {
          guard read(caller, into: &said) else { return }
          while let frame = next(&said) {
            guard frame.version == UInt16(EarlierVersion.number) else { return }
            write(frame.type, 4, frame.body, to: supervisor.fileDescriptor)
          }
        }
        if ends[1].revents != 0 {
          guard read(supervisor.fileDescriptor, into: &answered) else { return }
          while var frame = next(&answered) {
            let cut = 48 + EarlierVersion.cutAt
            if frame.body.count > cut { frame.body.removeSubrange(cut..<cut + cutBytes) }
            write(frame.type, UInt16(EarlierVersion.number), frame.body, to: caller)
          }
        }
      }
    }

    private func read(_ descriptor: Int32, into all: inout [UInt8]) -> Bool {
      var block = [UInt8](repeating: 0, count: 4096)
      let count = recv(descriptor, &block, block.count, Int32(MSG_DONTWAIT))
      if count < 0 { return errno == EAGAIN || errno == EINTR }
      all += block.prefix(count)
      return count > 0
    }

    private func next(_ all: inout [UInt8]) -> (type: UInt16, version: UInt16, body: [UInt8])? {
      guard all.count >= 8 else { return nil }
      let end = 8 + Int(EarlierVersion.number(all, at: 0, as: UInt32.self))
      guard all.count >= end else { return nil }
      defer { all.removeFirst(end) }
      return (
        EarlierVersion.number(all, at: 6, as: UInt16.self),
        EarlierVersion.number(all, at: 4, as: UInt16.self), Array(all[8..<end])
      )
    }

    private func write(_ type: UInt16, _ version: UInt16, _ body: [UInt8], to descriptor: Int32) {
      var frame = [UInt8](repeating: 0, count: 8) + body
      EarlierVersion.put(UInt32(body.count), at: 0, in: &frame)
      EarlierVersion.put(version, at: 4, in: &frame)
      EarlierVersion.put(type, at: 6, in: &frame)
      _ = send(descriptor, frame, frame.count, Int32(MSG_NOSIGNAL))
    }
  }
}
