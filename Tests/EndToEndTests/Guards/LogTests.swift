import Foundation
import Testing

/// Every mutation leaves its row in the log, in the step that makes it; no read does.
@Suite
struct LogTests {
  private let world: World
  private let lines: CommandLines
  private let table: CommandTable

  init() throws {
    let world = try World()
    self.world = world
    table = try CommandTable(of: world)
    try FileManager.default.createDirectory(
      at: world.folder.appendingPathComponent("copies"), withIntermediateDirectories: false)
    lines = CommandLines(
      prepare: { try world.succeed($0) }, attempt: { try world.run($0) }, workspace: "main",
      anotherWorkspace: { try world.succeed(["workspace", "create", $0]) })
    try CommandLines.writeFiles(in: world.folder)
  }

  /// A file of types that differs from the last one, so that applying it changes something.
  private func writeTypes() throws {
    try Data("[type.\(lines.unique("applied"))]\ncommand = [\"true\"]\n".utf8)
      .write(to: world.folder.appendingPathComponent("types.toml"))
  }

  private func log() throws -> [String] {
    try world.run(["log", "--all-workspaces", "--limit", "0", "--json"]).lines
  }

  @Test("every command that changes something leaves a row that names it, and no other does")
  func everyMutation() throws {
    for row in table.rows {
      try writeTypes()
      let line = try lines.line(for: row.command)
      let before = try log().count
      let result = try world.run(line)
      // Only a handler can report; it speaks to its supervisor, and changes nothing here.
      let expected: Int32 = ["job report", "job progress"].contains(row.command) ? 78 : 0
      #expect(result.status == expected, "\(line): \(result.errorOutput)")
      let new = try log().dropLast(before)
      #expect(new.isEmpty != row.changes, "\(row.command): \(new)")
      for text in new { #expect(text.contains(#""command":"\#(row.command)""#), "\(text)") }
    }
  }

  @Test("without its row in the log no mutation happens at all")
  func sameStep() throws {
    for row in table.rows where row.changes && row.command != "workspace switch" {
      try writeTypes()
      let line = try lines.line(for: row.command)
      try world.hideAuditLog()
      if row.command == "store restore" { try sql("VACUUM INTO 'copies/refused.db'") }
      let before = try dump()
      let refused =
        row.command == "store restore"
        ? ["store", "restore", "copies/refused.db", "--yes", "-w", "main"] : line
      let result = try world.run(refused)
      #expect(result.status != 0, "\(row.command)")
      let after = try dump()
      #expect(after == before, "\(row.command) changed something")
      try world.showAuditLog()
      // It was the log alone that stood in its way.
      let again = try world.run(line)
      #expect(again.status == 0, "\(line): \(again.errorOutput)")
    }
  }

  @Test("a switch is confirmed and logged in one step: without the row it stays open, and is ended")
  func switchIsLogged() throws {
    let line = try lines.line(for: "workspace switch")
    let target = try #require(line.last)
    let before = try log()
    try world.hideAuditLog()
    #expect(try world.run(line).status != 0)
    #expect(try sql("SELECT count(*) FROM context WHERE intent_generation IS NOT NULL") == "1")
    try world.showAuditLog()
    try world.succeed(["context", "show"])
    #expect(try sql("SELECT count(*) FROM context WHERE intent_generation IS NOT NULL") == "0")
    let new = try log().dropLast(before.count)
    #expect(new.count == 1)
    #expect(new.first?.contains(#""workspace":"\#(target)""#) == true)
    #expect(try world.succeed(["workspace", "current"]) == target)
  }

  @Test("the log says who did what, and where they thought they were")
  func whoAndWhere() throws {
    try world.succeed(["workspace", "create", "other"])
    try world.enqueue("hotglue job enqueue --delay 1h -w other -- true")
    try world.succeed(["job", "work", "-w", "main", "--drain"])
    try world.succeed(["workspace", "protect", "other"])
    let user = try #require(try row("job enqueue", "main")["user"] as? String)
    #expect(user == NSUserName())
    #expect(try row("job enqueue", "main")["origin"] as? String == "flag")
    #expect(try row("workspace switch", "main")["origin"] as? String == "argument")
    #expect(try row("workspace protect", "other")["origin"] as? String == "argument")
    // From inside job 1, which runs in 'main'.
    let inside = try row("job enqueue", "other")
    #expect(inside["job"] as? Int == 1)
    #expect(inside["subject"] as? String == "job/2")
    #expect(inside["terminal"] is NSNull)
    #expect(
      try world.run(["log", "--job", "1", "--all-workspaces", "-q"]).lines == ["job/2", "job/1"])
    #expect(try world.run(["log", "--job", "2", "-w", "other", "-q"]).lines == ["job/2"])
    #expect(try world.run(["log", "--job", "2"]).lines == [])
    let link = try world.run(["log", "--job", "hotglue://other/job/2"])
    #expect(link.status == 80)
    #expect(link.errorOutput.contains("'other'") && link.errorOutput.contains("'main'"))
    #expect(try world.run(["log", "--user", "nobody-here"]).lines == [])
    #expect(try world.run(["log", "--since", "soon"]).status == 64)
    #expect(try world.run(["log", "--since", "2099-01-01T00:00:00Z"]).lines == [])
    #expect(
      try world.run(["log", "--command", "job", "--json"]).lines.allSatisfy {
        $0.contains(#""command":"job "#)
      })
  }

  @Test("the log pages on with its cursor, which is good for this log alone")
  func cursors() throws {
    for _ in 0..<7 { try world.enqueue("true") }
    var shown: [String] = []
    var cursor: [String] = []
    repeat {
      let page = try world.run(["log", "-w", "main", "--limit", "3", "--json"] + cursor)
      #expect(page.status == 0)
      shown += page.lines
      let next = page.errorOutput.split(separator: " ").last.map {
        $0.trimmingCharacters(in: .newlines)
      }
      cursor = next.map { ["--cursor", $0] } ?? []
    } while !cursor.isEmpty
    #expect(shown == (try world.run(["log", "-w", "main", "--limit", "0", "--json"]).lines))
    #expect(shown.count == 9)
    try world.succeed(["workspace", "create", "other"])
    let page = try world.run(["log", "--limit", "3"])
    let next = try #require(page.errorOutput.split(separator: " ").last).description
      .trimmingCharacters(in: .newlines)
    for command in [
      ["log", "-w", "other", "--cursor", next], ["log", "--all-workspaces", "--cursor", next],
      ["log", "--user", "x", "--cursor", next], ["job", "list", "--cursor", next],
      ["effect", "list", "--cursor", next],
    ] {
      let refused = try world.run(command)
      #expect(refused.status == 80, "\(command)")
      #expect(refused.output == "")
    }
  }

  private func row(_ command: String, _ workspace: String) throws -> [String: Any] {
    let found = try world.run([
      "log", "--all-workspaces", "--command", command, "--limit", "0", "--json",
    ]).lines.map { line in
      try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }.first { $0["workspace"] as? String == workspace }
    return try #require(found, "a row of '\(command)' in '\(workspace)'")
  }

  @discardableResult
  private func sql(_ text: String) throws -> String {
    let result = try world.command(
      "/usr/bin/env", ["sqlite3", "-cmd", ".timeout 5000", ".hotglue/store.db", text])
    try #require(result.status == 0, "\(result.errorOutput)")
    return result.output.trimmingCharacters(in: .newlines)
  }

  /// Every row of the store.
  private func dump() throws -> String { try sql(".dump") }
}
