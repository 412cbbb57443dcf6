import HotglueCore
import HotglueStore
import Testing

@Suite("Streams and fields that are selected")
struct SourceSelectTests {
  private static let catalog = """
    {"streams":[
      {"tap_stream_id":"public-orders","stream":"orders","schema":{"properties":{"id":{},"at":{}}},
       "metadata":[{"breadcrumb":[],"metadata":{"table-key-properties":["id"]}}]},
      {"tap_stream_id":"sales-orders","stream":"orders","schema":{"properties":{"id":{}}},"metadata":[]},
      {"tap_stream_id":"public-items","stream":"items","schema":{"properties":{"id":{}}},"metadata":[]}]}
    """

  private func place(_ catalog: String? = Self.catalog) throws -> CommandPlace {
    let place = try CommandPlace.ready()
    var line = "source add shop"
    if let catalog {
      try place.write(catalog, to: place.folder.file("catalog.json"))
      line += " --catalog catalog.json"
    }
    let answer = place.run(line + " -- ./tap")
    try #require(answer.status == 0, "\(answer)")
    return place
  }

  private func streams(_ place: CommandPlace) throws -> [Catalog.Stream] {
    let acme = try #require(WorkspaceID("acme"))
    let json = try place.store().source("shop", in: acme).definition.catalog
    return try #require(json.flatMap { Catalog($0) }).streams
  }

  private func selected(_ place: CommandPlace) throws -> [String] {
    try streams(place).filter(\.isSelected).map(\.id)
  }

  @Test(
    "patterns select by tap_stream_id or name, and '--not' leaves out",
    arguments: [
      (["public-orders"], ["public-orders"]), (["orders"], ["public-orders", "sales-orders"]),
      (["public-*"], ["public-orders", "public-items"]), (["items"], ["public-items"]),
      (["--all", "--not", "sales-*"], ["public-orders", "public-items"]),
      (["*", "--not", "items", "--not", "sales-orders"], ["public-orders"]),
    ])
  func patterns(_ arguments: [String], _ expected: [String]) throws {
    let place = try place()
    let answer = place.run(["source", "select", "shop"] + arguments)
    #expect(answer.status == 0, "\(answer)")
    #expect(try selected(place) == expected)
    // Once more changes nothing.
    let revision = place.run("source show shop --json").output
    #expect(place.run(["source", "select", "shop"] + arguments).status == 0)
    #expect(place.run("source show shop --json").output == revision)
  }

