import HotglueCore
import HotglueSinger
import HotglueStore
import StoreConformance
import Testing

@Suite("bookmarks that a target confirms")
struct RelayOrderTests {
  let harbour: Harbour
  init() throws { harbour = try Harbour() }

  private static let schema = """
    {"type":"SCHEMA","stream":"s","key_properties":["id"],"bookmark_properties":["at"],\
    "schema":{"properties":{"id":{},"at":{}}}}

    """

  private static func row(_ at: Int) -> String { Lines.record("{\"id\":\(at),\"at\":\(at)}") }

  private static func value(_ at: Int) -> String {
    "{\"bookmarks\":{\"s\":{\"replication_key\":\"at\",\"replication_key_value\":\(at)}}}"
  }

  private static func state(_ at: Int) -> String { Lines.state(value(at)) }

  private func relay(_ change: (inout RelayOptions) -> Void = { _ in }) throws -> TargetRelay {
    var options = RelayOptions()
    change(&options)
    let session = try harbour.store.beginDelivery(
      SyncRequest(workspace: harbour.acme, source: harbour.source.id, attempt: nil),
      into: ["target"], by: StoreFixture.alice, at: harbour.clock.now)
    return TargetRelay(
      session: session, options: options, now: { [clock = harbour.clock] in clock.now },
      send: { _ in })
  }

  private func confirmed() throws -> String? {
    try harbour.store.syncTargets(of: harbour.source.id, in: harbour.acme).first?.bookmark?.text
  }

  @Test("in order each counts at once")
  func inOrder() throws {
    let relay = try relay()
    try relay.fromTap(Self.schema + Self.row(1) + Self.state(1))
    try relay.fromTarget(Self.value(1))
    #expect(try confirmed() == Self.value(1))
    try relay.fromTap(Self.row(2) + Self.state(2))
    try relay.fromTarget(Self.value(2))
    #expect(try confirmed() == Self.value(2))
  }

  @Test("out of order those of the run are withdrawn, and the last one counts at the end")
  func outOfOrder() throws {
    let first = try relay()
    try first.fromTap(Self.schema + Self.row(5) + Self.state(5))
    try first.fromTarget(Self.value(5))
    try first.fromTap(Self.row(3))
    #expect(try confirmed() == nil)
    try first.fromTap(Self.state(3) + Self.row(9) + Self.state(9))
    try first.fromTarget(Self.value(3))
    try first.fromTarget(Self.value(9))
    #expect(try confirmed() == nil)
    let failed = try first.fail(Job.Failure(code: "target", message: "", kind: "retry"))
    #expect(failed.bookmark == nil)

    let second = try relay()
    try second.fromTap(Self.schema + Self.row(5) + Self.row(3) + Self.row(9) + Self.state(9))
    try second.fromTarget(Self.value(9))
    #expect(try confirmed() == nil)
    let ended = try second.succeed()
    #expect(try confirmed() == Self.value(9))
    #expect(ended.bookmark?.text == Self.value(9))
    #expect(ended.notes.contains { $0.contains("not in the order") })
  }

  @Test("one in mid-run does not count at the end, when the target has not confirmed the last")
  func notTheLast() throws {
    let relay = try relay()
    try relay.fromTap(Self.schema + Self.row(5) + Self.row(3) + Self.state(5) + Self.row(9))
    try relay.fromTap(Self.state(9))
    try relay.fromTarget(Self.value(5))
    _ = try relay.succeed()
    #expect(try confirmed() == nil)
  }

  @Test("with 'resume: end' only the last one counts, when the run has succeeded")
  func resumesAtEnd() throws {
    let relay = try relay { $0.resumesAtEnd = true }
    try relay.fromTap(Self.schema + Self.row(1) + Self.state(1))
    try relay.fromTarget(Self.value(1))
    #expect(try confirmed() == nil)
    _ = try relay.succeed()
    #expect(try confirmed() == Self.value(1))
  }
}

extension TargetRelay {
  func fromTap(_ text: String) throws(SyncError) {
    let bytes = Array(text.utf8)
    try bytes.withUnsafeBufferPointer { (bytes) throws(SyncError) in try take(ofTap: bytes) }
  }

  func fromTarget(_ line: String) throws(SyncError) {
    let bytes = Array((line + "\n").utf8)
    try bytes.withUnsafeBufferPointer { (bytes) throws(SyncError) in try take(ofTarget: bytes) }
  }
}
