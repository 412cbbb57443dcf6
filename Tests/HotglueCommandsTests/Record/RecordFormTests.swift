import HotglueCore
import HotglueStore
import Testing

@testable import HotglueCommands

@Suite("Records in their forms")
struct RecordFormTests {
  @Test("a table has quotes where RFC 4180 wants them, and tells null from an empty text")
  func table() throws {
    let table = CommaSeparated(columns: ["a", "b,c", "d", "e", "f", "g"])
    #expect(table.header == "a,\"b,c\",d,e,f,g\r\n")
    let record = try JSON.parse(
      #"{"a":"say \"hi\"","b,c":null,"d":"","e":12345678901234567890.10,"f":{"x":[1]},"g":true}"#)
    #expect(
      table.line(record)
        == "\"say \"\"hi\"\"\",,\"\",12345678901234567890.10,\"{\"\"x\"\":[1]}\",true\r\n")
    #expect(CommaSeparated.quoted("two\nlines") == "\"two\nlines\"")
  }

  @Test(
    "a condition compares numbers by value and texts as they are",
    arguments: [
      ("n=1", true), ("n=1.0", true), ("n=2", false), ("n!=2", true), ("t=1", true),
      ("t=1.0", false), ("none=null", true), ("x=null", true), ("a.b=yes", true),
      ("a.b=no", false), ("flag=true", true), ("big=9007199254740993", true),
      ("big=9007199254740992", false),
    ])
  func conditions(_ text: String, _ isAdmitted: Bool) throws {
    var options = RecordFilterOptions()
    options.conditions = [text]
    options.since = nil
    let filter = try options.filter(at: Timestamp(milliseconds: 0))
    let record = StoredRecord(
      key: .integer(1),
      data:
        #"{"n":1,"t":"1","none":null,"a":{"b":"yes"},"flag":true,"big":9007199254740993}"#,
      updatedAt: Timestamp(milliseconds: 5))
    #expect(try filter.admits(record) == isAdmitted)
  }

  @Test(
    "conditions on all fields of the record key name the keys that a record may have",
    arguments: [
      (["id"], ["id=5"], [RecordKey.integer(5), .text("5")]),
      (["id"], ["id=5.0", "x=1"], [.integer(5), .text("5.0")]),
      (["id"], ["id=1.50"], [.text("1.50"), .bytes(Array("[15e-1]".utf8))]),
      (["id"], ["id=true"], [.text("true"), .bytes(Array("[true]".utf8))]),
      (["id"], ["id=a\"b"], [.text("a\"b")]), (["id"], ["id="], [.text("")]),
      (
        ["a", "b"], ["b=x", "a=1"],
        [.bytes(Array("[\"1\",\"x\"]".utf8)), .bytes(Array("[1,\"x\"]".utf8))]
      ),
      (["id"], ["id!=5"], nil), (["a", "b"], ["a=1"], nil), ([], ["id=1"], nil),
      (["id"], ["id=[1]"], nil), (["id"], ["x=5"], nil),
    ] as [([String], [String], [RecordKey]?)])
  func keys(_ key: [String], _ conditions: [String], _ expected: [RecordKey]?) throws {
    var options = RecordFilterOptions()
    options.conditions = conditions
    options.since = nil
    let filter = try options.filter(at: Timestamp(milliseconds: 0))
    let stream = RecordStream(name: "s", key: key, records: 1, schemaVersion: 1)
    #expect(filter.keys(of: stream) == expected)
  }

  @Test("a cursor is read back as it was written, whatever the stream and the key are")
  func cursors() throws {
    let workspace = try #require(WorkspaceID("main"))
    for key: RecordKey in [.integer(-7), .text("a.b ☃"), .bytes([0, 255, 46]), .text("")] {
      let cursor = RecordCursor(
        workspace: workspace, query: .max, stream: "od.d \"☃\"", after: key)
      #expect(RecordCursor(cursor.text) == cursor, "\(cursor.text)")
    }
    for text in ["", "main.1.zz.i1", "main.1.61.x1", "main.1.61.i", "main.1.6.i1"] {
      #expect(RecordCursor(text) == nil, "\(text)")
    }
  }
}
