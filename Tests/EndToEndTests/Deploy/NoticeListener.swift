import Foundation
import Synchronization

/// A service manager's end of the notification protocol: a datagram socket, by path or, with `@` in
/// front, by an abstract name. It listens all the time: a notice that finds the socket full is lost.
final class NoticeListener {
  let name: String
  private let descriptor: Int32
  private let heard = Heard()

  private final class Heard: Sendable {
    let lines = Mutex<[String]>([])
  }

  struct Failure: Error {
    let call: String
    let code: Int32
  }

  init(name: String) throws {
    self.name = name
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var bytes = Array(name.utf8)
    let room = MemoryLayout.size(ofValue: address.sun_path)
    guard bytes.count < room else { throw Failure(call: "path", code: ENAMETOOLONG) }
    if name.hasPrefix("@") { bytes[0] = 0 }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let length = socklen_t(MemoryLayout<sockaddr_un>.size - room + bytes.count)
    let descriptor = descriptor
    let bound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
    }
    guard bound == 0 else { throw Failure(call: "bind", code: errno) }
    let heard = heard
    Thread.detachNewThread {
      var buffer = [UInt8](repeating: 0, count: 4096)
      while true {
        let count = recv(descriptor, &buffer, buffer.count, 0)
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { break }
        let text = String(decoding: buffer.prefix(count), as: UTF8.self)
        heard.lines.withLock { $0 += text.split(separator: "\n").map(String.init) }
      }
      close(descriptor)
    }
  }

  // Its thread then reads the end, and closes it.
  deinit { shutdown(descriptor, Int32(SHUT_RDWR)) }

  /// How often the line has come so far.
  func count(_ line: String) -> Int {
    heard.lines.withLock { lines in lines.count { $0 == line } }
  }
}
