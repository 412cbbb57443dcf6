import Foundation
import Testing

/// Real taps, run for real.
@Suite(.serialized)
struct RealTapTests {
  @Test("tap-jsonl: everything is taken in once, and a run without news writes no record")
  func jsonLines() throws {
    let world = try World()
    let lines = (1...1200).map { "{\"id\":\($0),\"name\":\"n\($0)\",\"amount\":\($0).10}" }
    try world.write(lines.joined(separator: "\n") + "\n", to: "contacts.jsonl")
    try world.write(
      """
      {"path":"\(world.folder.path)/contacts.jsonl","stream_name":"contacts","primary_keys":["id"]}
      """, to: "config.json")
    try world.succeed([
      "source", "add", "contacts", "--config", "config.json", "--",
      try World.realTaps() + "/tap-jsonl/bin/tap-jsonl",
    ])
    try world.succeed(["source", "discover", "contacts"])
    try world.succeed(["source", "test", "contacts"])
    try world.succeed(["sync", "run", "contacts"])
    #expect(
      try world.counts("contacts") == [
        "received": 1200, "added": 1200, "changed": 0, "unchanged": 0, "removed": 0,
        "rejected": 0,
      ])
    try world.succeed(["sync", "run", "contacts"])
    let second = try world.counts("contacts")
    #expect(second["added"] == 0 && second["changed"] == 0 && second["unchanged"] == 1200)
    #expect(try world.succeed(["record", "count", "contacts", "contacts"]) == "1200")
    let chosen = try world.run(["record", "list", "contacts", "--where", "id=17", "--json"]).lines
    #expect(chosen.count == 1)
    #expect(chosen.first?.contains("\"key\":17,") == true)
  }

  @Test(
    "tap-csv-folder: an empty first bookmark costs nothing, and a key of our own replaces the tap's"
  )
  func folderOfTables() throws {
    let world = try World()
    let data = world.folder.appendingPathComponent("tables")
    try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
    let rows = (1...300).map { "\($0),\($0 * 7)" }
    try world.write(
      (["id,amount"] + rows).joined(separator: "\n") + "\n", to: "tables/orders.csv")
    try world.write(
      """
      {"filesystem":"local","path":"\(data.path)","read_mode":"one_stream_per_file"}
      """, to: "config.json")
    // This tap fails when it is given the catalog that it wrote itself, and works without one.
    try world.succeed([
      "source", "add", "orders", "--config", "config.json", "--key", "orders=id", "--",
      try World.realTaps() + "/tap-csv-folder/bin/tap-csv-folder",
    ])
    try world.succeed(["sync", "run", "orders"])
    #expect(try world.counts("orders")["added"] == 300)
    let bookmark = try world.succeed(["sync", "state", "orders"])
    #expect(bookmark != "{}" && !bookmark.isEmpty)
    let chosen = try world.run(["record", "list", "orders", "--where", "id=17", "--json"]).lines
    #expect(chosen.count == 1 && chosen.first?.contains("\"key\":\"17\",") == true)
    try world.succeed(["sync", "run", "orders"])
    let second = try world.counts("orders")
    #expect(second["added"] == 0 && second["changed"] == 0)
    #expect(try world.succeed(["sync", "state", "orders"]) != "{}")
  }

  @Test(
    "two versions of airportsdata: what changed is what a plain diff says; a third run writes nothing"
  )
  func airports() throws {
    let world = try World()
    let taps = try World.realTaps()
    let tap = try world.place("airports.py")
    func config(_ version: String) throws {
      try world.write(
        """
        {"csv":"\(taps)/airports-\(version)/airportsdata/airports.csv",
         "emit_activate_version_messages":true}
        """, to: "config.json")
    }
    try config("older")
    try world.succeed([
      "source", "add", "airports", "--config", "config.json", "--",
      taps + "/singer-sdk/bin/python", tap,
    ])
    try world.succeed(["source", "discover", "airports"])
    try world.succeed(["sync", "run", "airports"])
    let plain = try plainDiff(taps, world)
    #expect(try world.counts("airports")["added"] == plain["older"])
    try config("newer")
    try world.succeed(["sync", "run", "airports"])
    let second = try world.counts("airports")
    for word in ["added", "changed", "unchanged", "removed"] {
      #expect(second[word] == plain[word], "\(word): \(second) against \(plain)")
    }
    #expect(plain["changed"] ?? 0 > 0 && plain["removed"] ?? 0 > 0 && plain["added"] ?? 0 > 0)
    let before = try versions(world)
    try world.succeed(["sync", "run", "airports"])
    let third = try world.counts("airports")
    #expect(third["unchanged"] == third["received"] && third["removed"] == 0)
    #expect(try versions(world) == before)
    #expect(
      try world.succeed(["record", "count", "airports", "airports"]) == String(plain["newer"] ?? 0))
  }

  /// All that the store holds of sources but their history: runs, their counts and bookmarks. A tap
  /// that sends a stream whole gives it a new version each time; that is history too.
  private func versions(_ world: World) throws -> String {
    let tables = ["record_version", "sync_schema", "sync_superseded", "sync_dead", "sync_reject"]
    let queries =
      tables.map { "SELECT * FROM \($0)" } + [
        "SELECT id, name, key, schema_version, records, next_version FROM sync_stream",
        "SELECT source, staged, published, bookmark FROM sync_position",
        "SELECT last FROM record_counter",
      ]
    return try world.command(
      "/usr/bin/sqlite3",
      [world.folder.path + "/.hotglue/store.db", queries.joined(separator: ";")]
    ).output
  }

  @Test("the examples of the manual, from installing a tap to its records, as they stand there")
  func manual() throws {
    let world = try World()
    _ = try World.realTaps()
    let page = try ManualExamples(page: "hotglue-sync.7")
    for example in ["first-sync", "into-a-target"] {
      try page.write(example, in: world)
      let result = try world.command(world.folder.path + "/" + example, [])
      try #require(result.status == 0, "\(result.errorOutput)")
    }
    #expect(world.read("people.csv").split(separator: "\r\n").count == 4)
    #expect(world.read("people.csv").contains("Grace Hopper"))
    #expect(try world.succeed(["record", "count", "people", "people"]) == "3")
    let written = try world.command("/bin/sh", ["-c", "cat written/*.jsonl | wc -l"]).output
    #expect(written.trimmingCharacters(in: .whitespacesAndNewlines) == "3")
    let bookmark = try world.succeed(["sync", "state", "people", "--target", "1"])
    #expect(bookmark.contains("\"people\""))
  }

  @Test(
    "DuckDB reads each stream as a table with the types of its schema, and the view of all records")
  func duckDB() throws {
    let world = try World()
    let taps = try World.realTaps()
    try world.write(
      """
      {"type":"SCHEMA","stream":"people","key_properties":["id"],"schema":{"properties":{"id":{"type":"integer"},"at":{"type":"string"},"n":{"type":["null","number"]},"b":{"type":"boolean"},"o":{"type":"object"},"x":{},"a\\"b":{},"ID":{}}}}
      {"type":"RECORD","stream":"people","record":{"id":1,"at":"2026","n":1.5,"b":true,"o":{"p":[1]},"x":"y","a\\"b":7,"ID":3}}
      {"type":"RECORD","stream":"people","record":{"id":12345678901234567890,"n":null}}
      {"type":"SCHEMA","stream":"People","key_properties":[],"schema":{"properties":{"w":{"type":"string"}}}}
      {"type":"RECORD","stream":"People","record":{"w":"other"}}

      """, to: "output")
    try world.script("cat output", as: "tap")
    try world.succeed(["source", "add", "crm", "--", "./tap"])
    try world.succeed(["sync", "run", "crm"])
    try world.write(
      """
      import duckdb
      from duckdb_extensions import import_extension
      import_extension("sqlite_scanner")
      c = duckdb.connect()
      c.execute("LOAD sqlite_scanner")
      c.execute("ATTACH '.hotglue/store.db' AS s (TYPE sqlite, READ_ONLY)")
      c.execute("SHOW ALL TABLES").fetchall()
      print(c.execute('SELECT id, "at", n, b, o, x, ID_2 FROM s."main/crm/people" ORDER BY id').fetchall())
      print(c.execute('SELECT sum(n), count(*) FROM s."main/crm/people"').fetchall())
      print(len(c.execute('SELECT * FROM s."main/crm/people"').fetchall()))
      print(c.execute('SELECT w FROM s."main/crm/People_2"').fetchall())
      print(c.execute("SELECT count(*), min(workspace) FROM s.record").fetchall())

      """, to: "read.py")
    let read = try world.command(taps + "/duckdb/bin/python", ["read.py"])
    try #require(read.status == 0, "\(read.errorOutput)")
    #expect(
      read.output == """
        [(Decimal('1'), '2026', 1.5, True, '{"p":[1]}', 'y', '3'), \
        (Decimal('12345678901234567890'), None, None, None, None, None, None)]
        [(1.5, 2)]
        2
        [('other',)]
        [(3, 'main')]

        """)
  }

  private func plainDiff(_ taps: String, _ world: World) throws -> [String: Int] {
    let script = """
      import csv, json
      def rows(version):
          with open("\(taps)/airports-%s/airportsdata/airports.csv" % version, newline="", encoding="utf-8") as file:
              return {row["icao"]: row for row in csv.DictReader(file)}
      old, new = rows("older"), rows("newer")
      print(json.dumps({
          "older": len(old), "newer": len(new),
          "added": sum(key not in old for key in new),
          "removed": sum(key not in new for key in old),
          "changed": sum(key in old and old[key] != new[key] for key in new),
          "unchanged": sum(key in old and old[key] == new[key] for key in new)}))
      """
    try world.write(script, to: "diff.py")
    let text = try world.command("/usr/bin/env", ["python3", "diff.py"]).output
    let object = try JSONSerialization.jsonObject(with: Data(text.utf8))
    return try #require(object as? [String: Int])
  }
}
