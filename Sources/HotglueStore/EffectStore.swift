public import HotglueCore

public typealias EffectID = Int64

/// An effect as the store knows it at one moment.
public struct Effect: Hashable, Sendable {
  public var id: EffectID
  public var name: EffectName
  public var facts: EffectFacts
  /// The attempt that recorded the current intent; `nil` outside any job.
  public var job: JobID?
  public var fence: Fence?
  /// Recorded by `effect begin`: whoever carries it out holds no lock.
  public var isBegunByHandler: Bool
  public var finishedAt: Timestamp?
  public var exitStatus: Int?
  public var signal: Int?
  /// What was said when it was called off or confirmed by hand.
  public var reason: String?
  /// How many bytes the command wrote; `nil` until confirmed.
  public var outputBytes: Int64?
  public var keepsOutput: Bool
  /// The command of the current intent; `nil` where a handler carries the effect out itself.
  public var command: [String]?
  /// Whether the attempt that recorded the intent is the live one of its job; false without a job.
  public var attemptIsCurrent: Bool

  public init(
    id: EffectID, name: EffectName, facts: EffectFacts, job: JobID?, fence: Fence?,
    isBegunByHandler: Bool, finishedAt: Timestamp?, exitStatus: Int?, signal: Int?,
    reason: String?, outputBytes: Int64?, keepsOutput: Bool, attemptIsCurrent: Bool
  ) {
    self.id = id
    self.name = name
    self.facts = facts
    self.job = job
    self.fence = fence
    self.isBegunByHandler = isBegunByHandler
    self.finishedAt = finishedAt
    self.exitStatus = exitStatus
    self.signal = signal
    self.reason = reason
    self.outputBytes = outputBytes
    self.keepsOutput = keepsOutput
    self.attemptIsCurrent = attemptIsCurrent
  }
}

extension Effect {
  /// In what `command` differs from the one that carried the effect out, or may have; `nil` where it
  /// is the same, or where one of them is not known. An effect that has not happened binds nothing.
  public func difference(from command: [String]?) -> String? {
    guard facts.state.isOpen || facts.state == .confirmed, let known = self.command, let command,
      known.count != command.count
        || !zip(known, command).allSatisfy({ $0.utf8.elementsEqual($1.utf8) })
    else { return nil }
    return "command: \(JSON.strings(known).text) there, \(JSON.strings(command).text) here"
  }
}

/// Who wants an effect to happen, and on which conditions.
public struct EffectRequest: Hashable, Sendable {
  public var name: EffectName
  /// The attempt that asks: only the live one may begin. `nil` outside any job.
  public var attempt: AttemptReference?
  public var policy: UnknownPolicy
  public var window: Span?
  /// What the check command said, once it was asked.
  public var answer: CheckAnswer?
  public var isBegunByHandler: Bool
  /// The command that carries it out; `nil` where a handler does so itself.
  public var command: [String]?

  public init(
    name: EffectName, attempt: AttemptReference?, policy: UnknownPolicy = .refuse,
    window: Span? = nil, answer: CheckAnswer? = nil, isBegunByHandler: Bool = false,
    command: [String]? = nil
  ) {
    self.name = name
    self.attempt = attempt
    self.policy = policy
    self.window = window
    self.answer = answer
    self.isBegunByHandler = isBegunByHandler
    self.command = command
  }
}

/// What `beginEffect` came to.
public enum EffectBeginning: Hashable, Sendable {
  /// The intent is durable: carry it out now.
  case begun(Effect)
  /// It happened before, and nothing was changed.
  case confirmed(Effect)
  /// Ask the check command, and begin again with its answer. Nothing was changed.
  case ask(Effect)
  /// The check command said that it happened: record that. Nothing was changed.
  case toConfirm(Effect)
  /// It may have happened; nothing was changed but that it is known as unknown now.
  case unknown(Effect, EffectFacts.Doubt)
  /// The live attempt of another job has begun it and has not said what it came to.
  case carriedOut(Effect)
}

/// The recorded output of a confirmed effect.
public struct EffectOutput: Hashable, Sendable {
  /// All of it, or `nil` when it is not kept.
  public var bytes: [UInt8]?
  /// How many bytes there were.
  public var count: Int64

  /// Bytes of an output that are kept at the most.
  public static let limit = 1 << 20

  public init(bytes: [UInt8]?, count: Int64) {
    self.bytes = bytes
    self.count = count
  }

  public static let empty = EffectOutput(bytes: [], count: 0)
}

/// Who says what an effect came to.
public struct EffectReport: Hashable, Sendable {
  public var name: EffectName
  public var end: EffectEnd
  /// The intent that is meant; `nil`: whichever is open.
  public var intent: Int?
  /// The attempt that says so. A late one may confirm what it began itself, and no more.
  public var attempt: AttemptReference?
  /// Of a confirmation.
  public var output: EffectOutput
  public var reason: String?

  public init(
    name: EffectName, end: EffectEnd, intent: Int? = nil, attempt: AttemptReference? = nil,
    output: EffectOutput = .empty, reason: String? = nil
  ) {
    self.name = name
    self.end = end
    self.intent = intent
    self.attempt = attempt
    self.output = output
    self.reason = reason
  }
}

/// Effects: durable steps that are carried out to confirmation at most once.
///
/// Every method is one atomic step. The caller holds the effect's lock from before `beginEffect`
/// until after `endEffect`, so that nobody else carries the effect out meanwhile; an intent that is
/// found open under that lock is one whose outcome nobody knows.
public protocol EffectStore {
  func effect(_ name: EffectName) throws(StoreError) -> Effect?

  /// Effects of one job with those of the workspace that it began, or of the whole workspace with
  /// those of its jobs; newest first, with IDs below `before`. Empty `states` mean any.
  func effects(
    in workspace: WorkspaceID, of job: JobID?, states: Set<EffectState>, before: EffectID?,
    limit: Int
  ) throws(StoreError) -> [Effect]

  /// The recorded output; `nil` when there is none.
  func output(of effect: EffectID, in workspace: WorkspaceID) throws(StoreError) -> [UInt8]?

  /// Records the intent when the rules of `EffectFacts.begin` allow it. `stale` for an attempt that
  /// is not the live one: it can begin none. `effectOfOtherCommand` when the effect happened, or may
  /// have happened, by another command: one key names one thing that is done.
  func beginEffect(
    _ request: EffectRequest, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> EffectBeginning

  /// Records what became of the open intent. Saying the same twice is no error; a confirmation with
  /// another output than the recorded one is `effectConfirmedOtherwise`.
  /// `effectNotOpen` when there is none that the report can mean; `unknownEffect` without any.
  func endEffect(
    _ report: EffectReport, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> Effect
}
