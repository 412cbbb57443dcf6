import HotglueCore
import HotglueStore
import HotglueStoreSQLite

/// What people and scripts do.
extension Universe {
  func enqueue() throws {
    let workspace = dice.chance(60) ? workspaces[0] : dice.pick(workspaces)
    // A store with more open jobs than these tests nothing more, and takes longer to look at.
    guard seen.jobs.count < 40 else { return }
    var requests: [EnqueueRequest] = []
    for _ in 0..<(dice.chance(15) ? 4 : 1) { requests.append(rollRequest()) }
    say("enqueue \(requests.count) in \(workspace)")
    let before = seen
    try refusable {
      let made = try store.enqueue(requests, in: workspace, by: Self.alice, at: now)
      try require(made.count == requests.count, "I7 what is acknowledged is there", "a count")
      for (request, enqueued) in zip(requests, made) {
        say(
          "  job \(enqueued.id) \(enqueued.isNew ? "" : "again ")\(request.policy.replay) key \(request.key ?? "-") limit \(request.limitKey ?? "-") \(request.type)"
        )
        try checkKey(request, enqueued, in: workspace, before)
        guard enqueued.isNew else { continue }
        try require(
          enqueued.id > highestID, "IDs are never used again",
          "job \(enqueued.id) after \(highestID)")
        highestID = enqueued.id
        stories[enqueued.id] = Story(
          id: enqueued.id, workspace: workspace.text, request: request, at: now)
      }
    }
  }

  /// The same key with the same request is the same job, as long as the key is held.
  private func checkKey(
    _ request: EnqueueRequest, _ enqueued: Enqueued, in workspace: WorkspaceID, _ before: Snapshot
  ) throws {
    guard let key = request.key else { return }
    if !enqueued.isNew {
      let story = stories[enqueued.id]
      try require(
        story?.workspace == workspace.text && story?.request.key == key
          && story?.request.type == request.type && story?.request.payload == request.payload,
        "a key names one request", "job \(enqueued.id) is another request than key \(key)")
      guard let story, let job = before.jobs[enqueued.id] else { return }
      let isHeld: Bool =
        switch story.request.keyHold {
        case .whileKept: true
        case .untilDone: !job.isFinished || job.state == "uncertain"
        case .span(let span): story.at.advanced(by: span) > now
        }
      try require(
        isHeld, "a key is let go of", "job \(enqueued.id) (\(story.request.keyHold)) kept \(key)")
      return
    }
    for id in before.ids {
      guard let job = before.jobs[id], let story = stories[id], story.request.key == key,
        job.workspace == workspace.text, job.type == request.type, job.holdsKey
      else { continue }
      switch story.request.keyHold {
      case .whileKept:
        throw Violation(rule: "a key is held", text: "job \(id) held \(key), \(enqueued.id) is new")
      case .untilDone:
        // A deadline that has passed ends a job that never started, at the latest when it is met here.
        let hasExpired =
          job.attempt == 0 && !job.isFinished && (job.expiresAt ?? .max) <= now.milliseconds
        try require(
          hasExpired || (job.isFinished && job.state != "uncertain"),
          "a key is held until its job is done",
          "job \(id) held \(key) in state \(job.state)")
      case .span: break
      }
    }
  }

  private func rollRequest() -> EnqueueRequest {
    var request = EnqueueRequest(command: ["/bin/work", "\(dice.below(3))"], directory: "/")
    request.policy = rollPolicy(.bareCommand)
    if dice.chance(25) {
      request.type = dice.pick(["mail", "print"])
      request.command = []
      request.policy = .jobType
    }
    request.queue = dice.chance(80) ? "default" : "slow"
    request.priority = dice.chance(70) ? 0 : dice.below(3)
    if dice.chance(20) { request.runAt = now.advanced(by: .seconds(Int64(dice.below(60)))) }
    if dice.chance(10) { request.expiresAt = now.advanced(by: .seconds(Int64(5 + dice.below(60)))) }
    if dice.chance(25) {
      request.limitKey = dice.pick(["a", "b"])
      request.limitMax = 1 + dice.below(2)
    }
    if dice.chance(25) {
      request.key = "k\(dice.below(4))"
      request.keyHold = dice.pick([.whileKept, .untilDone, .span(.seconds(30))])
      request.payload = dice.chance(80) ? "{\"n\":1}" : "{\"n\":2}"
    }
    if request.type != TypeName.bareCommand {
      request.overrides = TypeOverrides(
        queue: request.queue, priority: request.priority, limitKey: request.limitKey,
        limitMax: request.limitKey.map { _ in request.limitMax })
    }
    return request
  }

