import HotglueCore
import HotglueStore

/// What any store keeps of automations and their occurrences.
public enum AutomationStoreConformance {
  public static let rules: [ConformanceRule] = [
    ConformanceRule("an automation is created once, and changed at the revision that was seen") {
      fixture in
      let made = try fixture.automation("backup") { $0.pauseAfter = 3 }
      try requireEqual(made.revision, 1, "revision")
      try requireEqual(
        try fixture.openAgain().automation("backup", in: fixture.acme), made, "what is stored")
      guard
        case .automationExists = try fixture.refusal({ _ = try fixture.automation("backup") })
      else { throw BrokenRule(description: "it was created twice") }
      let same = try fixture.set(made.contract, .revision(1))
      try requireEqual(same.isChange, false, "no difference")
      var contract = made.contract
      contract.definition.overlap = .allow
      try requireEqual(try fixture.set(contract, .revision(1)).after.revision, 2, "revision")
      guard
        case .staleAutomation("backup", 1, 2) = try fixture.refusal({
          contract.definition.overlap = .skip
          _ = try fixture.set(contract, .revision(1))
        })
      else { throw BrokenRule(description: "a change over a newer one was not refused") }
      guard
        case .unknownAutomation("backip", _, ["backup"]) = try fixture.refusal({
          _ = try fixture.store.automation("backip", in: fixture.acme)
        })
      else { throw BrokenRule(description: "an unknown name was not refused with a near one") }
      try requireEqual(
        try fixture.store.owner(ofAutomation: made.id)?.workspace, fixture.acme, "owner")
    },
    ConformanceRule(
      "a tick writes the rows, enqueues the jobs and moves the cursor, all or nothing"
    ) {
      fixture in
      _ = try fixture.automation("backup") { $0.overlap = .allow }
      fixture.advance(by: .minutes(4))
      let plan = try fixture.plan("backup")
      guard
        case .decided(let records) = try fixture.store.tick(
          plan, by: fixture.alice, at: fixture.now)
      else { throw BrokenRule(description: "the tick was refused") }
      try requireEqual(records.map(\.decision), [.missed, .fired, .fired, .fired], "decisions")
      try requireEqual(records.map(\.isCatchUp), [false, true, false, false], "caught up")
      let automation = try fixture.store.automation("backup", in: fixture.acme)
      try requireEqual(automation.cursor, fixture.now, "cursor")
      try requireEqual(automation.lastJob, records.last?.job, "last job")
      let last = try requireValue(records.last)
      let job = try fixture.job(try requireValue(last.job))
      try requireEqual(job.request.occurrence?.name, "backup", "its automation")
      try requireEqual(job.request.occurrence?.at, last.occurrence.at, "its occurrence")
      let first = try requireValue(records[1].job)
      let caught = try fixture.job(first)
      try requireEqual(caught.request.occurrence?.isCatchUp, true, "told of the catch-up")
      // The same plan once more: somebody was faster.
      try requireEqual(
        try fixture.store.tick(plan, by: fixture.alice, at: fixture.now), .stale, "second tick")
      let claimed = try fixture.claim(1)
      try requireEqual(claimed.first?.job.request.occurrence?.name, "backup", "the claimed job")
      try fixture.requireSound()
    },
    ConformanceRule("twenty tickers at once decide every occurrence once") { fixture in
      _ = try fixture.automation("backup") {
        $0.overlap = .allow
        $0.missed = .all(1000)
      }
      fixture.advance(by: .hours(1))
      let plan = try fixture.plan("backup")
      let (open, now) = (fixture.openAgain, fixture.now)
      let fired = try ParallelRun.collect(Array(0..<20)) { _ in
        switch try open().tick(plan, by: StoreFixture.alice, at: now) {
        case .decided(let records): records.count
        case .stale: 0
        }
      }
      try requireEqual(fired.reduce(0, +), 60, "rows of all tickers")
      try requireEqual(try fixture.history("backup").count, 60, "rows")
      let jobs = try fixture.store.jobs(
        in: fixture.acme, matching: JobFilter(), before: nil, limit: 100)
      try requireEqual(jobs.count, 60, "jobs")
      try fixture.requireSound()
    },
    ConformanceRule("nothing fires after a pause has returned, and a resume starts at now") {
      fixture in
      _ = try fixture.automation("backup")
      fixture.advance(by: .minutes(1))
      let plan = try fixture.plan("backup")
      _ = try fixture.store.pauseAutomation(
        "backup", reason: nil, in: fixture.acme, by: fixture.alice, at: fixture.now)
      try requireEqual(
        try fixture.store.tick(plan, by: fixture.alice, at: fixture.now), .stale, "an older plan")
      fixture.advance(by: .minutes(2))
      try requireEqual(try fixture.tick("backup").map(\.decision), [.paused, .paused, .paused])
      _ = try fixture.resume("backup")
      fixture.advance(by: .minutes(1))
      try requireEqual(try fixture.tick("backup").map(\.decision), [.fired], "after the resume")
      guard case .automationNotPaused = try fixture.refusal({ _ = try fixture.resume("backup") })
      else { throw BrokenRule(description: "an active one was resumed") }
    },
    ConformanceRule("a resume with a catch-up fires the newest of the pause, or all") { fixture in
      for (catchUp, count) in [(CatchUp.one, 1), (.all, 4)] {
        let name = "job-\(catchUp)"
        _ = try fixture.automation(name) { $0.overlap = .allow }
        _ = try fixture.store.pauseAutomation(
          name, reason: nil, in: fixture.acme, by: fixture.alice, at: fixture.now)
        fixture.advance(by: .minutes(4))
        _ = try fixture.tick(name)
        let fired = try fixture.resume(name, catchUp: catchUp).fired
        try requireEqual(fired.count, count, "caught up")
        try requireEqual(
          try fixture.history(name).filter { $0.decision == .fired }.count, count, "fired rows")
        try requireEqual(
          fired.last?.occurrence.at, Timestamp(milliseconds: fixture.now.milliseconds),
          "the newest comes last")
      }
      try fixture.requireSound()
    },
    ConformanceRule(
      "a clock that was set back fires nothing twice, and what it never fired still does"
    ) {
      fixture in
      _ = try fixture.automation("backup") { $0.overlap = .allow }
      let start = fixture.now
      fixture.advance(by: .minutes(2))
      try requireEqual(try fixture.tick("backup").count, 2, "first")
      fixture.advance(by: .hours(5))
      _ = try fixture.tick("backup")
      // The clock was five hours ahead.
      fixture.now = start.advanced(by: .minutes(2))
      let due = try fixture.store.dueAutomations(in: [fixture.acme], at: fixture.now, limit: 10)
      try requireEqual(due.map(\.name), ["backup"], "a cursor in the future is due")
      try requireEqual(try fixture.tick("backup"), [], "nothing again")
      try requireEqual(
        try fixture.store.automation("backup", in: fixture.acme).cursor, fixture.now, "cursor")
      fixture.advance(by: .minutes(1))
      try requireEqual(try fixture.tick("backup").map(\.decision), [.fired], "the next minute")
      fixture.now = start.advanced(by: .hours(5)).advanced(by: .minutes(2))
      let again = try fixture.tick("backup")
      let fired = try fixture.history("backup").filter { $0.decision == .fired }
      try requireEqual(Set(fired.map(\.position)).count, fired.count, "each fired once")
      try require(again.allSatisfy { $0.decision != .fired || $0.job != nil }, "each with its job")
      try fixture.requireSound()
    },
    ConformanceRule(
      "an automation is paused by bad ends in a row, and a good one starts the count anew"
    ) {
      fixture in
      _ = try fixture.automation("backup") { $0.pauseAfter = 2 }
      for (outcome, state) in [
        (AttemptOutcome.failed, Automation.State.active), (.succeeded, .active),
        (.failed, .active), (.failed, .paused),
      ] {
        fixture.advance(by: .minutes(1))
        try requireEqual(try fixture.tick("backup").map(\.decision), [.fired], "fires")
        try fixture.settle(fixture.claimOne().reference, outcome)
        let automation = try fixture.store.automation("backup", in: fixture.acme)
        try requireEqual(automation.state, state, "state after \(outcome)")
        try requireEqual(automation.isPausedByFailures, state == .paused, "why")
      }
      _ = try fixture.resume("backup")
      fixture.advance(by: .minutes(1))
      _ = try fixture.tick("backup")
      try fixture.settle(fixture.claimOne().reference, .failed)
      try requireEqual(
        try fixture.store.automation("backup", in: fixture.acme).state, .active,
        "ends count anew after a resume")
    },
    ConformanceRule(
      "overlap: skip names the job, replace cancels it, and an uncertain one holds nothing"
    ) {
      fixture in
      _ = try fixture.automation("skips")
      fixture.advance(by: .minutes(1))
      let first = try requireValue(try fixture.tick("skips").first?.job)
      let attempt = try fixture.claimOne().reference
      fixture.advance(by: .minutes(1))
      try requireEqual(
        try fixture.tick("skips").map(\.reason), ["job \(first) is running"], "reason")
      guard
        case .held(let holder) = try fixture.trigger("skips"), holder.id == first
      else { throw BrokenRule(description: "a trigger was not held") }
      try fixture.settle(attempt, .unknown)
      fixture.advance(by: .minutes(1))
      try requireEqual(
        try fixture.tick("skips").map(\.decision), [.fired], "beside an uncertain one")

      _ = try fixture.automation("replaces") { $0.overlap = .replace }
      fixture.advance(by: .minutes(1))
      let old = try requireValue(try fixture.tick("replaces").first?.job)
      fixture.advance(by: .minutes(1))
      let new = try requireValue(try fixture.tick("replaces").first?.job)
      try requireEqual(try fixture.job(old).state, .cancelled, "the job before")
      try requireEqual(try fixture.job(new).state, .pending, "the new job")
      try fixture.requireSound()
    },
    ConformanceRule("a backfill runs each occurrence once, one at a time, and again when told to") {
      fixture in
      _ = try fixture.automation("backup")
      let due = try fixture.due("backup", minutesBack: 5)
      func backfill(_ redo: BackfillRedo, dryRun: Bool = false) throws -> [OccurrenceRecord] {
        try fixture.store.backfill(
          "backup", due, redo: redo, priority: -10, dryRun: dryRun, in: fixture.acme,
          by: fixture.alice, at: fixture.now)
      }
      try requireEqual(try backfill(.none, dryRun: true).count, 5, "dry run")
      try requireEqual(try fixture.history("backup").count, 0, "a dry run records nothing")
      let fired = try backfill(.none)
      try requireEqual(fired.count, 5, "jobs")
      try require(
        try fixture.history("backup").allSatisfy { $0.decidedAt == fixture.now }, "when decided")
      try requireEqual(try backfill(.none).count, 0, "a second time")
      let claimed = try fixture.claim(3)
      try requireEqual(claimed.map(\.job.id), [try requireValue(fired[0].job)], "oldest first")
      try requireEqual(claimed[0].job.request.priority, -10, "priority")
      try fixture.settle(claimed[0].reference, .failed)
      try requireEqual(try backfill(.failed).count, 1, "the failed one")
      try fixture.requireSound()
    },
    ConformanceRule("an archived workspace fires nothing") { fixture in
      _ = try fixture.automation("backup")
      try fixture.store.archiveWorkspace(fixture.acme, by: fixture.alice, at: fixture.now)
      fixture.advance(by: .minutes(1))
      try requireEqual(
        try fixture.store.dueAutomations(in: [fixture.acme], at: fixture.now, limit: 9), [], "due")
    },
    ConformanceRule("a removed automation fires nothing, its name is free and its number is not") {
      fixture in
      let first = try fixture.automation("backup")
      _ = try fixture.store.removeAutomation(
        "backup", in: fixture.acme, by: fixture.alice, at: fixture.now)
      fixture.advance(by: .minutes(1))
      try requireEqual(
        try fixture.store.dueAutomations(in: [fixture.acme], at: fixture.now, limit: 9), [], "due")
      try require(try fixture.automation("backup").id > first.id, "a number of its own")
    },
    ConformanceRule("retention removes occurrences that are old, and no others") { fixture in
      _ = try fixture.automation("backup")
      fixture.advance(by: .minutes(5))
      _ = try fixture.tick("backup")
      fixture.advance(by: .days(91))
      _ = try fixture.automation("later")
      fixture.advance(by: .minutes(1))
      _ = try fixture.tick("later")
      _ = try fixture.store.prune(
        in: nil, by: .standard(at: fixture.now), limit: 100, dryRun: false, actor: nil,
        at: fixture.now)
      try requireEqual(try fixture.history("backup").count, 0, "old ones")
      try requireEqual(try fixture.history("later").count, 1, "new ones")
    },
  ]
}

