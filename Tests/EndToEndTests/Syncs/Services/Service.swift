import Foundation
import Testing

/// A server of one test: a directory of its own, a port of this machine, and a process that ends with the test.
///
/// PostgreSQL and MariaDB refuse to run as root, so there they run as another user.
final class Service {
  let directory: String
  let port: Int
  private let isUnprivileged: Bool
  private let process = Process()

  init(_ name: String, isUnprivileged: Bool) throws {
    self.isUnprivileged = isUnprivileged && getuid() == 0
    port = try Self.freePort()
    // Short, because the path of a socket has room for 107 bytes.
    directory = "/tmp/hotglue-\(name)-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: false)
    if self.isUnprivileged { chown(directory, Self.nobody, Self.nobody) }
  }

  deinit {
    if process.isRunning {
      // Immediate shutdown of PostgreSQL, which removes its shared memory; the others keep nothing.
      kill(process.processIdentifier, SIGQUIT)
      let deadline = Date().addingTimeInterval(30)
      while process.isRunning, Date() < deadline { usleep(10_000) }
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
    }
    try? FileManager.default.removeItem(atPath: directory)
  }

  private static let nobody: uid_t = 65534

  /// Starts the server and waits until it answers.
  func serve(_ program: String, _ arguments: [String], until isReady: () throws -> Bool) throws {
    try launch(process, program, arguments)
    let deadline = Date().addingTimeInterval(60)
    while try !isReady() {
      try #require(process.isRunning && Date() < deadline, "\(program): \(log)")
      usleep(50_000)
    }
  }

  /// Runs a program of the server to its end, and returns its standard output.
  @discardableResult
  func command(_ program: String, _ arguments: [String], input: String = "") throws -> String {
    let result = try attempt(program, arguments, input: input)
    try #require(result.status == 0, "\(program): \(input.prefix(400)) \(log)")
    return result.output
  }

  func attempt(_ program: String, _ arguments: [String], input: String) throws -> (
    status: Int32, output: String
  ) {
    let process = Process()
    let output = Pipe()
    let path = directory + "/input-\(UUID().uuidString)"
    try Data(input.utf8).write(to: URL(fileURLWithPath: path))
    defer { unlink(path) }
    try launch(
      process, program, arguments, input: FileHandle(forReadingFrom: URL(fileURLWithPath: path)),
      output: output)
    let bytes = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: bytes, as: UTF8.self))
  }

  private var log: String {
    String((try? String(contentsOfFile: directory + "/log", encoding: .utf8))?.suffix(2000) ?? "")
  }

  private func launch(
    _ process: Process, _ program: String, _ arguments: [String],
    input: FileHandle = .nullDevice, output: Any = FileHandle.nullDevice
  ) throws {
    let drop = [
      "setpriv", "--reuid=\(Self.nobody)", "--regid=\(Self.nobody)", "--clear-groups", "--",
    ]
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = (isUnprivileged ? drop : []) + [program] + arguments
    process.currentDirectoryURL = URL(fileURLWithPath: directory)
    process.environment = ["PATH": "/usr/sbin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"]
    process.standardInput = input
    process.standardOutput = output
    if !FileManager.default.fileExists(atPath: directory + "/log") {
      _ = FileManager.default.createFile(atPath: directory + "/log", contents: nil)
    }
    let errors = try FileHandle(forWritingTo: URL(fileURLWithPath: directory + "/log"))
    try errors.seekToEnd()
    process.standardError = errors
    try process.runWithoutBlockedSignals()
  }

  /// A port below those that the system gives to clients, so that no client takes it before the server does.
  private static func freePort() throws -> Int {
    for _ in 0..<100 {
      let port = Int.random(in: 20_000..<32_000)
      if try withSocket(port, { bind($0, $1, $2) == 0 }) { return port }
    }
    throw CocoaError(.fileNoSuchFile)
  }

  var isListening: Bool {
    get throws { try Self.withSocket(port) { connect($0, $1, $2) == 0 } }
  }

  private static func withSocket(
    _ port: Int, _ body: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Bool
  ) throws -> Bool {
    let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    try #require(socket >= 0)
    defer { close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    address.sin_port = UInt16(port).bigEndian
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }
}
