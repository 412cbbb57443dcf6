import Foundation
import Testing

/// Records that are read while they change.
@Suite(.serialized)
struct RecordReadTests {
  @Test(
    "an export is of the publication with which it began, though another comes in the middle of it")
  func exportIsOfOneMoment() throws {
    let world = try World()
    // Each run sends the same 9,000 keys with a word of its own.
    try world.script(
      """
      echo >>runs
      n=$(wc -l <runs)
      printf '%s\\n' '\(World.schemaLine)'
      seq 1 9000 | sed 's/.*/{"type":"RECORD","stream":"a","record":{"id":&,"run":'$n'}}/'
      """, as: "tap")
    try world.succeed(["source", "add", "a", "--", "./tap"])
    try world.succeed(["sync", "run", "a"])
    let before = try world.records("a")
    // It fills its pipe and waits there.
    let (export, pipe) = try world.startPiped(["record", "export", "a"])
    let reader = pipe.fileHandleForReading
    var seen = try #require(try reader.read(upToCount: 100))
    try world.succeed(["sync", "run", "a"])
    #expect(try world.counts("a")["changed"] == 9000)
    seen += try reader.readToEnd() ?? Data()
    export.waitUntilExit()
    #expect(export.terminationStatus == 0)
    let lines = String(decoding: seen, as: UTF8.self)
    #expect(lines.contains("\"run\":1}") && !lines.contains("\"run\":2}"))
    #expect(lines.trimmingCharacters(in: .newlines) == before)
    #expect(try world.records("a") == before.replacing("\"run\":1}", with: "\"run\":2}"))
    // What nobody reads any more is swept by the next run.
    try world.succeed(["sync", "run", "a"])
    let left = try world.command(
      "/usr/bin/sqlite3",
      [
        world.folder.path + "/.hotglue/store.db",
        "SELECT count(*) FROM record_version; SELECT count(*) FROM sync_superseded",
      ]
    ).output
    #expect(left == "9000\n0\n")
    try world.checkStore()
  }

  @Test("a stream whose schema names no properties is refused as CSV, which has a column for each")
  func noColumns() throws {
    let world = try World()
    let schema =
      #"{"type":"SCHEMA","stream":"a","schema":{"type":"object"},"key_properties":["id"]}"#
    try world.write(
      schema + "\n" + #"{"type":"RECORD","stream":"a","record":{"id":1}}"# + "\n", to: "lines")
    try world.succeed(["source", "add", "a", "--", "cat", "lines"])
    try world.succeed(["sync", "run", "a"])
    let table = try world.run(["record", "export", "a", "--format", "csv"])
    #expect(table.status == 64 && table.output == "")
    #expect(table.errorOutput.contains("names no properties"), "\(table)")
    #expect(table.errorOutput.contains("hint: --format jsonl"), "\(table)")
    #expect(try world.records("a") == #"{"id":1}"#)
  }
}
