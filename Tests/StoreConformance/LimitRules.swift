import HotglueCore
import HotglueStore

extension ClaimStoreConformance {
  static let limitRules: [ConformanceRule] = [
    ConformanceRule("no more jobs of a limit key run at once than its limit allows") { fixture in
      for _ in 0..<5 { try fixture.enqueue { $0.limitKey = "source" } }
      for _ in 0..<3 {
        try fixture.enqueue {
          $0.limitKey = "wide"
          $0.limitMax = 2
        }
      }
      let claimed = try fixture.claim(10)
      try requireEqual(
        claimed.map { $0.job.request.limitKey }, ["source", "wide", "wide"], "the keys claimed")
      try requireEqual(try fixture.claim(10), [], "what is claimed while they run")
    },
    ConformanceRule("jobs parked behind a limit come back one by one until all have run") {
      fixture in
      var ids: [JobID] = []
      for index in 0..<6 {
        ids.append(
          try fixture.enqueue {
            $0.limitKey = "k"
            $0.priority = index % 2
          })
      }
      var order: [JobID] = []
      while let next = try fixture.claim(3).first {
        order.append(next.job.id)
        try require(try fixture.claim(3).isEmpty, "two of the key run at once")
        try fixture.settle(next.reference, order.count == 2 ? .failed : .succeeded)
        try fixture.requireSound()
      }
      try requireEqual(order, [1, 3, 5, 0, 2, 4].map { ids[$0] }, "the order")
    },
    ConformanceRule("a job that waits behind a limit says so") { fixture in
      for _ in 0..<2 { try fixture.enqueue { $0.limitKey = "k" } }
      let first = try fixture.claimOne()
      _ = try fixture.claim()
      let waiting = try fixture.enqueue { $0.limitKey = "k" }
      try require(try fixture.job(waiting).waitsForLimit, "it does not say that it waits")
      try fixture.settle(first.reference, .succeeded)
      let second = try fixture.claimOne()
      try require(try !fixture.job(second.job.id).waitsForLimit, "a running job waits")
    },
    ConformanceRule("a parked job moves up when the one before it is cancelled or expires") {
      fixture in
      let running = try fixture.enqueue { $0.limitKey = "k" }
      let first = try fixture.claimOne()
      let expiring = try fixture.enqueue {
        $0.limitKey = "k"
        $0.expiresAt = fixture.now.advanced(by: .seconds(1))
      }
      let called = try fixture.enqueue { $0.limitKey = "k" }
      let last = try fixture.enqueue { $0.limitKey = "k" }
      try requireEqual(first.job.id, running)
      try requireEqual(try fixture.claim(5), [], "what is claimed behind the limit")
      try fixture.settle(first.reference, .succeeded)
      fixture.advance(by: .seconds(1))
      try requireEqual(try fixture.expire(), [expiring], "what expires")
      _ = try fixture.cancel(called)
      try requireEqual(try fixture.claim(5).map(\.job.id), [last], "what is claimed at last")
      try fixture.requireSound()
    },
    ConformanceRule("a job that expires in front of its limit key gives its room to the next") {
      fixture in
      try fixture.enqueue { $0.limitKey = "k" }
      let first = try fixture.claimOne()
      let expiring = try fixture.enqueue {
        $0.limitKey = "k"
        $0.expiresAt = fixture.now.advanced(by: .seconds(1))
      }
      let next = try fixture.enqueue { $0.limitKey = "k" }
      try requireEqual(try fixture.claim(5), [], "what is claimed behind the limit")
      try fixture.settle(first.reference, .succeeded)
      fixture.advance(by: .seconds(2))
      let newcomer = try fixture.enqueue { $0.limitKey = "k" }
      try requireEqual(try fixture.claim(5).map(\.job.id), [next], "before job \(newcomer)")
      try requireEqual(try fixture.job(expiring).state, .cancelled)
      try requireEqual(try fixture.expire(), [], "what expires afterwards")
      try fixture.requireSound()
    },
    ConformanceRule("a limit key does not starve its jobs in another queue") { fixture in
      let first = try fixture.enqueue { $0.limitKey = "k" }
      try requireEqual(try fixture.claimOne().job.id, first)
      let aside = try fixture.enqueue {
        $0.limitKey = "k"
        $0.queue = "aside"
        $0.priority = 9
      }
      let here = try fixture.enqueue { $0.limitKey = "k" }
      try requireEqual(try fixture.claim(5), [], "what is claimed behind the limit")
      try fixture.settle(
        AttemptReference(workspace: fixture.acme, job: first, fence: 1), .succeeded)
      // Nobody serves the queue of the first in line.
      try requireEqual(
        try fixture.claim(5, queues: ["default"]).map(\.job.id), [here], "what is claimed")
      try requireEqual(try fixture.job(aside).state, .pending)
    },
    ConformanceRule("jobs of one key with different limits all come to run") { fixture in
      let limits = [1, 3, 2, 1, 3, 3, 2, 1]
      for limit in limits {
        try fixture.enqueue {
          $0.limitKey = "k"
          $0.limitMax = limit
        }
      }
      var running: [ClaimedJob] = []
      var done = 0
      while true {
        let claimed = try fixture.claim(2)
        running += claimed
        guard let first = running.first else { break }
        try require(running.count <= 3, "\(running.count) run at once")
        running.removeFirst()
        try fixture.settle(first.reference, .succeeded)
        done += 1
      }
      try requireEqual(done, limits.count, "number of jobs done")
      try fixture.requireSound()
    },
    ConformanceRule("a limit holds in one workspace, not across") { fixture in
      try fixture.enqueue { $0.limitKey = "k" }
      try fixture.enqueue(in: fixture.beta) { $0.limitKey = "k" }
      let claimed = try fixture.claim(5, in: [fixture.acme, fixture.beta])
      try requireEqual(claimed.count, 2, "number of claims")
    },
    ConformanceRule("a limit holds for the claim of one job") { fixture in
      let first = try fixture.enqueue { $0.limitKey = "k" }
      let second = try fixture.enqueue { $0.limitKey = "k" }
      let claimed = try fixture.claimOne(only: first)
      try requireEqual(try fixture.claim(only: second), [], "what is claimed behind the limit")
      try fixture.settle(claimed.reference, .succeeded)
      try requireEqual(try fixture.claim(only: second).map(\.job.id), [second])
    },
    ConformanceRule("behind a saturated key the jobs of others are found") { fixture in
      try fixture.enqueue { $0.limitKey = "k" }
      for _ in 0..<600 { try fixture.enqueue { $0.limitKey = "k" } }
      let other = try fixture.enqueue()
      try requireEqual(try fixture.claim().count, 1, "the first of the key")
      var found: [JobID] = []
      for _ in 0..<3 where found.isEmpty { found = try fixture.claim().map(\.job.id) }
      try requireEqual(found, [other], "what is found behind the key")
    },
  ]

