/// What a job promises and allows: how it is claimed, stopped, retried, and what is safe twice.
public struct JobPolicy: Hashable, Sendable {
  public var lease: Span = .seconds(60)
  /// `nil`: no time-out.
  public var timeout: Span?
  public var stop: StopSequence = .standard
  /// Bounds the failures. 1 for bare commands, 5 for types.
  public var maxAttempts = 1
  public var maxLosses = 3
  public var maxSnoozes = 1000
  public var backoff: Backoff = .standard
  public var jitter: Jitter = .equal
  /// Bounds the whole, from the first start on; `nil`: no bound.
  public var retryFor: Span?
  public var onExit: ExitRules = .none
  public var replay: Replay = .unsafe
  /// Run by `sh -c` after an unknown outcome of an unsafe job; 0: it happened, 1: it did not.
  public var verify: String?
  /// Bytes of output kept per attempt: head and tail, the middle goes.
  public var logCap: Int64 = 64 << 20
  public var keepChildren = false

  public init() {}

  /// The policy of a bare command when no flag says otherwise.
  public static let bareCommand = JobPolicy()

  /// The policy of a job type where its definition says nothing.
  public static let jobType: JobPolicy = {
    var policy = JobPolicy()
    policy.maxAttempts = 5
    return policy
  }()
}

extension JobPolicy {
  /// The policy as JSON: every key when `complete`, else only what differs from a bare command's.
  public func json(complete: Bool) -> JSON {
    let (own, standard) = (JobSettings(policy: self), JobSettings())
    let settings = JobSettingTable.current.policy.filter { complete || !$0.isSame(own, standard) }
    return .object(settings.map { JSON.Member($0.key, $0.json(of: own)) })
  }

  /// Reads what `json(complete:)` wrote; a key that is not there is as for a bare command. A value
  /// that is not of its key's form makes the whole unreadable.
  public init?(json: JSON) {
    guard let policy = JobPolicy.bareCommand.applying(json) else { return nil }
    self = policy
  }

  /// This policy with what `change` says: members in the form of `json(complete:)`, where `null` takes
  /// away a bound. `nil` when a value is not of its key's form.
  public func applying(_ change: JSON) -> JobPolicy? {
    let table = JobSettingTable.current.policy
    var settings = JobSettings(policy: self)
    for member in change.members ?? [] {
      guard let setting = table.first(where: { $0.key == member.key }) else {
        guard member.value == .null else { return nil }
        continue
      }
      guard setting.take(member.value, into: &settings) else { return nil }
    }
    return settings.policy
  }

  /// Between what the wait after the `count`th failure lies, whichever job and attempt it is.
  public func delayBounds(afterFailure count: Int) -> ClosedRange<Span> {
    let longest = backoff.plainDelay(afterFailure: count)
    switch jitter {
    case .none: return longest...longest
    case .equal: return Span(milliseconds: longest.milliseconds / 2)...longest
    case .full: return .zero...longest
    }
  }

  /// The wait before the next attempt after the `count`th failure or loss of a budget.
  ///
  /// Pure: the same job and attempt always get the same delay.
  public func delay(afterFailure count: Int, job: JobID, attempt: Int) -> Span {
    jitter.applied(to: backoff.plainDelay(afterFailure: count), job: job, attempt: attempt)
  }
}
