import HotglueCore
import HotglueStore

extension JobStoreConformance {
  static let readRules: [ConformanceRule] = [
    ConformanceRule("a list is newest first, pages by ID, and shows one workspace") { fixture in
      var ids: [JobID] = []
      for index in 0..<5 {
        ids.append(try fixture.enqueue("\(index)"))
        try fixture.enqueue(in: fixture.beta)
      }
      func page(before: JobID?) throws -> [JobID] {
        try fixture.store.jobs(
          in: fixture.acme, matching: JobFilter(), before: before, limit: 2
        ).map(\.id)
      }
      try requireEqual(try page(before: nil), [ids[4], ids[3]], "the first page")
      try requireEqual(try page(before: ids[3]), [ids[2], ids[1]], "the second page")
      try requireEqual(try page(before: ids[1]), [ids[0]], "the last page")
    },
    ConformanceRule("a list filters by every set of states, as a scan of all jobs would") {
      fixture in
      for state in JobState.allCases where state != .blocked {
        for _ in 0..<2 { _ = try fixture.job(in: state) }
      }
      let all = try fixture.store.jobs(
        in: fixture.acme, matching: JobFilter(), before: nil, limit: 100)
      let states = JobState.allCases
      for bits in 1..<(1 << states.count) {
        let chosen = Set(states.indices.filter { bits >> $0 & 1 == 1 }.map { states[$0] })
        let found = try fixture.store.jobs(
          in: fixture.acme, matching: JobFilter(states: chosen), before: all[1].id, limit: 5)
        let expected = all.filter { chosen.contains($0.state) && $0.id < all[1].id }.prefix(5)
        try requireEqual(found, Array(expected), "the jobs in \(chosen)")
      }
    },
    ConformanceRule("a list filters by type, queue and time of creation") { fixture in
      try fixture.enqueue()
      let mail = try fixture.enqueue { $0.type = "mail" }
      let bulk = try fixture.enqueue { $0.queue = "bulk" }
      fixture.advance(by: .seconds(1))
      let late = try fixture.enqueue()
      func ids(_ filter: JobFilter) throws -> [JobID] {
        try fixture.store.jobs(in: fixture.acme, matching: filter, before: nil, limit: 10)
          .map(\.id)
      }
      try requireEqual(try ids(JobFilter(types: ["mail", "none"])), [mail])
      try requireEqual(try ids(JobFilter(queues: ["bulk"])), [bulk])
      try requireEqual(try ids(JobFilter(since: fixture.now)), [late])
      try requireEqual(try ids(JobFilter(types: ["mail"], queues: ["bulk"])), [])
    },
    ConformanceRule("the history tells every change in order, also of one millisecond") { fixture in
      let id = try fixture.enqueue {
        $0.policy.maxAttempts = 3
        $0.policy.replay = .safe
      }
      let first = try fixture.claimOne()
      let worker = try fixture.registerWorker()
      _ = try fixture.store.adopt(
        first.reference, watch: 1, by: worker, name: "host:9", bootNow: fixture.boot,
        at: fixture.now)
      try fixture.settle(first.reference, .retry, after: .zero)
      let second = try fixture.claimOne()
      try fixture.settle(second.reference, .failed)
      _ = try fixture.store.retryAgain(id, in: fixture.acme, by: fixture.alice, at: fixture.now)
      _ = try fixture.cancel(id)
      let history = try fixture.store.history(of: id, in: fixture.acme)
      try requireEqual(
        history.map { "\($0.event) \($0.from?.rawValue ?? "-") \($0.to.rawValue)" },
        [
          "enqueue - pending", "claim pending running", "adopt running running",
          "retry running pending", "claim pending running", "failed running failed",
          "retry_again failed pending", "cancel pending cancelled",
        ], "the history")
      try requireEqual(history.first?.by, "alice", "who enqueued")
      try requireEqual(history[2].by, "host:9", "who adopted")
    },
    ConformanceRule("what an attempt used and left comes back") { fixture in
      let id = try fixture.enqueue()
      let claimed = try fixture.claimOne()
      fixture.advance(by: .seconds(3))
      var settlement = fixture.settlement(of: claimed.reference, .failed)
      settlement.usage = AttemptUsage(
        exitStatus: 64, signal: nil, userMilliseconds: 12, systemMilliseconds: 3,
        peakMemoryBytes: 4_000_000, log: LogPath.of(job: id, fence: claimed.reference.fence))
      settlement.warnings = ["first", "second"]
      _ = try fixture.store.settle([settlement], thenClaim: nil, at: fixture.now)
      let attempts = try fixture.store.attempts(of: id, in: fixture.acme)
      let attempt = try requireValue(attempts.first, "the attempt")
      try requireEqual(attempts.count, 1, "number of attempts")
      try requireEqual(attempt.usage, settlement.usage, "the usage")
      try requireEqual(attempt.warnings, settlement.warnings, "the warnings")
      try requireEqual(attempt.outcome, .failed)
      try requireEqual(attempt.slot, claimed.slot)
      try requireEqual(attempt.finishedAt, fixture.now)
      let job = try fixture.job(id)
      try requireEqual(job.exitStatus, 64)
      try requireEqual(
        job.error,
        Job.Failure(code: "exit", message: "exited with status 64", kind: "failed"), "the error")
    },
  ]
}