  static let queueLimitRules: [ConformanceRule] = [
    ConformanceRule("no more jobs of a queue run at once than its limit, whatever their types") {
      fixture in
      try fixture.setType("mail")
      try fixture.setLimit(2, "slow")
      for _ in 0..<3 { try fixture.enqueue { $0.queue = "slow" } }
      for _ in 0..<3 {
        try fixture.enqueueTyped("mail") { $0.overrides = TypeOverrides(queue: "slow") }
      }
      let other = try fixture.enqueue()
      let claimed = try fixture.claim(9)
      try requireEqual(
        claimed.map(\.job.request.queue).sorted(), ["default", "slow", "slow"], "the queues")
      try require(claimed.contains { $0.job.id == other }, "another queue waits too")
      try requireEqual(try fixture.claim(9), [], "what is claimed at the limit")
      try requireEqual(
        try fixture.store.nextDue(in: [fixture.acme], queues: [], types: [], at: fixture.now), nil,
        "when a claim may find something")
      let first = try requireValue(claimed.first { $0.job.request.queue == "slow" })
      try fixture.settle(first.reference, .succeeded)
      try requireEqual(try fixture.claim(9).count, 1, "number of claims once one has ended")
      try fixture.requireSound()
    },
    ConformanceRule("what runs when a queue's limit is set counts, and is left running") {
      fixture in
      for _ in 0..<5 { try fixture.enqueue() }
      let running = try fixture.claim(2)
      try requireEqual(
        try fixture.setLimit(2), QueueLimitChange(name: "default", before: nil, after: 2))
      try fixture.requireSound()
      try requireEqual(try fixture.claim(9), [], "what is claimed at the limit")
      try fixture.settle(running[0].reference, .succeeded)
      try requireEqual(try fixture.claim(9).count, 1, "number of claims")
      try requireEqual(
        try fixture.setLimit(nil), QueueLimitChange(name: "default", before: 2, after: nil))
      try requireEqual(try fixture.claim(9).count, 2, "number of claims without a limit")
      try fixture.requireSound()
    },
    ConformanceRule("a limit that was taken away and set again counts what runs by then") {
      fixture in
      for _ in 0..<6 { try fixture.enqueue { $0.policy.maxAttempts = 9 } }
      try fixture.setLimit(1)
      let first = try fixture.claimOne()
      try fixture.settle(first.reference, .retry)
      try fixture.setLimit(nil)
      try requireEqual(try fixture.claim(2).count, 2)
      try fixture.setLimit(3)
      try requireEqual(try fixture.claim(9).count, 1, "number of claims under the new limit")
      try fixture.requireSound()
    },
    ConformanceRule("a queue's limit holds in one workspace, and for the claim of one job") {
      fixture in
      try fixture.setLimit(1)
      try fixture.enqueue()
      let second = try fixture.enqueue()
      try fixture.enqueue(in: fixture.beta)
      try fixture.enqueue(in: fixture.beta)
      let claimed = try fixture.claim(9, in: [fixture.acme, fixture.beta])
      try requireEqual(
        claimed.map(\.job.workspace).sorted { $0.text < $1.text },
        [fixture.acme, fixture.beta, fixture.beta])
      try requireEqual(try fixture.claim(only: second), [], "what is claimed by name")
    },
    ConformanceRule("many workers at once never exceed a queue's limit") { fixture in
      try fixture.setLimit(3)
      for _ in 0..<40 { try fixture.enqueue() }
      let stores = try (0..<4).map { _ in try fixture.openAgain() }
      let workers = try stores.map { try fixture.registerWorker($0) }
      var running: [ClaimedJob] = []
      for _ in 0..<40 {
        for (store, worker) in zip(stores, workers) {
          let request = ClaimRequest(
            worker: worker, workspaces: [fixture.acme], slots: ["x", "y"], bootNow: fixture.boot)
          running += try store.settle([], thenClaim: request, at: fixture.now).claimed
          try require(running.count <= 3, "\(running.count) run at once")
        }
        let first = try requireValue(running.first, "a running job")
        running.removeFirst()
        try fixture.settle(first.reference, .succeeded)
      }
      try requireEqual(running, [], "what runs after all have run")
    },
    ConformanceRule("queues are listed with their limits and with what waits and runs in them") {
      fixture in
      try fixture.setLimit(7, "empty")
      try fixture.setLimit(1, "mail")
      for _ in 0..<3 { try fixture.enqueue { $0.queue = "mail" } }
      try fixture.enqueue { $0.runAt = fixture.now.advanced(by: .hours(1)) }
      try fixture.enqueue(in: fixture.beta) { $0.queue = "far" }
      _ = try fixture.claim(9)
      func queue(_ name: String, _ limit: Int?, _ running: Int, _ pending: Int) -> Queue {
        Queue(
          workspace: fixture.acme, name: name, limit: limit, running: running, pending: pending)
      }
      try requireEqual(
        try fixture.store.queues(in: fixture.acme),
        [queue("default", nil, 0, 1), queue("empty", 7, 0, 0), queue("mail", 1, 1, 2)], "queues")
    },
    ConformanceRule("an archived workspace takes no limit") { fixture in
      try fixture.store.archiveWorkspace(fixture.acme, by: fixture.alice, at: fixture.now)
      try requireEqual(
        try fixture.refusal { try fixture.setLimit(1) }, .archivedWorkspace(fixture.acme))
    },
  ]

