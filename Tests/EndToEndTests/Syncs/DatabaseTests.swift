import Foundation
import Testing

/// Taps and targets of real databases: what hotglue stores, or a target has, equals a SELECT.
@Suite(.serialized)
struct DatabaseTests {
  private let world: World
  private let taps: String
  private let source = "k" + UUID().uuidString.prefix(8).lowercased()

  init() throws {
    world = try World()
    taps = try World.realTaps()
  }

  private func run(
    _ server: any DatabaseServer, _ tap: String, _ config: [String: Any],
    into destination: (any SyncDestination)? = nil
  ) throws {
    try world.write(server.config(config), to: "config.json")
    try DatabaseScenario(
      world, server, tap: taps + "/" + tap, source: source,
      into: destination ?? StoreDestination(world: world, source: source)
    ).run()
  }

  @Test("pipelinewise-tap-postgres")
  func pipelinewisePostgres() throws {
    try run(
      PostgresServer(), "pipelinewise-tap-postgres/bin/tap-postgres",
      ["filter_schemas": "shop,sales"])
  }

  @Test("meltanolabs-tap-postgres")
  func meltanoPostgres() throws {
    try run(
      PostgresServer(), "meltanolabs-tap-postgres/bin/tap-postgres",
      ["filter_schemas": ["shop", "sales"]])
  }

  @Test("pipelinewise-tap-mysql of MariaDB")
  func maria() throws {
    try run(
      MariaServer(), "pipelinewise-tap-mysql/bin/tap-mysql", ["filter_dbs": "shop,sales"])
  }

  @Test("values of MariaDB arrive as a SELECT gives them, exact and out of the ordinary")
  func mariaTypes() throws {
    let server = try MariaServer()
    try server.createSchemas()
    try server.execute(
      """
      CREATE TABLE shop.kinds (id int unsigned PRIMARY KEY, flag tinyint(1), bits bit(8), big bigint unsigned,
        exact decimal(38,20), ratio double, day date, at datetime(6), clock time, name varchar(40), data varbinary(9));
      INSERT INTO shop.kinds VALUES
        (1, 1, b'101', 18446744073709551615, 123456789012345678.12345678901234567890, 2.25, '2026-02-03',
          '2026-02-03 04:05:06.789012', '12:34:56', 'a|\\0\\t"', x'00ff10'),
        (2, 0, b'0', 9007199254740993, -0.5, -1.5, '0000-00-00', '0000-00-00', '-838:59:59', '', x''),
        (4294967295, 127, NULL, NULL, NULL, 0.125, '9999-12-31', '9999-12-31 23:59:59.999999', NULL, NULL, NULL);
      CREATE TABLE shop.`Odd.Näme` (`ID` int, `a.b` int, `order` varchar(9), PRIMARY KEY (`ID`, `order`));
      INSERT INTO shop.`Odd.Näme` VALUES (1, 2, 'x'), (1, 3, 'y');
      """)
    try world.write(server.config(["filter_dbs": "shop"]), to: "config.json")
    try world.succeed([
      "source", "add", source, "--config", "config.json", "--",
      taps + "/pipelinewise-tap-mysql/bin/tap-mysql",
    ])
    try world.succeed(["source", "discover", source])
    try world.succeed(["source", "select", source, "--all", "--method", "*=full-table"])
    for _ in 1...2 {
      let run = try world.run(["sync", "run", source])
      try #require(run.status == 0, "\(run.errorOutput)")
      #expect(
        run.errorOutput.contains("not of their declared format in stream 'shop-kinds', day"),
        "\(run.errorOutput)")
      #expect(try world.succeed(["sync", "rejects", source]) == "")
      let kinds = StoreDestination(world: world, source: source)
      for (names, columns) in [
        (["id", "big", "ratio"], "id, big, ratio"), (["id", "data"], "id, hex(data)"),
      ] {
        let stored = try kinds.rows("shop", "kinds", names)
        #expect(
          try stored == server.rows("SELECT \(columns) FROM shop.kinds ORDER BY id"), "\(stored)")
      }
      let exact = try world.succeed(["record", "export", source, "shop-kinds"])
      #expect(exact.contains(#""exact":123456789012345678.12345678901234567890,"#), "\(exact)")
      #expect(
        try kinds.rows("shop", "Odd.Näme", ["ID", "a.b", "order"])
          == server.rows("SELECT * FROM shop.`Odd.Näme` ORDER BY `ID`, `order`"))
    }
    try world.checkStore()
  }

  @Test("tap-rest-api-msdk of a local server")
  func restAPI() throws {
    try run(RESTServer(), "tap-rest-api-msdk/bin/tap-rest-api-msdk", [:])
  }

  @Test("meltanolabs-tap-postgres into meltanolabs-target-postgres")
  func intoPostgres() throws {
    let server = try PostgresServer()
    try run(
      server, "meltanolabs-tap-postgres/bin/tap-postgres",
      ["filter_schemas": ["shop", "sales"], "emit_activate_version_messages": true],
      into: PostgresDestination(world, taps, beside: server))
  }

  @Test("pipelinewise-tap-mysql of MariaDB into target-jsonl")
  func intoJSONLines() throws {
    try run(
      MariaServer(), "pipelinewise-tap-mysql/bin/tap-mysql", ["filter_dbs": "shop,sales"],
      into: JSONLinesDestination(world, taps))
  }
}
