import HotglueCore
import Testing

@Suite("Exit rules")
struct ExitRulesTests {
  @Test("without rules of a policy, the built-in ones judge every status")
  func builtIn() {
    let failed: Set<Int32> = [64, 65, 66, 77, 78, 80, 81, 82, 126, 127]
    for status in 0...255 as ClosedRange<Int32> {
      let expected: AttemptOutcome =
        switch status {
        case 0: .succeeded
        case 83: .unknown
        case let other where failed.contains(other): .failed
        default: .retry
        }
      #expect(ExitRules.none.outcome(ofStatus: status).0 == expected, "status \(status)")
    }
    for number in 1...31 as ClosedRange<Int32> {
      #expect(ExitRules.none.outcome(ofSignal: Signal(number: number)).0 == .unknown)
    }
  }

  @Test("the first rule that fits counts, before the built-in ones")
  func order() throws {
    let rules = try #require(ExitRules("3=failed,1-5=snooze,SIGKILL=retry,*=unknown,0=failed"))
    #expect(rules.outcome(ofStatus: 3) == (.failed, "3=failed"))
    #expect(rules.outcome(ofStatus: 5) == (.snooze, "1-5=snooze"))
    #expect(rules.outcome(ofStatus: 75) == (.unknown, "*=unknown"))
    #expect(rules.outcome(ofStatus: 0) == (.failed, "0=failed"))
    #expect(rules.outcome(ofSignal: .kill) == (.retry, "SIGKILL=retry"))
    #expect(rules.outcome(ofSignal: .term) == (.unknown, "SIGTERM=unknown"))
  }

  @Test("the star covers neither status 0 nor a signal")
  func star() throws {
    let rules = try #require(ExitRules("*=failed"))
    #expect(rules.outcome(ofStatus: 0).0 == .succeeded)
    #expect(rules.outcome(ofStatus: 1).0 == .failed)
    #expect(rules.outcome(ofStatus: 75).0 == .failed)
    #expect(rules.outcome(ofSignal: .kill).0 == .unknown)
  }

  @Test(
    "a rule that those before it leave nothing to is known",
    arguments: [
      ("*=failed,75=retry", "75=retry"), ("1-9=retry,3=failed,*=failed", "3=failed"),
      ("3=retry,3=failed", "3=failed"), ("*=failed,1-255=retry", "1-255=retry"),
      ("SIGTERM=retry,SIGTERM=failed", "SIGTERM=failed"), ("*=retry,*=failed", "*=failed"),
      ("1-200=retry,201-255=failed,*=unknown", "*=unknown"), ("*=failed,0=retry", nil),
      ("*=failed,0-9=retry", nil), ("*=failed,SIGTERM=retry", nil),
      ("3=retry,1-5=failed,*=retry", nil), ("75=retry,*=failed", nil),
    ])
  func idle(text: String, idle: String?) throws {
    #expect(try #require(ExitRules(text)).idleRule?.text == idle)
  }

  @Test(
    "rules read what they write",
    arguments: ["1=failed", "3-9=retry,*=unknown", "SIGTERM=retry,0=succeeded,255=snooze"])
  func roundTrip(text: String) throws {
    let rules = try #require(ExitRules(text))
    #expect(rules.text == text)
    #expect(ExitRules(rules.text) == rules)
  }

  @Test(
    "what is no rule is refused",
    arguments: [
      "", ",", "1", "=retry", "1=", "1=done", "1=cancelled", "1=never_started", "256=retry",
      "-1=retry", "+1=retry", "5-1=retry", "1-2-3=retry", "1-=retry", "TERM=retry",
      "SIGNOPE=retry", "1=retry,", "1=retry=failed", "* =retry", "a=retry",
    ])
  func bad(text: String) { #expect(ExitRules(text) == nil) }
}
