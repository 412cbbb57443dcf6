import Foundation
import Testing

/// Taps and targets of real databases: what hotglue stores equals a SELECT.
@Suite(.serialized)
struct DatabaseTests {
  private let world: World
  private let server: PostgresServer
  private let taps: String

  init() throws {
    world = try World()
    taps = try World.realTaps()
    server = try PostgresServer()
    try server.execute(
      """
      CREATE TABLE orders (id int PRIMARY KEY, name varchar(20), amount numeric(10,2),
        updated_at timestamptz NOT NULL);
      INSERT INTO orders SELECT n, 'o' || n, n + 0.10, '2026-01-01Z'::timestamptz + n * interval '1 min'
        FROM generate_series(1, 2000) n;
      CREATE SCHEMA sales;
      CREATE TABLE sales.orders (id int PRIMARY KEY, note text);
      INSERT INTO sales.orders SELECT n, 'note ' || n FROM generate_series(1, 300) n;
      CREATE TABLE audit (id int);
      """)
  }

  private func write(_ config: [String: Any], to name: String) throws {
    try JSONSerialization.data(withJSONObject: config)
      .write(to: world.folder.appendingPathComponent(name))
  }

  /// Some fields of each stored record, separated by '|', in the order of their keys.
  private func stored(_ source: String, _ stream: String, _ fields: [String]) throws -> [String] {
    let text = try world.succeed(["record", "export", source, stream])
    return try text.split(separator: "\n").map { line in
      let record = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      return fields.map { field in record?[field].map { "\($0)" } ?? "" }.joined(separator: "|")
    }
  }

  private func requireEqual(_ source: String, _ note: String) throws {
    let orders = try server.rows("SELECT id, name FROM orders ORDER BY id")
    #expect(try stored(source, "public-orders", ["id", "name"]) == orders, "\(note)")
    let sales = try server.rows("SELECT id, note FROM sales.orders ORDER BY id")
    #expect(try stored(source, "sales-orders", ["id", "note"]) == sales, "\(note)")
  }

  @Test(
    "pipelinewise-tap-postgres: two tables of one name, whole and incremental, changes, a new column, kills"
  )
  func pipelinewise() throws {
    try write(server.config(["filter_schemas": "public,sales"]), to: "config.json")
    try world.succeed([
      "source", "add", "shop", "--config", "config.json", "--",
      taps + "/pipelinewise-tap-postgres/bin/tap-postgres",
    ])
    let found = try world.run(["source", "discover", "shop"])
    #expect(found.errorOutput.contains("no replication method for"), "\(found.errorOutput)")
    try world.succeed([
      "source", "select", "shop", "*-orders", "--method", "*=full-table", "--method",
      "public-orders=incremental", "--replication-key", "public-orders=updated_at",
    ])
    try world.succeed(["source", "test", "shop"])
    try world.succeed(["sync", "run", "shop"])
    try requireEqual("shop", "first")
    #expect(try world.run(["record", "count", "shop", "public-audit"]).status == 66)

    try server.execute(
      """
      INSERT INTO orders SELECT n, 'new ' || n, n, now() FROM generate_series(2001, 2050) n;
      UPDATE orders SET name = 'changed', updated_at = now() WHERE id % 97 = 0;
      DELETE FROM sales.orders WHERE id % 7 = 0;
      UPDATE sales.orders SET note = NULL WHERE id % 11 = 0;
      ALTER TABLE orders ADD COLUMN extra text DEFAULT 'x';
      ALTER TABLE sales.orders ALTER COLUMN note TYPE varchar(40);
      """)
    let changed = try world.run(["source", "discover", "shop"])
    #expect(changed.errorOutput.contains("~ public-orders: +extra"), "\(changed.errorOutput)")
    try world.succeed(["sync", "run", "shop"])
    try server.execute("UPDATE sales.orders SET note = '' WHERE note IS NULL")
    try world.succeed(["sync", "run", "shop"])
    try requireEqual("shop", "after changes")

    for turn in 1...2 {
      try server.execute(
        """
        UPDATE orders SET name = 'turn \(turn)', updated_at = now() WHERE id % 3 = 0;
        DELETE FROM sales.orders WHERE id % 13 = \(turn);
        """)
      let (running, _) = try world.startPiped(["sync", "run", "shop", "--full"])
      try world.eventually("records come in") {
        (try? world.standing("shop")["state"] as? String) == "running" || !running.isRunning
      }
      kill(running.processIdentifier, SIGKILL)
      running.waitUntilExit()
      let next = try world.run(["sync", "run", "shop", "--full"])
      #expect(next.status == 0, "\(next.errorOutput)")
      try requireEqual("shop", "after kill \(turn)")
    }
  }

