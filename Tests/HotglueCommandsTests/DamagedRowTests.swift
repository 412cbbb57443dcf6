import HotglueCore
import HotglueStore
import Testing

@testable import HotglueStoreSQLite

@Suite("Rows with numbers that nobody stored")
struct DamagedRowTests {
  private static let lines = [
    "job list --limit 0", "job list --json --limit 0", "job show 1", "job show 1 --json",
    "job explain 1", "job explain 2", "job logs 1", "log", "log --json", "type list",
    "type show mail", "queue list", "source list", "source show s", "sync status s",
    "sync history s", "effect list", "draft list", "draft show 1", "workspace list",
    "workspace show", "store info", "job reclaim --dry-run",
  ]

  /// A store with a row of nearly everything.
  private func place() throws -> CommandPlace {
    var place = try CommandPlace.ready()
    place.input = Array("[job]\ncommand = [\"true\"]\n".utf8)
    for line in [
      "job enqueue --delay 1d --key k -- true", "job enqueue --limit-key l -- true",
      "type set mail -- true", "source add s -- true", "draft new job --from -",
      "queue limit default 3", "effect begin --scope workspace e",
    ] {
      let answer = place.run(line)
      #expect(answer.status == 0, "\(line): \(answer)")
    }
    return place
  }

  @Test(
    "no number of a row ends a command that lists or shows it",
    arguments: [Int64.max, .min, 1 << 40, -(1 << 33), 253_402_300_800_000])
  func everyColumn(value: Int64) throws {
    let place = try place()
    let connection = try Connection(path: place.storePath)
    try connection.execute(
      "PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF; "
        + "PRAGMA trusted_schema = ON")
    let columns = try connection.all(
      text: """
        SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c
        WHERE m.type = 'table' AND c.type = 'INTEGER' AND c.pk = 0 AND m.name NOT LIKE 'sqlite%'
        """
    ) { (table: $0.text(0), column: $0.text(1)) }
    #expect(columns.count > 60)
    for (table, column) in columns {
      try connection.execute("UPDATE OR IGNORE \"\(table)\" SET \"\(column)\" = \(value)")
    }
    for line in Self.lines {
      for terminals in [[], [1, 2]] as [Set<Int32>] {
        var place = place
        place.terminals = terminals
        place.width = terminals.isEmpty ? nil : 100
        let answer = place.run(line)
        #expect(answer.status == 0 || (65...82).contains(answer.status), "\(line): \(answer)")
        #expect(answer.status != 70, "\(line): \(answer)")
      }
    }
  }
}