extension StoreFixture {
  /// Fires each minute, in UTC.
  fileprivate func automation(
    _ name: String, _ change: (inout AutomationDefinition) -> Void = { _ in }
  ) throws -> Automation {
    var definition = AutomationDefinition(
      schedule: .every(.minutes(1)), zone: "UTC", zoneOrigin: .flag)
    change(&definition)
    // Occurrences lie on whole minutes.
    now = Timestamp(milliseconds: now.milliseconds / 60_000 * 60_000)
    let contract = AutomationContract(definition: definition, job: Self.request(name))
    return try store.setAutomation(
      AutomationSetting(
        name: name, contract: contract, next: definition.next(after: now, in: .utc).first?.at),
      in: acme, expecting: .absent, by: alice, at: now
    ).after
  }

  fileprivate func set(
    _ contract: AutomationContract, _ expectation: AutomationExpectation
  ) throws -> AutomationChange {
    try store.setAutomation(
      AutomationSetting(
        name: "backup", contract: contract,
        next: contract.definition.next(after: now, in: .utc).first?.at),
      in: acme, expecting: expectation, by: alice, at: now)
  }

  fileprivate func plan(_ name: String) throws -> TickPlan {
    let automation = try store.automation(name, in: acme)
    let definition = automation.definition
    let due = definition.occurrences(after: automation.cursor, through: now, in: .utc).map {
      TickPlan.Due(occurrence: $0, local: "local", previous: nil)
    }
    return TickPlan(
      automation: automation, due: due, next: definition.next(after: now, in: .utc).first?.at)
  }

