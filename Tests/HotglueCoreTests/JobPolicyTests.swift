import HotglueCore
import Testing

@Suite("Policies")
struct JobPolicyTests {
  @Test("the policy of a bare command has the documented values")
  func standard() {
    let text = JobPolicy.bareCommand.json(complete: true).text
    #expect(
      text == #"{"lease":"1m","timeout":null,"stop":"TERM,10s,KILL","max_attempts":1,"#
        + #""max_losses":3,"max_snoozes":1000,"backoff":"exponential:10s:1h","jitter":"equal","#
        + #""retry_for":null,"on_exit":null,"replay":"unsafe","verify":null,"log_cap":67108864,"#
        + #""keep_children":false}"#)
    #expect(JobPolicy.bareCommand.json(complete: false) == .object([]))
  }

  @Test("a policy reads what it writes, whole or as difference")
  func roundTrip() throws {
    var policy = JobPolicy()
    policy.lease = .minutes(5)
    policy.timeout = .seconds(30)
    policy.stop = try #require(StopSequence("INT,2s,KILL"))
    policy.maxAttempts = 5
    policy.maxLosses = 0
    policy.maxSnoozes = 7
    policy.backoff = try #require(Backoff("linear:1s:1m"))
    policy.jitter = .full
    policy.retryFor = .days(2)
    policy.onExit = try #require(ExitRules("3=failed,*=retry"))
    policy.replay = .keyed
    policy.verify = "test -e \"$F\""
    policy.logCap = 1024
    policy.keepChildren = true
    #expect(JobPolicy(json: policy.json(complete: false)) == policy)
    #expect(JobPolicy(json: policy.json(complete: true)) == policy)
    #expect(policy.json(complete: false).members?.count == 14)
    #expect(JobPolicy(json: .object([])) == .bareCommand)
  }

  @Test(
    "a value that is not of its key's form makes the policy unreadable",
    arguments: [
      #"{"lease":"5"}"#, #"{"timeout":5}"#, #"{"stop":"KILL,TERM"}"#, #"{"max_attempts":"5"}"#,
      #"{"max_attempts":1.5}"#, #"{"backoff":"none"}"#, #"{"jitter":"some"}"#,
      #"{"retry_for":""}"#, #"{"on_exit":"1=done"}"#, #"{"replay":"maybe"}"#, #"{"verify":7}"#,
      #"{"log_cap":"1k"}"#, #"{"keep_children":1}"#, #"{"colour":"red"}"#,
    ])
  func unreadable(text: String) throws {
    #expect(JobPolicy(json: try JSON.parse(text)) == nil)
  }
}
