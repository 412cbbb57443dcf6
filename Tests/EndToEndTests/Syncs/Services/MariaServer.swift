import Foundation
import Testing

/// A MariaDB server of one test, on a socket, and on loopback for taps that know no socket.
final class MariaServer: DatabaseServer {
  private let service: Service

  init() throws {
    let isInstalled = FileManager.default.isExecutableFile(atPath: "/usr/sbin/mariadbd")
    try #require(isInstalled, "MariaDB is not installed; Scripts/setup installs it")
    let service = try Service("db", isUnprivileged: true)
    self.service = service
    let data = "--datadir=\(service.directory)/data"
    try service.command(
      "mariadb-install-db",
      [
        "--no-defaults", data, "--auth-root-authentication-method=normal", "--skip-test-db",
        "--skip-name-resolve",
      ])
    try service.serve(
      "mariadbd",
      [
        "--no-defaults", data, "--socket=\(service.directory)/socket", "--pid-file=pid",
        "--bind-address=127.0.0.1", "--port=\(service.port)", "--skip-name-resolve",
        "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=32M",
        "--default-time-zone=+00:00", "--sql-mode=",
      ]
    ) { try client("SELECT 1").status == 0 }
    try execute(
      "CREATE USER tester@'%' IDENTIFIED BY 'none'; GRANT ALL ON *.* TO tester@'%';")
  }

  private func client(_ sql: String) throws -> (status: Int32, output: String) {
    try service.attempt(
      "mariadb",
      [
        "--no-defaults", "--socket=\(service.directory)/socket", "--user=root", "--batch",
        "--skip-column-names", "--default-character-set=utf8mb4",
      ], input: sql)
  }

  func execute(_ sql: String) throws {
    try #require(try client(sql).status == 0, "\(sql.prefix(400))")
  }

  func rows(_ sql: String) throws -> [String] {
    let answer = try client(sql)
    try #require(answer.status == 0, "\(sql)")
    return answer.output.split(separator: "\n").map {
      $0.replacingOccurrences(of: "\t", with: "|")
    }
  }

  func config(_ more: [String: Any]) -> [String: Any] {
    let parts: [String: Any] = [
      "host": "127.0.0.1", "port": service.port, "user": "tester", "password": "none",
      "engine": "mariadb",
    ]
    return parts.merging(more) { $1 }
  }

  func createSchemas() throws { try execute("CREATE SCHEMA shop; CREATE SCHEMA sales;") }

  /// The tap resumes a whole table by such a key.
  var keyType: String { "int AUTO_INCREMENT PRIMARY KEY" }

  func retypeToText(_ table: String, _ column: String) -> String {
    "ALTER TABLE \(table) MODIFY \(column) varchar(20);"
  }
}
