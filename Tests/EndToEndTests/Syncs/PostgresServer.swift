import Foundation
import Testing

/// A PostgreSQL server of one test: its own directory, a Unix socket, and a port of this machine for taps
/// that know no socket.
///
/// The server refuses to run as root, so there it runs as another user.
final class PostgresServer {
  let directory: String
  let port: Int
  private let binaries: String
  private let process = Process()

  init() throws {
    binaries = try #require(
      Self.installed, "PostgreSQL is not installed; Scripts/setup installs it")
    port = try Self.freePort()
    // Short, because the path of a socket has room for 107 bytes.
    directory = "/tmp/hotglue-pg-\(UUID().uuidString.prefix(8))"
    let manager = FileManager.default
    try manager.createDirectory(atPath: directory, withIntermediateDirectories: false)
    if getuid() == 0 { chown(directory, Self.user, Self.user) }
    try start(
      "initdb",
      ["-D", directory + "/data", "-U", "tester", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"],
      process: Process()
    ).waitUntilExit()
    try start(
      "postgres",
      [
        "-D", directory + "/data", "-k", directory, "-p", String(port), "-c",
        "listen_addresses=127.0.0.1", "-c", "fsync=off",
      ], process: process)
    let deadline = Date().addingTimeInterval(60)
    while try psql("SELECT 1").status != 0 {
      try #require(process.isRunning && Date() < deadline, "the server starts")
      usleep(50_000)
    }
  }

  deinit {
    if process.isRunning {
      // Immediate shutdown: nothing of it is used again.
      kill(process.processIdentifier, SIGQUIT)
      process.waitUntilExit()
    }
    try? FileManager.default.removeItem(atPath: directory)
  }

  /// nobody
  private static let user: uid_t = 65534

  private static var installed: String? {
    let root = "/usr/lib/postgresql"
    let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
    return versions.sorted().map { "\(root)/\($0)/bin" }.last {
      FileManager.default.isExecutableFile(atPath: $0 + "/postgres")
    }
  }

  @discardableResult
  private func start(
    _ program: String, _ arguments: [String], process: Process
  ) throws -> Process {
    let command = ["\(binaries)/\(program)"] + arguments
    let drop = [
      "setpriv", "--reuid=\(Self.user)", "--regid=\(Self.user)", "--clear-groups", "--",
    ]
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = (getuid() == 0 ? drop : []) + command
    process.currentDirectoryURL = URL(fileURLWithPath: directory)
    process.environment = ["PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    return process
  }

  private func psql(_ sql: String) throws -> (status: Int32, output: String) {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: binaries + "/psql")
    process.arguments = [
      "-h", directory, "-p", String(port), "-U", "tester", "-d", "postgres", "-X", "-q", "-A", "-t",
      "-v",
      "ON_ERROR_STOP=1", "-c", sql,
    ]
    process.environment = ["PATH": "/usr/bin:/bin"]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let bytes = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: bytes, as: UTF8.self))
  }

  func execute(_ sql: String) throws {
    let answer = try psql(sql)
    try #require(answer.status == 0, "\(sql)")
  }

  /// The rows of a query, a line each, its columns separated by '|'.
  func rows(_ sql: String) throws -> [String] {
    let answer = try psql(sql)
    try #require(answer.status == 0, "\(sql)")
    return answer.output.split(separator: "\n").map(String.init)
  }

  /// The configuration of a tap or a target; they differ in what they call the database.
  func config(_ more: [String: Any]) -> [String: Any] {
    let parts: [String: Any] = [
      "host": "127.0.0.1", "port": port, "user": "tester", "password": "none",
      "dbname": "postgres", "database": "postgres",
    ]
    return parts.merging(more) { $1 }
  }

  /// A port that nothing listens on at the moment.
  private static func freePort() throws -> Int {
    let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    try #require(socket >= 0)
    defer { close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(socket, $0, size) == 0 && getsockname(socket, $0, &size) == 0
      }
    }
    try #require(bound)
    return Int(UInt16(bigEndian: address.sin_port))
  }
}
