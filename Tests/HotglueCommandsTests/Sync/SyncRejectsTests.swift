import HotglueCore
import HotglueStore
import Testing

@Suite("records that were set aside, as commands show and take them")
struct SyncRejectsTests {
  /// A source with a run that set aside `count` records.
  private func setAside(_ count: Int64, _ place: CommandPlace) throws {
    let store = try place.store()
    let acme = try #require(WorkspaceID("acme"))
    let actor = Actor(user: "ann", command: "test", workspaceOrigin: "flag")
    let source = try store.setSource(
      "crm", to: SourceDefinition(command: ["tap"], directory: "/"), in: acme,
      expecting: .anything, by: actor, at: place.now)
    let session = try store.beginSync(
      SyncRequest(workspace: acme, source: source.id, attempt: nil), by: actor, at: place.now)
    _ = try session.declare(
      StreamDeclaration(
        name: "s", schema: #"{"properties":{"w":{"type":"string"}}}"#, key: ["id"],
        bookmarkProperties: [], line: 1), mayChangeKey: false, at: place.now)
    var batch = RecordBatch()
    for id in 1...count {
      batch.append(
        RejectedRecord(
          stream: 0, line: id, path: "w", reason: "no",
          data: id == 1 ? #"{"id":1,"w":1}"# : #"{"id":\#(id),"w":"a"}"#, key: .integer(id)))
    }
    _ = try session.stage(batch, publishing: nil, at: place.now)
    _ = try session.finish(
      .succeeded(
        Publication(bookmark: nil, tallies: [0: StreamTally(received: count, rejected: count)]),
        notes: []), at: place.now)
  }

  @Test("rejects page: a cursor goes on, and is good for its own list alone")
  func pages() throws {
    let place = try CommandPlace.ready()
    try setAside(5, place)
    var lines: [String] = []
    var line = "sync rejects crm --limit 2"
    for page in 1...3 {
      let answer = place.run(line)
      #expect(answer.status == 0)
      lines += answer.output.split(separator: "\n").map(String.init)
      guard let cursor = answer.error.split(separator: " ").last, page < 3 else {
        #expect(!answer.error.contains("--cursor"))
        break
      }
      line = "sync rejects crm --limit 2 --cursor \(cursor.filter { !$0.isNewline })"
    }
    #expect(lines.count == 5)
    #expect(Set(lines).count == 5)
    #expect(place.run("\(line) --run 1").status == 80)
    #expect(place.run("sync rejects crm --limit 5").error.contains("--cursor") == false)
    // A program reads all of it.
    #expect(place.run("sync rejects crm --json").output.split(separator: "\n").count == 5)
    #expect(place.run("sync rejects crm -q").output == "1\n2\n3\n4\n5\n")
    #expect(
      place.run("sync rejects crm --json --limit 1").output
        == #"{"source":"crm","id":1,"run":1,"stream":"s","line":1,"path":"w","reason":"no","#
        + #""retry":"possible","data":"{\"id\":1,\"w\":1}"}"# + "\n")
  }

  @Test("a dry run of a retry counts what would pass, and changes nothing")
  func dryRun() throws {
    let place = try CommandPlace.ready()
    try setAside(3, place)
    let answer = place.run("sync rejects crm --retry --dry-run")
    #expect(answer.status == 0)
    #expect(
      answer.output
        == "s\t3\t2\t1\nwould store 2 of 3 rejected records of source 'crm' in workspace 'acme'; "
        + "1 would remain\n")
    #expect(
      place.run("sync rejects crm --retry --dry-run --json").output
        == #"{"source":"crm","workspace":"acme","dry_run":true,"job":null,"state":null,"#
        + #""started_at":null,"finished_at":null,"runs":[],"streams":[{"stream":"s","received":3,"#
        + #""accepted":2,"added":null,"changed":null,"unchanged":null,"rejected":1}],"#
        + #""remaining":{"possible":3,"truncated":0,"outdated":0}}"# + "\n")
    #expect(place.run("sync rejects crm -q").output == "1\n2\n3\n")
    #expect(place.run("sync rejects crm --retry --dry-run --run 99").status == 66)
    #expect(place.run("sync rejects crm --retry --dry-run --stream t").status == 66)
  }

  @Test("flags that have no meaning together are refused")
  func usage() throws {
    let place = try CommandPlace.ready()
    try setAside(1, place)
    for line in [
      "sync rejects crm --dry-run", "sync rejects crm --retry --limit 3",
      "sync rejects crm --retry --cursor x", "sync rejects crm --limit -1",
    ] {
      #expect(place.run(line).status == 64, "\(line)")
    }
  }

  @Test("a retry needs what a sync needs: an operator, and a workspace that is not archived")
  func guards() throws {
    var place = try CommandPlace.ready()
    try setAside(1, place)
    #expect(place.run("workspace member add daemon --role viewer").status == 0)
    place.userName = "daemon"
    #expect(place.run("sync rejects crm").status == 0)
    #expect(place.run("sync rejects crm --retry").status == 77)
    #expect(place.run("sync rejects crm --retry --dry-run").status == 77)
    place.userName = "tester"
    #expect(place.run("workspace archive acme --confirm acme").status == 0)
    #expect(place.run("sync rejects crm").status == 0)
    #expect(place.run("sync rejects crm --retry").status == 81)
  }

  @Test("a run into a target has nothing to take again, and the hint sends its records again")
  func target() throws {
    let place = try CommandPlace.ready()
    try setAside(1, place)
    let store = try place.store()
    let acme = try #require(WorkspaceID("acme"))
    let source = try store.source("crm", in: acme)
    let run = try store.beginDelivery(
      SyncRequest(workspace: acme, source: source.id, attempt: nil), into: ["target"],
      by: Actor(user: "ann", command: "test", workspaceOrigin: "flag"), at: place.now
    ).run.id
    let answer = place.run("sync rejects crm --retry --dry-run --run \(run)")
    #expect(answer.status == 81)
    #expect(answer.error.contains("'hotglue sync reset crm --target 1 --to start'"))
  }
}