  fileprivate func tick(_ name: String) throws -> [OccurrenceRecord] {
    guard case .decided(let records) = try store.tick(plan(name), by: alice, at: now) else {
      throw BrokenRule(description: "the tick was refused")
    }
    return records
  }

  fileprivate func resume(
    _ name: String, catchUp: CatchUp = .none
  ) throws -> (automation: Automation, fired: [OccurrenceRecord]) {
    let definition = try store.automation(name, in: acme).definition
    return try store.resumeAutomation(
      name, next: definition.next(after: now, in: .utc).first?.at, catchUp: catchUp,
      local: { TickPlan.Due(occurrence: $0, local: "local", previous: nil) }, in: acme, by: alice,
      at: now)
  }

  fileprivate func trigger(_ name: String) throws -> TriggerResult {
    let second = now.milliseconds / 1000
    let occurrence = Occurrence(
      nominal: CivilTime(seconds: second), fold: 0, second: second, note: nil)
    return try store.trigger(
      name, as: TickPlan.Due(occurrence: occurrence, local: "local", previous: nil), in: acme,
      by: alice, at: now)
  }

  fileprivate func due(_ name: String, minutesBack: Int64) throws -> [TickPlan.Due] {
    let definition = try store.automation(name, in: acme).definition
    let start = Timestamp(
      milliseconds: now.milliseconds - Span.minutes(minutesBack).milliseconds)
    return definition.occurrences(after: start, through: now, in: .utc).map {
      TickPlan.Due(occurrence: $0, local: "local", previous: nil)
    }
  }

  fileprivate func history(_ name: String) throws -> [OccurrenceRecord] {
    try store.occurrences(
      of: store.automation(name, in: acme).id, in: acme, before: nil, limit: 1000)
  }
}
