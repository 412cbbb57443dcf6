import HotglueCore
import HotglueStore

/// What any store keeps of jobs as people see and change them.
public enum JobStoreConformance {
  public static let rules: [ConformanceRule] = enqueueRules + keyRules + changeRules + readRules

  static let enqueueRules: [ConformanceRule] = [
    ConformanceRule("an enqueued job comes back as it was asked for") { fixture in
      var request = StoreFixture.request("ünïcode \u{1} \"quoted\"")
      request.type = "mail"
      request.environment = ["A=1", "B=zwei"]
      request.payload = #"{"b": 1, "a": 12345678901234567890.50}"#
      request.queue = "bulk"
      request.priority = -3
      request.runAt = fixture.now.advanced(by: .hours(1))
      request.expiresAt = fixture.now.advanced(by: .days(1))
      request.key = "k"
      request.keyHold = .span(.days(7))
      request.limitKey = "source"
      request.limitMax = 4
      request.policy.maxAttempts = 7
      request.policy.replay = .safe
      request.policy.timeout = .minutes(5)
      let made = try fixture.store.enqueue(
        [request], in: fixture.acme, by: fixture.alice, at: fixture.now)
      let id = try requireValue(made.first).id
      let job = try fixture.openAgain().job(id, in: fixture.acme)
      try requireEqual(job.request, request, "the request")
      try requireEqual(job.state, .pending)
      try requireEqual(job.createdAt, fixture.now)
      try requireEqual(job.fence, 0)
    },
    ConformanceRule("a payload of a megabyte comes back byte for byte") { fixture in
      let payload = "\"" + String(repeating: "x", count: 1 << 20) + "\""
      let id = try fixture.enqueue { $0.payload = payload }
      try requireEqual(try fixture.job(id).request.payload, payload, "the payload")
      try requireEqual(
        try fixture.claimOne().job.request.payload, payload, "the claimed job's payload")
      try fixture.requireSound()
    },
    ConformanceRule("requests of one call are stored all or none") { fixture in
      try fixture.enqueue("first") { $0.key = "taken" }
      var conflicting = StoreFixture.request("other")
      conflicting.key = "taken"
      let refusal = try fixture.refusal {
        _ = try fixture.store.enqueue(
          [StoreFixture.request("a"), conflicting], in: fixture.acme, by: fixture.alice,
          at: fixture.now)
      }
      guard case .keyConflict("taken", _, let difference) = refusal else {
        throw BrokenRule(description: "refused with \(refusal)")
      }
      try require(difference.contains("command"), "the difference is '\(difference)'")
      try requireEqual(
        try fixture.store.jobs(
          in: fixture.acme, matching: JobFilter(), before: nil, limit: 10
        ).count, 1, "number of jobs")
    },
    ConformanceRule("IDs grow and name one job in all workspaces") { fixture in
      let first = try fixture.enqueue()
      let second = try fixture.enqueue(in: fixture.beta)
      try require(second > first, "\(second) after \(first)")
      let refusal = try fixture.refusal { _ = try fixture.store.job(second, in: fixture.acme) }
      try requireEqual(refusal, .otherWorkspace(second, owner: fixture.beta))
      try requireEqual(try fixture.store.owner(ofJob: second), fixture.beta)
      try requireEqual(try fixture.store.owner(ofJob: 999), nil)
    },
    ConformanceRule("an ID is not used again after its job was removed") { fixture in
      let id = try fixture.job(in: .succeeded)
      fixture.advance(by: .days(15))
      let rule = RetentionRule.standard(at: fixture.now)
      let pruned = try fixture.store.prune(
        in: fixture.acme, by: rule, limit: 10, dryRun: false, actor: fixture.alice,
        at: fixture.now)
      try requireEqual(pruned.jobs, [id], "what was pruned")
      try require(try fixture.enqueue() > id, "the ID was used again")
    },
    ConformanceRule("the store remembers when it was pruned last, from its making on") { fixture in
      let made = try fixture.store.prunedAt()
      try requireEqual(made, try fixture.store.info().createdAt, "of a new store")
      fixture.advance(by: .days(1))
      try fixture.store.recordPruned(at: fixture.now)
      try requireEqual(try fixture.openAgain().prunedAt(), fixture.now, "after a prune")
    },
    ConformanceRule("an unknown workspace is refused with those that are near") { fixture in
      let typo = try requireValue(WorkspaceID("acne"))
      let refusal = try fixture.refusal {
        _ = try fixture.store.enqueue(
          [StoreFixture.request()], in: typo, by: fixture.alice, at: fixture.now)
      }
      try requireEqual(refusal, .unknownWorkspace(typo, near: ["acme"]))
    },
    ConformanceRule("an archived workspace refuses every change of its jobs") { fixture in
      let pending = try fixture.job(in: .pending)
      let failed = try fixture.job(in: .failed)
      let uncertain = try fixture.job(in: .uncertain)
      let open = try fixture.job(in: .uncertain)
      let (store, acme, alice, now) = (fixture.store, fixture.acme, fixture.alice, fixture.now)
      try store.archiveWorkspace(acme, by: alice, at: now)
      let changes: [() throws -> Void] = [
        { _ = try store.enqueue([StoreFixture.request()], in: acme, by: alice, at: now) },
        { _ = try store.cancel(pending, in: acme, by: alice, at: now) },
        { _ = try store.retryAgain(failed, in: acme, by: alice, at: now) },
        { try store.archiveWorkspace(acme, by: alice, at: now) },
      ]
      for change in changes {
        try requireEqual(try fixture.refusal(change), .archivedWorkspace(acme))
      }
      try requireEqual(try fixture.claim(), [], "what is claimed")
      try requireEqual(try store.job(pending, in: acme).state, .pending)
      // What already happened is recorded there too.
      for (id, resolution) in [(uncertain, JobEvent.Resolution.failed), (open, .retry)] {
        _ = try store.resolve(id, in: acme, as: resolution, reason: "seen", by: alice, at: now)
      }
      try requireEqual(try store.job(uncertain, in: acme).state, .failed)
      try requireEqual(try fixture.claim(), [], "what is claimed after it")
    },
  ]
}
