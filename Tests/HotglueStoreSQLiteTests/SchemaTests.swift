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

  /// A store as an earlier program left it: the schema of that version, a job, and `rows`.
  private func store(ofSchema version: Int, with rows: String = "") throws -> String {
    let path = fixture.folder.file("v\(version).db")
    try StoreFiles(group: nil).makeNewFile(path)
    let old = try Connection(path: path)
    try old.execute(
      """
      PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;
      PRAGMA application_id = \(storeApplicationID); BEGIN;
      """)
    for step in Migration.all.prefix(version) { try old.execute(step.script) }
    try old.execute(
      """
      PRAGMA user_version = \(version);
      INSERT INTO store_meta VALUES ('store_id', 'old'), ('incarnation', '1'), ('created_at', '1');
      INSERT INTO workspace (id, name, created_at) VALUES ('acme', 'Acme', 1);
      INSERT INTO job (workspace, type, queue, rank, state, run_at, created_at, created_by, command,
        directory) VALUES ('acme', 'exec', 'default', 0, 'pending', 1, 1, 'alice', '["x"]', '/');
      \(rows)
      COMMIT;
      """)
    return path
  }

  @Test("a store of schema 1 opens with all it holds")
  func schemaOne() throws {
    let store = try SQLiteStore.open(at: store(ofSchema: 1), expectedStoreID: "old")
    #expect(try store.info().schemaVersion == Migration.current)
    #expect(try store.job(1, in: fixture.acme).request.command == ["x"])
    #expect(try store.check() == [])
  }

  @Test("a backup of an earlier schema is restored, and brought up to date")
  func restoredFromEarlier() throws {
    let backup = try store(ofSchema: 1)
    let path = fixture.folder.file("restored.db")
    try fixture.restore(from: backup, to: path)
    // In the place of itself, which has been brought up to date, as well.
    try fixture.restore(from: backup, to: path)
    let store = try SQLiteStore.open(at: path, expectedStoreID: "old")
    #expect(try store.info().schemaVersion == Migration.current)
    #expect(try store.info().incarnation == 3)
    #expect(try store.job(1, in: fixture.acme).request.command == ["x"])
    #expect(try store.check() == [])
  }

  @Test("a store of schema 2 opens with all it holds")
  func schemaTwo() throws {
    let path = try store(
      ofSchema: 2,
      with: """
        INSERT INTO job_type_revision VALUES
          ('acme', 'mail', 1, '{"command":["send"],"cwd":"/"}', 1, 'alice');
        INSERT INTO job_type VALUES ('acme', 'mail', 1, NULL, NULL);
        """)
    let store = try SQLiteStore.open(at: path, expectedStoreID: "old")
    #expect(try store.info().schemaVersion == Migration.current)
    #expect(try store.job(1, in: fixture.acme).request.command == ["x"])
    #expect(try store.types(in: fixture.acme).map(\.name) == ["mail"])
    #expect(try store.check() == [])
  }

  @Test("a store of schema 3 opens with all it holds, and a limit counts what runs in it")
  func schemaThree() throws {
    let path = try store(
      ofSchema: 3,
      with: """
        INSERT INTO worker VALUES (1, 'w', 'b', '1', 1, 1, 'workers/1', 1, NULL);
        INSERT INTO attempt (job, fence, workspace, number, worker, worker_name, slot, claimed_at)
          VALUES (1, 1, 'acme', 1, 1, 'w', 's', 2);
        UPDATE job SET state = 'running', attempt = 1, fence = 1, watch = 1, worker = 1,
          lease_ms = 1, lease_wall_ms = 1, started_at = 2;
        INSERT INTO effect (workspace, key, state, intent, by_handler, started_at)
          VALUES ('acme', 'k', 'intended', 1, 0, 3);
        """)
    let store = try SQLiteStore.open(at: path, expectedStoreID: "old")
    #expect(try store.info().schemaVersion == Migration.current)
    #expect(try store.job(1, in: fixture.acme).state == .running)
    let name = try #require(EffectName(workspace: fixture.acme, scope: .workspace, key: "k"))
    #expect(try store.effect(name)?.facts.state == .intended)
    _ = try store.setLimit(
      1, ofQueue: "default", in: fixture.acme, by: StoreFixture.alice, at: SQLiteFixture.start)
    #expect(try store.check() == [])
    #expect(try store.queues(in: fixture.acme).map(\.running) == [1])
  }

  @Test("a store of schema 4 opens with all it holds, and knows whose effects are whose")
  func schemaFour() throws {
    let path = try store(
      ofSchema: 4,
      with: """
        INSERT INTO queue VALUES ('acme', 'mail', 2);
        INSERT INTO effect (workspace, key, state, intent, job, fence, by_handler, started_at)
          VALUES ('acme', 'k', 'intended', 1, 1, 0, 0, 3);
        """)
    let store = try SQLiteStore.open(at: path, expectedStoreID: "old")
    #expect(try store.info().schemaVersion == Migration.current)
    #expect(try store.queues(in: fixture.acme).map(\.limit) == [nil, 2])
    let effects = try store.effects(
      in: fixture.acme, of: 1, states: [], before: nil, limit: 9)
    #expect(effects.map(\.name.key) == ["k"])
    #expect(try store.check() == [])
  }

  @Test("a store of schema 5 opens with all it holds, and is open to all")
  func schemaFive() throws {
    let path = try store(
      ofSchema: 5,
      with: """
        INSERT INTO effect (workspace, key, state, intent, by_handler, started_at)
          VALUES ('acme', 'charge', 'intended', 1, 0, 1);
        INSERT INTO activity (at, workspace, user, command, origin, subject)
          VALUES (1, 'acme', 'alice', 'job enqueue', 'flag', 'job/1');
        """)
    let store = try SQLiteStore.open(at: path, expectedStoreID: "old")
    #expect(try store.info().schemaVersion == Migration.current)
    let name = try #require(EffectName(workspace: fixture.acme, scope: .workspace, key: "charge"))
    #expect(try store.effect(name)?.facts.intent == 1)
    #expect(try store.role(of: "alice", in: fixture.acme) == .open)
    let log = try store.activity(matching: ActivityFilter(), before: nil, limit: 9)
    #expect(log.entries.map(\.subject) == ["job/1"])
    #expect(try store.check() == [])
  }

  @Test("a store of schema 6 opens with all it holds, and without drafts")
  func schemaSix() throws {
    let path = try store(
      ofSchema: 6,
      with: """
        INSERT INTO effect (workspace, key, state, intent, by_handler, started_at)
          VALUES ('acme', 'pay', 'intended', 1, 1, 1);
        INSERT INTO context VALUES ('c1', '/c', 3, 'acme', NULL, NULL, NULL);
        """)
    let store = try SQLiteStore.open(at: path, expectedStoreID: "old")
    #expect(try store.info().schemaVersion == Migration.current)
    #expect(try store.job(1, in: fixture.acme).request.command == ["x"])
    let effects = try store.effects(
      in: fixture.acme, of: nil, states: [], before: nil, limit: 10)
    #expect(effects.map(\.name.key) == ["pay"])
    #expect(try store.contents(of: fixture.acme).openDrafts == 0)
    #expect(try store.check() == [])
  }

  @Test("a store of schema 7 opens with all it holds, and without sources")
  func schemaSeven() throws {
    let path = try store(
      ofSchema: 7,
      with: """
        INSERT INTO effect (workspace, key, state, intent, by_handler, started_at)
          VALUES ('acme', 'k', 'intended', 1, 0, 1);
        """)
    let store = try SQLiteStore.open(at: path, expectedStoreID: "old")
    #expect(try store.info().schemaVersion == Migration.current)
    #expect(
      try store.effects(in: fixture.acme, of: nil, states: [], before: nil, limit: 5)
        .map(\.name.key) == ["k"])
    #expect(try store.sources(in: fixture.acme) == [])
    #expect(try store.check() == [])
  }

  @Test("a store of schema 8 opens with all it holds, and ends a switch of nobody it knows")
  func schemaEight() throws {
    let path = try store(
      ofSchema: 8,
      with: """
        INSERT INTO workspace (id, name, created_at) VALUES ('beta', 'beta', 1);
        INSERT INTO context VALUES ('c1', '/c', 3, 'acme', NULL, 4, 'beta');
        INSERT INTO draft (workspace, kind, context_id, context_path, directory, created_at,
            created_by, updated_at, template, text)
          VALUES ('acme', 'job', 'c1', '/c', '/', 1, 'ann', 1, x'', x'01');
        INSERT INTO activity (at, workspace, user, command, origin, subject)
          VALUES (1, 'acme', 'ann', 'draft new', 'flag', 'draft/1');
        """)
    let store = try SQLiteStore.open(at: path, expectedStoreID: "old")
    #expect(try store.info().schemaVersion == Migration.current)
    #expect(try store.draft(1, in: fixture.acme).text == [1])
    #expect(try store.editor(ofDraft: 1, in: fixture.acme) == nil)
    let key = ContextKey(contextID: "c1", path: "/c")
    let intent = try #require(try store.context(key)?.intent)
    var actor = StoreFixture.alice
    actor.repairedBy = "alice"
    try store.confirmSwitch(key, intent, by: actor, at: SQLiteFixture.start)
    let log = try store.activity(matching: ActivityFilter(), before: nil, limit: 9)
    #expect(log.entries.map(\.actor.user) == ["alice", "ann"])
    #expect(log.entries.map(\.actor.repairedBy) == ["alice", nil])
    #expect(try store.check() == [])
  }

  @Test("a store of schema 9 opens with all it holds, and any keyless record may repeat")
  func schemaNine() throws {
    let path = try store(
      ofSchema: 9,
      with: """
        INSERT INTO source (workspace, name, revision, definition, created_at, set_at, set_by)
          VALUES ('acme', 'crm', 1, '{"command":["tap"],"cwd":"/","on_reject":"1000"}', 1, 1, 'a');
        INSERT INTO sync_run (workspace, source, state, is_full, started_at, finished_at, bookmark,
          publications) VALUES ('acme', 1, 'succeeded', 0, 1, 2, '{"offset":1}', 1);
        INSERT INTO sync_position VALUES (1, 'acme', 1, 1, 1, 1, 2, '{"offset":1}');
        INSERT INTO sync_stream (workspace, source, name, key, schema_version, records)
          VALUES ('acme', 1, 's', '[]', 1, 1);
        INSERT INTO sync_schema VALUES (1, 1, 1, 1, 1, '{}', '[]');
        INSERT INTO record_version VALUES (1, 1,
          X'000000000000000100000000000000070000000000000009', 1, '{"w":1}');
        UPDATE record_counter SET last = 1;
        INSERT INTO sync_tally VALUES (1, 1, 1, 1, 0, 0, 0, 0);
        """)
    let store = try SQLiteStore.open(at: path, expectedStoreID: "old")
    #expect(try store.info().schemaVersion == Migration.current)
    let run = try #require(
      try store.syncRuns(of: 1, in: fixture.acme, before: nil, limit: 2).first)
    #expect(run.streams.first?.tally == StreamTally(received: 1, added: 1))
    let session = try store.beginSync(
      SyncRequest(workspace: fixture.acme, source: 1, attempt: nil), by: StoreFixture.alice,
      at: SQLiteFixture.start)
    _ = try session.declare(
      StreamDeclaration(name: "s", schema: "{}", key: [], bookmarkProperties: [], line: 1),
      mayChangeKey: false, at: SQLiteFixture.start)
    var batch = RecordBatch()
    let data = batch.add(Array(#"{"w":1}"#.utf8))
    for _ in 0..<2 { batch.append(stream: 0, key: .content(7, 9), data: data, repetition: .recent) }
    let counts = try session.stage(batch, publishing: nil, at: SQLiteFixture.start).counts[0]
    #expect(counts?.unchanged == 1 && counts?.added == 1)
    #expect(try store.check() == [])
  }

  @Test("a store of schema 10 opens with its sources and where they stand, and without targets")
  func schemaTen() throws {
    let path = try store(
      ofSchema: 10,
      with: """
        INSERT INTO source (workspace, name, revision, definition, created_at, set_at, set_by)
          VALUES ('acme', 'crm', 1,
            '{"command":["tap"],"cwd":"/","keys":{},"on_reject":"5"}', 1, 1, 'alice');
        INSERT INTO sync_run (workspace, source, state, is_full, started_at, finished_at, bookmark)
          VALUES ('acme', 1, 'succeeded', 0, 1, 2, '{"at":3}');
        INSERT INTO sync_position (source, workspace, run, published_run, published_at, bookmark)
          VALUES (1, 'acme', 1, 1, 2, '{"at":3}');
        """)
    let store = try SQLiteStore.open(at: path, expectedStoreID: "old")
    #expect(try store.info().schemaVersion == Migration.current)
    #expect(try store.sources(in: fixture.acme).map(\.name) == ["crm"])
    #expect(try store.syncPosition(of: 1, in: fixture.acme)?.bookmark?.text == "{\"at\":3}")
    let runs = try store.syncRuns(of: 1, in: fixture.acme, before: nil, limit: 5)
    #expect(runs.map(\.target) == [nil] && runs.map(\.bookmark?.text) == ["{\"at\":3}"])
    #expect(try store.syncTargets(of: 1, in: fixture.acme) == [])
    #expect(try store.check() == [])
  }

  @Test("the versions of migrations are 1, 2, 3, … without a gap")
  func versions() {
    #expect(Migration.all.map(\.version) == Array(1...Migration.current))
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
