import Glibc
public import HotglueCore
public import HotglueProcess
public import HotglueStore

/// Carries effects out: intent, command, confirmation, each durable before the next.
///
/// The key's lock is taken before anything is decided and kept until the end is recorded. What a
/// death leaves behind:
///
///     before the intent          nothing
///     intent .. confirmation     an open intent, which is unknown as soon as the lock is free: the
///                                command dies with this process, and the key is free when the
///                                command and all that it started have gone: those that inherited
///                                the lock, and those that carry the effect's mark
///     after the confirmation     a confirmed effect, whose output can be had again
public struct EffectRunner {
  private let store: any Store
  private let actor: Actor
  private let environment: [String]
  private let now: () -> Timestamp
  /// Told once, when somebody else keeps the key.
  public var waits: (EffectKeeper?) -> Void = { _ in }

  /// How long the recording of an end waits for its turn in the store: longer than anything else,
  /// since what is not recorded is not known.
  private static let recordingBound = Span.minutes(5)
  /// The status of an effect that the system's refusal to write kept from being tried.
  private static let inputOutput = 74

  /// `environment` is that of the commands, `NAME=VALUE` each.
  public init(
    store: any Store, actor: Actor, environment: [String], now: @escaping () -> Timestamp
  ) {
    self.store = store
    self.actor = actor
    self.environment = environment
    self.now = now
  }

  public enum Result {
    /// It happened, now or as the check command says.
    case confirmed(Effect)
    /// While the command ran somebody else said that it happened, and that stays, whatever the
    /// command came to.
    case confirmedMeanwhile(Effect)
    /// It happened before; this is what was recorded. Nothing was run.
    case replayed(Effect, output: [UInt8])
    /// It happened before, and its output was too large to be kept. Nothing was run.
    case outputNotKept(Effect)
    /// It has not happened: the command said so.
    case notDone(Effect, status: Int)
    /// It has not happened: the command could not be executed.
    case notExecuted(Effect, errno: Int32)
    /// It has not happened: what its command would be found by could not be written.
    case notMarked(Effect, ProcessError)
    /// It has not happened: a signal came before the command was started.
    case interrupted(Effect, signal: Int32)
    /// The command ended in a way that leaves it unknown.
    case endedUnknown(Effect)
    /// It may have happened before, and nothing allows to try again. Nothing was run.
    case doubtful(Effect, EffectFacts.Doubt)
    /// The command ended, and that could not be recorded: unknown.
    case notRecorded(RunnerError)
    /// Somebody else carries it out. Nothing was run.
    case carriedOutElsewhere(Effect?, EffectKeeper?)
    /// The command of this very effect asks for it. Nothing was run.
    case carriedOutAbove
  }

  /// What to run, and how its end is read.
  public struct Order {
    public var command: [String]
    public var notDone: NotDoneStatuses
    /// How long to wait for one who carries the effect out; `nil`: as long as it takes.
    public var patience: Span?
    /// Whether the output is recorded and replayed.
    public var keepsOutput: Bool

    public init(
      command: [String], notDone: NotDoneStatuses = .none, patience: Span? = nil,
      keepsOutput: Bool = true
    ) {
      self.command = command
      self.notDone = notDone
      self.patience = patience
      self.keepsOutput = keepsOutput
    }
  }

  /// Carries the effect out, unless it happened. `write` gets what the command, or the check command
  /// that says that it happened, writes to its standard output.
  public func run(
    _ request: EffectRequest, _ order: Order, write: @escaping ([UInt8]) -> Void
  ) throws(RunnerError) -> Result {
    // What happened needs no lock to be told again.
    let known = try storeStep { () throws(StoreError) in try store.effect(request.name) }
    if let known, known.facts.state == .confirmed {
      if let difference = known.difference(from: request.command) {
        throw .store(
          .effectOfOtherCommand(known.name, state: .confirmed, difference: difference))
      }
      return try replay(known, order)
    }
    // Without it nobody could say later who carries the effect out.
    _ = try processStep { () throws(ProcessError) in try ProcessIdentity.current() }
    switch try acquireLock(request.name, order.patience, mayRun: known != nil) {
    case .held(let keeper):
      let known = try storeStep { () throws(StoreError) in try store.effect(request.name) }
      return .carriedOutElsewhere(known, keeper)
    case .heldByAncestor: return .carriedOutAbove
    case .acquired(let lock): return try run(request, order, under: lock, write: write)
    }
  }

