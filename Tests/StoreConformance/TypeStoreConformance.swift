import HotglueCore
import HotglueStore

/// What any store keeps of job types, and of jobs that run by them.
public enum TypeStoreConformance {
  public static let rules: [ConformanceRule] = revisionRules + typedJobRules + typeLimitRules

  static let revisionRules: [ConformanceRule] = [
    ConformanceRule("a type comes back as it was set, and each change is a new revision") {
      fixture in
      let first = try fixture.setType("mail")
      try requireEqual(first.before, nil)
      try requireEqual(first.after.revision, 1)
      let second = try fixture.setType("mail") { $0.policy.timeout = .minutes(5) }
      try requireEqual(second.before, first.after)
      try requireEqual(second.after.revision, 2)
      let again = try fixture.openAgain()
      try requireEqual(try again.type("mail", in: fixture.acme), second.after)
      try requireEqual(
        try again.revisions(ofType: "mail", in: fixture.acme), [first.after, second.after])
      try fixture.requireSound()
    },
    ConformanceRule("setting a type to what it is makes no revision") { fixture in
      let first = try fixture.setType("mail")
      fixture.advance(by: .seconds(1))
      let same = try fixture.setType("mail")
      try require(!same.isChange, "it is a change")
      try requireEqual(same.after, first.after)
    },
    ConformanceRule("a type belongs to one workspace") { fixture in
      try fixture.setType("mail")
      try requireEqual(try fixture.store.types(in: fixture.beta), [])
      let refusal = try fixture.refusal {
        _ = try fixture.store.type("mail", in: fixture.beta)
      }
      try requireEqual(refusal, .unknownType("mail", fixture.beta, near: []))
    },
    ConformanceRule("a type that is set again after a removal goes on counting its revisions") {
      fixture in
      try fixture.setType("mail")
      _ = try fixture.removeType("mail")
      let refusal = try fixture.refusal { _ = try fixture.removeType("mail") }
      try requireEqual(refusal, .unknownType("mail", fixture.acme, near: []))
      try requireEqual(try fixture.setType("mail").after.revision, 2)
      try requireEqual(try fixture.store.revisions(ofType: "mail", in: fixture.acme).count, 2)
    },
    ConformanceRule("types of one call are set all or none, and a dry run sets none") { fixture in
      let types = ["a", "b"].map { ($0, TypeDefinition(command: [$0], directory: "/")) }
      let planned = try fixture.store.setTypes(
        types, in: fixture.acme, dryRun: true, by: fixture.alice, at: fixture.now)
      try requireEqual(planned.map(\.after.revision), [1, 1])
      try requireEqual(try fixture.store.types(in: fixture.acme), [])
      let done = try fixture.store.setTypes(
        types, in: fixture.acme, dryRun: false, by: fixture.alice, at: fixture.now)
      try requireEqual(done, planned)
      try requireEqual(try fixture.store.types(in: fixture.acme), done.map(\.after))
      try fixture.store.archiveWorkspace(fixture.acme, by: fixture.alice, at: fixture.now)
      let refusal = try fixture.refusal { try fixture.setType("c") }
      try requireEqual(refusal, .archivedWorkspace(fixture.acme))
    },
  ]

