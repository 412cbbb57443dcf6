/// What decides about an effect: pure rules, so that every store and command decides alike.
public struct EffectFacts: Hashable, Sendable {
  public var state: EffectState
  /// Counts the times that the intent was recorded: a confirmation names the one it means.
  public var intent: Int
  /// When the current intent was recorded.
  public var startedAt: Timestamp
  /// When the earliest of the earlier intents was recorded of which nobody knows what they came to.
  /// What a later one comes to says nothing about those.
  public var doubtSince: Timestamp?

  public init(state: EffectState, intent: Int, startedAt: Timestamp, doubtSince: Timestamp?) {
    self.state = state
    self.intent = intent
    self.startedAt = startedAt
    self.doubtSince = doubtSince
  }

  /// What is to be done by one who wants the effect to happen.
  public enum Beginning: Hashable, Sendable {
    /// It happened: give the recorded output, run nothing.
    case replay
    /// Record a new intent and carry it out; `doubtSince` is what stays in doubt from before.
    case carryOut(doubtSince: Timestamp?)
    /// Ask the check command first, and come again with its answer.
    case ask
    /// The check command says that it happened: record that.
    case confirm
    /// It may have happened, and nothing allows to try again.
    case refuse(Doubt)
  }

  /// Why an effect that may have happened is not tried again.
  public enum Doubt: Hashable, Sendable {
    case policy
    case undecidedCheck
    /// The first try is so long ago that the other side may have forgotten its key.
    case windowOver
  }

  /// Nobody may carry the effect out at this moment: its lock is held by the one who asks.
  public func begin(
    _ policy: UnknownPolicy, window: Span? = nil, answer: CheckAnswer? = nil, at now: Timestamp
  ) -> Beginning {
    switch state {
    case .confirmed: return .replay
    case .failed, .abandoned: return .carryOut(doubtSince: nil)
    case .intended, .unknown: break
    }
    let since = doubtSince ?? startedAt
    switch (policy, answer) {
    case (.refuse, _): return .refuse(.policy)
    case (.rerun, _):
      if let window, now.milliseconds - since.milliseconds > window.milliseconds {
        return .refuse(.windowOver)
      }
      return .carryOut(doubtSince: since)
    case (.check, nil): return .ask
    case (.check, .happened?): return .confirm
    case (.check, .didNotHappen?): return .carryOut(doubtSince: nil)
    case (.check, .undecided?): return .refuse(.undecidedCheck)
    }
  }

  /// The state after `end`; `nil` where the effect is not in a state to end so.
  ///
  /// A try that is known not to have happened leaves an effect unknown as long as an earlier one is
  /// in doubt.
  public func after(_ end: EffectEnd) -> EffectState? {
    switch end {
    case .confirmed: state.isOpen || state == .confirmed ? .confirmed : nil
    case .unknown: state.isOpen ? .unknown : nil
    case .notDone: state.isOpen ? (doubtSince == nil ? .failed : .unknown) : nil
    case .abandoned: state.isOpen || state == .abandoned ? .abandoned : nil
    }
  }
}