  @Test(
    "a stream that becomes full-table behind a bookmark is named, with the sync that takes it whole"
  )
  func wholeBehindBookmark() throws {
    let place = try place()
    let method = "source select shop --method public-orders="
    #expect(place.run("source select shop --all --method *=incremental").status == 0)
    try place.write(
      #"{"bookmarks":{"public-orders":{"replication_key":"at","replication_key_value":7}}}"#,
      to: place.folder.file("state.json"))
    #expect(place.run("sync state shop --import state.json").status == 0)
    let whole = place.run(method + "full-table")
    #expect(whole.error.contains("names a place in public-orders;"), "\(whole)")
    #expect(
      whole.error.contains("hint: hotglue sync run shop --full public-orders\n"), "\(whole)")
    // It is said once; a stream without a place in the bookmark needs nothing.
    for line in [method + "full-table", "source select shop --method items=full-table"] {
      #expect(!place.run(line).error.contains("names a place"), "\(line)")
    }
  }

  @Test("'--not' alone leaves out more of the present selection")
  func narrowing() throws {
    let place = try place()
    #expect(place.run("source select shop public-*").status == 0)
    #expect(place.run("source select shop --not items").status == 0)
    #expect(try selected(place) == ["public-orders"])
    #expect(place.run("source select shop --not public-order").status == 66)
    #expect(try selected(place) == ["public-orders"])
  }

  @Test("all streams may be left out; a note says that a sync then fails")
  func noStream() throws {
    let place = try place()
    let answer = place.run("source select shop --not *")
    #expect(answer.status == 0 && answer.output.contains("takes no stream"), "\(answer)")
    #expect(answer.error.contains("no stream is selected: a sync fails until one is"), "\(answer)")
    #expect(answer.error.contains("hotglue source select shop --all\n"))
    #expect(try selected(place) == [])
    #expect(place.run("source select shop items").status == 0)
    #expect(try selected(place) == ["public-items"])
  }

  @Test("a field that none of the streams has is refused with the near ones, and changes nothing")
  func unknownField() throws {
    let place = try place()
    for line in [
      "--field public-orders=ta", "--field *=ta", "--field public-*=id,ta",
      "--replication-key *=ta",
    ] {
      let answer = place.run("source select shop \(line)")
      #expect(answer.status == 66 && answer.error.contains("'ta'"), "\(answer)")
      #expect(answer.error.contains("did you mean 'at'?"), "\(answer)")
    }
    #expect(try streams(place).allSatisfy { $0.fields.allSatisfy(\.isSelected) })
    #expect(place.run("source select shop --field *=at").status == 0)
  }

  @Test(
    "a method without a stream, or a stream without a method, is refused with a line that works")
  func halfOfMethod() throws {
    let place = try place()
    for (value, line) in [("items", "items=full-table"), ("log-based", "'*=log-based'")] {
      let answer = place.run("source select shop --method \(value)")
      #expect(answer.status == 64 && answer.error.contains("expected PATTERN=incremental"))
      #expect(answer.error.contains("hint: hotglue source select shop --method \(line)\n"))
    }
  }

  @Test("a name of two streams is told, and a pattern that matches none is refused")
  func names() throws {
    let place = try place()
    let both = place.run("source select shop orders")
    #expect(
      both.error.contains("'orders' is the name of 2 streams: 'public-orders', 'sales-orders'"))
    let none = place.run("source select shop public-order")
    #expect(none.status == 66 && none.error.contains("did you mean 'public-orders'?"), "\(none)")
    #expect(place.run("source select shop x-*").status == 66)
  }

  @Test("one pattern sets the method of all, a later one that of one; a table without one is told")
  func methods() throws {
    let place = try place()
    let first = place.run("source select shop --all")
    #expect(first.error.contains("no replication method for public-orders"), "\(first)")
    #expect(first.error.contains("hotglue source select shop --method '*=full-table'\n"))
    let line = ["source", "select", "shop", "--method", "*=full-table", "--method"]
    let next = place.run(line + ["items=incremental"])
    #expect(next.status == 0 && !next.error.contains("no replication method"), "\(next)")
    #expect(try streams(place).map(\.method) == ["FULL_TABLE", "FULL_TABLE", "INCREMENTAL"])
    let key = place.run(["source", "select", "shop", "--replication-key", "*=at"])
    #expect(key.status == 0, "\(key)")
    #expect(try streams(place).map(\.replicationKey) == ["at", nil, nil])
    let odd = place.run(line + ["items=sometimes"])
    #expect(odd.status == 64 && odd.error.contains("expected PATTERN=incremental"), "\(odd)")
  }

  @Test("what is said of a source is shown, also as a draft, and taken away again")
  func settings() throws {
    let place = try place()
    let edited = place.run(
      "source edit shop --properties --validate off --line-limit 64M --ignore *=at --key items=id")
    #expect(edited.status == 0, "\(edited)")
    let shown = place.run("source show shop --json").output
    for part in [
      #""properties":true"#, #""validate":false"#, #""line_limit":67108864"#,
      #""ignore":{"*":["at"]}"#, #""keys":{"items":["id"]}"#, #""on_reject":"1000""#,
    ] {
      #expect(shown.contains(part), "\(part)")
    }
    var editing = place
    editing.variables["EDITOR"] = "true"
    let draft = editing.run("draft edit source shop")
    #expect(draft.status == 0, "\(draft)")
    let text = place.run("draft show 1 --text").output
    for line in [
      "properties = true", #"validate = "off""#, #"line_limit = "64M""#, #"ignore = ["*=at"]"#,
    ] {
      #expect(text.contains(line + "\n"), "\(text)")
    }
    let back = place.run("source edit shop --no-properties --validate on --no-ignore *")
    #expect(back.status == 0, "\(back)")
    let after = place.run("source show shop --json").output
    #expect(after.contains(#""properties":false"#) && after.contains(#""ignore":{}"#))
    #expect(place.run("source edit shop --line-limit 0").status == 64)
  }

  @Test("without a catalog the patterns wait for the names in the messages")
  func withoutCatalog() throws {
    let place = try place(nil)
    let answer = place.run("source select shop public-* --not *-log --ignore *=at")
    #expect(
      answer.status == 0 && answer.output.contains("takes public-* without *-log"), "\(answer)")
    let acme = try #require(WorkspaceID("acme"))
    let definition = try place.store().source("shop", in: acme).definition
    #expect(
      definition.selection == StreamSelection(patterns: ["public-*"], excluded: ["*-log"]))
    #expect(definition.ignored == ["*": ["at"]])
    #expect(place.run("source select shop --method *=full-table").status == 81)
  }

  @Test("a bookmark of another program is imported, as a run that a reset finds")
  func importedBookmark() throws {
    let place = try place()
    let files = [
      (#"{"bookmarks":{"orders":{"id":5}}}"#, #"{"bookmarks":{"orders":{"id":5}}}"#),
      (#"{"type":"STATE","value":{"a":1}}"#, #"{"a":1}"#),
      (#"{"completed":{"singer_state":{"b":2}},"partial":{}}"#, #"{"b":2}"#),
      (#"{"singer_state":{"b":3}}"#, #"{"b":3}"#),
      (#"{"completed":{},"partial":{"singer_state":{"b":4}}}"#, #"{"b":4}"#),
      (
        #"{"completed":{"singer_state":{"bookmarks":{"a":{"at":1},"b":{"at":1,"n":2}},"c":[1]}},"#
          + #""partial_state":{"singer_state":{"bookmarks":{"b":{"at":5},"d":{}},"c":[]}}}"#,
        #"{"bookmarks":{"a":{"at":1},"b":{"at":5,"n":2},"d":{}},"c":[]}"#
      ),
      (
        #"{"completed_state":"{\"singer_state\":{\"b\":1}}","partial_state":"{\"singer_state\":{\"c\":2}}"}"#,
        #"{"b":1,"c":2}"#
      ),
      // A tap's own words.
      (#"{"completed":{"a":1},"partial":true}"#, #"{"completed":{"a":1},"partial":true}"#),
    ]
    for (text, bookmark) in files {
      try place.write(text, to: place.folder.file("state.json"))
      let answer = place.run("sync state shop --import state.json")
      #expect(answer.status == 0, "\(answer)")
      #expect(place.run("sync state shop").output == bookmark + "\n")
    }
    let history = place.run("sync history shop").output
    #expect(history.split(separator: "\n").count == files.count, "\(history)")
    #expect(place.run("sync reset shop --to 1").status == 0)
    #expect(place.run("sync state shop").output == files[0].1 + "\n")
    #expect(place.run("log").output.contains("sync reset"))
    for text in ["[]", "{}", "{\"bookmarks\":{}}", "no JSON"] {
      try place.write(text, to: place.folder.file("state.json"))
      #expect(place.run("sync state shop --import state.json").status == 65, "\(text)")
    }
    #expect(place.run("sync state shop --import nowhere.json").status != 0)
    #expect(place.run("sync state shop --import state.json --run 1").status == 64)
    #expect(place.run("sync state shop").output == files[0].1 + "\n")
  }

  @Test("an import needs what a reset needs: a viewer is refused")
  func importRole() throws {
    var place = try place()
    try place.write("{\"a\":1}", to: place.folder.file("state.json"))
    #expect(place.run("workspace member add daemon --role viewer").status == 0)
    place.userName = "daemon"
    #expect(place.run("sync state shop").status == 0)
    #expect(place.run("sync state shop --import state.json").status == 77)
  }
}
