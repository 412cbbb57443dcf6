import HotglueCore
import HotglueSinger
import HotglueStore
import Testing

@Suite("a stream is its tap_stream_id")
struct StreamMatchTests {
  let harbour: Harbour

  init() throws { harbour = try Harbour() }

  private static let streams = [
    (id: "public-orders", name: "orders", isSelected: true),
    (id: "sales-orders", name: "orders", isSelected: false),
    (id: "public-items", name: "items", isSelected: true),
    (id: "public-log", name: "log", isSelected: false),
  ]

  private func sync(_ text: String, stored: Set<String> = []) throws -> SyncRun {
    try harbour.sync(text) {
      $0.resolver = StreamResolver(catalog: Lines.catalog(Self.streams), stored: stored)
    }
  }

  private func failure(_ text: String) throws -> SyncError {
    try harbour.failure(text) {
      $0.resolver = StreamResolver(catalog: Lines.catalog(Self.streams))
    }
  }

  private func stream(_ name: String) -> String {
    Lines.schema(name) + Lines.record("{\"id\":1}", stream: name)
  }

  @Test("messages by identifier and by name are stored under the identifier")
  func identifierAndName() throws {
    let run = try sync(
      stream("public-orders") + stream("items") + Lines.record("{\"id\":2}", stream: "public-items")
    )
    #expect(run.streams.map(\.stream).sorted() == ["public-items", "public-orders"])
    #expect(try harbour.records("public-items").count == 2)
    #expect(run.notes == [])
  }