  private func acquireLock(
    _ name: EffectName, _ patience: Span?, mayRun: Bool
  ) throws(RunnerError) -> EffectLock.Attempted {
    try processStep { () throws(ProcessError) in
      let shared = store.group != nil
      let first = try EffectLock.tryAcquire(
        storeFolder: store.folder, name: name.lockName, shared: shared, mayRun: mayRun)
      guard case .held(let keeper) = first else { return first }
      waits(keeper)
      return try EffectLock.acquire(
        storeFolder: store.folder, name: name.lockName, shared: shared, mayRun: mayRun,
        until: patience.map { BootClock.now() + $0.milliseconds })
    }
  }

  private func run(
    _ request: EffectRequest, _ order: Order, under lock: EffectLock,
    write: @escaping ([UInt8]) -> Void
  ) throws(RunnerError) -> Result {
    // From here on a signal to leave waits until the end is recorded.
    let signals = try processStep { () throws(ProcessError) in try LeavingSignals() }
    var request = request
    var checked = Checked(answer: .undecided, output: .empty)
    while true {
      let beginning = try storeStep { () throws(StoreError) in
        try store.beginEffect(request, by: actor, at: now())
      }
      switch beginning {
      case .confirmed(let effect): return try replay(effect, order)
      case .unknown(let effect, let doubt): return .doubtful(effect, doubt)
      case .carriedOut(let effect): return .carriedOutElsewhere(effect, nil)
      case .begun(let effect):
        return try carryOut(effect, order, lock, signals, attempt: request.attempt, write: write)
      case .ask:
        checked = try ask(request.policy, signals, keepsAll: order.keepsOutput)
        request.answer = checked.answer
      case .toConfirm(let effect):
        let output = order.keepsOutput ? checked.output : EffectOutput.empty
        let confirmed = try end(
          effect, .confirmed(status: nil), output: output, attempt: request.attempt,
          reason: "the check command says that it happened")
        lock.removeFile()
        if let bytes = output.bytes {
          write(bytes)
        } else {
          try processStep { () throws(ProcessError) in try checked.whole?.read(write) }
        }
        return .confirmed(confirmed)
      }
    }
  }

  private func carryOut(
    _ effect: Effect, _ order: Order, _ lock: EffectLock, _ signals: LeavingSignals,
    attempt: AttemptReference?, write: @escaping ([UInt8]) -> Void
  ) throws(RunnerError) -> Result {
    if let signal = signals.take().first {
      let ended = try end(effect, .notDone(status: 128 + Int(signal)), attempt: attempt)
      return .interrupted(ended, signal: signal)
    }
    let start = try processStep { () throws(ProcessError) in
      try StepProcess.start(
        order.command, environment: environment, lock: lock, title: effect.name.words)
    }
    let process: StepProcess
    switch start {
    case .started(let started): process = started
    case .notExecuted(let number):
      let status = number == ENOENT ? 127 : 126
      let ended = try end(effect, .notDone(status: status), attempt: attempt)
      return .notExecuted(ended, errno: number)
    case .notMarked(let error):
      let ended = try end(effect, .notDone(status: Self.inputOutput), attempt: attempt)
      return .notMarked(ended, error)
    }
    do throws(RunnerError) {
      var captured = CapturedOutput()
      let how = try processStep { () throws(ProcessError) in
        try process.wait(passing: signals) { bytes in
          if order.keepsOutput { captured.append(bytes) }
          write(bytes)
        }
      }
      return try record(
        how, of: effect, order, captured.output, lock, attempt: attempt)
    } catch {
      return confirmedMeanwhile(effect, error) ?? .notRecorded(error)
    }
  }

