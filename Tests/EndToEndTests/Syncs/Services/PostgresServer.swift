import Foundation
import Testing

/// A PostgreSQL server of one test, on a socket, and on loopback for taps that know no socket.
final class PostgresServer: DatabaseServer {
  private let service: Service
  private let binaries: String
  private let database: String

  init() throws {
    let binaries = try #require(
      Self.installed, "PostgreSQL is not installed; Scripts/setup installs it")
    let service = try Service("pg", isUnprivileged: true)
    try service.command(
      binaries + "/initdb",
      ["-D", "data", "-U", "tester", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"])
    self.binaries = binaries
    self.service = service
    database = "postgres"
    try service.serve(
      binaries + "/postgres",
      [
        "-D", "data", "-k", service.directory, "-p", String(service.port), "-c",
        "listen_addresses=127.0.0.1", "-c", "fsync=off",
      ]
    ) { try psql("SELECT 1").status == 0 }
  }

  private init(_ database: String, of other: PostgresServer) {
    service = other.service
    binaries = other.binaries
    self.database = database
  }

  /// Another, empty database of the same server.
  func sibling(_ name: String) throws -> PostgresServer {
    try execute("CREATE DATABASE \(name)")
    return PostgresServer(name, of: self)
  }

  private static var installed: String? {
    let root = "/usr/lib/postgresql"
    let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
    return versions.sorted().map { "\(root)/\($0)/bin" }.last {
      FileManager.default.isExecutableFile(atPath: $0 + "/postgres")
    }
  }

  private func psql(_ sql: String) throws -> (status: Int32, output: String) {
    try service.attempt(
      binaries + "/psql",
      [
        "-h", service.directory, "-p", String(service.port), "-U", "tester", "-d", database, "-X",
        "-q", "-A", "-t", "-P", "null=NULL", "-v", "ON_ERROR_STOP=1",
      ], input: sql)
  }

  func execute(_ sql: String) throws {
    try #require(try psql(sql).status == 0, "\(sql.prefix(400))")
  }

  func rows(_ sql: String) throws -> [String] {
    let answer = try psql(sql)
    try #require(answer.status == 0, "\(sql)")
    return answer.output.split(separator: "\n").map(String.init)
  }

  func config(_ more: [String: Any]) -> [String: Any] {
    let parts: [String: Any] = [
      "host": "127.0.0.1", "port": service.port, "user": "tester", "password": "none",
      "dbname": database, "database": database,
    ]
    return parts.merging(more) { $1 }
  }

  func createSchemas() throws { try execute("CREATE SCHEMA shop; CREATE SCHEMA sales;") }

  var keyType: String { "int PRIMARY KEY" }

  func retypeToText(_ table: String, _ column: String) -> String {
    "ALTER TABLE \(table) ALTER COLUMN \(column) TYPE varchar(20);"
  }
}
