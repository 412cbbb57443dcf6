import Glibc

/// What a service manager is told of this process: systemd's notification protocol, which is one
/// datagram of `NAME=VALUE` lines per notice (`sd_notify(3)`).
///
/// A notice never waits and never fails the one who gives it: a manager that does not listen misses it.
public struct ServiceNotice {
  /// How often the manager wants to hear that the process is well; `nil`: it does not ask.
  public let watchdogMs: Int64?
  private let address: sockaddr_un
  private let length: socklen_t

  /// The variables that speak to this process alone: no process that it starts may have them.
  public static let variables: Set<String> = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]

  /// `nil` where no manager listens: without `NOTIFY_SOCKET`, or with one that is neither a path nor,
  /// with `@` in front, an abstract name.
  public init?(variables: [String: String]) {
    guard let name = variables["NOTIFY_SOCKET"], name.hasPrefix("/") || name.hasPrefix("@") else {
      return nil
    }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var bytes = Array(name.utf8)
    let room = MemoryLayout.size(ofValue: address.sun_path)
    guard (2..<room).contains(bytes.count) else { return nil }
    if name.hasPrefix("@") { bytes[0] = 0 }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    self.address = address
    length = socklen_t(MemoryLayout<sockaddr_un>.size - room + bytes.count)
    let isForMe = variables["WATCHDOG_PID"].map { $0 == String(getpid()) } ?? true
    watchdogMs =
      isForMe
      ? variables["WATCHDOG_USEC"].flatMap { Int64($0) }.flatMap { $0 > 0 ? $0 / 1000 : nil } : nil
  }

  public func send(_ lines: [String]) {
    let socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard socket >= 0 else { return }
    defer { close(socket) }
    let text = Array(lines.joined(separator: "\n").utf8)
    var address = address
    withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        _ = sendto(
          socket, text, text.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL), $0,
          length)
      }
    }
  }
}
