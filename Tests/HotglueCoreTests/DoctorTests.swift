import HotglueCore
import Testing

@Suite("What the doctor concludes")
struct DoctorTests {
  @Test("a minded attempt is well, whatever its slot looks like at the moment")
  func minded() {
    for slot: AttemptSigns.Slot in [.missing, .free, .held, .heldElsewhere] {
      #expect(AttemptSigns(worker: .alive, leaseIsOver: false, slot: slot).codes == [])
    }
  }

  @Test(
    "an attempt without a worker is judged by its slot",
    arguments: [
      (AttemptSigns.Slot.missing, FindingCode.attemptDead), (.free, .attemptDead),
      (.held, .attemptUnattended), (.heldByRescuer, .attemptResolving),
      (.heldElsewhere, .attemptElsewhere), (.copied, .storeCopied),
    ])
  func unminded(_ slot: AttemptSigns.Slot, _ code: FindingCode) {
    #expect(AttemptSigns(worker: .gone, leaseIsOver: false, slot: slot).codes == [code])
    #expect(AttemptSigns(worker: .gone, leaseIsOver: true, slot: slot).codes == [code])
  }

  @Test("a worker that lives and does not renew has let its lease run out")
  func leaseOver() {
    #expect(AttemptSigns(worker: .alive, leaseIsOver: true, slot: .held).codes == [.leaseOver])
    #expect(
      AttemptSigns(worker: .frozen, leaseIsOver: true, slot: .held).codes
        == [.workerFrozen, .leaseOver])
    #expect(AttemptSigns(worker: .alive, leaseIsOver: true, slot: .free).codes == [.attemptDead])
  }

  @Test("who is stopped is named, also within the lease")
  func frozen() {
    #expect(
      AttemptSigns(worker: .frozen, leaseIsOver: false, slot: .held).codes == [.workerFrozen])
    #expect(
      AttemptSigns(worker: .alive, leaseIsOver: false, slot: .heldByFrozen).codes
        == [.supervisorFrozen])
    #expect(
      AttemptSigns(worker: .gone, leaseIsOver: false, slot: .heldByFrozen).codes
        == [.supervisorFrozen, .attemptUnattended])
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