  @Test("meltanolabs-tap-postgres into meltanolabs-target-postgres and into the store")
  func meltano() throws {
    try write(server.config(["filter_schemas": ["public", "sales"]]), to: "config.json")
    try world.succeed([
      "source", "add", "shop", "--config", "config.json", "--",
      taps + "/meltanolabs-tap-postgres/bin/tap-postgres",
    ])
    try world.succeed(["source", "discover", "shop"])
    try world.succeed([
      "source", "select", "shop", "*-orders", "--method", "*=full-table",
    ])
    try world.succeed(["sync", "run", "shop"])
    try requireEqual("shop", "first")

    try write(server.config(["default_target_schema": "copy"]), to: "target.json")
    try world.succeed(["source", "select", "shop", "public-orders"])
    try world.succeed([
      "sync", "run", "shop", "--replay", "safe", "--",
      taps + "/meltanolabs-target-postgres/bin/target-postgres", "--config", "target.json",
    ])
    let sum = "SELECT count(*), sum(id), sum(amount) FROM"
    #expect(try server.rows("\(sum) copy.orders") == server.rows("\(sum) public.orders"))
  }

  @Test("tap-rest-api-msdk: what a local server sends, and nothing twice")
  func restAPI() throws {
    try world.write(
      """
      import http.server, json, os
      items = [{"id": n, "name": "item %d" % n} for n in range(1, 121)]
      class Handler(http.server.BaseHTTPRequestHandler):
          def do_GET(self):
              body = json.dumps(items).encode()
              self.send_response(200)
              self.send_header("Content-Type", "application/json")
              self.send_header("Content-Length", str(len(body)))
              self.end_headers()
              self.wfile.write(body)
          def log_message(self, *words): pass
      server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
      with open("port.new", "w") as file: file.write(str(server.server_port))
      os.rename("port.new", "port")
      server.serve_forever()
      """, to: "server.py")
    let http = try world.start(
      "/usr/bin/env", ["python3", "server.py"], input: nil,
      output: world.folder.appendingPathComponent("http.out"),
      errors: world.folder.appendingPathComponent("http.err"), extra: [:])
    // A thread of the pool that starts it may block TERM, and it inherits that.
    defer {
      kill(http.processIdentifier, SIGKILL)
      http.waitUntilExit()
    }
    try world.eventually("the server has a port") { !world.read("port").isEmpty }
    try write(
      [
        "api_url": "http://127.0.0.1:\(world.read("port"))",
        "streams": [
          [
            "name": "items", "path": "/items", "primary_keys": ["id"], "records_path": "$[*]",
            "num_inference_records": 10,
          ]
        ],
      ], to: "config.json")
    try world.succeed([
      "source", "add", "api", "--config", "config.json", "--",
      taps + "/tap-rest-api-msdk/bin/tap-rest-api-msdk",
    ])
    try world.succeed(["source", "discover", "api"])
    try world.succeed(["source", "select", "api", "--all"])
    for received in [120, 0] {
      try world.succeed(["sync", "run", "api"])
      #expect(try world.counts("api")["added"] == received)
    }
    #expect(
      try stored("api", "items", ["id", "name"]) == (1...120).map { "\($0)|item \($0)" })
  }
}
