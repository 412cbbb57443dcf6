import HotglueCore
import HotglueStore

/// What any store keeps of the log of mutations.
public enum ActivityStoreConformance {
  public static let rules: [ConformanceRule] = [
    ConformanceRule("a row of the log says when, who, which command, where, and to what") {
      fixture in
      let actor = Actor(
        user: "bob", command: "job enqueue", workspaceOrigin: "flag", terminal: "/dev/pts/3", job: 7
      )
      let made = try fixture.store.enqueue(
        [StoreFixture.request()], in: fixture.acme, by: actor, at: fixture.now)
      let job = try requireValue(made.first, "the job").id
      let entry = try requireValue(try fixture.log().first, "the newest row")
      try requireEqual(entry.actor, actor, "the actor")
      try requireEqual(entry.at, fixture.now, "the time")
      try requireEqual(entry.workspace, fixture.acme, "the workspace")
      try requireEqual(entry.subject, "job/\(job)", "the subject")
    },
    ConformanceRule("the log is newest first and pages by its numbers") { fixture in
      for _ in 0..<5 { try fixture.enqueue() }
      let all = try fixture.log()
      try requireEqual(all.map(\.id), all.map(\.id).sorted(by: >), "the numbers")
      var paged: [ActivityEntry] = []
      var before: ActivityID?
      repeat {
        let page = try fixture.store.activity(
          matching: ActivityFilter(), before: before, limit: 2)
        try require(page.entries.count <= 2, "a page is larger than its limit")
        paged += page.entries
        before = page.next
      } while before != nil
      try requireEqual(paged, all, "what the pages show together")
    },
    ConformanceRule("the log is told by workspace, user, command, job and time") { fixture in
      let first = try fixture.enqueue()
      try fixture.enqueue(in: fixture.beta)
      fixture.advance(by: .minutes(1))
      let bob = Actor(user: "bob", command: "job cancel", workspaceOrigin: "flag", job: 99)
      _ = try fixture.store.cancel(first, in: fixture.acme, by: bob, at: fixture.now)
      func subjects(_ filter: ActivityFilter) throws -> [String?] {
        try fixture.log(filter).map(\.subject)
      }
      try requireEqual(
        try subjects(ActivityFilter(workspaces: [fixture.beta])), ["job/2", "workspace/beta"])
      try requireEqual(try subjects(ActivityFilter(workspaces: [])), [])
      try requireEqual(try subjects(ActivityFilter(user: "bob")), ["job/1"])
      try requireEqual(try subjects(ActivityFilter(command: "job cancel")), ["job/1"])
      try requireEqual(try subjects(ActivityFilter(command: "job")), ["job/1"])
      try requireEqual(try subjects(ActivityFilter(command: "job c")), [])
      try requireEqual(try subjects(ActivityFilter(job: first)), ["job/1", "job/1"])
      try requireEqual(try subjects(ActivityFilter(job: 99)), ["job/1"])
      try requireEqual(try subjects(ActivityFilter(since: fixture.now)), ["job/1"])
    },
    ConformanceRule("a job of many that were enqueued at once is found in the log") { fixture in
      let made = try fixture.store.enqueue(
        Array(repeating: StoreFixture.request(), count: 12), in: fixture.acme, by: fixture.alice,
        at: fixture.now)
      for job in made {
        try requireEqual(
          try fixture.log(ActivityFilter(job: job.id)).map(\.subject), ["job/1..12"], "\(job.id)")
      }
      try requireEqual(try fixture.log(ActivityFilter(job: 13)), [], "of another job")
    },
    ConformanceRule("a key that names a job which is there leaves no row: nothing changed") {
      fixture in
      try fixture.enqueue { $0.key = "k" }
      let before = try fixture.log()
      try fixture.enqueue { $0.key = "k" }
      try requireEqual(try fixture.log(), before, "the log")
    },
    ConformanceRule("a settlement that a person's command records is in the log, a worker's is not")
    {
      fixture in
      let first = try fixture.enqueue()
      let second = try fixture.enqueue()
      try fixture.settle(try fixture.claimOne(only: first).reference, .succeeded)
      let attempt = try fixture.claimOne(only: second).reference
      var settlement = fixture.settlement(of: attempt, .unknown)
      settlement.actor = Actor(user: "bob", command: "job reclaim", workspaceOrigin: "flag")
      _ = try fixture.store.settle([settlement], thenClaim: nil, at: fixture.now)
      _ = try fixture.store.settle([settlement], thenClaim: nil, at: fixture.now)
      try requireEqual(
        try fixture.log(ActivityFilter(command: "job reclaim")).map(\.subject), ["job/2"])
      try requireEqual(try fixture.log(ActivityFilter(job: first)).count, 1, "rows of the first")
    },
    ConformanceRule("an effect that becomes known as unknown leaves a row") { fixture in
      let name = try requireValue(
        EffectName(workspace: fixture.acme, scope: .workspace, key: "k"))
      let request = EffectRequest(name: name, attempt: nil)
      _ = try fixture.store.beginEffect(request, by: fixture.alice, at: fixture.now)
      let before = try fixture.log().count
      _ = try fixture.store.beginEffect(request, by: fixture.alice, at: fixture.now)
      try requireEqual(try fixture.log().count, before + 1, "rows after it became unknown")
      _ = try fixture.store.beginEffect(request, by: fixture.alice, at: fixture.now)
      try requireEqual(try fixture.log().count, before + 1, "rows when that was known")
    },
    ConformanceRule("a worker's start is logged in each workspace that it names") { fixture in
      func start(in workspaces: [WorkspaceID]) throws {
        _ = try fixture.store.register(
          WorkerIdentity(
            name: "host:9", bootID: "b", pidNamespace: "1", pid: 9, processStartTime: 1,
            lockPath: "workers/9"), in: workspaces, by: fixture.alice, at: fixture.now)
      }
      try start(in: [fixture.acme, fixture.beta])
      try start(in: [])
      let rows = try fixture.log().filter { $0.subject?.hasPrefix("worker/") == true }
      try requireEqual(rows.map(\.workspace), [nil, fixture.beta, fixture.acme], "workspaces")
    },
    ConformanceRule("the log is pruned by age where every workspace is, and keeps its newest row") {
      fixture in
      for _ in 0..<3 { try fixture.enqueue() }
      let old = try fixture.log()
      fixture.advance(by: .days(91))
      func prune(in workspace: WorkspaceID?) throws {
        _ = try fixture.store.prune(
          in: workspace, by: .standard(at: fixture.now), limit: 100, dryRun: false, actor: nil,
          at: fixture.now)
      }
      try prune(in: fixture.acme)
      try requireEqual(try fixture.log(), old, "after one workspace was pruned")
      try prune(in: nil)
      try requireEqual(try fixture.log(), Array(old.prefix(1)), "after all were")
      try fixture.enqueue()
      let newest = try requireValue(try fixture.log().first)
      try require(newest.id > (old.first?.id ?? 0), "a number was given twice")
    },
  ]
}

extension StoreFixture {
  func log(_ filter: ActivityFilter = ActivityFilter()) throws -> [ActivityEntry] {
    try store.activity(matching: filter, before: nil, limit: 1000).entries
  }
}