  func rollPolicy(_ base: JobPolicy) -> JobPolicy {
    var policy = base
    policy.replay = dice.pick([.safe, .keyed, .unsafe, .unsafe])
    policy.lease = dice.pick([.seconds(2), .seconds(10), .seconds(60)])
    policy.maxAttempts = 1 + dice.below(4)
    policy.maxLosses = dice.below(4)
    policy.maxSnoozes = dice.below(4)
    policy.backoff = dice.pick([
      Backoff(kind: .fixed, base: .zero, cap: .zero), Backoff(kind: .fixed, base: .seconds(1)),
      Backoff(kind: .exponential, base: .seconds(1), cap: .seconds(10)),
    ])
    if dice.chance(20) { policy.timeout = .seconds(20) }
    if dice.chance(10) { policy.retryFor = .seconds(60) }
    if policy.replay == .unsafe, dice.chance(30) { policy.verify = "look" }
    return policy
  }

  /// A job that is there, and the workspace it is in.
  func rollJob() -> (JobID, WorkspaceID)? {
    guard let id = dice.pickOne(seen.ids), let job = seen.jobs[id],
      let workspace = WorkspaceID(job.workspace)
    else { return nil }
    return (id, workspace)
  }

  private func requireAllowed(
    _ done: Bool, _ id: JobID, in states: Set<String>, _ event: String
  ) throws {
    guard let job = seen.jobs[id], !seen.archived.contains(job.workspace) else { return }
    // A passed deadline counts at once, also before it is recorded.
    let isExpired =
      ["pending", "blocked"].contains(job.state) && job.attempt == 0
      && (job.expiresAt ?? .max) <= now.milliseconds
    try require(
      done == states.contains(isExpired ? "cancelled" : job.state),
      "I5 only what the table allows",
      "\(event) of job \(id) in state \(job.state) was \(done ? "done" : "refused")")
  }

  func cancel() throws {
    guard let (id, workspace) = rollJob() else { return }
    say("cancel \(id)")
    let done = try refusable {
      let result = try store.cancel(id, in: workspace, by: Self.alice, at: now)
      guard case .requested(let attempt) = result else { return }
      let after = try reader.snapshot(after: seen, whole: false)
      try require(
        after.jobs[id]?.cancelRequestedAt != nil, "a cancel is on record",
        "\(after.jobs[id].map { "\($0)" } ?? "no job")")
      // The order goes to the supervisor itself, whether or not a worker minds it.
      if let slot = slot(attempt.slot), slot.isAlive, !slot.isFrozen,
        slot.order?.reference == attempt.reference, slot.outcome == nil
      {
        slot.stop = slot.stop ?? .cancel
      }
    }
    try requireAllowed(done, id, in: ["pending", "blocked", "running"], "a cancel")
  }

  func retryAgain() throws {
    let ended = seen.ids.filter { seen.jobs[$0]?.isFinished == true }
    guard let id = dice.chance(80) ? dice.pickOne(ended) : rollJob()?.0, let job = seen.jobs[id],
      let workspace = WorkspaceID(job.workspace)
    else { return }
    say("retry \(id)")
    var holds = true
    let done = try refusable {
      do {
        let told = try store.retryAgain(id, in: workspace, by: Self.alice, at: now)
        try require(
          told.state == .pending && told.failures == 0 && told.losses == 0 && told.snoozes == 0
            && told.runAt <= now && told.fence == job.fence && told.attempt == job.attempt,
          "a retry is a fresh start", "of \(job): \(told)")
        try requireKey(id)
      } catch StoreError.keyHeld(let key, let holder) {
        holds = false
        let other = seen.jobs[holder]
        try require(
          other?.key == job.key && (other?.isFinished == false || other?.state == "uncertain"),
          "a key is held",
          "retry of \(id) was refused for key \(key) of job \(holder)")
        throw StoreError.keyHeld(key: key, job: holder)
      }
      forgive(id)
    }
    if holds { try requireAllowed(done, id, in: ["failed", "cancelled"], "a retry") }
  }

