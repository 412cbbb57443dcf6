import HotglueCore
import Testing

@Suite("Catalogs")
struct CatalogTests {
  private static let found = """
    {"streams":[{"tap_stream_id":"orders","stream":"orders","key_properties":["id"],
      "replication_method":"INCREMENTAL","schema":{"properties":{"id":{},"amount":{},"odd":{}}},
      "metadata":[{"breadcrumb":[],"metadata":{"inclusion":"available","selected-by-default":false}},
        {"breadcrumb":["properties","id"],"metadata":{"inclusion":"automatic"}},
        {"breadcrumb":["properties","amount"],"metadata":{"inclusion":"available"}},
        {"breadcrumb":["properties","odd"],"metadata":{"inclusion":"unsupported"}}]},
      {"tap_stream_id":"items","schema":{"properties":{"id":{}}}}]}
    """

  private func catalog(_ text: String = found) throws -> Catalog {
    try #require(Catalog(try JSON.parse(text)))
  }

  @Test("a text without a list of named streams is no catalog")
  func noCatalog() throws {
    for text in ["[]", "{}", "{\"streams\":{}}", "{\"streams\":[{}]}"] {
      #expect(Catalog(try JSON.parse(text)) == nil, "\(text)")
    }
  }

  @Test("what is found is taken where nothing else is said: streams, and fields that are available")
  func firstDiscovery() throws {
    let streams = try catalog().found(after: nil) { _ in true }.streams
    #expect(streams.map(\.name) == ["orders", "items"])
    #expect(streams.map(\.isSelected) == [true, true])
    #expect(streams[0].fields.filter(\.isSelected).map(\.name) == ["id", "amount"])
    #expect(streams[0].key == ["id"] && streams[0].method == "INCREMENTAL")
  }

  @Test(
    "a later discovery keeps what was wanted of streams that are known, and takes no new ones then")
  func laterDiscovery() throws {
    var known = try catalog().found(after: nil) { _ in true }
    known.select(fields: [], of: "orders")
    known.replicate("orders", by: "FULL_TABLE")
    known.replicate("orders", along: "amount")
    let later = try catalog(
      Self.found.replacing("\"tap_stream_id\":\"items\"", with: "\"tap_stream_id\":\"news\"")
    ).found(after: known) { _ in false }
    let streams = later.streams
    #expect(streams.map(\.name) == ["orders", "news"])
    #expect(streams.map(\.isSelected) == [true, false])
    #expect(streams[0].fields.filter(\.isSelected).map(\.name) == ["id"])
    #expect(streams[0].method == "FULL_TABLE" && streams[0].replicationKey == "amount")
  }

