import Glibc
import HotglueCommands
import HotglueCore
import HotglueStore
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
    let show = ["--store", copy, "-w", "acme", "job", "show", "\(job)"]
    #expect(place.run(show).status == 82, "a copy is used only once it is trusted")
    #expect(place.run(["context", "trust", copy]).status == 0)
    #expect(place.run(show).status == 0)
  }

  @Test("a restore must be confirmed, puts the backup in place, and starts a new incarnation")
  func restore() throws {
    var place = try CommandPlace.ready()
    _ = try place.enqueue()
    _ = place.run("store backup copy.db")
    let later = try place.enqueue(2)
    #expect(
      place.run("store restore copy.db")
        == Answer(
          status: 82, output: "",
          error: "hotglue: this must be confirmed: replace 'PLACE/.hotglue/store.db', which holds "
            + "3 pending jobs, by 'PLACE/copy.db' (\(Self.doubt))?\n"
            + "hint: hotglue store restore copy.db --yes\n"))
    #expect(
      place.run("store restore copy.db --dry-run").output
        == "would restore 'PLACE/.hotglue/store.db' from 'PLACE/copy.db'; it holds 3 pending jobs; "
        + "\(Self.doubt)\n")
    #expect(
      place.run("store restore copy.db --dry-run --assume-not-run").output
        .hasSuffix("and may have run since: it runs again (--assume-not-run)\n"))
    place.terminals = [0, 2]
    place.input = Array("no\n".utf8)
    #expect(place.run("store restore copy.db").status == 82)
    #expect(place.run("store restore copy.db --no-input").status == 82)
    #expect(try place.store().info().jobsByState[.pending] == 3)
    place.input = Array("y\n".utf8)
    let answer = place.run("store restore copy.db")
    #expect(answer.status == 0)
    #expect(
      answer.output
        == "restored 'PLACE/.hotglue/store.db' from 'PLACE/copy.db': incarnation 2; \(Self.doubt)\n"
    )
    #expect(try place.store().info().jobsByState == [.uncertain: 1])
    let next = try #require(try place.enqueue().first)
    #expect(next > (later.max() ?? 0))
    #expect(place.run("store restore copy.db --yes --assume-not-run").status == 0)
    #expect(try place.store().info().jobsByState == [.pending: 1])
    #expect(place.run("store restore none.db --yes").status != 0)
  }

  private static let doubt =
    "1 unsafe job was pending in the backup and may have run since: it becomes uncertain"

  @Test("a store that is lost is made again from its backup")
  func restoreLost() throws {
    let place = try CommandPlace.ready()
    _ = try place.enqueue()
    _ = place.run("store backup copy.db")
    for suffix in ["", "-wal", "-shm"] { unlink(place.storePath + suffix) }
    #expect(place.run("job list").status == 69)
    #expect(place.run("store restore copy.db").status == 0)
    #expect(place.run("job list -q").output == "1\n")
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
        == "would remove 1 job and 0 logs of 'PLACE/.hotglue/store.db'\n")
    #expect(later.run("store prune --older-than 16d -q").output == "")
    #expect(later.run("store prune -q").output == "1\n")
    #expect(later.run("job show 1").status == 66)
    #expect(later.run("job show 2").status == 0)
  }

  @Test(
    "an effect of the workspace is kept for a year, or as long as is said, unknown ones for ever")
  func pruneEffects() throws {
    let place = try CommandPlace.ready()
    for key in ["done", "doubtful"] {
      #expect(place.run("effect begin \(key) --scope workspace").status == 0)
    }
    #expect(place.run("effect confirm done --scope workspace").status == 0)
    var later = place
    later.now = place.now.advanced(by: .days(300))
    #expect(
      later.run("store prune --older-than 1d --json").output.contains(#""effects":0"#))
    #expect(
      later.run("store prune --effects-older-than 299d --dry-run").output
        == "would remove 0 jobs and 0 logs and 1 effect of 'PLACE/.hotglue/store.db'\n")
    later.now = place.now.advanced(by: .days(367))
    #expect(
      later.run("store prune").output
        == "removed 0 jobs and 0 logs and 1 effect of 'PLACE/.hotglue/store.db'\n")
    #expect(later.run("effect list -q").output == "doubtful\n")
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
