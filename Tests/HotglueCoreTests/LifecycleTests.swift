import Testing

@testable import HotglueCore

@Suite("The transition table")
struct LifecycleTests {
  /// One event of every kind, with the details that lead to a decision.
  static func event(_ kind: JobEvent.Kind) -> JobEvent {
    switch kind {
    case .enqueue: .enqueue(waitsForOthers: false)
    case .dependenciesEnded: .dependenciesEnded
    case .dependencyFailed: .dependencyFailed(runAnyway: false)
    case .claim: .claim
    case .renew: .renew
    case .adopt: .adopt
    case .succeeded: .succeeded
    case .retry: .retry(after: nil)
    case .failed: .failed(.declared)
    case .snooze: .snooze(after: nil)
    case .neverStarted: .neverStarted
    case .unknown: .unknown(verification: nil)
    case .cancel: .cancel
    case .stoppedByCancel: .stoppedByCancel
    case .deadlinePassed: .deadlinePassed
    case .restored: .restored
    case .resolve: .resolve(as: .succeeded)
    case .retryAgain: .retryAgain
    }
  }

  static let states: [JobState?] = [nil] + JobState.allCases

  /// The allowed pairs, written down a second time so that the table cannot change by accident.
  static let allowed: [JobEvent.Kind: [JobState?]] = [
    .enqueue: [nil], .dependenciesEnded: [.blocked], .dependencyFailed: [.blocked],
    .claim: [.pending], .renew: [.running], .adopt: [.running], .succeeded: [.running],
    .retry: [.running], .failed: [.running], .snooze: [.running], .neverStarted: [.running],
    .unknown: [.running], .cancel: [.running, .pending, .blocked], .stoppedByCancel: [.running],
    .deadlinePassed: [.pending, .blocked], .restored: [.pending, .blocked],
    .resolve: [.uncertain],
    .retryAgain: [.failed, .cancelled],
  ]

  static let pairs = states.flatMap { state in JobEvent.Kind.allCases.map { (state, $0) } }

  @Test("a pair of state and event is decided when it is in the table, and refused otherwise")
  func everyPair() throws {
    #expect(Self.pairs.count == 8 * 18)
    for (state, kind) in Self.pairs {
      let facts = JobFacts(id: 1, state: state, attempt: 1)
      let isAllowed = Self.allowed[kind]?.contains(state) ?? false
      let decided = try? facts.after(Self.event(kind), at: Timestamp(milliseconds: 0))
      #expect((decided != nil) == isAllowed, "\(String(describing: state)) \(kind)")
      if let decided {
        #expect(decided.from == state)
        #expect(decided.event == kind)
        let row = try #require(
          Lifecycle.rows.first { $0.from == state && $0.event == kind })
        #expect(row.to.contains(decided.to))
      }
    }
  }

  @Test("a refusal carries state, event and the states that allow it")
  func refusal() {
    let facts = JobFacts(id: 1, state: .succeeded)
    #expect(
      throws: InvalidTransition(
        state: .succeeded, event: .retryAgain, allowedIn: [.failed, .cancelled])
    ) { try facts.after(.retryAgain, at: Timestamp(milliseconds: 0)) }
  }

  @Test("no pair of state and event stands in the table twice")
  func noTwins() {
    let keys = Lifecycle.rows.map { "\($0.from?.rawValue ?? "-") \($0.event.rawValue)" }
    #expect(Set(keys).count == keys.count)
    #expect(keys.count == 23)
  }

  @Test("every state can be reached, and every state that is not well ended can be left")
  func connected() {
    for state in JobState.allCases {
      #expect(Lifecycle.rows.contains { $0.to.contains(state) && $0.from != state })
      let leaves = Lifecycle.rows.contains { $0.from == state && $0.to != [state] }
      #expect(leaves == (state != .succeeded))
    }
  }

  @Test("the picture has an arrow for every target of every row")
  func picture() {
    let arrows = Lifecycle.rows.reduce(0) { $0 + $1.to.count }
    #expect(Lifecycle.dot.split(separator: "\n").filter { $0.contains("->") }.count == arrows)
    #expect(Lifecycle.dot.contains("new -> pending [label=\"enqueue\"]"))
    #expect(Lifecycle.dot.contains("running -> uncertain [label=\"unknown\"]"))
  }
}
