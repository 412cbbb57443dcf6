import CSQLite
import Glibc
import HotglueCore
import HotglueStore
import StoreConformance
import TestSupport
import Testing

@testable import HotglueStoreSQLite

@Suite("What a look at the whole store finds")
struct AuditTests {
  let fixture: SQLiteFixture

  init() throws {
    fixture = try SQLiteFixture()
    _ = try fixture.workspace()
  }

  /// One job of each kind: waiting, running, retried once, ended well.
  private func fill() throws {
    try fixture.enqueue {
      $0.key = "k"
      $0.keyHold = .untilDone
    }
    let claimed = try #require(try fixture.claim().first)
    let end = AttemptEnd(how: .exited(1))
    _ = try fixture.store.settle(
      [
        Settlement(
          attempt: claimed.reference, end: end, verdict: end.verdict(by: .none),
          usage: AttemptUsage(), endedAt: SQLiteFixture.start, by: "host:1")
      ], thenClaim: nil, at: SQLiteFixture.start)
    try fixture.enqueue()
    _ = try fixture.claim()
    try fixture.enqueue()
  }

  @Test(
    "damage between rows is found, and named",
    arguments: [
      (
        "UPDATE attempt SET number = 9, fence = 9 WHERE job = 1", "but an attempt with a higher one"
      ),
      ("DELETE FROM attempt WHERE job = 2", "is running, but its attempt"),
      ("UPDATE job SET fence = 7 WHERE id = 2", "but the job is not running it"),
      ("UPDATE job SET attempt = 0 WHERE id = 1", "attempts, but"),
      ("UPDATE job SET failures = 0 WHERE id = 1", "snoozes, but"),
      ("UPDATE job SET losses = 2 WHERE id = 1", "snoozes, but"),
      ("UPDATE job SET failures = 1 WHERE id = 3", "is to be tried again after"),
      (
        "INSERT INTO job_event VALUES (1, 1, 'acme', 1, 5, 'retry_again', 'succeeded', 'failed', 'x', NULL)",
        "went from succeeded to failed by 'retry_again'"
      ),
      (
        "INSERT INTO job_event VALUES (1, 1, 'acme', 1, 5, 'retry_again', 'cancelled', 'pending', 'x', NULL)",
        "took it from"
      ),
      (
        "UPDATE job SET state = 'pending', finished_at = NULL WHERE id = 1",
        "but its history ends in"
      ),
      ("UPDATE job SET key_held = 1 WHERE id = 1", "still holds its key"),
      ("UPDATE job SET parked = 1, limit_key = 'l' WHERE id = 3", "nothing holds its limit key"),
      (
        "INSERT INTO queue (workspace, name, running_limit) VALUES ('acme', 'default', 1)",
        "does not count against it"
      ),
      (
        "INSERT INTO member VALUES ('acme', 'eve', 'operator', 1, 'eve')", "but no owner"
      ),
      (
        "INSERT INTO job_payload VALUES (3, 'acme', '1'); UPDATE job SET payload = '2'",
        "has two payloads"
      ),
      ("UPDATE attempt SET type_revision = 4 WHERE job = 1", "ran a revision that is not recorded"),
      (
        "INSERT INTO effect (workspace, key, state, intent, by_handler, started_at, finished_at, output_bytes, keeps_output) VALUES ('acme', 'k', 'confirmed', 1, 0, 1, 2, 5, 1)",
        "bytes of output, and has"
      ),
      (
        "INSERT INTO effect (workspace, key, state, intent, by_handler, started_at, job, fence) VALUES ('acme', 'k', 'intended', 1, 0, 1, 2, 99)",
        "which job 2 never had"
      ),
      (
        targetOfRun + "UPDATE sync_target SET run = 2", "has a run that did not go there"
      ),
      (
        targetOfRun + "UPDATE sync_target SET confirmed_run = 3", "has a run that did not go there"
      ),
      (
        targetOfRun + "UPDATE sync_run SET state = 'running', finished_at = NULL WHERE id = 2;"
          + "INSERT INTO sync_delivery VALUES (2, 'acme', 1, 1)", "which takes another one"
      ),
      (
        targetOfRun + "INSERT INTO sync_position (source, workspace, run) VALUES (1, 'acme', 1)",
        "the store says that it published"
      ),
      ("PRAGMA foreign_keys = OFF; DELETE FROM workspace", "that does not exist"),
    ])
  func damage(_ statement: String, _ message: String) throws {
    try fill()
    #expect(try fixture.store.violations() == [])
    let writer = try Connection(path: fixture.path)
    try writer.execute(statement)
    let found = try fixture.store.violations()
    #expect(
      found.contains { $0.code == .inconsistent && $0.message.contains(message) }, "\(found)")
  }

  @Test("a page that was written over is found")
  func damagedPage() throws {
    try fill()
    try fixture.store.backup(to: fixture.folder.file("kept.db"))
    let path = fixture.folder.file("kept.db")
    let backup = try Connection(path: path, access: .readOnly)
    let root = try #require(
      try backup.first(
        SQL("test.root", "SELECT rootpage FROM sqlite_schema WHERE name = 'attempt'"), [],
        { $0.integer(0) }))
    try FileBytes.overwrite(path, at: (Int(root) - 1) * 4096, with: Array(repeating: 7, count: 64))
    let found = SQLiteStore.examine(at: path)
    let store = try #require(found.store)
    #expect(damage(seenBy: store))
  }

  /// A page that is read for another reason before the check comes to it is as good an answer.
  private func damage(seenBy store: any AuditStore) -> Bool {
    do throws(StoreError) {
      return try store.audit().violations.contains { $0.code == .storeCorrupt }
    } catch {
      if case .corrupt = error { return true }
      return false
    }
  }

  @Test("to examine a store writes nothing, neither to it nor to a gate that somebody holds")
  func examineWritesNothing() throws {
    try fill()
    let gate = try WriterGate(folder: fixture.store.folder, shared: false)
    try gate.enter(within: .seconds(1))
    defer { gate.leave() }
    let before = try fixture.store.changeCounter()
    let found = SQLiteStore.examine(at: fixture.path)
    #expect(found.problems == [])
    let audit = try #require(try found.store?.audit())
    #expect(audit.violations == [])
    #expect(audit.running.map(\.reference.job) == [2])
    #expect(audit.workers.count == 2)
    #expect(try fixture.store.changeCounter() == before)
    let audited = try #require(found.store as? SQLiteStore)
    #expect(throws: StoreError.self) {
      try audited.connection.execute("UPDATE job SET fence = fence + 1")
    }
  }

  @Test("everything that open would refuse is told, all at once")
  func problems() throws {
    #expect(SQLiteStore.examine(at: fixture.folder.file("none.db")).problems.count == 1)
    chmod(fixture.path, 0o620)
    chmod(fixture.store.folder + "/slots", 0o777)
    let found = SQLiteStore.examine(at: fixture.path)
    #expect(found.problems.count == 2, "\(found.problems)")
    #expect(found.store != nil, "what can be read is read all the same")
    try fixture.store.connection.execute("PRAGMA application_id = 1")
    #expect(SQLiteStore.examine(at: fixture.path).problems.contains(.notAStore(path: fixture.path)))
  }

  @Test("an attempt is known as open, ended, or not at all")
  func records() throws {
    try fill()
    #expect(try fixture.store.record(ofJob: 2, fence: 1) == .open)
    #expect(try fixture.store.record(ofJob: 1, fence: 1) == .ended)
    #expect(try fixture.store.record(ofJob: 1, fence: 2) == .unknown)
    try fixture.store.connection.execute(
      "UPDATE job SET policy = '{\"keep_children\":true}' WHERE id = 1")
    #expect(try fixture.store.record(ofJob: 1, fence: 1) == .endedKeepingChildren)
  }
}

/// A source with a run into a target, and one into the store.
private let targetOfRun = """
  INSERT INTO source (workspace, name, revision, definition, created_at, set_at, set_by)
    VALUES ('acme', 's', 1, '{}', 1, 1, 'alice');
  INSERT INTO sync_run (workspace, source, state, is_full, started_at, finished_at)
    VALUES ('acme', 1, 'succeeded', 0, 1, 2), ('acme', 1, 'succeeded', 0, 3, 4);
  INSERT INTO sync_target (workspace, source, command, created_at, run, confirmed_run)
    VALUES ('acme', 1, '["t"]', 1, 1, 1);
  INSERT INTO sync_delivery VALUES (1, 'acme', 1, 1);

  """
