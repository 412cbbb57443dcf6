import HotglueCore
import HotglueSinger
import HotglueStore
import StoreConformance
import Testing

/// Taps that write their bookmarks in different forms, killed in the middle of a run.
@Suite("forms of bookmarks")
struct BookmarkShapeTests {
  let harbour: Harbour
  init() throws { harbour = try Harbour() }

  enum Form: String, CaseIterable {
    case custom, byKey, since, scalar, shared, pipelinewise, nested
    /// Nothing in the records tells them.
    case xmin, page, log

    var isCompared: Bool { ![.xmin, .page, .log].contains(self) }

    /// `%` is the value.
    var template: String {
      switch self {
      case .custom: #"{"bookmarks":{"orders":{"replication_key":"at","replication_key_value":%}}}"#
      case .byKey: #"{"bookmarks":{"orders":{"at":%}}}"#
      case .since: #"{"orders":{"since":%}}"#
      case .scalar: #"{"orders":%}"#
      case .shared: #"{"last_n":%}"#
      case .pipelinewise:
        #"{"currently_syncing":"orders","bookmarks":{"orders":{"last_replication_method":"INCREMENTAL","replication_key":"at","version":7,"replication_key_value":%}}}"#
      case .nested: #"{"value":{"streams":{"orders":{"cursor":{"at":%}}}}}"#
      case .xmin: #"{"bookmarks":{"orders":{"version":7,"xmin":"1%"}}}"#
      case .page: #"{"orders":{"page":1%}}"#
      case .log: #"{"bookmarks":{"orders":{"lsn":1000%,"xmin":null}}}"#
      }
    }

    func state(_ value: Int) -> String {
      Lines.state(template.replacing("%", with: String(value)))
    }

    /// The value that a run was given.
    func value(in bookmark: Bookmark?) -> Int? {
      guard let bookmark else { return nil }
      let ends = template.split(separator: "%", omittingEmptySubsequences: false)
      return Int(bookmark.text.dropFirst(ends[0].count).dropLast(ends[1].count))
    }
  }

  private static let schema = """
    {"type":"SCHEMA","stream":"orders","key_properties":["id"],"bookmark_properties":["at"],\
    "schema":{"properties":{"id":{},"at":{}}}}

    """

  /// Rows from the place on, in the order of `at` or in another, with a bookmark after each ten.
  private static func output(_ form: Form, isSorted: Bool, from place: Int?) -> [String] {
    var lines = [schema]
    let rows = (1...100).map { isSorted ? $0 : $0 % 2 == 1 ? $0 + 1 : $0 - 1 }
    for (number, at) in rows.enumerated() where at >= place ?? 0 {
      lines.append(Lines.record("{\"id\":\(at),\"at\":\(at)}", stream: "orders"))
      // As a tap does that keeps the last value, and not the greatest.
      if number % 10 == 9 { lines.append(form.state(at)) }
    }
    return lines
  }

  @Test(
    "in a store: a bookmark that was compared counts at once, any other at the end",
    arguments: Form.allCases, [true, false])
  func store(form: Form, isSorted: Bool) throws {
    let dying = try harbour.engine()
    try dying.take(Self.output(form, isSorted: isSorted, from: nil).prefix(60).joined())
    let position = try harbour.store.syncPosition(of: harbour.source.id, in: harbour.acme)
    let isCounted = form.isCompared && isSorted
    #expect((position?.bookmark != nil) == isCounted)
    let place = form.value(in: position?.bookmark)
    let rest = Self.output(form, isSorted: isSorted, from: place)
    #expect((rest.count < 90) == isCounted)
    let ended = try harbour.sync(rest.joined())
    #expect(try harbour.records("orders").count == 100)
    #expect(ended.bookmark?.text.contains(isSorted ? "100" : "99") == true)
    #expect(try harbour.store.check() == [])
  }