  @Test("deselected streams are skipped and counted")
  func deselected() throws {
    let run = try sync(
      stream("public-orders") + stream("public-log") + stream("sales-orders")
        + Lines.record("{\"id\":2}", stream: "log"))
    #expect(run.streams.map(\.stream) == ["public-orders"])
    #expect(
      run.notes == [
        "messages of stream 'log', which is not selected: 1",
        "messages of stream 'public-log', which is not selected: 1",
        "messages of stream 'sales-orders', which is not selected: 1",
      ])
  }

  @Test("a name of several streams means the only selected one, and the run says so")
  func sharedName() throws {
    let run = try sync(stream("orders"))
    #expect(run.streams.map(\.stream) == ["public-orders"])
    #expect(run.notes.first?.contains("the only selected one") == true)
  }

  @Test("a record of a stream that the catalog does not have fails the run, naming both")
  func unknown() throws {
    let error = try failure(stream("public-order"))
    #expect(
      error == .unknownStream(line: 2, stream: "public-order", known: ["public-orders"]))
    #expect(error.message.contains("'public-order'") && error.message.contains("'public-orders'"))
    #expect(try harbour.sight().bookmark == nil)
    // A schema alone is no loss.
    let run = try sync(stream("public-orders") + Lines.schema("other"))
    #expect(run.notes == ["messages of stream 'other', which the catalog does not have: 1"])
  }

  @Test("a catalog selects streams, and nothing comes: the run fails")
  func nothingCame() throws {
    for text in ["", "{\"type\":\"LOG\"}\n", stream("public-log")] {
      #expect(
        try failure(text)
          == .nothingCame(of: .catalog(["public-orders", "public-items"]), log: nil))
    }
    for text in [Lines.state("{}"), Lines.schema("orders"), stream("items")] {
      _ = try sync(text)
    }
  }

  @Test("a tap that sends nothing fails the run, also without a catalog or where none is selected")
  func nothingCameWithoutCatalog() throws {
    let other = Lines.schema("other") + Lines.record("{\"id\":1}", stream: "other")
    let cases: [(StreamResolver, SyncError.Scope, [String])] = [
      (StreamResolver(), .all, ["", "{\"type\":\"LOG\"}\n"]),
      (
        StreamResolver(selection: StreamSelection(patterns: ["a*"])), .patterns(["a*"]),
        ["", other]
      ),
      (StreamResolver(selection: StreamSelection(excluded: ["*"])), .patterns(["*"]), [other]),
      (
        StreamResolver(catalog: Lines.catalog([("other", "other", false)])), .catalog([]),
        ["", other]
      ),
    ]
    for (resolver, scope, texts) in cases {
      for text in texts {
        #expect(
          try harbour.failure(text) { $0.resolver = resolver } == .nothingCame(of: scope, log: nil))
      }
      try harbour.sync(Lines.state("{}")) { $0.resolver = resolver }
    }
    // A log on standard output is told.
    #expect(try harbour.failure("INFO hello\n") == .nothingCame(of: .all, log: "INFO hello"))
    try harbour.sync(Lines.schema())
    var counter = MessageCounter()
    #expect(throws: SyncError.nothingCame(of: .all, log: nil)) { try counter.finish() }
  }

  @Test("a stream whose catalog states an empty method keeps what is not sent, and a note says so")
  func emptyMethod() throws {
    for (method, notes, removed) in [("", 1, 0), ("FULL_TABLE", 0, 1), ("INCREMENTAL", 0, 0)] {
      let harbour = try Harbour()
      let catalog = Lines.catalog([("s", "s", true)], method: method)
      func sync(_ id: Int) throws -> SyncRun {
        try harbour.sync(Lines.schema() + Lines.record("{\"id\":\(id)}")) {
          $0.resolver = StreamResolver(catalog: catalog)
        }
      }
      _ = try sync(1)
      let run = try sync(2)
      #expect(run.streams.first?.tally.removed == Int64(removed))
      #expect(run.notes.count { $0.contains("no replication method in the catalog") } == notes)
    }
  }

  @Test("a version that is activated before the schema is kept until that comes")
  func earlyVersion() throws {
    try harbour.sync(Lines.schema() + Lines.record("{\"id\":1}") + Lines.record("{\"id\":2}"))
    let run = try harbour.sync(
      Lines.activate(7) + Lines.schema() + Lines.record("{\"id\":2}", version: 7))
    #expect(run.streams.first?.tally == StreamTally(received: 1, unchanged: 1, removed: 1))
    let late = try harbour.sync(Lines.schema() + Lines.activate(8, stream: "t"))
    #expect(late.notes == ["a version of stream 't' was activated, and its schema did not come"])
  }

  @Test("fields that are left out of the comparison change no record, with a key and without")
  func ignoredFields() throws {
    for (key, name) in [("[\"id\"]", "keyed"), ("[]", "keyless")] {
      func text(_ at: Int) -> String {
        Lines.schema(name, key: key) + Lines.record("{\"id\":1,\"at\":\(at)}", stream: name)
      }
      for (at, expected) in [
        (1, StreamTally(received: 1, added: 1)), (2, StreamTally(received: 1, unchanged: 1)),
      ] {
        let run = try harbour.sync(text(at)) { $0.ignored = ["*": ["at"]] }
        #expect(run.streams.first?.tally == expected, "\(name), \(at)")
      }
      #expect(try harbour.records(name) == ["{\"id\":1,\"at\":1}"])
    }
  }

  @Test("a trial judges streams as a sync does")
  func trial() throws {
    func count(_ text: String) throws(SyncError) -> Int64 {
      var counter = MessageCounter(StreamResolver(catalog: Lines.catalog(Self.streams)))
      let bytes = Array(text.utf8)
      try bytes.withUnsafeBufferPointer { (bytes) throws(SyncError) in try counter.take(bytes) }
      try counter.finish(log: "INFO bye")
      return counter.records
    }
    #expect(try count(stream("orders") + stream("public-log")) == 1)
    for (text, code) in [
      ("", "nothing_came"), (stream("order"), "unknown_stream"),
      (Lines.record("{}", stream: "orders"), "record_before_schema"),
    ] {
      let error = #expect(throws: SyncError.self) { try count(text) }
      #expect(error?.code == code)
    }
    #expect(
      throws: SyncError.nothingCame(
        of: .catalog(["public-orders", "public-items"]), log: "INFO bye")
    ) {
      try count("")
    }
  }
}
