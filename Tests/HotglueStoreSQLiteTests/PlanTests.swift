import CSQLite
import HotglueCore
import HotglueStore
import StoreConformance
import TestSupport
import Testing

@testable import HotglueStoreSQLite

@Suite("what the hot statements cost")
struct PlanTests {
  let fixture: SQLiteFixture

  init() throws {
    fixture = try SQLiteFixture()
    _ = try fixture.workspace()
  }

  private func plan(_ text: String) throws -> [String] {
    try fixture.store.connection.all(text: "EXPLAIN QUERY PLAN \(text)", [], { $0.text(3) })
  }

  private static let indexed: [(SQL, String)] = [
    (ClaimSQL.nextLane, "job_ready"), (ClaimSQL.headFromRank, "job_ready"),
    (ClaimSQL.dueInRank, "job_ready"), (ClaimSQL.countRunning, "job_limit"),
    (ClaimSQL.nextParkedLane, "job_parked"), (ClaimSQL.parkedInLane, "job_parked"),
    (ClaimSQL.running, "job_running"), (ClaimSQL.expired, "job_expiry"),
    (ClaimSQL.take, "INTEGER PRIMARY KEY"), (ClaimSQL.settle, "INTEGER PRIMARY KEY"),
    (ClaimSQL.endAttempt, "PRIMARY KEY"), (ClaimSQL.runningOne, "INTEGER PRIMARY KEY"),
    (PruneSQL.finished, "job_finished"), (PruneSQL.logs, "PRIMARY KEY"),
    (PruneSQL.removeWorkers, "job_running"), (JobSQL.keyHolder, "job_key"),
    (JobSQL.one, "INTEGER PRIMARY KEY"), (JobSQL.history, "PRIMARY KEY"),
    (WorkspaceSQL.countFinished, "job_finished"), (TypeSQL.open, "PRIMARY KEY"),
    (TypeSQL.countRunning, "job_type_running"), (TypeSQL.current, "PRIMARY KEY"),
    (ClaimSQL.takeTyped, "INTEGER PRIMARY KEY"), (TypeSQL.countWaiting, "job_ready"),
    (EffectSQL.ofJob, "sqlite_autoindex_effect_2"), (EffectSQL.ofWorkspace, "effect_of_workspace"),
    (QueueSQL.limit, "PRIMARY KEY"), (QueueSQL.countRunning, "job_queue_counted"),
    (QueueSQL.count, "INTEGER PRIMARY KEY"), (QueueSQL.countThoseThatRun, "job_running"),
    (QueueSQL.all, "job_ready"), (CircumstanceSQL.ahead, "job_ready"),
    (CircumstanceSQL.runningInQueue, "job_queue_counted"),
    (CircumstanceSQL.runningOfKey, "job_limit"), (PruneSQL.settledEffects, "effect_settled"),
    (DraftSQL.page, "draft_by_state"), (DraftSQL.ofContext, "draft_of_context"),
    (DraftSQL.prunable, "draft_closed"), (DraftSQL.confirmMoves, "draft_moved"),
    (SyncSQL.versionsOfKey, "record_of_stream"), (SyncSQL.nextVersions, "record_of_stream"),
    (SyncQuerySQL.nextRecords, "record_of_stream"),
    (SyncQuerySQL.recordOfKey, "SEARCH version USING INDEX record_of_stream (stream=? AND key=?"),
    (SweepSQL.superseded, "PRIMARY KEY"),
    (SweepSQL.piece, "INTEGER PRIMARY KEY"), (SyncQuerySQL.runs, "sync_run_of_source"),
    (SourceSQL.one, "source_name"), (SweepSQL.removedStream, "INTEGER PRIMARY KEY"),
    (SyncSQL.resetBoundaries, "sync_tally_of_stream"), (RejectSQL.page, "INTEGER PRIMARY KEY"),
    (RejectSQL.keys, "sync_reject_of_key"), (RejectSQL.outdate, "sync_reject_of_key"),
    (RejectSQL.outdateCopy, "sync_reject_of_key"),
    (RejectSQL.outdateEarlier, "sync_reject_of_key"),
    (AutomationSQL.due, "automation_due"), (AutomationSQL.nextTick, "automation_due"),
    (AutomationSQL.ahead, "automation_cursor"), (AutomationSQL.latestCursor, "automation_cursor"),
    (AutomationSQL.one, "automation_name"), (AutomationSQL.unfinished, "job_of_automation"),
    (AutomationSQL.lastEnds, "job_of_automation"), (AutomationSQL.page, "PRIMARY KEY"),
    (AutomationSQL.prune, "PRIMARY KEY"), (AutomationSQL.decided, "PRIMARY KEY"),
    (RejectSQL.forgetLater, "sync_reject_of_stream"), (SweepSQL.removeRange, "INTEGER PRIMARY KEY"),
  ]

