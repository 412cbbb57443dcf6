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
    let (opened, _) = try SQLiteStore.adopt(at: backup)
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
    // The other side knows the repetition by the key that it was given first.
    #expect(keys.count == 1)
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
    try fixture.restore(from: backup, to: path)
    let restored = try SQLiteStore.open(at: path, expectedStoreID: fixture.store.storeID)
    #expect(try restored.job(id, in: fixture.acme).state == .uncertain)
    #expect(try restored.info().incarnation > 1)
    #expect(try restored.check() == [])
  }

  @Test("a pending job of the backup that is unsafe may have run since, and is uncertain")
  func mayHaveRun() throws {
    _ = try fixture.store.setType(
      "mail", in: fixture.acme, by: StoreFixture.alice, at: SQLiteFixture.start
    ) { _ in
      var definition = TypeDefinition(command: ["/bin/mail"], directory: "/")
      definition.policy.replay = .keyed
      return definition
    }
    func typed(_ type: String, _ policy: [JSON.Member] = []) throws -> JobID {
      try fixture.enqueue {
        $0.type = type
        $0.command = []
        $0.overrides = TypeOverrides(policy: policy)
      }
    }
    let unsafe = JSON.Member("replay", .string("unsafe"))
    let doubtful = [
      try fixture.enqueue(),
      try fixture.enqueue { $0.runAt = SQLiteFixture.start.advanced(by: .days(1)) },
      try fixture.enqueue { $0.policy.verify = "true" },
      try fixture.enqueue {
        $0.limitKey = "k"
        $0.key = "held"
        $0.keyHold = .untilDone
      },
      try typed("mail", [unsafe]), try typed("undefined"),
    ]
    let certain = [
      try fixture.enqueue { $0.policy.replay = .safe },
      try fixture.enqueue { $0.policy.replay = .keyed }, try typed("mail"),
      try typed("undefined", [JSON.Member("replay", .string("safe"))]),
    ]
    try fixture.store.backup(to: backup)
    #expect(try SQLiteStore.contents(ofBackup: backup).mayHaveRun == doubtful.count)
    try fixture.restore(from: backup, assumingNotRun: true)
    for id in doubtful + certain {
      #expect(try fixture.store.job(id, in: fixture.acme).state == .pending)
    }
    try fixture.restore(from: backup)
    for id in certain { #expect(try fixture.store.job(id, in: fixture.acme).state == .pending) }
    for id in doubtful {
      let job = try fixture.store.job(id, in: fixture.acme)
      #expect(job.state == .uncertain)
      #expect(job.reason == "restored")
      let last = try fixture.store.history(of: id, in: fixture.acme).last
      #expect(last?.event == "restored" && last?.by == "alice")
    }
    #expect(try fixture.store.check() == [])
    let again = try fixture.store.resolve(
      doubtful[0], in: fixture.acme, as: .retry, reason: "it has not", by: StoreFixture.alice,
      at: SQLiteFixture.start)
    #expect(again.state == .pending)
  }

  @Test(
    "a store that is lost twice gets other incarnations, IDs, fences and keys each time",
    arguments: [false, true])
  func neverTwice(withFolder: Bool) throws {
    let kept = try fixture.enqueue { $0.policy.replay = .keyed }
    let first = try #require(try fixture.claim().first)
    try succeed(first)
    try fixture.store.backup(to: backup)
    var numbers: Set<Int64> = [try fixture.store.info().incarnation]
    var ids: Set<JobID> = [kept]
    var fences: Set<Fence> = [first.job.fence]
    var keys: Set<String> = [first.idempotencyKey]
    for _ in 1...3 {
      try fixture.lose(withFolder: withFolder)
      try fixture.restore(from: backup)
      let store = try SQLiteStore.open(at: fixture.path)
      numbers.insert(try store.info().incarnation)
      let made = try store.enqueue(
        [EnqueueRequest(command: ["/bin/true"], directory: "/")], in: fixture.acme,
        by: StoreFixture.alice, at: SQLiteFixture.start)
      ids.insert(try #require(made.first).id)
      let worker = try store.register(
        WorkerIdentity(
          name: "host:1", bootID: SQLiteFixture.boot.bootID, pidNamespace: "1", pid: 1,
          processStartTime: 1, lockPath: "workers/1"), by: StoreFixture.alice,
        at: SQLiteFixture.start)
      let request = ClaimRequest(
        worker: worker, workspaces: [fixture.acme], slots: ["slot"], bootNow: SQLiteFixture.boot)
      let claimed = try #require(
        try store.settle([], thenClaim: request, at: SQLiteFixture.start).claimed.first)
      keys.insert(claimed.idempotencyKey)
      // Of the job in the backup: its fence is beyond all that were given since.
      fences.insert(try store.job(kept, in: fixture.acme).fence)
    }
    #expect(numbers.count == 4)
    #expect(ids.count == 4)
    #expect(fences.count == 4)
    #expect(keys.count == 4)
  }

  @Test("two restores of one backup on two machines give out different keys")
  func machinesDiffer() throws {
    try fixture.store.backup(to: backup)
    var keys: Set<String> = []
    for name in ["one.db", "two.db"] {
      let path = fixture.folder.file(name)
      // The same numbers, as copies of one machine would choose them.
      _ = mkdir(path + ".d", 0o700)
      let memory = IncarnationMemory(
        StorePaths(resolved: path), storeID: fixture.store.storeID, files: StoreFiles(group: nil))
      try memory.remember(1)
      try fixture.restore(from: backup, to: path)
      let store = try SQLiteStore.open(at: path)
      #expect(try store.info().incarnation == 2)
      let text = try store.connection.first(MetaSQL.incarnations, [], { $0.text(0) })
      keys.insert(try store.idempotencyKey(ofJob: 1_000_001, text))
    }
    #expect(keys.count == 2)
  }

  @Test("a list of incarnations tells in which one a job was enqueued")
  func incarnationOfJob() throws {
    var list = IncarnationList()
    list.append(IncarnationList.Entry(number: 2, firstJob: 1_000_008, token: "a"))
    list.append(IncarnationList.Entry(number: 3, firstJob: 2_000_010, token: "b"))
    let read = try #require(IncarnationList(list.text))
    #expect(read.entries == list.entries)
    for (job, name) in [
      (JobID(7), "1"), (1_000_007, "1"), (1_000_008, "2-a"), (2_000_009, "2-a"),
      (2_000_010, "3-b"), (9_000_000, "3-b"),
    ] {
      #expect(read.name(ofJob: job) == name)
    }
    for text in ["", "2", "2:1", "x:1:a", "2:1:a,", "2:1:a:b"] {
      #expect(IncarnationList(text) == nil)
    }
  }

  @Test("what STORE.d remembers is the highest number, and nothing when it cannot be read")
  func memory() throws {
    let memory = IncarnationMemory(
      fixture.store.paths, storeID: fixture.store.storeID, files: StoreFiles(group: nil))
    #expect(memory.highest == 1)
    try memory.remember(7)
    try memory.remember(3)
    #expect(memory.highest == 7)
    let file = fixture.store.folder + "/incarnation-" + fixture.store.storeID
    for text in ["", "7", "seven\n"] {
      try FileBytes.write(Array(text.utf8), file)
      #expect(memory.highest == nil)
    }
  }

  @Test("a worker that was registered after the backup goes on under its number")
  func workersGoOn() throws {
    let kept = try fixture.enqueue { $0.policy.replay = .safe }
    let before = try fixture.registerWorker()
    try fixture.store.backup(to: backup)
    let after = try fixture.registerWorker()
    let gone = try fixture.registerWorker()
    try fixture.store.retire(gone)
    for _ in 1...2 {
      try fixture.restore(from: backup)
      #expect(try Set(fixture.store.audit().workers.map(\.id)) == [before, after])
    }
    let request = ClaimRequest(
      worker: after, workspaces: [fixture.acme], slots: ["slot"], bootNow: SQLiteFixture.boot)
    let claimed = try fixture.store.settle([], thenClaim: request, at: SQLiteFixture.start).claimed
    #expect(claimed.map(\.job.id) == [kept])
    #expect(try fixture.registerWorker() > gone + 1_000_000)
    #expect(try fixture.store.check() == [])
  }

  @Test("the store itself is no backup of it, by whatever name, and neither is a pipe")
  func noBackups() throws {
    let id = try fixture.enqueue()
    let other = fixture.folder.file("other")
    #expect(link(fixture.path, other) == 0)
    for name in [fixture.path, other] {
      #expect(throws: StoreError.noBackup(path: name, reason: "it is the store itself")) {
        try fixture.restore(from: name)
      }
    }
    #expect(mkfifo(backup, 0o600) == 0)
    #expect(throws: StoreError.noBackup(path: backup, reason: "it is no regular file")) {
      try fixture.restore(from: backup)
    }
    #expect(try fixture.store.job(id, in: fixture.acme).state == .pending)
  }

  @Test("a backup is copied and looked at before anybody is kept from writing")
  func verifiedOutsideTheGate() throws {
    for _ in 0..<200 { try fixture.enqueue() }
    try fixture.store.backup(to: backup)
    try FileBytes.overwrite(backup, at: 4096 * 12, with: [UInt8](repeating: 0x5A, count: 4096))
    let before = try #require(try Leftovers.of(fixture))
    let refusal = try fixture.store.underGate { (_) throws(StoreError) -> StoreError? in
      do {
        try fixture.restore(from: backup)
        return nil
      } catch {
        return error as? StoreError
      }
    }
    guard case .corrupt? = refusal else {
      Issue.record("refused with \(String(describing: refusal))")
      return
    }
    #expect(try Leftovers.of(fixture) == before)
  }

  @Test("one restores at a time, and removes what killed ones have left")
  func oneAtATime() throws {
    try fixture.store.backup(to: backup)
    let before = try Leftovers.of(fixture)
    let left = fixture.store.folder + "/restore-0123456789abcdef"
    for suffix in ["", "-journal"] { try FileBytes.write([1, 2, 3], left + suffix) }
    do {
      let place = try RestorePlace(StorePaths(existing: fixture.path))
      let refusal = #expect(throws: StoreError.self) { try fixture.restore(from: backup) }
      guard case .busy? = refusal else {
        Issue.record("refused with \(String(describing: refusal))")
        return
      }
      withExtendedLifetime(place) {}
    }
    try FileBytes.write([1], left)
    try fixture.restore(from: backup)
    #expect(try Leftovers.of(fixture) == before)
  }

  @Test("an attempt that lives and that no row knows keeps the content as it is")
  func strangersInPlace() throws {
    _ = try fixture.enqueue()
    try fixture.store.backup(to: backup)
    let attempt = LivingProcess.Attempt(job: 7, fence: 9)
    let supervisor = LivingProcess(pid: 70, role: .supervisor, attempt: attempt)
    let handler = LivingProcess(pid: 71, role: .handler, attempt: attempt)
    // A worker goes on; a process alone outlives its attempt, which the doctor tells.
    let worker = LivingProcess(pid: 72, role: .worker)
    #expect(throws: StoreError.processesAlive([supervisor, handler])) {
      try fixture.restore(from: backup, alive: [supervisor, handler, worker])
    }
    #expect(try fixture.store.info().incarnation == 1)
    try fixture.restore(from: backup, alive: [handler, worker])
    #expect(try fixture.store.info().incarnation == 2)
  }

  @Test("a lost store is not restored while any process of it lives, but for what was let be")
  func strangersOfALostStore() throws {
    _ = try fixture.enqueue { $0.policy.keepChildren = true }
    let kept = try #require(try fixture.claim().first)
    try succeed(kept)
    _ = try fixture.enqueue()
    let ended = try #require(try fixture.claim().first)
    try succeed(ended)
    try fixture.store.backup(to: backup)
    func process(_ role: LivingProcess.Role, _ claimed: ClaimedJob?) -> LivingProcess {
      LivingProcess(
        pid: 70, role: role,
        attempt: claimed.map { LivingProcess.Attempt(job: $0.job.id, fence: $0.job.fence) })
    }
    let path = fixture.folder.file("new.db")
    for alive in [process(.worker, nil), process(.supervisor, kept), process(.handler, ended)] {
      #expect(throws: StoreError.processesAlive([alive])) {
        try fixture.restore(from: backup, to: path, alive: [alive])
      }
      #expect(access(path, F_OK) != 0)
    }
    try fixture.restore(from: backup, to: path, alive: [process(.handler, kept)])
    #expect(try SQLiteStore.open(at: path).info().incarnation > 1)
  }

  @Test("a backup of a newer program is refused by name, and nothing is left of the try")
  func newerBackup() throws {
    try fixture.store.backup(to: backup)
    try Connection(path: backup).execute("PRAGMA user_version = \(Schema.version + 1)")
    let before = try Leftovers.of(fixture)
    #expect(
      throws: StoreError.newerSchema(
        path: backup, found: Schema.version + 1, known: Schema.version)
    ) { try fixture.restore(from: backup) }
    #expect(try Leftovers.of(fixture) == before)
  }
}

/// The names in a store's folder.
private enum Leftovers {
  static func of(_ fixture: SQLiteFixture) throws -> [String]? {
    guard let entries = opendir(fixture.store.folder) else { return nil }
    defer { closedir(entries) }
    var names: [String] = []
    while let entry = readdir(entries) {
      names.append(
        withUnsafePointer(to: &entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        })
    }
    return names.sorted()
  }
}