  func resolve() throws {
    let uncertain = seen.ids.filter { seen.jobs[$0]?.state == "uncertain" }
    guard let id = dice.chance(80) ? dice.pickOne(uncertain) : rollJob()?.0,
      let job = seen.jobs[id], let workspace = WorkspaceID(job.workspace)
    else { return }
    let word = dice.pick([JobEvent.Resolution.succeeded, .failed, .retry])
    say("resolve \(id) as \(word)")
    var keyIsFree = true
    let done = try refusable {
      do {
        let told = try store.resolve(
          id, in: workspace, as: word, reason: "seen", by: Self.alice, at: now)
        let wanted: JobState =
          word == .succeeded ? .succeeded : word == .failed ? .failed : .pending
        try require(told.state == wanted, "a person's word is the state", "\(word): \(told.state)")
        if word == .retry { try requireKey(id) }
      } catch StoreError.keyHeld(let key, let holder) {
        keyIsFree = false
        throw StoreError.keyHeld(key: key, job: holder)
      }
      forgive(id)
    }
    if keyIsFree { try requireAllowed(done, id, in: ["uncertain"], "a resolve") }
  }

  /// Two jobs that live never have the same key.
  private func requireKey(_ id: JobID) throws {
    guard let job = seen.jobs[id], let key = job.key else { return }
    let holder = seen.jobs.values.first {
      $0.id != id && $0.workspace == job.workspace && $0.type == job.type && $0.key == key
        && $0.holdsKey && !$0.isFinished
    }
    try require(
      holder == nil, "a key is held", "\(job) came back beside \(holder.map { "\($0)" } ?? "")")
  }

  private func forgive(_ id: JobID) {
    for run in runs where run.reference.job == id { run.isForgiven = true }
  }

  func prune() throws {
    let bound = Timestamp(milliseconds: now.milliseconds - dice.pick([30_000, 600_000]))
    say("prune before \(bound.milliseconds)")
    let doubtful = try reader.jobsWithOpenEffects()
    let result = try store.prune(
      in: nil, by: RetentionRule(endedWellBefore: bound, endedBadlyBefore: bound), limit: 10,
      dryRun: false, actor: nil, at: now)
    for id in result.jobs {
      let job = seen.jobs[id]
      try require(
        ["succeeded", "cancelled", "failed"].contains(job?.state ?? "")
          && (job?.finishedAt ?? .max) < bound.milliseconds, "I7 what is acknowledged is there",
        "job \(id) was pruned as \(job.map { "\($0)" } ?? "nothing")")
      try require(
        !doubtful.contains(id), "I10 an effect is never guessed",
        "job \(id) was pruned, and has an effect whose outcome is unknown")
      pruned.insert(id)
      stories[id] = nil
    }
  }

  func changeType() throws {
    let workspace = dice.pick(workspaces)
    let name = dice.pick(["mail", "print"])
    if dice.chance(25) {
      say("remove type \(workspace)/\(name)")
      try refusable {
        _ = try store.removeType(name, in: workspace, dryRun: false, by: Self.alice, at: now)
      }
      return
    }
    var definition = TypeDefinition(command: ["/bin/\(name)"], directory: "/")
    definition.limit = dice.pick([nil, 1, 2])
    definition.isStream = dice.chance(30)
    definition.policy = rollPolicy(.jobType)
    say("set type \(workspace)/\(name) limit \(definition.limit.map(String.init) ?? "-")")
    try refusable {
      _ = try store.setType(name, in: workspace, by: Self.alice, at: now) { _ in definition }
    }
  }

  func limitQueue() throws {
    let workspace = dice.pick(workspaces)
    let name = dice.pick(["default", "slow"])
    let limit = dice.pick([nil, 1, 2, 3])
    say("queue \(workspace)/\(name) limit \(limit.map(String.init) ?? "none")")
    let before = seen.queues["\(workspace)/\(name)"]
    try refusable {
      let change = try store.setLimit(
        limit, ofQueue: name, in: workspace, by: Self.alice, at: now)
      try require(
        change.before.map(Int64.init) == before && change.after == limit, "a limit is what was set",
        "\(change)")
    }
  }

  func archive() throws {
    guard dice.chance(30) else { return }
    say("archive gamma")
    try refusable { try store.archiveWorkspace(workspaces[2], by: Self.alice, at: now) }
  }

