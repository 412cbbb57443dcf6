import Foundation
import Testing

/// An HTTP server over an SQLite database: `/SCHEMA/TABLE` answers with the rows of a table, oldest change
/// first, and with `?since=` only with those that changed then or later.
final class RESTServer: DatabaseServer {
  private let service: Service

  init() throws {
    let service = try Service("api", isUnprivileged: false)
    self.service = service
    try service.serve("python3", ["-c", Self.script, String(service.port)]) {
      try service.isListening
    }
  }

  private static let script = """
    import http.server, json, sqlite3, sys, urllib.parse

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            url = urllib.parse.urlsplit(self.path)
            schema, table = url.path.split("/")[1:]
            since = urllib.parse.parse_qs(url.query).get("since")
            database = sqlite3.connect(schema + ".db", timeout=30)
            database.row_factory = sqlite3.Row
            where = " WHERE updated_at >= ? ORDER BY updated_at" if since else ""
            rows = database.execute("SELECT * FROM " + table + where, since or []).fetchall()
            database.close()
            body = json.dumps([dict(row) for row in rows]).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        def log_message(self, *words): pass

    http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
    """

  private func sqlite(_ sql: String) throws -> String {
    try service.command(
      "sqlite3", ["-bail", "-nullvalue", "NULL"],
      input: ".timeout 30000\nATTACH 'shop.db' AS shop;\nATTACH 'sales.db' AS sales;\n" + sql + "\n"
    )
  }

  func execute(_ sql: String) throws { _ = try sqlite("BEGIN;\n\(sql)\nCOMMIT;") }

  func rows(_ sql: String) throws -> [String] {
    try sqlite(sql + ";").split(separator: "\n").map(String.init)
  }

  /// Types are inferred from all that is sent.
  func config(_ more: [String: Any]) -> [String: Any] {
    func stream(_ schema: String, _ table: String) -> [String: Any] {
      [
        "name": "\(schema)-\(table)", "path": "/\(schema)/\(table)", "primary_keys": ["id"],
        "records_path": "$[*]", "num_inference_records": 100_000,
      ]
    }
    var orders = stream("shop", "orders")
    orders["replication_key"] = "updated_at"
    orders["source_search_field"] = "since"
    orders["source_search_query"] = "$last_run_date"
    let parts: [String: Any] = [
      "api_url": "http://127.0.0.1:\(service.port)",
      "streams": [orders, stream("sales", "orders"), stream("shop", "audit")],
    ]
    return parts.merging(more) { $1 }
  }

  func createSchemas() throws {}

  var keyType: String { "integer PRIMARY KEY" }

  func retypeToText(_ table: String, _ column: String) -> String {
    "UPDATE \(table) SET \(column) = printf('%.2f', \(column));"
  }
}
