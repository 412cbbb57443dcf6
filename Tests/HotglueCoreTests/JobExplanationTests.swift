import HotglueCore
import Testing

@Suite("Why a job is where it is")
struct JobExplanationTests {
  static let now = Timestamp(milliseconds: 1_770_000_000_000)

  private func job(
    _ state: JobState, _ change: (inout JobCircumstances) -> Void = { _ in }
  ) throws -> JobCircumstances {
    var policy = JobPolicy.jobType
    policy.jitter = .none
    var job = JobCircumstances(
      facts: JobFacts(id: 42, state: state, policy: policy),
      workspace: try #require(WorkspaceID("acme")), type: "mail", queue: "slow", runAt: Self.now)
    change(&job)
    return job
  }

  private func explain(
    _ state: JobState, _ change: (inout JobCircumstances) -> Void = { _ in }
  ) throws -> JobExplanation {
    JobExplanation(try job(state, change), at: Self.now)
  }

  /// What holds a pending job back, and the code and command that say so.
  static let reasons: [(@Sendable (inout JobCircumstances) -> Void, String, SuggestedCommand?)] = [
    ({ _ in }, "due", nil),
    ({ $0.runAt = now.advanced(by: .hours(1)) }, "scheduled", nil),
    (
      {
        $0.runAt = now.advanced(by: .hours(1))
        $0.facts.failures = 1
      }, "retrying", nil
    ),
    (
      {
        $0.runAt = now.advanced(by: .hours(1))
        $0.facts.snoozes = 1
        $0.attempts = [.init(number: 1, outcome: .snooze, reason: "result", endedAt: now)]
      }, "snoozing", nil
    ),
    (
      { $0.waitsForType = true }, "type_undefined",
      .hotglue(["type", "set", "mail"], form: "-- COMMAND…")
    ),
    (
      { $0.queueLimit = .init(name: "slow", limit: 1, running: [7]) }, "queue_limit",
      .hotglue(["queue", "limit", "slow"], form: "N")
    ),
    (
      { $0.queueLimit = .init(name: "it's", limit: 1, running: [7]) }, "queue_limit",
      .hotglue(["queue", "limit", "it's"], form: "N")
    ),
    (
      { $0.typeLimit = .init(name: "mail", limit: 2, running: [7, 8]) }, "type_limit",
      .hotglue(["type", "set", "mail"], form: "--limit N")
    ),
    (
      { $0.keyLimit = .init(name: "k", limit: 1, running: [7]) }, "limit_key",
      .hotglue(["job", "cancel", "7"])
    ),
    (
      {
        $0.keyLimit = .init(name: "k", limit: 1, running: [])
        $0.waitsForKey = true
      }, "limit_key", nil
    ),
    ({ $0.liveWorkers = 0 }, "no_worker", .hotglue(["job", "work", "-w", "acme"])),
    ({ $0.jobsAhead = 3 }, "behind_others", nil),
    ({ $0.workspaceIsArchived = true }, "workspace_archived", nil),
    // Limits with room hold nobody back.
    (
      {
        $0.typeLimit = .init(name: "mail", limit: 2, running: [7])
        $0.queueLimit = .init(name: "slow", limit: 2, running: [7])
        $0.keyLimit = .init(name: "k", limit: 2, running: [7])
        $0.liveWorkers = 1
      }, "due", nil
    ),
  ]

  @Test("a pending job says what holds it back, and what would change that", arguments: 0..<13)
  func pending(_ number: Int) throws {
    let (change, code, command) = Self.reasons[number]
    let why = try explain(.pending, change).why
    #expect(why.map(\.code) == [code])
    #expect(why.first?.command == command)
  }

  @Test("each thing that holds a job back is said, and who fills a limit")
  func several() throws {
    let explanation = try explain(.pending) {
      $0.waitsForType = true
      $0.queueLimit = .init(name: "slow", limit: 2, running: [7, 8])
      $0.keyLimit = .init(name: "k", limit: 1, running: [9])
      $0.liveWorkers = 0
    }
    #expect(
      explanation.why.map(\.code) == ["type_undefined", "queue_limit", "limit_key", "no_worker"])
    #expect(
      explanation.why[1].text
        == "waits for its queue: 2 jobs run (7, 8), the most there may be of queue 'slow'")
    #expect(
      explanation.next.first?.text == "the next free worker runs it once nothing holds it back"
    )
  }

  @Test("a pending job says when it is run, when it expires, and what a failure or a loss leads to")
  func next() throws {
    let deadline = Self.now.advanced(by: .hours(2))
    let explanation = try explain(.pending) {
      $0.runAt = Self.now.advanced(by: .minutes(10))
      $0.expiresAt = deadline
    }
    #expect(explanation.next.map(\.code) == ["run", "expire", "if_it_fails", "if_unknown"])
    #expect(explanation.next[0].at == Self.now.advanced(by: .minutes(10)))
    #expect(explanation.next[1].at == deadline)
    #expect(
      explanation.next[2].text
        == "if it fails: again after 10s, then 20s, then 40s, then 1m 20s, then failed")
    #expect(
      explanation.next[3].text
        == "if nobody knows how it ended: uncertain, until a person resolves it")
  }

  @Test("a running job is explained by the judgement on which doctor and reclaim act")
  func running() throws {
    func live(
      _ owner: AttemptEvidence.Owner?, _ supervisor: AttemptEvidence.Supervisor = .alive,
      _ record: AttemptEvidence.Record = .started
    ) throws -> JobExplanation {
      try explain(.running) {
        $0.facts.attempt = 1
        $0.facts.policy.timeout = .minutes(5)
        $0.live = .init(
          worker: "host:1", startedAt: Self.now, leaseExpiresAt: Self.now.advanced(by: .minutes(1)),
          evidence: owner.map {
            AttemptEvidence(owner: $0, leaseIsOver: false, supervisor: supervisor, record: record)
          })
      }
    }
    #expect(try live(.alive).why.map(\.code) == ["running"])
    #expect(try live(nil).why.first?.text.contains("its lease holds until") == true)
    #expect(try live(.gone).why.map(\.code) == ["orphaned"])
    #expect(
      try live(.gone).why.first?.command == .hotglue(["job", "reclaim", "-w", "acme", "42"]))
    #expect(try live(.frozen).why.map(\.code) == ["running", "worker_frozen"])
    for record in [AttemptEvidence.Record.started, .outcome, .lost] {
      let over = try live(.gone, .gone, record)
      #expect(over.why.map(\.code) == ["attempt_dead"])
      #expect(over.why.first?.text.contains("is over and not recorded") == true)
    }
    #expect(try live(.alive).next.first?.at == Self.now.advanced(by: .minutes(5)))
    let stopping = try explain(.running) {
      $0.facts.attempt = 1
      $0.facts.cancelRequested = true
    }
    #expect(stopping.why.first?.text == "attempt 1 is being stopped: TERM,10s,KILL")
    #expect(stopping.next.map(\.code) == ["cancelled"])
  }

  @Test(
    "a job that has ended says why, and what a person can do",
    arguments: [
      (JobState.succeeded, nil as String?, "it has succeeded", nil as SuggestedCommand?),
      (.failed, nil, "it has failed for good: boom (exit)", .hotglue(["job", "retry", "42"])),
      (
        .failed, "max_attempts", "it failed 5 times, the most of 5: ",
        .hotglue(["job", "retry", "42"])
      ),
      (
        .failed, "max_losses", "it was lost 1 time, more than 3: ",
        .hotglue(["job", "retry", "42"])
      ),
      (.cancelled, "expired", "its deadline passed", .hotglue(["job", "retry", "42"])),
      (
        .uncertain, nil, "the outcome of its last attempt is unknown (boom (exit))",
        .hotglue(["job", "resolve", "42"], form: "--as succeeded|failed|retry --reason TEXT")
      ),
      (
        .uncertain, "restored", "it was pending in a backup that was restored",
        .hotglue(["job", "resolve", "42"], form: "--as succeeded|failed|retry --reason TEXT")
      ),
    ])
  func ended(_ state: JobState, _ reason: String?, _ text: String, _ command: SuggestedCommand?)
    throws
  {
    let explanation = try explain(state) {
      $0.reason = reason
      $0.failure = "boom (exit)"
      $0.facts.failures = 5
      $0.facts.losses = 1
    }
    let first = try #require(explanation.why.first)
    #expect(first.text.hasPrefix(text), "\(first.text)")
    #expect(explanation.next.first?.command == command)
  }

  @Test("each attempt that was not the last says why the job was run again")
  func retried() throws {
    func attempt(
      _ number: Int, _ outcome: AttemptOutcome, status: Int? = nil
    ) -> JobCircumstances.PastAttempt {
      .init(number: number, outcome: outcome, reason: "exit", endedAt: Self.now, exitStatus: status)
    }
    let past = [attempt(1, .retry, status: 75), attempt(2, .snooze), attempt(3, .unknown)]
    let pending = try explain(.pending) {
      $0.attempts = past
      $0.facts.policy.replay = .safe
    }
    #expect(
      pending.retried.map(\.text) == [
        "attempt 1 failed (exit, status 75), and a failure may be tried again",
        "attempt 2 put itself off (exit), which counts as no failure",
        "attempt 3 ended unknown (exit), and it is safe to run twice",
      ])
    // The last attempt of a job that has ended was not followed by another.
    #expect(try explain(.failed) { $0.attempts = past }.retried.count == 2)
  }

  @Test(
    "an attempt is one of as many as there can be, fresh budgets counted",
    arguments: [
      (JobState.pending, 0, 0, 1, 1), (.pending, 1, 0, 1, 2), (.pending, 1, 1, 5, 5),
      (.running, 1, 0, 1, 1), (.running, 2, 0, 1, 2), (.running, 2, 1, 5, 5),
      (.succeeded, 2, 0, 1, 2), (.failed, 5, 5, 5, 5), (.failed, 1, 0, 5, 5),
    ])
  func mostAttempts(
    _ state: JobState, _ attempt: Int, _ failures: Int, _ maxAttempts: Int, _ most: Int
  ) {
    var policy = JobPolicy()
    policy.maxAttempts = maxAttempts
    let facts = JobFacts(
      id: 1, state: state, attempt: attempt, failures: failures, policy: policy)
    #expect(facts.mostAttempts == most)
  }
}
