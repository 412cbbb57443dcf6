import HotglueStore
import Testing

@testable import HotglueStoreSQLite
@testable import StoreConformance

@Suite("the room of replaced records")
struct SyncSweepTests {
  let fixture: SQLiteFixture
  let syncs: StoreFixture

  init() throws {
    fixture = try SQLiteFixture()
    syncs = try fixture.conformance()
  }

  private func count(_ table: String) throws -> Int64? {
    try Connection(path: fixture.path, access: .readOnly)
      .all(text: "SELECT count(*) FROM \(table)") { $0.integer(0) }.first
  }

  @Test("a run removes what it has replaced and published, but nothing that a reader holds")
  func withinRun() throws {
    let source = try syncs.source()
    try syncs.succeed(try syncs.filled(source, [(1, "a"), (2, "b"), (3, "c")]))
    let session = try syncs.session(source)
    try syncs.stage(session, [(1, "x"), (2, "x"), (3, "x")])
    try syncs.stage(session, [(4, "d")])
    #expect(try count("record_version") == 7, "what is not published replaces nothing yet")
    try syncs.stage(session, [(5, "e")], bookmark: #"{"at":1}"#)
    try syncs.stage(session, [(6, "f"), (7, "g")])
    #expect(try count("record_version") == 8, "as many go as come")
    try syncs.stage(session, [(8, "h")])
    #expect(try count("record_version") == 8)
    #expect(try count("sync_superseded") == 0)

    try syncs.stage(session, [(1, "y"), (2, "y")], bookmark: #"{"at":2}"#)
    let reader = try syncs.openAgain()
    var moment: RecordMoment? = try reader.holdRecords(of: source.id, in: syncs.acme)
    try syncs.stage(session, [(9, "i")])
    #expect(try count("record_version") == 11)
    try #require(moment != nil)
    moment = nil
    try syncs.stage(session, [(10, "j")])
    #expect(try count("record_version") == 11)
    try syncs.succeed(session)
    try syncs.sweepAll(source)
    #expect(
      try syncs.visible(source)
        == ["1y", "2y", "3x", "4d", "5e", "6f", "7g", "8h", "9i", "10j"])
    #expect(try count("record_version") == 10)
  }

  @Test("versions that are replaced together are one row, which small steps shorten")
  func together() throws {
    let source = try syncs.source()
    let ids = Array(Int64(1)...10)
    try syncs.succeed(try syncs.filled(source, ids.map { ($0, "a") }))
    try syncs.succeed(try syncs.filled(source, ids.reversed().map { ($0, "b") }))
    #expect(try count("sync_superseded") == 1)
    for left: Int64 in [17, 14, 11, 10] {
      #expect(try syncs.store.sweepSyncs(limit: 3))
      #expect(try count("record_version") == left)
      #expect(try syncs.visible(source) == ids.map { "\($0)b" })
    }
    #expect(try !syncs.store.sweepSyncs(limit: 3))
    #expect(try count("sync_superseded") == 0)
  }

  @Test("a run that died replaces nothing, also of versions that one row names")
  func dead() throws {
    let source = try syncs.source()
    let ids = Array(Int64(1)...10)
    try syncs.succeed(try syncs.filled(source, ids.map { ($0, "a") }))
    try syncs.stage(try syncs.session(source), ids.map { ($0, "b") })
    let next = try syncs.session(source)
    try syncs.stage(next, [(11, "c")], bookmark: #"{"at":1}"#)
    try syncs.stage(next, [(12, "d")])
    try syncs.succeed(next)
    try syncs.sweepAll(source)
    #expect(try syncs.visible(source) == ids.map { "\($0)a" } + ["11c", "12d"])
    #expect(try count("record_version") == 12)
    #expect(try count("sync_superseded") == 0)
  }

  @Test("numbers are ranges without a gap")
  func ranges() {
    func ranges(_ numbers: Int64...) -> [ClosedRange<Int64>] { numbers.closedRanges }
    #expect(ranges() == [])
    #expect(ranges(5, 3, 4, 9, 1, 10) == [1...1, 3...5, 9...10])
    #expect(ranges(2, 2, 3) == [2...3])
  }
}
