public import HotglueCore
public import HotglueStore

/// A fresh store with the workspaces `acme` and `beta`, and the short forms that rules are written in.
///
/// The clocks stand still until a rule moves them.
public final class StoreFixture {
  public let store: any Store
  /// Opens the same store once more, as another process would.
  public let openAgain: @Sendable () throws -> any Store
  public let acme: WorkspaceID
  public let beta: WorkspaceID
  public var now = Timestamp(milliseconds: 1_770_000_000_000)
  public var boot = BootTime(bootID: "boot-1", milliseconds: 1_000_000)
  private var workers = 0

  public init(
    store: any Store, openAgain: @escaping @Sendable () throws -> any Store
  ) throws {
    self.store = store
    self.openAgain = openAgain
    acme = try requireValue(WorkspaceID("acme"))
    beta = try requireValue(WorkspaceID("beta"))
    _ = try store.createWorkspace(acme, name: "Acme", by: Self.alice, at: now)
    _ = try store.createWorkspace(beta, name: "Beta", by: Self.alice, at: now)
  }

  public static let alice = Actor(user: "alice", command: "test", workspaceOrigin: "flag")
  var alice: Actor { Self.alice }

  func advance(by span: Span) {
    now = now.advanced(by: span)
    boot = boot.advanced(by: span)
  }

  // MARK: Jobs

  static func request(_ word: String = "true") -> EnqueueRequest {
    EnqueueRequest(command: ["/bin/echo", word], directory: "/tmp")
  }

  @discardableResult
  func enqueue(
    _ word: String = "true", in workspace: WorkspaceID? = nil,
    _ change: (inout EnqueueRequest) -> Void = { _ in }
  ) throws -> JobID {
    var request = Self.request(word)
    change(&request)
    let made = try store.enqueue([request], in: workspace ?? acme, by: alice, at: now)
    return try requireValue(made.first, "the enqueued job").id
  }

  func job(_ id: JobID) throws -> Job { try store.job(id, in: acme) }

  // MARK: Workers and claims

  func registerWorker(_ store: (any Store)? = nil) throws -> WorkerID {
    workers += 1
    let identity = WorkerIdentity(
      name: "host:\(workers)", bootID: boot.bootID, pidNamespace: "4026531836",
      pid: Int32(workers), processStartTime: 77, lockPath: "workers/\(workers)")
    return try (store ?? self.store).register(identity, by: alice, at: now)
  }

  func claim(
    _ count: Int = 1, by worker: WorkerID? = nil, only: JobID? = nil, queues: [String] = [],
    types: [String] = [], in workspaces: [WorkspaceID]? = nil
  ) throws -> [ClaimedJob] {
    let request = ClaimRequest(
      worker: try worker ?? registerWorker(), workspaces: workspaces ?? [acme], queues: queues,
      types: types, slots: (0..<count).map { "slot-\($0)" }, bootNow: boot, only: only)
    return try store.settle([], thenClaim: request, at: now).claimed
  }

  func claimOne(by worker: WorkerID? = nil, only: JobID? = nil) throws -> ClaimedJob {
    try requireValue(claim(1, by: worker, only: only).first, "a claimed job")
  }

  func settlement(
    of attempt: AttemptReference, _ outcome: AttemptOutcome, after: Span? = nil,
    verification: JobEvent.Verification? = nil, reason: String = "exit", by: String = "host:1"
  ) -> Settlement {
    let status: Int32 =
      switch outcome {
      case .succeeded: 0
      case .retry: 75
      default: 64
      }
    let result = after.map { HandlerResult(outcome: outcome, after: $0) }
    return Settlement(
      attempt: attempt, end: AttemptEnd(how: .exited(status), result: result),
      verdict: Verdict(outcome: outcome, reason: reason, message: "exited with status \(status)"),
      verification: verification, usage: AttemptUsage(exitStatus: Int(status)), endedAt: now,
      by: by)
  }

  @discardableResult
  func settle(
    _ attempt: AttemptReference, _ outcome: AttemptOutcome, after: Span? = nil,
    verification: JobEvent.Verification? = nil, reason: String = "exit"
  ) throws -> SettlementResult {
    let settlement = settlement(
      of: attempt, outcome, after: after, verification: verification, reason: reason)
    let results = try store.settle([settlement], thenClaim: nil, at: now).results
    return try requireValue(results.first, "the settlement's result")
  }

  /// Brings a new job into `state` by the shortest way.
  func job(in state: JobState) throws -> JobID {
    let id = try enqueue(String(describing: state)) { $0.priority = 1000 }
    switch state {
    case .blocked: throw BrokenRule(description: "nothing blocks a job yet")
    case .pending: return id
    case .cancelled:
      _ = try store.cancel(id, in: acme, by: alice, at: now)
      return id
    case .running, .succeeded, .failed, .uncertain: break
    }
    let attempt = try claimOne(only: id).reference
    switch state {
    case .succeeded: try settle(attempt, .succeeded)
    case .failed: try settle(attempt, .failed)
    case .uncertain: try settle(attempt, .unknown)
    default: break
    }
    return id
  }

  /// What the store says of itself is sound.
  func requireSound(line: UInt = #line) throws {
    try requireEqual(try store.check(), [], "what the check finds", line: line)
  }

  /// Runs `body`, which must throw, and returns what it threw.
  func refusal(line: UInt = #line, _ body: () throws -> Void) throws -> StoreError {
    do {
      try body()
    } catch let error as StoreError {
      return error
    }
    throw BrokenRule(description: "it was not refused (line \(line))")
  }
}
