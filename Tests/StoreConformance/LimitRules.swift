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
}