  @Test(
    "in a target the same rule decides which confirmations count", arguments: Form.allCases,
    [true, false])
  func target(form: Form, isSorted: Bool) throws {
    var sent = Set<String>()
    func relay(_ lines: some Sequence<String>, isKilled: Bool) throws {
      let session = try harbour.store.beginDelivery(
        SyncRequest(workspace: harbour.acme, source: harbour.source.id, attempt: nil),
        into: ["target"], by: StoreFixture.alice, at: harbour.clock.now)
      let relay = TargetRelay(
        session: session, options: RelayOptions(), now: { [clock = harbour.clock] in clock.now },
        send: { _ in })
      for line in lines {
        try relay.fromTap(line)
        guard let state = try JSON.parse(line)["value"] else {
          sent.insert(line)
          continue
        }
        try relay.fromTarget(state.text)
      }
      if !isKilled { _ = try relay.succeed() }
    }
    func confirmed() throws -> Bookmark? {
      try harbour.store.syncTargets(of: harbour.source.id, in: harbour.acme).first?.bookmark
    }
    try relay(Self.output(form, isSorted: isSorted, from: nil).prefix(60), isKilled: true)
    #expect((try confirmed() != nil) == (form.isCompared && isSorted))
    let place = form.value(in: try confirmed())
    try relay(Self.output(form, isSorted: isSorted, from: place), isKilled: false)
    #expect(sent.count == 101)
    #expect(form.value(in: try confirmed())?.description.hasSuffix(isSorted ? "100" : "99") == true)
  }

  @Test("a confirmation that comes late counts when its bookmark was compared")
  func late() throws {
    for form in Form.allCases {
      let harbour = try Harbour()
      let session = try harbour.store.beginDelivery(
        SyncRequest(workspace: harbour.acme, source: harbour.source.id, attempt: nil),
        into: ["target"], by: StoreFixture.alice, at: harbour.clock.now)
      let relay = TargetRelay(
        session: session, options: RelayOptions(), now: { [clock = harbour.clock] in clock.now },
        send: { _ in })
      try relay.fromTap(Self.output(form, isSorted: true, from: nil).prefix(60).joined())
      let first = form.template.replacing("%", with: "10")
      try relay.fromTarget(first)
      let target = try harbour.store.syncTargets(of: harbour.source.id, in: harbour.acme).first
      #expect(target?.bookmark?.text == (form.isCompared ? first : nil), "\(form)")
    }
  }

  @Test("a full load in the order of a number as a text loses no row when it is killed")
  func textOrder() throws {
    let rows = (990...1009).map(String.init).sorted()
    func output(from place: String?) throws -> String {
      var text = Lines.schema() + Lines.activate(5)
      for row in rows where place.map({ (Int(row) ?? 0) >= (Int($0) ?? 0) }) ?? true {
        text += Lines.record("{\"id\":\(row)}", version: 5)
        text += Lines.state(
          "{\"bookmarks\":{\"s\":{\"last_replication_method\":\"FULL_TABLE\",\"version\":5,\"xmin\":\"\(row)\"}}}"
        )
      }
      return text
        + Lines.state(
          #"{"bookmarks":{"s":{"last_replication_method":"FULL_TABLE","version":5,"xmin":null}}}"#)
    }
    let full = { (options: inout SyncOptions) in options.resolver = Lines.fullTable("s") }
    let before = Lines.schema() + rows.map { Lines.record("{\"id\":\($0)}") }.joined()
    try harbour.sync(before + Lines.record("{\"id\":1}"), full)
    let dying = try harbour.engine(full)
    let lines = try output(from: nil).split(separator: "\n").prefix(20)
    try dying.take(lines.map { $0 + "\n" }.joined())
    let given = try harbour.store.syncPosition(of: harbour.source.id, in: harbour.acme)?.bookmark
    let place = try given.flatMap {
      try JSON.parse($0.text)["bookmarks"]?["s"]?["xmin"]?.stringValue
    }
    #expect(place == nil)
    let ended = try harbour.sync(try output(from: place), full)
    #expect(ended.streams.first?.tally.removed == 1)
    #expect(try harbour.records("s").count == rows.count)
  }
}