  private func record(
    _ how: StepProcess.End, of effect: Effect, _ order: Order, _ output: EffectOutput,
    _ lock: EffectLock, attempt: AttemptReference?
  ) throws(RunnerError) -> Result {
    switch how {
    case .exited(0):
      let ended = try end(effect, .confirmed(status: 0), output: output, attempt: attempt)
      lock.removeFile()
      return .confirmed(ended)
    case .exited(let status) where order.notDone.contains(Int(status)):
      let ended = try end(effect, .notDone(status: Int(status)), attempt: attempt)
      return .notDone(ended, status: Int(status))
    case .exited(let status):
      return .endedUnknown(
        try end(effect, .unknown(status: Int(status), signal: nil), attempt: attempt))
    case .killed(let signal):
      return .endedUnknown(
        try end(effect, .unknown(status: nil, signal: Int(signal)), attempt: attempt))
    case .overdue:
      return .endedUnknown(try end(effect, .unknown(status: nil, signal: nil), attempt: attempt))
    }
  }

  /// A confirmation is taken from whoever knows, also while the command runs: then its own end cannot
  /// be recorded any more, or not with its own output.
  private func confirmedMeanwhile(_ effect: Effect, _ error: RunnerError) -> Result? {
    guard case .store(let refusal) = error else { return nil }
    switch refusal {
    case .effectConfirmedOtherwise, .effectNotOpen(_, state: .confirmed, _): break
    default: return nil
    }
    do throws(StoreError) {
      guard let now = try store.effect(effect.name), now.facts.state == .confirmed else {
        return nil
      }
      return .confirmedMeanwhile(now)
    } catch {
      return nil
    }
  }

  private func end(
    _ effect: Effect, _ end: EffectEnd, output: EffectOutput = .empty,
    attempt: AttemptReference?, reason: String? = nil
  ) throws(RunnerError) -> Effect {
    let bound = store.writeBound
    store.writeBound = Self.recordingBound
    defer { store.writeBound = bound }
    return try storeStep { () throws(StoreError) in
      try store.endEffect(
        EffectReport(
          name: effect.name, end: end, intent: effect.facts.intent, attempt: attempt,
          output: output, reason: reason), by: actor, at: now())
    }
  }

  private func replay(_ effect: Effect, _ order: Order) throws(RunnerError) -> Result {
    guard order.keepsOutput else { return .replayed(effect, output: []) }
    guard effect.keepsOutput else { return .outputNotKept(effect) }
    let output = try storeStep { () throws(StoreError) in
      try store.output(of: effect.id, in: effect.name.workspace)
    }
    return .replayed(effect, output: output ?? [])
  }

  /// What the check command said, and what it wrote.
  public struct Checked {
    public var answer: CheckAnswer
    public var output: EffectOutput
    /// All of an output that is too large to be kept.
    var whole: SpoolFile?
  }

  /// Asks the check command. One that hangs is killed after `StepProcess.checkBoundMs` and has decided
  /// nothing; so has one that a signal to leave stopped. Only when it has ended it is known whether what
  /// it wrote is the effect's output: `keepsAll` has an output of any size wait in a file for that.
  public func ask(
    _ policy: UnknownPolicy, _ signals: LeavingSignals? = nil, keepsAll: Bool = false
  ) throws(RunnerError) -> Checked {
    let undecided = Checked(answer: .undecided, output: .empty)
    guard case .check(let command) = policy else { return undecided }
    return try processStep { () throws(ProcessError) in
      let start = try StepProcess.start(
        ["/bin/sh", "-c", command], .check, environment: environment, lock: nil)
      guard case .started(let process) = start else { return undecided }
      var captured = CapturedOutput(
        spooling: keepsAll ? EffectLock.folder(storeFolder: store.folder) : nil)
      let end = try process.wait(boundMs: StepProcess.checkBoundMs, passing: signals) {
        captured.append($0)
      }
      let answer: CheckAnswer =
        switch end {
        case .exited(0): .happened
        case .exited(1): .didNotHappen
        case .exited, .killed, .overdue: .undecided
        }
      if answer == .happened, let failure = captured.failure { throw failure }
      return Checked(answer: answer, output: captured.output, whole: captured.whole)
    }
  }
}
