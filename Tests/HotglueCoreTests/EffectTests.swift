import HotglueCore
import TestSupport
import Testing

@Suite("Effects")
struct EffectTests {
  private static let start = Timestamp(milliseconds: 1_770_000_000_000)
  private static let hour = Span.hours(1)

  private func facts(_ state: EffectState, doubtSince: Timestamp? = nil) -> EffectFacts {
    EffectFacts(state: state, intent: 1, startedAt: Self.start, doubtSince: doubtSince)
  }

  private func begin(
    _ facts: EffectFacts, _ policy: UnknownPolicy, window: Span? = nil,
    answer: CheckAnswer? = nil, after time: Span = .seconds(1)
  ) -> EffectFacts.Beginning {
    facts.begin(policy, window: window, answer: answer, at: Self.start.advanced(by: time))
  }

  @Test("what happened is never carried out again, whatever the policy says")
  func confirmed() {
    for policy in [UnknownPolicy.refuse, .rerun, .check("exit 1")] {
      #expect(begin(facts(.confirmed), policy) == .replay)
    }
  }

  @Test("what may have happened is refused, carried out again or asked about, as the policy says")
  func unknown() {
    for state in [EffectState.intended, .unknown] {
      let open = facts(state)
      #expect(begin(open, .refuse) == .refuse(.policy))
      #expect(begin(open, .rerun) == .carryOut(doubtSince: Self.start))
      #expect(begin(open, .check("c")) == .ask)
      #expect(begin(open, .check("c"), answer: .happened) == .confirm)
      #expect(begin(open, .check("c"), answer: .didNotHappen) == .carryOut(doubtSince: nil))
      #expect(begin(open, .check("c"), answer: .undecided) == .refuse(.undecidedCheck))
    }
  }

  @Test("what has not happened is carried out again without a doubt")
  func notDone() {
    for state in [EffectState.failed, .abandoned] {
      #expect(begin(facts(state), .refuse) == .carryOut(doubtSince: nil))
    }
  }

  @Test("past the remote window a key means nothing: only a check allows to try again")
  func window() {
    let open = facts(.unknown)
    #expect(
      begin(open, .rerun, window: Self.hour, after: Self.hour) == .carryOut(doubtSince: Self.start))
    let late = Span(milliseconds: Self.hour.milliseconds + 1)
    #expect(begin(open, .rerun, window: Self.hour, after: late) == .refuse(.windowOver))
    #expect(
      begin(open, .check("c"), window: Self.hour, answer: .didNotHappen, after: late)
        == .carryOut(doubtSince: nil))
  }

  @Test("the window is counted from the first try in doubt, not from the last")
  func windowFromFirst() {
    let first = Timestamp(milliseconds: Self.start.milliseconds - Self.hour.milliseconds)
    #expect(
      begin(facts(.unknown, doubtSince: first), .rerun, window: Self.hour) == .refuse(.windowOver))
  }

  @Test("a try that has not happened leaves an effect unknown while an earlier one is in doubt")
  func earlierDoubt() {
    #expect(facts(.intended).after(.notDone(status: 7)) == .failed)
    #expect(facts(.intended, doubtSince: Self.start).after(.notDone(status: 7)) == .unknown)
  }

  @Test("a confirmation is accepted while the intent is open, and twice is no error")
  func confirmations() {
    let confirmed = EffectEnd.confirmed(status: 0)
    #expect(facts(.intended).after(confirmed) == .confirmed)
    #expect(facts(.unknown).after(confirmed) == .confirmed)
    #expect(facts(.confirmed).after(confirmed) == .confirmed)
    #expect(facts(.failed).after(confirmed) == nil)
    #expect(facts(.abandoned).after(confirmed) == nil)
    #expect(facts(.confirmed).after(.abandoned) == nil)
    #expect(facts(.confirmed).after(.unknown(status: 1, signal: nil)) == nil)
  }

  @Test("statuses are numbers and ranges from 1 to 255; 0 always means that it happened")
  func statuses() throws {
    let statuses = try #require(NotDoneStatuses("6,7,40-42"))
    #expect([6, 7, 40, 41, 42].allSatisfy(statuses.contains))
    #expect(![0, 5, 8, 39, 43].contains(where: statuses.contains))
    for wrong in ["", "0", "0-3", "256", "7-6", "a", "1,", "-1", "1-2-3", "+1", "1.5"] {
      #expect(NotDoneStatuses(wrong) == nil, "\(wrong)")
    }
  }

  @Test("a key has 1 to 1024 bytes, and names another effect in another scope")
  func names() throws {
    let acme = try #require(WorkspaceID("acme"))
    func name(_ key: String, _ scope: EffectName.Scope = .workspace) -> EffectName? {
      EffectName(workspace: acme, scope: scope, key: key)
    }
    #expect(name("") == nil)
    #expect(name("a\0b") == nil)
    #expect(name(String(repeating: "ä", count: 512)) != nil)
    #expect(name(String(repeating: "ä", count: 512) + "a") == nil)
    let names = try ["a", "b"].flatMap { key in
      try [.workspace, .job(1), .job(2)].map { try #require(name(key, $0)) }
    }
    #expect(Set(names.map(\.lockName)).count == 6)
    #expect(names.allSatisfy { $0.lockName.utf8.count == 32 })
  }

  @Test("policies read as they are written")
  func policies() {
    #expect(UnknownPolicy("refuse") == .refuse)
    #expect(UnknownPolicy("rerun") == .rerun)
    #expect(UnknownPolicy("check=grep -q x y") == .check("grep -q x y"))
    for wrong in ["", "Refuse", "check", "check="] {
      #expect(UnknownPolicy(wrong) == nil, "\(wrong)")
    }
  }
}
