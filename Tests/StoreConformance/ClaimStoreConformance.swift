import HotglueCore
import HotglueStore

/// What any store keeps of claims, leases and outcomes.
public enum ClaimStoreConformance {
  public static let rules: [ConformanceRule] =
    claimRules + limitRules + orderRules + queueLimitRules + circumstanceRules + settleRules
    + lifecycleRules
    + leaseRules + streamRules

  static let claimRules: [ConformanceRule] = [
    ConformanceRule("a claim gives the attempt its fence, watch, lease and number") { fixture in
      let id = try fixture.enqueue { $0.policy.lease = .seconds(30) }
      let claimed = try fixture.claimOne()
      try requireEqual(claimed.job, try fixture.job(id), "the claimed job")
      try requireEqual(claimed.job.state, .running)
      try requireEqual(claimed.job.fence, 1)
      try requireEqual(claimed.job.watch, 1)
      try requireEqual(claimed.job.attempt, 1)
      try requireEqual(claimed.job.lease, fixture.boot.advanced(by: .seconds(30)))
      try requireEqual(claimed.job.leaseExpiresAt, fixture.now.advanced(by: .seconds(30)))
      try requireEqual(claimed.job.startedAt, fixture.now)
      try fixture.requireSound()
    },
    ConformanceRule("a job is not claimed before it is due") { fixture in
      let id = try fixture.enqueue { $0.runAt = fixture.now.advanced(by: .seconds(5)) }
      fixture.advance(by: Span(milliseconds: 4999))
      try requireEqual(try fixture.claim(), [], "what is claimed early")
      try requireEqual(
        try fixture.store.nextDue(in: [fixture.acme], queues: [], types: [], at: fixture.now),
        fixture.now.advanced(by: Span(milliseconds: 1)), "the next due moment")
      fixture.advance(by: Span(milliseconds: 1))
      try requireEqual(try fixture.claim().map(\.job.id), [id], "what is claimed")
    },
    ConformanceRule("an expired job is not claimed, also when it stands in front") { fixture in
      try fixture.enqueue { $0.expiresAt = fixture.now.advanced(by: .seconds(1)) }
      fixture.advance(by: .seconds(1))
      let id = try fixture.enqueue()
      try requireEqual(try fixture.claim(5).map(\.job.id), [id], "what is claimed")
    },
    ConformanceRule("claims come by priority, then run_at, then ID") { fixture in
      let now = fixture.now
      func enqueue(_ priority: Int, ago: Int64, queue: String = "default") throws -> JobID {
        try fixture.enqueue {
          $0.priority = priority
          $0.runAt = Timestamp(milliseconds: now.milliseconds - ago)
          $0.queue = queue
        }
      }
      let late = try enqueue(0, ago: 0)
      let early = try enqueue(0, ago: 10)
      let tie = try enqueue(0, ago: 10)
      let low = try enqueue(-1, ago: 100)
      let high = try enqueue(5, ago: 0)
      let between = try enqueue(1, ago: 0, queue: "aside")
      let future = try fixture.enqueue {
        $0.priority = 100
        $0.runAt = now.advanced(by: .hours(1))
      }
      let order = try fixture.claim(10).map(\.job.id)
      try requireEqual(order, [high, between, early, tie, late, low], "the order of claims")
      try requireEqual(try fixture.job(future).state, .pending)
    },
    ConformanceRule("one claim takes as many jobs as it has slots, each bound to one") { fixture in
      for _ in 0..<5 { try fixture.enqueue() }
      let claimed = try fixture.claim(3)
      try requireEqual(claimed.map(\.slot), ["slot-0", "slot-1", "slot-2"], "the slots")
      try requireEqual(Set(claimed.map(\.job.id)).count, 3, "number of jobs")
    },
    ConformanceRule("a claim keeps to its workspaces, queues and types") { fixture in
      try fixture.enqueue(in: fixture.beta)
      try fixture.setType("mail")
      let mail = try fixture.enqueueTyped("mail")
      let bulk = try fixture.enqueue { $0.queue = "bulk" }
      let plain = try fixture.enqueue()
      try requireEqual(try fixture.claim(9, types: ["mail"]).map(\.job.id), [mail])
      try requireEqual(try fixture.claim(9, queues: ["bulk"]).map(\.job.id), [bulk])
      try requireEqual(try fixture.claim(9).map(\.job.id), [plain])
      try requireEqual(
        try fixture.claim(9, in: [fixture.acme, fixture.beta]).map(\.job.workspace),
        [fixture.beta])
    },
    ConformanceRule("a claim of one job takes that job, due or not, and no other") { fixture in
      try fixture.enqueue()
      let id = try fixture.enqueue { $0.runAt = fixture.now.advanced(by: .hours(1)) }
      try requireEqual(try fixture.claim(5, only: id).map(\.job.id), [id])
      try requireEqual(try fixture.claim(5, only: id), [], "what is claimed once more")
      let elsewhere = try fixture.enqueue(in: fixture.beta)
      try requireEqual(try fixture.claim(5, only: elsewhere), [], "what is claimed of beta")
    },
    ConformanceRule("a claim of one job whose deadline has passed takes nothing and cancels it") {
      fixture in
      let id = try fixture.enqueue { $0.expiresAt = fixture.now.advanced(by: .seconds(1)) }
      fixture.advance(by: .seconds(1))
      try requireEqual(try fixture.claim(5, only: id), [], "what is claimed")
      try requireEqual(try fixture.job(id).state, .cancelled)
      try requireEqual(try fixture.job(id).reason, "expired")
      try fixture.requireSound()
    },
    ConformanceRule("many workers at once claim every job exactly once") { fixture in
      let total = 200
      let requests = (0..<total).map { StoreFixture.request("\($0)") }
      _ = try fixture.store.enqueue(
        requests, in: fixture.acme, by: fixture.alice, at: fixture.now)
      let (acme, now, boot, openAgain) =
        (fixture.acme, fixture.now, fixture.boot, fixture.openAgain)
      var workers: [WorkerID] = []
      for _ in 0..<6 { workers.append(try fixture.registerWorker()) }
      let claimed = try ParallelRun.collect(workers) { worker in
        let store = try openAgain()
        var mine: [JobID] = []
        while true {
          let claim = ClaimRequest(
            worker: worker, workspaces: [acme], slots: ["a", "b"], bootNow: boot)
          let jobs = try store.settle([], thenClaim: claim, at: now).claimed
          if jobs.isEmpty { return mine }
          mine += jobs.map(\.job.id)
        }
      }
      try requireEqual(claimed.flatMap { $0 }.count, total, "number of claims")
      try requireEqual(Set(claimed.flatMap { $0 }).count, total, "number of jobs")
      try fixture.requireSound()
    },
    ConformanceRule("the idempotency key is one per job, the same for all its attempts") {
      fixture in
      try fixture.enqueue { $0.policy.maxAttempts = 2 }
      let first = try fixture.claimOne()
      try fixture.settle(first.reference, .retry, after: .zero)
      let second = try fixture.claimOne()
      try requireEqual(second.idempotencyKey, first.idempotencyKey, "the key")
      try fixture.enqueue()
      try require(
        try fixture.claimOne().idempotencyKey != first.idempotencyKey, "two jobs share a key")
    },
    ConformanceRule("a claim by a worker that is not registered is refused") { fixture in
      try fixture.enqueue()
      _ = try fixture.refusal { _ = try fixture.claim(by: 4711) }
      try requireEqual(try fixture.claim().count, 1, "number of claims")
    },
    ConformanceRule("the next due moment keeps to workspaces, queues and types") { fixture in
      func nextDue(queues: [String] = [], types: [String] = []) throws -> Timestamp? {
        try fixture.store.nextDue(
          in: [fixture.acme], queues: queues, types: types, at: fixture.now)
      }
      try requireEqual(try nextDue(), nil)
      try fixture.enqueue(in: fixture.beta)
      try requireEqual(try nextDue(), nil, "with a job of beta")
      let later = fixture.now.advanced(by: .hours(2))
      try fixture.enqueue {
        $0.runAt = later
        $0.priority = 5
      }
      try requireEqual(try nextDue(), later)
      let sooner = fixture.now.advanced(by: .hours(1))
      try fixture.enqueue { $0.runAt = sooner }
      try requireEqual(try nextDue(), sooner, "with a sooner one of lower priority")
      try requireEqual(try nextDue(queues: ["bulk"]), nil)
      try requireEqual(try nextDue(types: ["mail"]), nil)
    },
    ConformanceRule("the change counter moves when another connection writes") { fixture in
      let before = try fixture.store.changeCounter()
      try requireEqual(try fixture.store.changeCounter(), before, "with nothing done")
      _ = try fixture.openAgain().enqueue(
        [StoreFixture.request()], in: fixture.acme, by: fixture.alice, at: fixture.now)
      try require(try fixture.store.changeCounter() != before, "the counter stood still")
    },
  ]
}