  @Test("an empty method or replication key is none, wherever it stands")
  func emptyMethod() throws {
    func stream(_ own: String, _ more: String) -> String {
      #"{"streams":[{"stream":"s","replication_method":\#(own),"replication_key":"","metadata":"#
        + #"[{"breadcrumb":[],"metadata":{"replication-method":"",\#(more)"replication-key":""}}]}]}"#
    }
    let forced = #""forced-replication-method":"FULL_TABLE","#
    for (own, more, method) in [
      (#""""#, "", nil), (#""LOG_BASED""#, "", "LOG_BASED"), (#""""#, forced, "FULL_TABLE"),
    ] {
      let known = try catalog(stream(own, more))
      let found = try #require(known.streams.first)
      #expect(found.method == method && found.needsMethod == (method == nil))
      #expect(found.replicationKey == nil)
    }
    // Nor does it replace one that a later discovery states.
    let later = try catalog(stream(#""LOG_BASED""#, "")).found(
      after: try catalog(stream(#""""#, ""))
    ) { _ in true }
    #expect(later.streams.first?.method == "LOG_BASED")
  }

  @Test("a selection is written in every form that taps read, for streams and for fields")
  func formsOfSelection() throws {
    var catalog = try catalog().found(after: nil) { _ in true }
    catalog.select { $0.id == "orders" }
    catalog.select(fields: ["amount"], of: "orders")
    let streams = try #require(catalog.json["streams"]?.arrayValue)
    for (stream, isWanted) in zip(streams, [true, false]) {
      let root = stream["metadata"]?.arrayValue?.first { $0["breadcrumb"] == .array([]) }
      #expect(root?["metadata"]?["selected"] == .bool(isWanted))
      #expect(stream["selected"] == .bool(isWanted))
      #expect(stream["schema"]?["selected"] == .bool(isWanted))
    }
    let properties = streams[0]["schema"]?["properties"]
    #expect(properties?["id"]?["selected"] == .bool(true), "it comes in any case")
    #expect(properties?["amount"]?["selected"] == .bool(true))
    #expect(properties?["odd"]?["selected"] == .bool(false))
    // What was chosen in the schema alone is read, too.
    let old = try self.catalog(
      #"{"streams":[{"tap_stream_id":"a","schema":{"selected":false}},{"tap_stream_id":"b"}]}"#)
    #expect(old.streams.map(\.isSelected) == [false, true])
  }

  @Test("a stream is its tap_stream_id: two with one name are chosen and changed apart")
  func twoOfOneName() throws {
    var catalog = try catalog(Self.twoSchemas)
    catalog.select { $0.id == "sales-orders" }
    catalog.replicate("sales-orders", by: "FULL_TABLE")
    #expect(catalog.streams.map(\.id) == ["public-orders", "sales-orders", "public-items"])
    #expect(catalog.streams.map(\.name) == ["orders", "orders", "items"])
    #expect(catalog.streams.map(\.isSelected) == [false, true, false])
    #expect(catalog.streams.map(\.method) == [nil, "FULL_TABLE", nil])
    let later = try self.catalog(Self.twoSchemas).found(after: catalog) { _ in true }
    #expect(later.streams.map(\.isSelected) == [false, true, false])
  }

  private static let twoSchemas = """
    {"streams":[{"tap_stream_id":"public-orders","stream":"orders","schema":{}},
      {"tap_stream_id":"sales-orders","stream":"orders","schema":{}},
      {"tap_stream_id":"public-items","stream":"items","schema":{}}]}
    """

  @Test(
    "a message names a stream by its tap_stream_id, or by its name where that leaves one stream",
    arguments: [
      (["public-orders"], "public-orders", "public-orders"),
      (["public-items"], "items", "public-items"),
      (["public-orders", "sales-orders"], "orders", "2 of them"),
      (["sales-orders"], "orders", "sales-orders"), (["public-items"], "orders", "deselected"),
      (["public-orders"], "sales-orders", "deselected"), (["public-orders"], "order", "unknown"),
    ])
  func resolution(_ selected: [String], _ message: String, _ meaning: String) throws {
    var catalog = try catalog(Self.twoSchemas)
    catalog.select { selected.contains($0.id) }
    let found =
      switch StreamResolver(catalog: catalog).match(message) {
      case .selected(let stream): stream.title
      case .deselected: "deselected"
      case .ambiguous(let streams): "\(streams.count) of them"
      case .unknown: "unknown"
      }
    #expect(found == meaning)
  }

  @Test("a stream that is stored under the name of its messages already stays there")
  func storedUnderName() throws {
    let catalog = try catalog(Self.twoSchemas)
    func title(_ message: String, _ stored: Set<String>) -> String? {
      guard
        case .selected(let stream) = StreamResolver(catalog: catalog, stored: stored).match(message)
      else { return nil }
      return stream.title
    }
    #expect(title("items", []) == "public-items")
    #expect(title("items", ["items"]) == "items")
    #expect(title("items", ["items", "public-items"]) == "public-items")
    #expect(title("public-items", ["items"]) == "public-items")
  }

  @Test("settings of a stream go by its identifier, its name, or a pattern, the most exact first")
  func settings() {
    let stream = StreamResolver.Stream(id: "public-orders", name: "orders", title: "public-orders")
    let all = ["*": ["a"], "public-*": ["b"], "orders": ["c"], "public-orders": ["d"]]
    #expect(all.setting(for: stream) == ["d"])
    #expect(all.filter { $0.key != "public-orders" }.setting(for: stream) == ["c"])
    #expect(["x*": ["a"], "public-*": ["b"]].setting(for: stream) == ["b"])
    #expect(["x*": ["a"]].setting(for: stream) == nil)
  }

  @Test(
    "patterns: '*' stands for any characters, '?' for one; a name that is the pattern matches",
    arguments: [
      ("*", "", true), ("public-*", "public-orders", true), ("public-*", "sales-public-", false),
      ("*order*s", "public-orders", true), ("a?c", "aéc", true), ("a?c", "ac", false),
      ("a*b*c", "a1b2b3c", true), ("a*b*c", "a1b2b3", false), ("x*", "x*", true),
      ("a", "ab", false),
    ])
  func patterns(_ pattern: String, _ name: String, _ matches: Bool) {
    #expect(NamePattern(pattern).matches(name) == matches)
  }

  @Test("a catalog of thousands of streams is discovered and selected in one pass over each")
  func manyStreams() throws {
    let streams = (0..<4000).map {
      #"{"tap_stream_id":"s\#($0)","schema":{"properties":{"id":{}}}}"#
    }
    let text = #"{"streams":[\#(streams.joined(separator: ","))]}"#
    let begun = ContinuousClock.now
    let known = try catalog(text).found(after: nil) { _ in true }
    var again = try catalog(text).found(after: known) { _ in true }
    again.select { $0.id.hasSuffix("7") }
    let chosen = again.streams.filter(\.isSelected)
    #expect(chosen.count == 400)
    let took = ContinuousClock.now - begun
    // A walk over all streams for each of them takes minutes.
    #expect(took < .seconds(20))
  }
}

@Suite("Failures of taps")
struct TapFailureTests {
  @Test(
    "the last critical line says what is wrong, and whether trying again helps",
    arguments: [
      ("INFO a\nCRITICAL no route to host\nINFO bye", "CRITICAL no route to host", true),
      (
        "CRITICAL Config is missing required keys: ['token']",
        "CRITICAL Config is missing required keys: ['token']", false
      ),
      (
        "Traceback\n  line\nsinger_sdk.exceptions.ConfigValidationError: Config validation failed",
        "singer_sdk.exceptions.ConfigValidationError: Config validation failed", false
      ),
      ("ERROR disk\nlast words", "ERROR disk", true), ("last words\n\n", "last words", true),
    ])
  func criticalLines(_ log: String, _ line: String, _ mayPass: Bool) {
    #expect(TapFailure.lastCriticalLine(of: log) == line)
    let failure = TapFailure(status: 1, log: log)
    #expect(failure.mayPass == mayPass)
    #expect(failure.message == "the tap ended with status 1: \(line)")
  }

  @Test(
    "a program that exits twice in a row before its first message, with the same last line, fails")
  func twiceBeforeFirstMessage() {
    func failure(_ log: String, status: Int32 = 1) -> TapFailure {
      TapFailure(status: status, log: log)
    }
    func next(_ first: TapFailure, _ second: TapFailure) -> TapFailure {
      let earlier = first.beforeFirstMessage(after: nil)
      return second.beforeFirstMessage(after: (earlier.kind.rawValue, earlier.message))
    }
    let refused = failure("10:00:01 CRITICAL password authentication of 'x' was refused")
    #expect(refused.beforeFirstMessage(after: nil).mayPass)
    // The time of a log line is not its meaning.
    let again = next(
      refused, failure("10:00:12 CRITICAL password authentication of 'x' was refused"))
    #expect(!again.mayPass)
    #expect(again.message.hasSuffix("was refused (before its first message), twice in a row"))
    #expect(next(refused, failure("CRITICAL no route to host")).mayPass)
    // One that had sent something is no second time.
    #expect(
      refused.beforeFirstMessage(after: (refused.kind.rawValue, refused.message)).mayPass)
    #expect(next(failure("busy", status: 75), failure("busy", status: 75)).mayPass)
    #expect(!next(failure(""), failure("")).mayPass)
  }

  @Test("a status that a parser of arguments or sysexits declare is a matter for a person")
  func statuses() {
    #expect(TapFailure(status: 2, log: "").kind == .config)
    #expect(TapFailure(status: 78, log: "").kind == .config)
    #expect(TapFailure(status: 1, log: "").kind == .transient)
    #expect(TapFailure(signal: Signal(number: 9)).mayPass)
    #expect(TapFailure(status: 1, log: "").message == "the tap ended with status 1")
  }
}
