import Glibc
import HotglueCore
import HotglueStore
import StoreConformance
import TestSupport
import Testing

@testable import HotglueStoreSQLite

@Suite("backup and restore")
struct RestoreTests {
  let fixture: SQLiteFixture
  let backup: String

  init() throws {
    fixture = try SQLiteFixture()
    _ = try fixture.workspace()
    backup = fixture.folder.file("backup.db")
  }

  @Test("a backup is a whole store of its own, private and without a log")
  func backupIsAStore() throws {
    let id = try fixture.enqueue()
    try fixture.store.backup(to: backup)
    var status = stat()
    #expect(stat(backup, &status) == 0 && status.st_mode & 0o777 == 0o600)
    #expect(stat(backup + "-wal", &status) != 0)
    let opened = try SQLiteStore.open(at: backup)
    #expect(opened.storeID == fixture.store.storeID)
    #expect(try opened.job(id, in: fixture.acme).state == .pending)
    #expect(try opened.check() == [])
  }

  @Test("a backup does not overwrite anything")
  func backupRefusesExisting() throws {
    #expect(throws: StoreError.alreadyExists(path: fixture.path)) {
      try fixture.store.backup(to: fixture.path)
    }
  }

  @Test("a restored store has what the backup had, and counts on from beyond what was counted")
  func restoreInPlace() throws {
    let kept = try fixture.enqueue()
    let first = try #require(try fixture.claim().first)
    try fixture.store.backup(to: backup)
    let lost = try fixture.enqueue()
    let other = try SQLiteStore.open(at: fixture.path)
    // While it runs here, another content would run it once more.
    #expect(throws: StoreError.attemptsRunning([kept])) { try fixture.restore(from: backup) }
    try succeed(first)
    try fixture.restore(from: backup)

    // Both connections were open all the time.
    for store in [fixture.store, other] {
      #expect(throws: StoreError.unknownJob(lost)) { try store.job(lost, in: fixture.acme) }
      let job = try store.job(kept, in: fixture.acme)
      #expect(job.state == .uncertain)
      #expect(job.fence == first.job.fence + 1_000_000)
    }
    #expect(try fixture.enqueue() > lost + 1_000_000 - 1)
    #expect(try fixture.store.info().incarnation == 2)
    #expect(try fixture.store.check() == [])
    let history = try fixture.store.history(of: kept, in: fixture.acme)
    #expect(history.last?.reason == "restored")
  }

  @Test("after a restore no draft has a number again, and what a switch was moving is open")
  func drafts() throws {
    let context = ContextKey(contextID: "c1", path: "/c")
    func draft() throws -> Draft {
      try fixture.store.startDraft(
        NewDraft(
          kind: .job, name: nil, template: [], text: [1], directory: "/", context: context),
        in: fixture.acme, by: StoreFixture.alice, at: SQLiteFixture.start)
    }
    guard let beta = WorkspaceID("beta") else { return }
    _ = try fixture.store.createWorkspace(
      beta, name: "", by: StoreFixture.alice, at: SQLiteFixture.start)
    let moved = try draft()
    _ = try fixture.store.beginSwitch(
      context,
      from: ContextRecord(generation: 1, workspace: fixture.acme, previous: nil, intent: nil),
      to: beta, drafts: [moved.stamp: true], by: StoreFixture.alice,
      at: SQLiteFixture.start)
    try fixture.store.backup(to: backup)
    let lost = try draft()
    try fixture.restore(from: backup)
    #expect(try fixture.store.draft(moved.id, in: fixture.acme).state == .open)
    #expect(throws: StoreError.unknownDraft(lost.id)) {
      try fixture.store.draft(lost.id, in: fixture.acme)
    }
    #expect(try draft().id > lost.id)
    #expect(try fixture.store.check() == [])
  }

  private func succeed(_ claimed: ClaimedJob) throws {
    let settlement = Settlement(
      attempt: claimed.reference, end: AttemptEnd(how: .exited(0)),
      verdict: Verdict(outcome: .succeeded, reason: "exit", message: ""), usage: AttemptUsage(),
      endedAt: SQLiteFixture.start, by: "x")
    _ = try fixture.store.settle([settlement], thenClaim: nil, at: SQLiteFixture.start)
  }

  @Test("an attempt from before a restore is late, and its fence never comes again")
  func fencesJump() throws {
    _ = try fixture.enqueue { $0.policy.replay = .safe }
    let early = try #require(try fixture.claim().first)
    try fixture.store.backup(to: backup)
    var fences: [Fence] = []
    var keys: Set<String> = [early.idempotencyKey]
    var running = early
    for _ in 1...2 {
      try succeed(running)
      try fixture.restore(from: backup)
      let again = try #require(
        try fixture.claim(at: SQLiteFixture.start.advanced(by: .days(1))).first)
      running = again
      fences.append(again.job.fence)
      keys.insert(again.idempotencyKey)
    }
    #expect(fences == [1_000_002, 2_000_002])
    #expect(keys.count == 3)
    let late = Settlement(
      attempt: early.reference, end: AttemptEnd(how: .exited(0)),
      verdict: Verdict(outcome: .succeeded, reason: "exit", message: ""), usage: AttemptUsage(),
      endedAt: SQLiteFixture.start, by: "x")
    let results = try fixture.store.settle([late], thenClaim: nil, at: SQLiteFixture.start).results
    #expect(results == [.late(current: 2_000_002)])
  }

  @Test("a backup of another store is refused, and changes nothing")
  func otherStoreIsRefused() throws {
    let id = try fixture.enqueue()
    let stranger = try SQLiteFixture()
    try stranger.store.backup(to: backup)
    #expect(
      throws: StoreError.otherStore(
        path: backup, expected: fixture.store.storeID, found: stranger.store.storeID)
    ) { try fixture.restore(from: backup) }
    #expect(try fixture.store.job(id, in: fixture.acme).state == .pending)
    #expect(try fixture.store.info().incarnation == 1)
  }

  @Test("a backup that is no store, damaged or missing is refused, and changes nothing")
  func badBackups() throws {
    let id = try fixture.enqueue()
    #expect(throws: StoreError.missing(path: backup)) { try fixture.restore(from: backup) }
    try FileBytes.write(Array("not a store at all, but long enough to be looked at".utf8), backup)
    #expect(throws: StoreError.notAStore(path: backup)) { try fixture.restore(from: backup) }
    unlink(backup)
    for _ in 0..<200 { try fixture.enqueue() }
    try fixture.store.backup(to: backup)
    try FileBytes.overwrite(backup, at: 4096 * 12, with: [UInt8](repeating: 0x5A, count: 4096))
    let damaged = #expect(throws: StoreError.self) { try fixture.restore(from: backup) }
    guard case .corrupt = damaged else {
      Issue.record("refused with \(String(describing: damaged))")
      return
    }
    #expect(try fixture.store.job(id, in: fixture.acme).state == .pending)
    #expect(try fixture.store.check() == [])
  }

  @Test("without a store at the path, the backup becomes one")
  func restoreNew() throws {
    let id = try fixture.enqueue()
    try fixture.store.backup(to: backup)
    let path = fixture.folder.file("new.db")
    try SQLiteStore.restore(
      backup: backup, to: path, by: StoreFixture.alice, at: SQLiteFixture.start)
    let restored = try SQLiteStore.open(at: path, expectedStoreID: fixture.store.storeID)
    #expect(try restored.job(id, in: fixture.acme).state == .pending)
    #expect(try restored.info().incarnation == 2)
    #expect(try restored.check() == [])
  }
}
