import HotglueCore
import Testing

@Suite("The one judgement of an attempt")
struct AttemptJudgementTests {
  typealias Evidence = AttemptEvidence

  private func evidence(
    _ supervisor: Evidence.Supervisor = .gone, _ record: Evidence.Record = .started
  ) -> Evidence {
    Evidence(owner: .gone, leaseIsOver: false, supervisor: supervisor, record: record)
  }

  private static let records: [Evidence.Record] = [
    .outcome, .started, .notStarted, .notGiven, .lost,
  ]

  @Test("an owner within its lease finds out everything itself")
  func owned() {
    for owner: Evidence.Owner in [.alive, .frozen] {
      for record in Self.records {
        var found = evidence(.gone, record)
        found.owner = owner
        #expect(found.judgement == .owned)
      }
    }
  }

  @Test("a live supervisor comes before any file", arguments: records)
  func livingFirst(_ record: Evidence.Record) {
    #expect(evidence(.answers, record).judgement == .orphaned)
    #expect(evidence(.alive, record).judgement == .orphaned)
    #expect(evidence(.silent, record).judgement == .silent)
    #expect(evidence(.frozen, record).judgement == .silent)
    #expect(evidence(.unseen, record).judgement == .elsewhere)
  }

  @Test("missing evidence proves nothing: the attempt is lost, never stuck and never 'not started'")
  func missing() {
    #expect(evidence(.gone, .lost).judgement == .over(.lost(.stop)))
    var earlier = evidence(.gone, .lost)
    earlier.isOfThisBoot = false
    #expect(earlier.judgement == .over(.lost(.leave)))
  }

  @Test("only a whole record of this boot proves that a handler never started")
  func neverStarted() {
    for record: Evidence.Record in [.notStarted, .notGiven] {
      #expect(evidence(.gone, record).judgement == .over(.neverStarted))
      var earlier = evidence(.gone, record)
      earlier.isOfThisBoot = false
      #expect(earlier.judgement == .over(.lost(.leave)))
      var copied = evidence(.gone, record)
      copied.isOfCopiedStore = true
      #expect(copied.judgement == .over(.lost(.leave)))
    }
  }

  @Test("a whole outcome counts, of whatever boot")
  func outcome() {
    var found = evidence(.gone, .outcome)
    #expect(found.judgement == .over(.recorded))
    found.isOfThisBoot = false
    #expect(found.judgement == .over(.recorded))
  }

  @Test("an earlier boot is asked before anything of this one", arguments: records)
  func earlierBoot(_ record: Evidence.Record) {
    for supervisor: Evidence.Supervisor in [.alive, .frozen, .unseen] {
      var found = evidence(supervisor, record)
      found.isOfThisBoot = false
      guard case .over = found.judgement else {
        Issue.record("an attempt of an earlier boot is over at once: \(found)")
        continue
      }
    }
  }

  @Test("nothing is over while a process of the attempt is known to live", arguments: records)
  func held(_ record: Evidence.Record) {
    let left = [LeftoverProcess(pid: 7, name: "sleep")]
    for supervisor: Evidence.Supervisor in [.gone, .answers] {
      var found = evidence(supervisor, record)
      found.leftovers = .holding(left)
      #expect(found.judgement == .held(left))
    }
  }

  @Test("what cannot be seen is not said to be gone")
  func unseen() {
    var found = evidence(.gone, .started)
    found.leftovers = .unseen
    #expect(found.judgement == .over(.lost(.unseen)))
  }

  @Test("children that are kept are not stopped")
  func kept() {
    var found = evidence(.gone, .started)
    found.keepsChildren = true
    #expect(found.judgement == .over(.lost(.leave)))
  }
}