  @Test("every statement of claim, reclaim, expiry, prune and sync goes through its index")
  func usesIndex() throws {
    for (sql, index) in Self.indexed { try requireIndex(index, of: sql) }
  }

  private func requireIndex(_ index: String, of sql: SQL) throws {
    let steps = try plan("\(sql.text)")
    #expect(steps.contains { $0.contains(index) }, "\(sql.name): \(steps)")
    // The few running jobs are gone through whole; nothing else is.
    let scans = steps.filter { step in
      let tables = [
        "job", "attempt", "effect", "draft", "record_version", "version", "sync_run", "source",
        "automation", "occurrence",
      ]
      return tables.contains {
        step == "SCAN \($0)" || step.hasPrefix("SCAN \($0) ")
      }
        && !step.contains("job_running")
    }
    #expect(scans == [], "\(sql.name)")
  }

  @Test("claim, prune and sync sort nothing")
  func sortsNothing() throws {
    for sql in [
      ClaimSQL.nextLane, ClaimSQL.headFromRank, ClaimSQL.dueInRank, ClaimSQL.nextParkedLane,
      ClaimSQL.parkedInLane, PruneSQL.finished, SyncSQL.versionsOfKey, SyncQuerySQL.nextRecords,
      SweepSQL.piece, SyncQuerySQL.runs,
    ] {
      #expect(try plan("\(sql.text)").filter { $0.contains("TEMP B-TREE") } == [], "\(sql.name)")
    }
  }

  @Test("a list goes down the IDs, or through the index of the few it asks for")
  func listPlans() throws {
    func plan(_ states: Set<JobState>) throws -> String {
      var filter = JobFilter(states: states)
      filter.now = SQLiteFixture.start
      let query = JobListQuery(fixture.acme, filter, before: 7, limit: 50)
      return try self.plan(query.text).joined(separator: "; ")
    }
    #expect(try plan([]).contains("sqlite_autoindex_job_1 (workspace=? AND id<?)"))
    #expect(try !plan([]).contains("TEMP B-TREE"))
    #expect(try plan([.succeeded]).contains("sqlite_autoindex_job_1 (workspace=? AND id<?)"))
    #expect(try plan([.running]).contains("job_running"))
    #expect(try plan([.failed, .uncertain]).contains("job_finished (workspace=? AND state=?"))
    #expect(try plan([.pending]).contains("job_ready (workspace=?"))
    #expect(try plan([.cancelled]).contains("sqlite_autoindex_job_1 (workspace=? AND id<?)"))
    #expect(try !plan([.cancelled]).contains("TEMP B-TREE"))
  }

  @Test("a list of effects goes down the IDs, through the job, or through the few that are open")
  func effectListPlans() throws {
    func plan(_ states: Set<EffectState>, of job: JobID? = nil) throws -> String {
      let query = EffectListQuery(fixture.acme, of: job, states, before: 7, limit: 50)
      return try self.plan(query.text).joined(separator: "; ")
    }
    #expect(try plan([]).contains("sqlite_autoindex_effect_1 (workspace=? AND id<?)"))
    #expect(try plan([.confirmed]).contains("sqlite_autoindex_effect_1 (workspace=? AND id<?)"))
    #expect(try plan([.unknown]).contains("effect_open (workspace=? AND id<?)"))
    #expect(try !plan([.unknown, .intended]).contains("TEMP B-TREE"))
    #expect(try plan([], of: 3).contains("(workspace=? AND scope_job=?)"))
    #expect(try plan([], of: 3).contains("effect_begun_in (workspace=? AND job=?)"))
    #expect(try !plan([], of: 3).contains("SCAN effect"))
  }

  /// Runs `body` and counts the instructions that SQLite's machine executed: a measure of work that no
  /// busy machine changes.
  private func instructions(_ body: () throws -> Void) rethrows -> Int {
    let count = UnsafeMutablePointer<Int>.allocate(capacity: 1)
    count.initialize(to: 0)
    defer { count.deallocate() }
    let handle = fixture.store.connection.handle
    sqlite3_progress_handler(
      handle, 1,
      { context in
        context?.assumingMemoryBound(to: Int.self).pointee += 1
        return 0
      }, count)
    defer { sqlite3_progress_handler(handle, 0, nil, nil) }
    try body()
    return count.pointee
  }

  private func costOfClaim() throws -> Int {
    let worker = try fixture.registerWorker()
    let request = ClaimRequest(
      worker: worker, workspaces: [fixture.acme], slots: ["s"], bootNow: SQLiteFixture.boot)
    var claimed = 0
    let cost = try instructions {
      claimed =
        try fixture.store.settle([], thenClaim: request, at: SQLiteFixture.start).claimed.count
    }
    #expect(claimed == 1)
    return cost
  }

  private func enqueue(
    _ count: Int, in workspace: WorkspaceID? = nil, _ change: (inout EnqueueRequest) -> Void
  ) throws {
    var request = EnqueueRequest(command: ["x"], directory: "/")
    change(&request)
    _ = try fixture.store.enqueue(
      Array(repeating: request, count: count), in: workspace ?? fixture.acme,
      by: StoreFixture.alice, at: SQLiteFixture.start)
  }