  /// `job reclaim`: what a worker's look does, once, by a process that minds nothing.
  func reclaim() throws {
    let running = try store.runningAttempts(in: workspaces, notMindedBy: nil)
    guard let attempt = dice.pickOne(running) else { return }
    let stops = dice.chance(30)
    say("reclaim \(attempt.reference.job)\(stops ? " --stop" : "")")
    switch try examine(attempt, by: nil) {
    case .over(let ending): try record([ending], by: "alice", through: store)
    case .alive(let slot):
      try heard(attempt, at: slot)
      if stops, slot.run?.isAlive == true { slot.stop = slot.stop ?? .reclaim }
    case .other(let slot):
      // The supervisor is made to refuse it: then it was certainly never started.
      slot.disowned.append(attempt.reference)
      let end = AttemptEnd(how: .neverStarted(errno: 0))
      try record(
        [
          SimEnding(
            attempt.reference, attempt.policy, end, slot: nil, seat: nil, holdsLock: false)
        ], by: "alice", through: store)
    case .silent(let slot): try waitForAnswer(attempt, slot, through: store)
    case .minded, .changing: break
    }
  }

  // MARK: Backups

  func backUp() throws {
    guard backups.count < 2 else { return }
    let file = "\(path).backup-\(backups.count)"
    say("back up")
    try store.backup(to: file)
    backups.append(Backup(path: file, snapshot: seen, stories: stories, effects: effects))
  }

  /// A restore is a person's word that what the backup says is so, but for what ran meanwhile.
  func restore() throws {
    guard let backup = dice.pickOne(backups) else { return }
    let assumes = dice.chance(50)
    say("restore the backup\(assumes ? ", assuming that nothing has run since" : "")")
    let running = seen.jobs.values.filter { $0.state == "running" }.map(\.id).sorted()
    do throws(StoreError) {
      try SQLiteStore.restore(
        backup: backup.path, to: path, assumingNotRun: assumes, by: Self.alice, at: now,
        alive: { _ in [] })
    } catch {
      guard case .attemptsRunning(let jobs) = error else { throw error }
      try require(
        !running.isEmpty && jobs.sorted() == running, "I12 a restore waits for what runs",
        "\(jobs) was named, and \(running) run")
      return
    }
    try require(running.isEmpty, "I12 a restore waits for what runs", "\(running) run")
    counters.restores += 1
    let after = try reader.snapshot(after: Snapshot(), whole: true)
    try checkRestored(after, from: backup.snapshot, assuming: assumes)
    stories = backup.stories
    effects = backup.effects
    for run in runs { run.isForgiven = true }
    seen = after
  }

  private func checkRestored(
    _ after: Snapshot, from backup: Snapshot, assuming assumes: Bool
  ) throws {
    try require(
      after.ids == backup.ids, "I7 a restore brings back what was backed up",
      "\(backup.ids) became \(after.ids)")
    for id in backup.ids {
      guard let old = backup.jobs[id], let new = after.jobs[id] else { continue }
      try require(
        new.fence > max(old.fence, fences[id] ?? 0), "fences never repeat",
        "job \(id) has fence \(new.fence) after the restore, and had \(fences[id] ?? 0)")
      // A typed job's policy is its type's, which the row does not tell.
      if old.state == "running" {
        let again: Set<String> = ["pending", "failed", "cancelled"]
        let allowed: Set<String> =
          old.type != TypeName.bareCommand
          ? again.union(["uncertain"]) : old.policy.replay == .unsafe ? ["uncertain"] : again
        try require(
          allowed.contains(new.state), "what ran when the backup was taken is unknown",
          "\(old) is \(new.state)")
      } else if !assumes, old.state == "pending" || old.state == "blocked" {
        let allowed: Set<String> =
          old.type != TypeName.bareCommand
          ? [old.state, "uncertain"] : [old.policy.replay == .unsafe ? "uncertain" : old.state]
        try require(
          allowed.contains(new.state), "I9 what may have run since the backup is not run again",
          "job \(id) (\(old.policy.replay)) was \(old.state) and is \(new.state)")
      } else {
        try require(
          new.state == old.state, "I7 a restore brings back what was backed up",
          "job \(id) was \(old.state) and is \(new.state)")
      }
    }
  }
}
