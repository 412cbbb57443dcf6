import Foundation

/// A service manager's end of the notification protocol: a datagram socket, by path or, with `@` in
/// front, by an abstract name.
final class NoticeListener {
  let name: String
  private let descriptor: Int32
  private(set) var lines: [String] = []

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
  }

  deinit { close(descriptor) }

  /// Takes in what has come.
  func listen() {
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
      guard count > 0 else { return }
      let text = String(decoding: buffer.prefix(count), as: UTF8.self)
      lines += text.split(separator: "\n").map(String.init)
    }
  }

  func count(_ line: String) -> Int {
    listen()
    return lines.filter { $0 == line }.count
  }
}
