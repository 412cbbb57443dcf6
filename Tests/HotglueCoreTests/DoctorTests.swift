import HotglueCore
import Testing

@Suite("What the doctor concludes")
struct DoctorTests {
  private func findings(
    _ owner: AttemptEvidence.Owner, leaseIsOver: Bool, _ supervisor: AttemptEvidence.Supervisor,
    isCopy: Bool = false
  ) -> [FindingCode] {
    AttemptEvidence(
      owner: owner, leaseIsOver: leaseIsOver, isOfCopiedStore: isCopy, supervisor: supervisor,
      record: .started
    ).findings
  }

  @Test("an attempt with a live owner is well, whatever its supervisor looks like at the moment")
  func owned() {
    for supervisor: AttemptEvidence.Supervisor in [.gone, .alive, .unseen] {
      #expect(findings(.alive, leaseIsOver: false, supervisor) == [])
    }
  }

  @Test(
    "an attempt without an owner is judged by its supervisor",
    arguments: [
      (AttemptEvidence.Supervisor.gone, FindingCode.attemptDead),
      (.alive, .attemptUnattended), (.replaced(by: 7), .attemptResolving),
      (.unseen, .attemptElsewhere),
    ])
  func unowned(_ supervisor: AttemptEvidence.Supervisor, _ code: FindingCode) {
    #expect(findings(.gone, leaseIsOver: false, supervisor) == [code])
    #expect(findings(.gone, leaseIsOver: true, supervisor) == [code])
    #expect(findings(.gone, leaseIsOver: true, supervisor, isCopy: true) == [.storeCopied])
  }

  @Test("a worker that lives and does not renew has let its lease run out")
  func leaseOver() {
    #expect(findings(.alive, leaseIsOver: true, .alive) == [.leaseOver])
    #expect(findings(.frozen, leaseIsOver: true, .alive) == [.workerFrozen, .leaseOver])
    #expect(findings(.alive, leaseIsOver: true, .gone) == [.attemptDead])
  }

  @Test("a stopped process is named, also within the lease")
  func frozen() {
    #expect(findings(.frozen, leaseIsOver: false, .alive) == [.workerFrozen])
    #expect(findings(.alive, leaseIsOver: false, .frozen) == [.supervisorFrozen])
    #expect(
      findings(.gone, leaseIsOver: false, .frozen) == [.supervisorFrozen, .attemptUnattended])
  }

  @Test("an attempt that waits for processes it cannot stop is named, also with a live owner")
  func held() {
    var evidence = AttemptEvidence(
      owner: .alive, leaseIsOver: false, supervisor: .alive, record: .started)
    evidence.leftovers = .holding([LeftoverProcess(pid: 7, name: "sleep")])
    #expect(evidence.findings == [.attemptHeld])
  }

  @Test("a step of a history is allowed exactly when the transition table has it")
  func allowedSteps() {
    for row in Lifecycle.rows {
      for state in JobState.allCases {
        #expect(
          Lifecycle.allows(
            from: row.from?.rawValue, event: row.event.rawValue, to: state.rawValue)
            == row.to.contains(state))
      }
    }
    #expect(!Lifecycle.allows(from: "succeeded", event: "claim", to: "running"))
    #expect(!Lifecycle.allows(from: nil, event: "claim", to: "running"))
    #expect(!Lifecycle.allows(from: "running", event: "nonsense", to: "pending"))
    // The answer of a check command is noted beside the outcome, and changes nothing itself.
    #expect(Lifecycle.allows(from: "running", event: "verify", to: "running"))
    #expect(!Lifecycle.allows(from: "running", event: "verify", to: "succeeded"))
    #expect(!Lifecycle.allows(from: "pending", event: "verify", to: "pending"))
  }

  @Test("a waiting job has used up less of each budget than its policy allows")
  func budgets() {
    var policy = JobPolicy()
    policy.maxAttempts = 3
    policy.maxLosses = 2
    policy.maxSnoozes = 1
    #expect(BudgetCount(failures: 2, losses: 2, snoozes: 1).excess(over: policy) == nil)
    #expect(BudgetCount(failures: 3, losses: 0, snoozes: 0).excess(over: policy) != nil)
    #expect(BudgetCount(failures: 0, losses: 3, snoozes: 0).excess(over: policy) != nil)
    #expect(BudgetCount(failures: 0, losses: 0, snoozes: 2).excess(over: policy) != nil)
  }

  @Test("every code says what it means, in words of its own")
  func meanings() {
    let meanings = FindingCode.allCases.map(\.meaning)
    #expect(Set(meanings).count == meanings.count)
    #expect(meanings.allSatisfy { !$0.isEmpty && !$0.hasSuffix(".") })
  }
}
