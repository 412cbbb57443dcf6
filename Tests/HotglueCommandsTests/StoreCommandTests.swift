import HotglueCommands
import HotglueCore
import Testing

@Suite("Store commands")
struct StoreCommandTests {
  @Test("store info names the store and what it holds")
  func info() throws {
    let place = try CommandPlace.ready()
    _ = try place.enqueue(2)
    let storeID = try place.store().storeID
    #expect(place.run("store info -q").output == storeID + "\n")
    let text = place.run("store info")
    #expect(text.status == 0)
    #expect(
      text.output.hasPrefix("path\tPLACE/.hotglue/store.db\nfolder\tPLACE/.hotglue/store.db.d\n"))
    #expect(text.output.hasSuffix("workspaces\t2\nholds\t2 pending jobs\n"))
    let json = try JSON.parse(place.run("store info --json").output)
    #expect(
      json.members?.map(\.key) == [
        "path", "folder", "store_id", "incarnation", "schema_version", "group", "size_bytes",
        "log_bytes", "created_at", "sqlite_version", "gate_protects", "workspaces", "jobs",
      ])
    #expect(json["jobs"]?["pending"] == .integer(2))
  }

  @Test("a sound store is said to be sound")
  func check() throws {
    let place = try CommandPlace.ready()
    #expect(
      place.run("store check")
        == Answer(
          status: 0, output: "", error: "the store 'PLACE/.hotglue/store.db' is sound\n"))
    #expect(
      place.run("store check --json").output
        == #"{"store":"PLACE/.hotglue/store.db","sound":true,"findings":[]}"# + "\n")
  }

  @Test("a backup is a whole store, and overwrites nothing")
  func backup() throws {
    let place = try CommandPlace.ready()
    let job = try #require(try place.enqueue().first)
    #expect(
      place.run("store backup copy.db").output
        == "backed up 'PLACE/.hotglue/store.db' to 'PLACE/copy.db'\n")
    #expect(place.run("store backup copy.db").status == 73)
    let copy = place.folder.file("copy.db")
    #expect(place.run(["--store", copy, "-w", "acme", "job", "show", "\(job)"]).status == 0)
  }

  @Test("prune keeps what has not ended, and says what it would do")
  func prune() throws {
    let place = try CommandPlace.ready()
    _ = try place.enqueue(2)
    #expect(place.run("job cancel 1").status == 0)
    var later = place
    later.now = place.now.advanced(by: .days(15))
    #expect(
      later.run("store prune --dry-run").output
        == "would remove 1 jobs and 0 logs of 'PLACE/.hotglue/store.db'\n")
    #expect(later.run("store prune --older-than 16d -q").output == "")
    #expect(later.run("store prune -q").output == "1\n")
    #expect(later.run("job show 1").status == 66)
    #expect(later.run("job show 2").status == 0)
  }

  @Test("a file that is no store is refused by name")
  func notAStore() throws {
    let place = try CommandPlace.ready()
    let path = place.folder.file("other.db")
    try place.write("hello, this is text and no store at all\n", to: path)
    let answer = place.run(["--store", path, "store", "info"])
    #expect(answer.status == 69)
    #expect(answer.error.hasPrefix("hotglue: 'PLACE/other.db' is not a hotglue store\n"))
  }
}
