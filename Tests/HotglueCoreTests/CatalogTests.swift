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
    let streams = try catalog().found(after: nil, takesNew: true).streams
    #expect(streams.map(\.name) == ["orders", "items"])
    #expect(streams.map(\.isSelected) == [true, true])
    #expect(streams[0].fields.filter(\.isSelected).map(\.name) == ["id", "amount"])
    #expect(streams[0].key == ["id"] && streams[0].method == "INCREMENTAL")
  }

  @Test(
    "a later discovery keeps what was wanted of streams that are known, and takes no new ones then")
  func laterDiscovery() throws {
    var known = try catalog().found(after: nil, takesNew: true)
    known.select("orders", true)
    known.select(fields: [], of: "orders")
    known.replicate("orders", by: "FULL_TABLE")
    known.replicate("orders", along: "amount")
    let later = try catalog(
      Self.found.replacing("\"tap_stream_id\":\"items\"", with: "\"tap_stream_id\":\"news\"")
    ).found(after: known, takesNew: false)
    let streams = later.streams
    #expect(streams.map(\.name) == ["orders", "news"])
    #expect(streams.map(\.isSelected) == [true, false])
    #expect(streams[0].fields.filter(\.isSelected).map(\.name) == ["id"])
    #expect(streams[0].method == "FULL_TABLE" && streams[0].replicationKey == "amount")
  }

  @Test("a selection is said in the metadata and in the older way, and changes nothing else")
  func selection() throws {
    var catalog = try catalog()
    catalog.select("items", false)
    let items = try #require(catalog.json["streams"]?.arrayValue?.last)
    #expect(items["selected"] == .bool(false))
    #expect(
      items["metadata"]?.text == "[{\"breadcrumb\":[],\"metadata\":{\"selected\":false}}]")
    #expect(
      catalog.json["streams"]?.arrayValue?.first
        == (try self.catalog()).json["streams"]?.arrayValue?.first)
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

  @Test("a status that a parser of arguments or sysexits declare is a matter for a person")
  func statuses() {
    #expect(TapFailure(status: 2, log: "").kind == .config)
    #expect(TapFailure(status: 78, log: "").kind == .config)
    #expect(TapFailure(status: 1, log: "").kind == .transient)
    #expect(TapFailure(signal: Signal(number: 9)).mayPass)
    #expect(TapFailure(status: 1, log: "").message == "the tap ended with status 1")
  }
}