  static let typedJobRules: [ConformanceRule] = [
    ConformanceRule("a typed job runs its type's command by its type's policy") { fixture in
      try fixture.setType("mail") {
        $0.policy.timeout = .minutes(5)
        $0.queue = "bulk"
        $0.priority = 7
      }
      let id = try fixture.enqueueTyped("mail") { $0.payload = "{}" }
      let claimed = try fixture.claimOne()
      try requireEqual(claimed.job.id, id)
      try requireEqual(claimed.job.request.command, ["/bin/mail"])
      try requireEqual(claimed.job.request.directory, "/srv")
      try requireEqual(claimed.job.request.policy.timeout, .minutes(5))
      try requireEqual(claimed.job.request.policy.maxAttempts, 5)
      try requireEqual(claimed.job.request.queue, "bulk")
      try requireEqual(claimed.job.request.priority, 7)
      try requireEqual(
        try fixture.store.attempts(of: id, in: fixture.acme).map(\.typeRevision), [1])
      let history = try fixture.store.history(of: id, in: fixture.acme)
      try requireEqual(history.map(\.reason), [nil, "revision 1"], "reasons in the history")
      try fixture.requireSound()
    },
    ConformanceRule("what a request says itself goes over its type, through every revision") {
      fixture in
      try fixture.setType("mail") { $0.policy.timeout = .minutes(5) }
      let id = try fixture.enqueueTyped("mail") {
        $0.overrides = TypeOverrides(
          policy: [JSON.Member("max_attempts", .integer(9)), JSON.Member("timeout", .null)],
          directory: "/opt", queue: "fast", priority: 2)
      }
      try fixture.setType("mail") {
        $0.policy.maxAttempts = 2
        $0.policy.lease = .seconds(30)
        $0.queue = "slow"
      }
      let job = try fixture.claimOne(only: id).job
      try requireEqual(job.request.policy.maxAttempts, 9)
      try requireEqual(job.request.policy.timeout, nil)
      try requireEqual(job.request.policy.lease, .seconds(30))
      try requireEqual(job.request.directory, "/opt")
      try requireEqual(job.request.queue, "fast")
      try requireEqual(job.request.priority, 2)
    },
    ConformanceRule("an attempt runs the revision that is current when it is claimed") { fixture in
      try fixture.setType("mail") { $0.policy.jitter = .none }
      let id = try fixture.enqueueTyped("mail")
      try fixture.setType("mail") { $0.command = ["/bin/mail2"] }
      let first = try fixture.claimOne()
      try requireEqual(first.job.request.command, ["/bin/mail2"])
      // The running attempt keeps what it was claimed with.
      try fixture.setType("mail") {
        $0.command = ["/bin/mail3"]
        $0.policy.maxAttempts = 1
      }
      try requireEqual(try fixture.job(id).request.command, ["/bin/mail2"])
      try requireEqual(try fixture.job(id).typeRevision, 2)
      try fixture.settle(first.reference, .retry)
      try requireEqual(try fixture.job(id).state, .pending, "the state by revision 2")
      try requireEqual(try fixture.job(id).typeRevision, 3, "the revision it waits to run")
      fixture.advance(by: .hours(1))
      let second = try fixture.claimOne()
      try requireEqual(second.job.request.command, ["/bin/mail3"])
      try fixture.settle(second.reference, .retry)
      try requireEqual(try fixture.job(id).state, .failed, "the state by revision 3")
      try requireEqual(
        try fixture.store.attempts(of: id, in: fixture.acme).map(\.typeRevision), [2, 3])
      try fixture.requireSound()
    },
    ConformanceRule("a job of a type that nobody defined waits, and says so") { fixture in
      let made = try fixture.store.enqueue(
        [fixture.typedRequest("mail")], in: fixture.acme, by: fixture.alice, at: fixture.now)
      let enqueued = try requireValue(made.first)
      try require(enqueued.waitsForType, "the enqueue does not say so")
      let plain = try fixture.enqueue()
      try requireEqual(try fixture.claim(5).map(\.job.id), [plain], "what is claimed")
      try requireEqual(try fixture.claim(only: enqueued.id), [], "what is claimed by name")
      try require(try fixture.job(enqueued.id).waitsForType, "the job does not say so")
      let listed = try fixture.store.jobs(
        in: fixture.acme, matching: JobFilter(types: ["mail"]), before: nil, limit: 9)
      try requireEqual(listed.map(\.waitsForType), [true], "what the list says")
      try requireEqual(
        try fixture.store.nextDue(in: [fixture.acme], queues: [], types: [], at: fixture.now), nil,
        "when a claim may find something")
      try fixture.setType("mail")
      try requireEqual(
        try fixture.store.nextDue(in: [fixture.acme], queues: [], types: [], at: fixture.now),
        fixture.now, "when a claim may find something")
      let claimed = try fixture.claimOne()
      try requireEqual(claimed.job.id, enqueued.id)
      try requireEqual(claimed.job.request.command, ["/bin/mail"])
      try require(!claimed.job.waitsForType, "the claimed job waits")
    },
    ConformanceRule("a type removed while its jobs wait and run loses neither") { fixture in
      try fixture.setType("mail")
      let running = try fixture.enqueueTyped("mail")
      let attempt = try fixture.claimOne()
      let waiting = try fixture.enqueueTyped("mail")
      try requireEqual(try fixture.removeType("mail", dryRun: true), 1, "jobs that would wait")
      try requireEqual(try fixture.store.types(in: fixture.acme).count, 1)
      try requireEqual(try fixture.removeType("mail"), 1, "jobs that wait")
      try fixture.settle(attempt.reference, .succeeded)
      try requireEqual(try fixture.job(running).state, .succeeded)
      try requireEqual(try fixture.claim(5), [], "what is claimed without a type")
      try require(try fixture.job(waiting).waitsForType, "the job does not say what it waits for")
      try fixture.setType("mail")
      try requireEqual(try fixture.claim(5).map(\.job.id), [waiting])
      try fixture.requireSound()
    },
    ConformanceRule("a key names one typed job, whatever its type's command is by now") { fixture in
      try fixture.setType("mail")
      let id = try fixture.enqueueTyped("mail") {
        $0.key = "k"
        $0.payload = #"{"a":1,"b":2}"#
      }
      let attempt = try fixture.claimOne()
      try fixture.settle(attempt.reference, .succeeded)
      try fixture.setType("mail") { $0.command = ["/bin/other"] }
      let again = try fixture.enqueueTyped("mail") {
        $0.key = "k"
        $0.payload = #"{ "b": 2, "a": 1 }"#
      }
      try requireEqual(again, id)
      let refusal = try fixture.refusal {
        try fixture.enqueueTyped("mail") {
          $0.key = "k"
          $0.payload = "3"
        }
      }
      guard case .keyConflict("k", id, let difference) = refusal else {
        throw BrokenRule(description: "refused with \(refusal)")
      }
      try require(difference.contains("payload"), "the difference is '\(difference)'")
      let bare = try fixture.enqueue { $0.key = "k" }
      try require(bare != id, "a key of another type is the same key")
    },
  ]

