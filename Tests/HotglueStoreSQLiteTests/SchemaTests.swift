import Glibc
import HotglueCore
import HotglueStore
import StoreConformance
import TestSupport
import Testing

@testable import HotglueStoreSQLite

@Suite("what the schema itself refuses")
struct SchemaTests {
  let fixture: SQLiteFixture

  init() throws {
    fixture = try SQLiteFixture()
    _ = try fixture.workspace()
  }

  @Test(
    "no row can break an invariant that one row shows, or point across workspaces",
    arguments: [
      "UPDATE job SET state = 'running'", "UPDATE job SET state = 'succeeded'",
      "UPDATE job SET finished_at = 1", "UPDATE job SET state = 'done'",
      "UPDATE job SET parked = 1", "UPDATE job SET key_held = 1", "UPDATE job SET attempt = 9",
      "UPDATE job SET losses = -1", "UPDATE job SET worker = 1",
      "UPDATE job SET workspace = 'none'", "UPDATE job SET run_at = 'soon'",
      "UPDATE attempt SET workspace = 'beta'", "UPDATE attempt SET outcome = 'retry'",
      "INSERT INTO job_event VALUES (1, 1, 'beta', 0, 0, 'x', 'pending', 'pending', 'x', NULL)",
      "INSERT INTO late_report VALUES (1, 1, 'beta', 0, 0, '{}')",
      "INSERT INTO job_payload VALUES (1, 'beta', '{}')", "DELETE FROM workspace",
      "INSERT INTO effect (workspace, scope_job, key, state, intent, by_handler, started_at) VALUES ('beta', 1, 'k', 'intended', 1, 0, 1)",
      "INSERT INTO effect (workspace, key, state, intent, by_handler, started_at) VALUES ('acme', '', 'intended', 1, 0, 1)",
      "INSERT INTO effect (workspace, key, state, intent, by_handler, started_at) VALUES ('acme', 'k', 'confirmed', 1, 0, 1)",
      "INSERT INTO effect_output VALUES (1, 'acme', x'00')",
      "INSERT INTO sync_run (workspace, source, state, is_full, started_at) VALUES ('beta', 1, 'running', 0, 1)",
      "INSERT INTO sync_stream (workspace, source, name, key) VALUES ('beta', 1, 's', '[]')",
      "INSERT INTO sync_position (source, workspace, run) VALUES (1, 'beta', 1)",
      "INSERT INTO sync_position (source, workspace, run, published) VALUES (1, 'acme', 1, 5)",
      "INSERT INTO source (workspace, name, revision, definition, created_at, set_at, set_by) VALUES ('acme', '', 1, '{}', 1, 1, 'a')",
      "INSERT INTO automation (workspace, name, revision, definition, job, state, cursor, counts_from, created_at, set_at, set_by) VALUES ('none', 'a', 1, '{}', '{}', 'active', 1, 1, 1, 1, 'a')",
      "INSERT INTO automation (workspace, name, revision, definition, job, state, cursor, counts_from, created_at, set_at, set_by) VALUES ('acme', 'a', 1, '{}', '{}', 'paused', 1, 1, 1, 1, 'a')",
      "INSERT INTO occurrence VALUES (9, 1, 0, 'acme', 1, 'UTC', NULL, 'missed', NULL, NULL, 0, 1)",
      "UPDATE job SET automation = 1", "UPDATE job SET occurrence = '{}'",
      "INSERT INTO record_version VALUES (1, 99, 1, 1, '{}')",
      "INSERT INTO sync_dead VALUES (1, 5, 5)",
      "INSERT INTO activity (at, workspace, user, command, origin) VALUES (1, 'none', '', '', '')",
      "INSERT INTO member VALUES ('none', 'bob', 'owner', 1, 'bob')",
      "INSERT INTO member VALUES ('acme', 'bob', 'admin', 1, 'bob')",
      "INSERT INTO member VALUES ('acme', '', 'owner', 1, 'bob')",
    ])
  func refused(_ statement: String) throws {
    let beta = try #require(WorkspaceID("beta"))
    _ = try fixture.store.createWorkspace(
      beta, name: "", by: StoreFixture.alice, at: SQLiteFixture.start)
    try fixture.enqueue()
    _ = try fixture.store.setSource(
      "crm", to: SourceDefinition(command: ["tap"], directory: "/"), in: fixture.acme,
      expecting: .absent, by: StoreFixture.alice, at: SQLiteFixture.start)
    if statement.contains("attempt ") { _ = try fixture.claim() }
    #expect(throws: StoreError.self) { try fixture.store.connection.execute(statement) }
    #expect(try fixture.store.check() == [])
  }