  static let circumstanceRules: [ConformanceRule] = [
    ConformanceRule("a job's circumstances name what fills its limits, and who comes before it") {
      fixture in
      try fixture.setType("mail") { $0.limit = 2 }
      try fixture.setLimit(1)
      func typed() throws -> JobID {
        try fixture.enqueueTyped("mail") { $0.overrides = TypeOverrides(limitKey: "k") }
      }
      let first = try typed()
      let second = try typed()
      _ = try fixture.claimOne()
      let known = try fixture.store.circumstances(of: second, in: fixture.acme, at: fixture.now)
      typealias Limit = JobCircumstances.Limit
      try requireEqual(known.queueLimit, Limit(name: "default", limit: 1, running: [first]))
      try requireEqual(known.typeLimit, Limit(name: "mail", limit: 2, running: [first]))
      try requireEqual(known.keyLimit, Limit(name: "k", limit: 1, running: [first]))
      let plain = try fixture.enqueue()
      try fixture.enqueue { $0.priority = 1 }
      try requireEqual(
        try fixture.store.circumstances(of: plain, in: fixture.acme, at: fixture.now).jobsAhead, 1,
        "jobs before it")
      let running = try fixture.store.circumstances(of: first, in: fixture.acme, at: fixture.now)
      try require(running.live?.startedAt == fixture.now, "the running attempt is not told")
    },
    ConformanceRule("workers are registered until they retire") { fixture in
      let worker = try fixture.registerWorker()
      try requireEqual(try fixture.store.registeredWorkers().count, 1)
      try fixture.store.retire(worker)
      try requireEqual(try fixture.store.registeredWorkers(), [])
    },
  ]
}

extension StoreFixture {
  @discardableResult
  func setLimit(_ limit: Int?, _ queue: String = "default") throws -> QueueLimitChange {
    try store.setLimit(limit, ofQueue: queue, in: acme, by: alice, at: now)
  }
}
