import Foundation
import Testing

/// What every tap of a database goes through: whole and incremental, with inserts, updates, deletions,
/// changes of the schema and ten kills. What arrives equals a SELECT.
///
/// `shop.orders` is incremental, `sales.orders`, a table of the same name, is sent whole. Rows that are deleted
/// from the first one are kept aside in `shop.gone`, since no incremental stream can tell of them.
final class DatabaseScenario {
  private let world: World
  private let server: any DatabaseServer
  private let destination: any SyncDestination
  private let tap: String
  private let source: String
  private var random = Seeded(state: 0xDA7A_BA5E)
  private var turn = 0
  private var hasNewSchema = false
  private let size: Int

  init(
    _ world: World, _ server: any DatabaseServer, tap: String, source: String,
    into destination: any SyncDestination
  ) {
    self.world = world
    self.server = server
    self.destination = destination
    self.tap = tap
    self.source = source
    // Targets take their time for each record.
    size = destination.program == nil ? 3000 : 1000
  }

  func run() throws {
    try create()
    try select()
    try sync("first")
    try change()
    try sync("changed")
    try changeSchema()
    try change()
    try sync("schema and rows changed")
    try killTenTimes()
    try takeWhole()
    try world.checkStore()
  }

  // MARK: the database

  /// A time that grows with `n`, as every database reads it.
  private func moment(_ n: Int) -> String {
    String(format: "2026-01-01 %02d:%02d:%02d", n / 3600, n / 60 % 60, n % 60)
  }

  private func insert(_ ids: ClosedRange<Int>, at time: (Int) -> Int) throws {
    let orders = ids.map { "(\($0), 'o\($0)', \($0).10, '\(moment(time($0)))')" }
    let sales = ids.map { "(\($0), \($0 % 10 == 0 ? "NULL" : "'note \($0)'"), \($0).25)" }
    let text = hasNewSchema ? "remark" : "note"
    try server.execute(
      """
      INSERT INTO shop.orders (id, name, amount, updated_at) VALUES \(orders.joined(separator: ","));
      INSERT INTO sales.orders (id, \(text), amount) VALUES \(sales.joined(separator: ","));
      """)
  }

  private func create() throws {
    try server.createSchemas()
    let columns = "name varchar(20), amount numeric(10,2), updated_at timestamp NOT NULL"
    try server.execute(
      """
      CREATE TABLE shop.orders (id \(server.keyType), \(columns));
      CREATE TABLE shop.gone (id \(server.keyType), \(columns), extra varchar(9));
      CREATE TABLE sales.orders (id \(server.keyType), note varchar(30), amount numeric(10,2), spare int);
      CREATE TABLE shop.audit (id \(server.keyType));
      """)
    // Times in another order than the rows: some taps send their first run unsorted.
    try insert(1...size) { $0 * 7919 % size }
  }

  /// Inserts, updates and deletions. Rows of multiples of seven are deleted alone, so that each row in
  /// `shop.gone` was there when the first sync ran, and is as it was then.
  private func change() throws {
    turn += 1
    let next = size + turn * 20
    let now = size + turn
    try insert(next + 1...next + 20) { _ in now }
    let extra = hasNewSchema ? ", extra = 'e\(turn)'" : ""
    let text = hasNewSchema ? "remark" : "note"
    let deleted = "id <= \(size) AND id % 7 = 0 AND id % 31 = \(turn)"
    try server.execute(
      """
      UPDATE shop.orders SET name = 'turn \(turn)', updated_at = '\(moment(now))'\(extra)
        WHERE id % 7 <> 0 AND id % 3 = \(turn % 3);
      INSERT INTO shop.gone (id, name, amount, updated_at)
        SELECT id, name, amount, updated_at FROM shop.orders WHERE \(deleted);
      DELETE FROM shop.orders WHERE \(deleted);
      UPDATE sales.orders SET \(text) = NULL WHERE id % 11 = \(turn % 11);
      UPDATE sales.orders SET \(text) = 'turn \(turn)' WHERE id % 9 = \(turn % 9);
      DELETE FROM sales.orders WHERE id % 29 = \(turn);
      """)
  }

  private func changeSchema() throws {
    // A row has a value in the new column, for taps that infer its type.
    try server.execute(
      """
      ALTER TABLE shop.orders ADD COLUMN extra varchar(9);
      UPDATE shop.orders SET extra = 'e', updated_at = '\(moment(size + turn))' WHERE id = 1;
      ALTER TABLE sales.orders ADD COLUMN extra varchar(9) DEFAULT 'x';
      ALTER TABLE sales.orders RENAME COLUMN note TO remark;
      ALTER TABLE sales.orders DROP COLUMN spare;
      \(destination.retypes ? server.retypeToText("sales.orders", "amount") : "")
      """)
    hasNewSchema = true
    let changed = try world.run(["source", "discover", source])
    try #require(changed.status == 0, "\(changed.errorOutput)")
    for words in ["~ shop-orders: +extra", "~ sales-orders: "] {
      #expect(changed.errorOutput.contains(words), "\(changed.errorOutput)")
    }
  }

  /// The incremental stream becomes one that is sent whole: rows that were deleted go at last.
  private func takeWhole() throws {
    let method = ["source", "select", source, "--method", "shop-orders=full-table"]
    let selected = try world.run(method)
    try #require(selected.status == 0, "\(selected.errorOutput)")
    if destination.program == nil {
      let hint = "hint: hotglue sync run \(source) --full shop-orders"
      #expect(selected.errorOutput.contains(hint), "\(selected.errorOutput)")
    }
    try sync("whole at last", isIncremental: false, ["--full", "shop-orders"])
  }

