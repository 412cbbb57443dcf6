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
    let standard = JobPolicy.bareCommand
    var members: [JSON.Member] = []
    func add<Value: Equatable>(_ key: String, _ path: KeyPath<JobPolicy, Value>, _ json: JSON) {
      if complete || self[keyPath: path] != standard[keyPath: path] {
        members.append(JSON.Member(key, json))
      }
    }
    add("lease", \.lease, .string(lease.text))
    add("timeout", \.timeout, .text(timeout?.text))
    add("stop", \.stop, .string(stop.text))
    add("max_attempts", \.maxAttempts, .integer(maxAttempts))
    add("max_losses", \.maxLosses, .integer(maxLosses))
    add("max_snoozes", \.maxSnoozes, .integer(maxSnoozes))
    add("backoff", \.backoff, .string(backoff.text))
    add("jitter", \.jitter, .string(jitter.rawValue))
    add("retry_for", \.retryFor, .text(retryFor?.text))
    add("on_exit", \.onExit, onExit == .none ? .null : .string(onExit.text))
    add("replay", \.replay, .string(replay.rawValue))
    add("verify", \.verify, .text(verify))
    add("log_cap", \.logCap, .integer(logCap))
    add("keep_children", \.keepChildren, .bool(keepChildren))
    return .object(members)
  }

  /// Reads what `json(complete:)` wrote; a key that is not there is as for a bare command. A value
  /// that is not of its key's form makes the whole unreadable.
  public init?(json: JSON) {
    self.init()
    guard let policy = applying(json) else { return nil }
    self = policy
  }

  /// This policy with what `change` says: members in the form of `json(complete:)`, where `null` takes
  /// away a bound. `nil` when a value is not of its key's form.
  public func applying(_ change: JSON) -> JobPolicy? {
    var policy = self
    for member in change.members ?? [] {
      guard policy.apply(member) else { return nil }
    }
    return policy
  }

  private mutating func apply(_ member: JSON.Member) -> Bool {
    let value = member.value
    let text = value.stringValue ?? ""
    if value == .null {
      switch member.key {
      case "timeout": timeout = nil
      case "retry_for": retryFor = nil
      case "verify": verify = nil
      case "on_exit": onExit = .none
      default: break
      }
      return true
    }
    switch member.key {
    case "lease":
      guard let span = Span(text) else { return false }
      lease = span
    case "timeout":
      guard let span = Span(text) else { return false }
      timeout = span
    case "stop":
      guard let stopSequence = StopSequence(text) else { return false }
      stop = stopSequence
    case "max_attempts":
      guard let count = value.boundedInteger else { return false }
      maxAttempts = Int(count)
    case "max_losses":
      guard let count = value.boundedInteger else { return false }
      maxLosses = Int(count)
    case "max_snoozes":
      guard let count = value.boundedInteger else { return false }
      maxSnoozes = Int(count)
    case "backoff":
      guard let rule = Backoff(text) else { return false }
      backoff = rule
    case "jitter":
      guard let rule = Jitter(rawValue: text) else { return false }
      jitter = rule
    case "retry_for":
      guard let span = Span(text) else { return false }
      retryFor = span
    case "on_exit":
      guard let rules = ExitRules(text) else { return false }
      onExit = rules
    case "replay":
      guard let rule = Replay(rawValue: text) else { return false }
      replay = rule
    case "verify":
      guard let command = value.stringValue else { return false }
      verify = command
    case "log_cap":
      guard let bytes = value.boundedInteger else { return false }
      logCap = bytes
    case "keep_children":
      guard let keep = value.boolValue else { return false }
      keepChildren = keep
    default: return false
    }
    return true
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
