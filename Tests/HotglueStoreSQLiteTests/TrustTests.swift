import Glibc
import HotglueCore
import HotglueFiles
import HotglueStore
import StoreConformance
import TestSupport
import Testing

@testable import HotglueStoreSQLite

@Suite("which files a store is opened with")
struct TrustTests {
  let fixture: SQLiteFixture
  init() throws { fixture = try SQLiteFixture() }

  private func refusal(_ body: () throws -> Void) -> String? {
    do {
      try body()
      return nil
    } catch StoreError.notPermitted(let path, let reason, _) {
      return "\(path.dropFirst(fixture.folder.path.count)): \(reason)"
    } catch {
      return "\(error)"
    }
  }

  // MARK: Who may write

  @Test("the owner and the mode of a file decide, and a group only where it shares the store")
  func files() {
    func isRefused(
      _ mode: UInt32, owner: UInt32 = 1000, group: UInt32 = 7, sharedBy: UInt32? = nil
    ) -> Bool {
      let circle = AccessCircle(user: 1000, owner: 1000, group: sharedBy, hasOthers: { _ in true })
      let facts = FileFacts(owner: owner, group: group, mode: mode, kind: .file)
      return circle.refusal(of: "x", facts) != nil
    }
    #expect(!isRefused(0o600))
    #expect(!isRefused(0o644))
    #expect(!isRefused(0o600, owner: 0))
    #expect(isRefused(0o660))
    #expect(isRefused(0o606))
    #expect(isRefused(0o600, owner: 1001))
    #expect(!isRefused(0o660, owner: 1001, sharedBy: 7))
    #expect(isRefused(0o660, group: 8, sharedBy: 7))
    #expect(isRefused(0o666, sharedBy: 7))
  }

  @Test("a directory on the path is refused where others may replace what lies in it")
  func directories() {
    func isRefused(
      _ mode: UInt32, owner: UInt32 = 1000, group: UInt32 = 7, sharedBy: UInt32? = nil,
      hasOthers: Bool = true, isNext: Bool = false
    ) -> Bool {
      let circle = AccessCircle(
        user: 1000, owner: 1000, group: sharedBy, hasOthers: { _ in hasOthers })
      let facts = FileFacts(owner: owner, group: group, mode: mode, kind: .directory)
      return circle.refusal(ofDirectory: "x", facts, isNext: isNext) != nil
    }
    #expect(!isRefused(0o755) && !isRefused(0o755, isNext: true))
    #expect(isRefused(0o777) && isRefused(0o777, isNext: true))
    // As /tmp.
    #expect(!isRefused(0o1777, owner: 0) && !isRefused(0o1777, owner: 0, isNext: true))
    // Its group, unless that shares the store, or nobody else is in it.
    #expect(isRefused(0o775))
    #expect(!isRefused(0o775, sharedBy: 7) && isRefused(0o775, group: 8, sharedBy: 7))
    #expect(!isRefused(0o775, hasOthers: false))
    // Another user's directory may lead to a store, and holds none.
    #expect(!isRefused(0o755, owner: 1001) && isRefused(0o755, owner: 1001, isNext: true))
  }