  // MARK: syncs

  private func select() throws {
    try world.succeed([
      "source", "add", source, "--config", "config.json", "--", tap,
    ])
    try world.succeed(["source", "discover", source])
    try world.succeed([
      "source", "select", source, "*-orders", "--method", "*=full-table", "--method",
      "shop-orders=incremental", "--replication-key", "shop-orders=updated_at",
    ])
    try world.succeed(["source", "test", source])
  }

  private func sync(
    _ note: String, isIncremental: Bool = true, _ flags: [String] = []
  ) throws {
    let result = try world.run(["sync", "run", source] + flags + destination.arguments)
    try #require(result.status == 0, "\(note): \(result.errorOutput)")
    let extra = hasNewSchema ? ["extra"] : []
    let orders = ["id", "name", "amount", "updated_at"] + extra
    let columns = orders.joined(separator: ", ")
    let gone = isIncremental ? " UNION ALL SELECT \(columns) FROM shop.gone" : ""
    try requireEqual(
      "shop", orders, server.rows("SELECT \(columns) FROM shop.orders\(gone)"), note)
    let sales = ["id", hasNewSchema ? "remark" : "note", "amount"] + extra
    try requireEqual(
      "sales", sales,
      server.rows("SELECT \(sales.joined(separator: ", ")) FROM sales.orders"), note)
  }

  private func requireEqual(
    _ schema: String, _ fields: [String], _ expected: [String], _ note: String
  ) throws {
    let arrived = try destination.rows(schema, "orders", fields)
    let left = Dictionary(expected.map { ($0.key, $0.plain) }) { $1 }
    var right = Dictionary(arrived.map { ($0.key, $0.plain) }) { "twice: \($0), \($1)" }
    if !destination.removes { right = right.filter { left[$0.key] != nil } }
    let wrong = Set(left.keys).union(right.keys).filter { left[$0] != right[$0] }.sorted()
    let words = wrong.prefix(5).map { "\(left[$0] ?? "nothing") became \(right[$0] ?? "nothing")" }
    let isEqual = wrong.isEmpty
    try #require(
      isEqual, "\(note), \(schema).orders: \(wrong.count) rows, such as \(words)")
  }

  // MARK: kills

  private enum Part: CaseIterable {
    case command, attempt, tap, target
  }

  private func killTenTimes() throws {
    let parts = Part.allCases.filter { $0 != .target || destination.program != nil }
    var killed = 0
    var tries = 0
    while killed < 10 {
      tries += 1
      try #require(tries < 40, "\(killed) kills")
      // The tables hold changes for the next thirty turns.
      if turn < 28 { try change() }
      let running = try world.start(["sync", "run", source] + destination.arguments)
      try world.eventually("the tap runs") {
        !running.isRunning || !processes(of: .tap, running).isEmpty
      }
      // Some kills meet the tap at its start, some in the midst of its records. What a target has received is
      // counted at its end alone.
      var span = 200_000
      if tries / parts.count % 2 == 1 {
        if destination.program == nil {
          try world.eventually("records come in") { try !running.isRunning || isReceiving() }
        } else {
          span = 1_500_000
        }
      }
      usleep(useconds_t(random.next() % span))
      let part = parts[tries % parts.count]
      let found = processes(of: part, running)
      if running.isRunning, found.contains(where: { kill($0, SIGKILL) == 0 }) { killed += 1 }
      if running.isRunning { kill(running.processIdentifier, SIGKILL) }
      running.waitUntilExit()
      // The attempt of a killed command goes on. A command that follows a failing one would wait out its
      // back-off, where one that finds it failed runs it at once.
      if part != .command { try awaitRecorded() }
    }
    try awaitRecorded()
    // The first run completes what was killed, from its bookmark; a whole table may have changed before it.
    let first = try world.run(["sync", "run", source] + destination.arguments)
    try #require(first.status == 0, "\(first.errorOutput)")
    try sync("killed")
  }

  private func awaitRecorded() throws {
    try world.eventually("what was killed is recorded") {
      try world.succeed(["job", "reclaim", "-w", "main"])
      return try world.stateCounts()["running"] == nil
    }
  }

  private func isReceiving() throws -> Bool {
    let standing = try world.standing(source)
    return standing["state"] as? String == "running"
      && (standing["streams"] as? [Any])?.isEmpty == false
  }

  private func processes(of part: Part, _ command: Process) -> [Int32] {
    func ours(_ program: String) -> [Int32] {
      let here = Set(World.programs(named: world.folder.path))
      return World.programs(named: program).filter(here.contains)
    }
    return switch part {
    case .command: [command.processIdentifier]
    case .attempt: World.processes(named: "__sync\u{0}\(source)")
    case .tap: ours(tap)
    case .target: destination.program.map(ours) ?? []
    }
  }
}

extension String {
  /// The first column.
  fileprivate var key: String { String(prefix { $0 != "|" }) }

  /// The columns without what the programs write in different ways: zeros after a fraction, and times.
  fileprivate var plain: String {
    split(separator: "|", omittingEmptySubsequences: false).map { column in
      if column.hasPrefix("2026-"), column.count >= 19 {
        return column.prefix(19).replacingOccurrences(of: "T", with: " ")
      }
      guard column.contains("."), Double(column) != nil else { return String(column) }
      let digits = column.reversed().drop { $0 == "0" }.drop { $0 == "." }
      return String(digits.reversed())
    }.joined(separator: "|")
  }
}
