import HotglueCore
import HotglueStore

extension ClaimStoreConformance {
  static let leaseRules: [ConformanceRule] = [
    ConformanceRule("a renewal extends the lease from when it was sent") { fixture in
      let id = try fixture.enqueue()
      let worker = try fixture.registerWorker()
      let attempt = try fixture.claimOne(by: worker).reference
      fixture.advance(by: .seconds(20))
      let lost = try fixture.store.renew(
        [(attempt, 1)], worker: worker, bootNow: fixture.boot)
      try requireEqual(lost, [], "what is lost")
      let job = try fixture.job(id)
      try requireEqual(job.lease, fixture.boot.advanced(by: .seconds(60)), "the lease")
      try requireEqual(
        job.leaseExpiresAt, fixture.now.advanced(by: .seconds(60)), "the lease by the wall clock")
    },
    ConformanceRule("a renewal names what somebody else minds, and extends the rest") { fixture in
      try fixture.enqueue()
      try fixture.enqueue()
      try fixture.enqueue()
      let worker = try fixture.registerWorker()
      let other = try fixture.registerWorker()
      let attempts = try fixture.claim(3, by: worker).map(\.reference)
      try fixture.settle(attempts[0], .succeeded)
      _ = try fixture.store.adopt(
        attempts[1], watch: 1, by: other, name: "host:2", bootNow: fixture.boot, at: fixture.now)
      fixture.advance(by: .seconds(5))
      let lost = try fixture.store.renew(
        attempts.map { ($0, 1) }, worker: worker, bootNow: fixture.boot)
      try requireEqual(lost, Array(attempts[..<2]), "what is lost")
      try requireEqual(
        try fixture.job(attempts[2].job).lease, fixture.boot.advanced(by: .seconds(60)),
        "the lease of the rest")
    },
    ConformanceRule("an adoption raises the watch, keeps the fence, and happens once") { fixture in
      let id = try fixture.enqueue()
      let attempt = try fixture.claimOne().reference
      let (first, second) = (try fixture.registerWorker(), try fixture.registerWorker())
      func adopt(_ worker: WorkerID, watch: Watch) throws -> Watch {
        try fixture.store.adopt(
          attempt, watch: watch, by: worker, name: "host:\(worker)", bootNow: fixture.boot,
          at: fixture.now)
      }
      try requireEqual(try adopt(first, watch: 1), 2, "the watch")
      try requireEqual(
        try fixture.refusal { _ = try adopt(second, watch: 1) },
        .stale(id, fence: 1, current: 1))
      let running = try requireValue(
        try fixture.store.runningAttempt(of: id, in: fixture.acme), "the running attempt")
      try requireEqual(running.workerID, first, "who minds it")
      try requireEqual(running.watch, 2, "the watch")
      try requireEqual(try fixture.job(id).fence, 1, "the fence")
      try requireEqual(try adopt(second, watch: 2), 3, "the watch of the next adoption")
      try fixture.settle(attempt, .succeeded)
      try fixture.requireSound()
    },
    ConformanceRule("an attempt that ended is not adopted") { fixture in
      try fixture.enqueue()
      let attempt = try fixture.claimOne().reference
      try fixture.settle(attempt, .succeeded)
      let worker = try fixture.registerWorker()
      let refusal = try fixture.refusal {
        _ = try fixture.store.adopt(
          attempt, watch: 1, by: worker, name: "x", bootNow: fixture.boot, at: fixture.now)
      }
      guard case .stale = refusal else {
        throw BrokenRule(description: "refused with \(refusal)")
      }
    },
    ConformanceRule("running attempts are listed oldest lease first, of all but one worker") {
      fixture in
      let (first, second) = (try fixture.registerWorker(), try fixture.registerWorker())
      let long = try fixture.enqueue { $0.policy.lease = .minutes(5) }
      let short = try fixture.enqueue()
      let elsewhere = try fixture.enqueue(in: fixture.beta)
      _ = try fixture.claim(2, by: first)
      _ = try fixture.claim(1, by: second, in: [fixture.beta])
      func running(_ workspaces: [WorkspaceID], not worker: WorkerID?) throws -> [JobID] {
        try fixture.store.runningAttempts(in: workspaces, notMindedBy: worker)
          .map(\.reference.job)
      }
      try requireEqual(try running([fixture.acme], not: nil), [short, long])
      try requireEqual(
        try running([fixture.acme, fixture.beta], not: first), [elsewhere])
      try requireEqual(try running([fixture.acme], not: first), [])
      let attempt = try requireValue(
        try fixture.store.runningAttempt(of: long, in: fixture.acme), "the running attempt")
      try requireEqual(attempt.leaseLength, .minutes(5), "the lease's length")
      try requireEqual(attempt.worker.lockPath, "workers/1", "the worker's lock")
      try requireEqual(
        try fixture.store.runningAttempt(of: long, in: fixture.beta), nil, "in another workspace")
    },
    ConformanceRule("the first unanswered question counts until it is cleared") { fixture in
      let id = try fixture.enqueue()
      let attempt = try fixture.claimOne().reference
      let first = fixture.boot
      func note(_ moment: BootTime?, watch: Watch = 1) throws -> BootTime? {
        try fixture.store.noteUnanswered(attempt, watch: watch, at: moment)
      }
      try requireEqual(try note(first), first, "the first note")
      fixture.advance(by: .seconds(5))
      try requireEqual(try note(fixture.boot), first, "the second note")
      try requireEqual(
        try fixture.store.runningAttempt(of: id, in: fixture.acme)?.unansweredSince, first,
        "what is noted")
      try requireEqual(try note(nil), nil, "when cleared")
      try requireEqual(try note(fixture.boot), fixture.boot, "the next note")
      let refusal = try fixture.refusal { _ = try note(fixture.boot, watch: 2) }
      try requireEqual(refusal, .stale(id, fence: 1, current: 1))
      let restarted = BootTime(bootID: "boot-2", milliseconds: 5)
      try requireEqual(try note(restarted), restarted, "a note of another boot")
    },
    ConformanceRule("who renews a lease has heard: an unanswered question of before counts no more")
    {
      fixture in
      let id = try fixture.enqueue()
      let worker = try fixture.registerWorker()
      let attempt = try fixture.claimOne(by: worker).reference
      _ = try fixture.store.noteUnanswered(attempt, watch: 1, at: fixture.boot)
      fixture.advance(by: .seconds(5))
      let lost = try fixture.store.renew([(attempt, 1)], worker: worker, bootNow: fixture.boot)
      try requireEqual(lost, [], "what is lost")
      try requireEqual(
        try fixture.store.runningAttempt(of: id, in: fixture.acme)?.unansweredSince, nil,
        "what is noted")
      try requireEqual(
        try fixture.store.noteUnanswered(attempt, watch: 1, at: fixture.boot), fixture.boot,
        "the next note")
    },
    ConformanceRule("a worker that retired leaves its attempts to others") { fixture in
      let id = try fixture.enqueue()
      let worker = try fixture.registerWorker()
      _ = try fixture.claimOne(by: worker)
      try fixture.store.retire(worker)
      try requireEqual(
        try fixture.store.runningAttempts(in: [fixture.acme], notMindedBy: nil)
          .map(\.reference.job), [id], "the running attempts")
      try fixture.requireSound()
    },
  ]
}