  @Test("a directory that all users may write is refused on the path, and a sticky one is not")
  func path() throws {
    let above = fixture.folder.file("above")
    let path = above + "/own/store.db"
    #expect(mkdir(above, 0o700) == 0 && mkdir(above + "/own", 0o700) == 0)
    _ = try SQLiteStore.create(at: path, now: SQLiteFixture.start)
    #expect(chmod(above, 0o777) == 0)
    #expect(
      refusal { _ = try SQLiteStore.open(at: path) }
        == "/above: every user may replace what lies in it")
    #expect(
      refusal {
        _ = try SQLiteStore.create(at: above + "/own/more.db", now: SQLiteFixture.start)
      } == "/above: every user may replace what lies in it")
    #expect(FolderListing.names(above + "/own").filter { $0.hasPrefix("more") } == [])
    #expect(chmod(above, 0o1777) == 0)
    _ = try SQLiteStore.open(at: path)
  }

  // MARK: What lies beside

  @Test("a journal beside a store is refused, whoever owns it, and is not played back")
  func journal() throws {
    let path = fixture.path + "-journal"
    try FileBytes.write([], path)
    #expect(
      refusal { _ = try SQLiteStore.open(at: fixture.path) }
        == "/store.db-journal: it is no part of a store, and SQLite would play it back")
    #expect(unlink(path) == 0)
    _ = try SQLiteStore.open(at: fixture.path)
  }

  @Test(
    "a log and shared memory of another user are refused",
    .enabled(if: geteuid() == 0, "only root can give away"), arguments: ["-wal", "-shm"])
  func filesBeside(_ suffix: String) throws {
    #expect(chown(fixture.path + suffix, 4242, gid_t.max) == 0)
    #expect(
      refusal { _ = try SQLiteStore.open(at: fixture.path) }
        == "/store.db\(suffix): it belongs to user 4242")
    #expect(chown(fixture.path + suffix, 0, gid_t.max) == 0)
    #expect(rename(fixture.path + suffix, fixture.path + ".kept") == 0)
    #expect(symlink(fixture.path + ".kept", fixture.path + suffix) == 0)
    #expect(
      refusal { _ = try SQLiteStore.open(at: fixture.path) }
        == "/store.db\(suffix): it is no regular file")
  }

  @Test(
    "SQLite itself opens no file of another user, however late it came",
    .enabled(if: geteuid() == 0, "only root can give away"))
  func judgedAtTheOpen() throws {
    let copy = fixture.folder.file("copy.db")
    try fixture.store.backup(to: copy)
    for (owner, mode) in [(4242, 0o600), (0, 0o622), (0, 0o660)] as [(uid_t, mode_t)] {
      try FileBytes.write([UInt8](repeating: 0, count: 512), copy + "-journal")
      #expect(chown(copy + "-journal", owner, 4242) == 0 && chmod(copy + "-journal", mode) == 0)
      #expect(throws: StoreError.self) {
        try Connection(path: copy).all(text: "SELECT * FROM store_meta", [], { _ in })
      }
      #expect(unlink(copy + "-journal") == 0)
    }
    _ = try Connection(path: copy).all(text: "SELECT * FROM store_meta", [], { _ in })
  }

  @Test("a backup is read alone: what another user has put beside it is not part of it")
  func backupAlone() throws {
    _ = try fixture.workspace()
    let backup = fixture.folder.file("backup.db")
    try fixture.store.backup(to: backup)
    try FileBytes.write([UInt8](repeating: 7, count: 4096), backup + "-wal")
    let error = #expect(throws: StoreError.self) { try fixture.restore(from: backup) }
    guard case .noBackup = error else {
      Issue.record("refused with \(String(describing: error))")
      return
    }
    guard geteuid() == 0 else { return }
    #expect(chown(backup + "-wal", 4242, gid_t.max) == 0)
    try FileBytes.write([UInt8](repeating: 7, count: 4096), backup + "-journal")
    #expect(chown(backup + "-journal", 4242, gid_t.max) == 0)
    try fixture.restore(from: backup)
    #expect(try SQLiteStore.open(at: fixture.path).workspaces().map(\.id) == [fixture.acme])
  }

  // MARK: Copies

  @Test("a store that was moved is the same, and a copy is used only once it was adopted")
  func copies() throws {
    let moved = fixture.folder.file("moved.db")
    for suffix in ["", "-wal", "-shm", ".d"] {
      #expect(rename(fixture.path + suffix, moved + suffix) == 0)
    }
    _ = try SQLiteStore.open(at: moved)
    let copy = fixture.folder.file("copy.db")
    try fixture.store.backup(to: copy)
    #expect(throws: StoreError.copied(path: copy)) { try SQLiteStore.open(at: copy) }
    #expect(!FolderListing.names(fixture.folder.path).contains("copy.db.d"), "nothing is made")
    #expect(SQLiteStore.examine(at: copy).problems.contains(.copied(path: copy)))
    let (adopted, wasCopy) = try SQLiteStore.adopt(at: copy)
    #expect(wasCopy && adopted.storeID == fixture.store.storeID)
    _ = try SQLiteStore.open(at: copy)
    let (_, again) = try SQLiteStore.adopt(at: copy)
    #expect(!again)
  }

  @Test("a restored store is no copy, in its own place or in a new one")
  func restored() throws {
    let backup = fixture.folder.file("backup.db")
    try fixture.store.backup(to: backup)
    try fixture.restore(from: backup)
    _ = try SQLiteStore.open(at: fixture.path)
    let new = fixture.folder.file("new.db")
    try fixture.restore(from: backup, to: new)
    _ = try SQLiteStore.open(at: new)
  }

  // MARK: Code

  @Test("a trigger in a store does nothing, and is named by all that look at the schema")
  func trigger() throws {
    _ = try fixture.workspace()
    try fixture.store.connection.execute(
      """
      CREATE TRIGGER t AFTER INSERT ON job BEGIN
        UPDATE job SET command = '["evil"]' WHERE id = new.id; END
      """)
    let store = try SQLiteStore.open(at: fixture.path)
    let made = try store.enqueue(
      [EnqueueRequest(command: ["true"], directory: "/tmp")], in: fixture.acme,
      by: StoreFixture.alice, at: SQLiteFixture.start)
    let job = try store.job(#require(made.first).id, in: fixture.acme)
    #expect(job.request.command == ["true"])
    #expect(
      try store.violations() == [
        StoreViolation(.schemaChanged, "trigger 't' is not of hotglue's making")
      ])
    let backup = fixture.folder.file("backup.db")
    try store.backup(to: backup)
    for step in [
      { try fixture.restore(from: backup) },
      { _ = try SQLiteStore.adopt(at: backup) },
    ] {
      let error = #expect(throws: StoreError.self) { try step() }
      guard case .corrupt = error else {
        Issue.record("refused with \(String(describing: error))")
        return
      }
    }
  }

  @Test("a table that is not as hotglue makes it, or is missing, is named")
  func changedSchema() throws {
    try fixture.store.connection.execute("DROP INDEX effect_open; CREATE TABLE mine (a INTEGER)")
    #expect(
      try fixture.store.violations().map(\.message) == [
        "index 'effect_open' is missing", "table 'mine' is not of hotglue's making",
      ])
  }

  // MARK: Rows

  @Test("no path comes from a row")
  func paths() throws {
    _ = try fixture.workspace()
    try fixture.enqueue()
    _ = try fixture.claim()
    try fixture.store.connection.execute(
      """
      UPDATE attempt SET log = '../../../x', slot = '../../y';
      UPDATE worker SET lock_path = '/etc/passwd'
      """)
    let attempt = try #require(try fixture.store.attempts(of: 1, in: fixture.acme).first)
    #expect(attempt.usage.log == LogPath.of(job: 1, fence: attempt.fence))
    #expect(attempt.slot == "unknown")
    let running = try #require(try fixture.store.runningAttempt(of: 1, in: fixture.acme))
    #expect(running.slot == "unknown" && running.worker.lockPath == "unknown")
    for good in ["workers/12-ab.lock", "workers/1"] { #expect(RowName.path(good) == good) }
    for bad in ["../x", "workers/../x", "/x", "", "a//b", ".x", "a\nb"] {
      #expect(RowName.path(bad) == "unknown", "\(bad)")
    }
  }

  // MARK: The write lock

  @Test("a write takes the lock that others take, also after its files were replaced")
  func replacedGate() throws {
    _ = try fixture.workspace()
    for name in ["gate.a", "gate.b"] {
      #expect(unlink("\(fixture.store.folder)/\(name)") == 0)
      let other = try SQLiteStore.open(at: fixture.path)
      try other.underGate { (_) throws(StoreError) in
        fixture.store.writeBound = Span(milliseconds: 40)
        #expect(throws: StoreError.self) { try fixture.enqueue() }
      }
      fixture.store.writeBound = .seconds(30)
      try fixture.enqueue()
    }
  }

  // MARK: Groups

  @Test("a group's number that has another name here does not share a restored store")
  func foreignGroup() throws {
    let path = fixture.folder.file("shared.db")
    let store = try SQLiteStore.create(at: path, group: "\(getegid())", now: SQLiteFixture.start)
    let backup = fixture.folder.file("backup.db")
    try store.backup(to: backup)
    let kept = fixture.folder.file("kept.db")
    try fixture.restore(from: backup, to: kept)
    #expect(try SQLiteStore.open(at: kept).group == "\(getegid())")
    try Connection(path: backup).execute(
      "UPDATE store_meta SET value = 'others' WHERE key = 'group_name'")
    let lost = fixture.folder.file("lost.db")
    try fixture.restore(from: backup, to: lost)
    #expect(try SQLiteStore.open(at: lost).group == nil)
    for name in ["", ".d", ".d/gate.a"] {
      #expect(try FileFacts(of: lost + name).mode & 0o077 == 0, "\(name)")
    }
  }

  @Test("in a store with members who creates a workspace owns it")
  func creatorOwns() throws {
    _ = try fixture.workspace()
    let open = try fixture.store.createWorkspace(
      #require(WorkspaceID("open")), name: "", by: StoreFixture.alice, at: SQLiteFixture.start)
    #expect(try fixture.store.members(of: open.id) == [])
    _ = try fixture.store.addMember(
      "bob", as: .viewer, in: fixture.acme, by: StoreFixture.alice, at: SQLiteFixture.start)
    let owned = try fixture.store.createWorkspace(
      #require(WorkspaceID("owned")), name: "", by: StoreFixture.alice, at: SQLiteFixture.start)
    #expect(
      try fixture.store.members(of: owned.id).map { "\($0.user) \($0.role)" }
        == ["\(StoreFixture.alice.user) owner"])
    // Who is on all of them is where the user has a role, and not where nobody has one.
    let all = try fixture.store.guardFacts(for: "bob")
    #expect(GuardFacts.covered(all, by: .operator).map(\.workspace.id.text) == [])
    let alices = try fixture.store.guardFacts(for: StoreFixture.alice.user)
    #expect(
      GuardFacts.covered(alices, by: .operator).map(\.workspace.id.text) == ["acme", "owned"])
    #expect(GuardFacts.covered(alices, by: .viewer).count == 3)
  }
}