  @Test("check finds what is wrong between rows")
  func checkFinds() throws {
    try fixture.enqueue()
    _ = try fixture.claim()
    let damage: [(statement: String, finding: String)] = [
      ("UPDATE attempt SET outcome = 'retry', finished_at = 1, to_state = 'pending'", "not open"),
      ("UPDATE job SET fence = fence + 5", "not running it"),
      (
        "INSERT INTO member VALUES ('acme', 'bob', 'viewer', 1, 'bob')",
        "workspace acme has members, but no owner"
      ),
    ]
    for (statement, finding) in damage {
      try fixture.store.connection.execute("BEGIN; \(statement)")
      let found = try fixture.store.findings()
      try fixture.store.connection.execute("ROLLBACK")
      #expect(found.contains { $0.message.contains(finding) }, "\(statement): \(found)")
    }
    let writer = try Connection(path: fixture.path)
    try writer.execute("PRAGMA foreign_keys = OFF; DELETE FROM workspace")
    #expect(try fixture.store.check().contains { $0.contains("does not exist") })
  }

  @Test("a full disk is named, and the call leaves no trace")
  func fullDisk() throws {
    let first = try fixture.enqueue()
    try fixture.store.connection.execute("PRAGMA max_page_count = 80")
    var request = EnqueueRequest(command: ["x"], directory: "/")
    request.payload = "\"" + String(repeating: "x", count: 1 << 20) + "\""
    #expect(throws: StoreError.diskFull(path: fixture.path)) {
      try fixture.store.enqueue(
        [EnqueueRequest(command: ["small"], directory: "/"), request], in: fixture.acme,
        by: StoreFixture.alice, at: SQLiteFixture.start)
    }
    #expect(try fixture.store.contents(of: fixture.acme).jobsByState == [.pending: 1])
    #expect(try fixture.enqueue() == first + 1)
    #expect(try fixture.store.check() == [])
  }

  @Test(
    "a full file system is named, and the store goes on when there is room again",
    .enabled(if: geteuid() == 0, "only root can mount a small file system"))
  func fullFileSystem() throws {
    let folder = fixture.folder.file("small")
    #expect(mkdir(folder, 0o700) == 0)
    guard mount("none", folder, "tmpfs", 0, "size=1m,mode=700") == 0 else {
      Issue.record("no small file system could be mounted: errno \(errno)")
      return
    }
    defer { umount2(folder, Int32(MNT_DETACH)) }
    let path = folder + "/store.db"
    let store = try SQLiteStore.create(at: path, now: SQLiteFixture.start)
    _ = try store.createWorkspace(
      fixture.acme, name: "", by: StoreFixture.alice, at: SQLiteFixture.start)
    let request = EnqueueRequest(
      command: [String(repeating: "x", count: 8000)], directory: "/")
    var stored = 0
    let error = #expect(throws: StoreError.self) {
      while stored < 1000 {
        _ = try store.enqueue(
          [request], in: fixture.acme, by: StoreFixture.alice, at: SQLiteFixture.start)
        stored += 1
      }
    }
    #expect(error == .diskFull(path: path))
    #expect(try store.contents(of: fixture.acme).jobsByState == [.pending: stored])
    #expect(mount("none", folder, "tmpfs", UInt(MS_REMOUNT), "size=8m") == 0)
    _ = try store.enqueue(
      [request], in: fixture.acme, by: StoreFixture.alice, at: SQLiteFixture.start)
    #expect(try store.check() == [])
  }
}