  @Test(
    "a claim costs the same whatever else the store holds",
    arguments: [
      "pending", "finished", "another workspace", "scheduled", "expired elsewhere", "another type",
    ])
  func claimCost(_ what: String) throws {
    try enqueue(10) { _ in }
    let before = try costOfClaim()
    let beta = try #require(WorkspaceID("beta"))
    _ = try fixture.store.createWorkspace(
      beta, name: "", by: StoreFixture.alice, at: SQLiteFixture.start)
    let later = SQLiteFixture.start.advanced(by: .days(1))
    switch what {
    case "pending": try enqueue(3000) { _ in }
    case "another workspace": try enqueue(3000, in: beta) { $0.priority = 9 }
    case "scheduled": try enqueue(3000) { $0.runAt = later }
    case "expired elsewhere":
      try enqueue(3000, in: beta) { $0.expiresAt = SQLiteFixture.start }
    case "another type": try enqueue(3000) { $0.type = "missing" }
    default:
      try enqueue(500) { $0.priority = 9 }
      for _ in 0..<500 {
        let job = try #require(try fixture.claim().first)
        let settlement = Settlement(
          attempt: job.reference, end: AttemptEnd(how: .exited(0)),
          verdict: Verdict(outcome: .succeeded, reason: "exit", message: ""),
          usage: AttemptUsage(), endedAt: SQLiteFixture.start, by: "x")
        _ = try fixture.store.settle([settlement], thenClaim: nil, at: SQLiteFixture.start)
      }
    }
    let extraLane = what == "another type" || what == "scheduled" ? 120 : 0
    let after = try costOfClaim()
    #expect(after <= before + before / 10 + extraLane, "\(before) before, \(after) after")
  }

  @Test("a claim costs the same however many jobs wait behind a saturated limit")
  func claimCostBehindLimit() throws {
    try enqueue(10) { _ in }
    let before = try costOfClaim()
    try enqueue(1) {
      $0.limitKey = "k"
      $0.priority = 9
    }
    #expect(try fixture.claim().count == 1)
    try enqueue(3000) {
      $0.limitKey = "k"
      $0.priority = 9
    }
    let after = try costOfClaim()
    #expect(after <= before + before / 10, "\(before) before, \(after) after")
  }

  @Test("a claim costs the same however many jobs of a closed type wait", arguments: [true, false])
  func claimCostBehindType(isDefined: Bool) throws {
    try enqueue(10) { _ in }
    if isDefined {
      let acme = fixture.acme
      _ = try fixture.store.setType(
        "mail", in: acme, by: StoreFixture.alice, at: SQLiteFixture.start
      ) { _ in
        var definition = TypeDefinition(command: ["x"], directory: "/")
        definition.limit = 1
        definition.priority = 9
        return definition
      }
    }
    func enqueueTyped(_ count: Int) throws {
      try enqueue(count) {
        $0.type = "mail"
        $0.command = []
        $0.overrides = TypeOverrides(priority: 9)
      }
    }
    try enqueueTyped(2)
    if isDefined { #expect(try fixture.claim().first?.job.request.type == "mail") }
    let before = try costOfClaim()
    try enqueueTyped(3000)
    let after = try costOfClaim()
    #expect(after <= before + before / 10, "\(before) before, \(after) after")
  }

  @Test("a claim costs the same however many jobs wait behind a queue's used-up limit")
  func claimCostBehindQueue() throws {
    try enqueue(10) { _ in }
    _ = try fixture.store.setLimit(
      1, ofQueue: "slow", in: fixture.acme, by: StoreFixture.alice, at: SQLiteFixture.start)
    func enqueueSlow(_ count: Int) throws {
      try enqueue(count) {
        $0.queue = "slow"
        $0.priority = 9
      }
    }
    try enqueueSlow(2)
    #expect(try fixture.claim().first?.job.request.queue == "slow")
    let before = try costOfClaim()
    try enqueueSlow(3000)
    let after = try costOfClaim()
    #expect(after <= before + before / 10, "\(before) before, \(after) after")
  }

  @Test("a worker that retired is removed without going through all jobs")
  func removingWorkers() throws {
    func cost() throws -> Int {
      let worker = try fixture.registerWorker()
      try fixture.store.retire(worker)
      let far = Timestamp(milliseconds: 9_000_000_000_000)
      return try instructions {
        _ = try fixture.store.prune(
          in: nil, by: RetentionRule(endedWellBefore: far, endedBadlyBefore: nil), limit: 1,
          dryRun: false, actor: nil, at: far)
      }
    }
    let before = try cost()
    try enqueue(3000) { _ in }
    let after = try cost()
    #expect(after <= before + before / 10, "\(before) before, \(after) after")
  }
}