  static let typeLimitRules: [ConformanceRule] = [
    ConformanceRule("no more jobs of a type run at once than its limit, in any queue") { fixture in
      try fixture.setType("mail") { $0.limit = 2 }
      for index in 0..<6 {
        try fixture.enqueueTyped("mail") {
          $0.overrides = TypeOverrides(queue: index % 2 == 0 ? "a" : "b", priority: index)
        }
      }
      let plain = try fixture.enqueue()
      let claimed = try fixture.claim(9)
      try requireEqual(claimed.map(\.job.request.type), ["mail", "mail", "exec"], "the claims")
      try requireEqual(claimed[2].job.id, plain)
      try requireEqual(try fixture.claim(9), [], "what is claimed at the limit")
      try requireEqual(
        try fixture.store.nextDue(in: [fixture.acme], queues: [], types: [], at: fixture.now), nil,
        "when a claim may find something")
      try fixture.settle(claimed[0].reference, .succeeded)
      try requireEqual(try fixture.claim(9).count, 1, "number of claims once one has ended")
      try fixture.requireSound()
    },
    ConformanceRule("a changed limit of a type counts from the next claim on") { fixture in
      try fixture.setType("mail") { $0.limit = 1 }
      for _ in 0..<5 { try fixture.enqueueTyped("mail") }
      try requireEqual(try fixture.claim(9).count, 1)
      try fixture.setType("mail") { $0.limit = 3 }
      try requireEqual(try fixture.claim(9).count, 2)
      try fixture.setType("mail") { $0.limit = nil }
      try requireEqual(try fixture.claim(9).count, 2)
    },
    ConformanceRule("a type's limit holds in one workspace, and for the claim of one job") {
      fixture in
      try fixture.setType("mail") { $0.limit = 1 }
      try fixture.setType("mail", in: fixture.beta) { $0.limit = 1 }
      try fixture.enqueueTyped("mail")
      let second = try fixture.enqueueTyped("mail")
      try fixture.enqueueTyped("mail", in: fixture.beta)
      try requireEqual(
        try fixture.claim(9, in: [fixture.acme, fixture.beta]).map(\.job.workspace),
        [fixture.acme, fixture.beta])
      try requireEqual(try fixture.claim(only: second), [], "what is claimed by name")
    },
    ConformanceRule("many workers at once never exceed a type's limit") { fixture in
      try fixture.setType("mail") { $0.limit = 3 }
      for _ in 0..<40 { try fixture.enqueueTyped("mail") }
      let stores = try (0..<4).map { _ in try fixture.openAgain() }
      let workers = try stores.map { try fixture.registerWorker($0) }
      var running: [ClaimedJob] = []
      var done = 0
      while done < 40 {
        for (store, worker) in zip(stores, workers) {
          let request = ClaimRequest(
            worker: worker, workspaces: [fixture.acme], slots: ["x", "y"], bootNow: fixture.boot)
          running += try store.settle([], thenClaim: request, at: fixture.now).claimed
          try require(running.count <= 3, "\(running.count) run at once")
        }
        let first = try requireValue(running.first, "a running job")
        running.removeFirst()
        try fixture.settle(first.reference, .succeeded)
        done += 1
      }
    },
  ]
}

extension StoreFixture {
  /// Defines or changes a type that runs `/bin/NAME` in `/srv`.
  @discardableResult
  func setType(
    _ name: String, in workspace: WorkspaceID? = nil,
    _ change: (inout TypeDefinition) -> Void = { _ in }
  ) throws -> TypeChange {
    let made = try store.setType(name, in: workspace ?? acme, by: alice, at: now) { current in
      var definition =
        current ?? TypeDefinition(command: ["/bin/\(name)"], directory: "/srv")
      change(&definition)
      return definition
    }
    return try requireValue(made, "the type that was set")
  }

  func removeType(_ name: String, dryRun: Bool = false) throws -> Int {
    try store.removeType(name, in: acme, dryRun: dryRun, by: alice, at: now)
  }

  func typedRequest(_ type: String) -> EnqueueRequest {
    EnqueueRequest(type: type, command: [], directory: "/tmp", overrides: TypeOverrides())
  }

  @discardableResult
  func enqueueTyped(
    _ type: String, in workspace: WorkspaceID? = nil,
    _ change: (inout EnqueueRequest) -> Void = { _ in }
  ) throws -> JobID {
    var request = typedRequest(type)
    change(&request)
    let made = try store.enqueue([request], in: workspace ?? acme, by: alice, at: now)
    return try requireValue(made.first, "the enqueued job").id
  }
}
