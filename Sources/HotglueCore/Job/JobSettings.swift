/// What was said about a job: a default where nothing was.
public struct JobSettings: Hashable, Sendable {
  public var policy: JobPolicy
  public var queue = "default"
  public var priority = 0
  public var limitKey: String?
  public var limitMax: Int?
  public var runAt: Timestamp?
  public var delay: Span?
  public var expiresAt: Timestamp?
  public var key: String?
  public var keyHold: KeyHold?
  /// What was said at all.
  public private(set) var given: Set<JobSetting> = []

  /// How long the key is held, as it was said.
  public enum KeyHold: Hashable, Sendable {
    case span(Span)
    case done
  }

  public init(policy: JobPolicy = .bareCommand) { self.policy = policy }

  /// Reads `text` as the value of `setting`.
  public mutating func set(
    _ setting: JobSetting, to text: String, _ clock: SettingClock
  ) throws(BadSetting) {
    given.insert(setting)
    try setting.set(&self, to: text, clock)
  }

  public static let counts = 0...1_000_000
  static let longestSpan = Span.days(36_500)
}

extension JobSetting {
  /// The settings of this version. A policy setting more is a row here, a property of `JobPolicy`, and
  /// the place that acts on it.
  static let standard: [JobSetting] = [
    JobSetting(
      "lease", \.policy.lease, .duration(.seconds(1)...Span.days(7)), .policy,
      "How long a claim holds before it must be renewed"),
    JobSetting(
      "timeout", \.policy.timeout, .optional(.anyDuration(), word: "none"), .policy,
      "Stop an attempt that runs longer"),
    JobSetting(
      "stop", \.policy.stop, .stopSequence, .policy,
      "How a handler is stopped: signals and the waits between them"),
    JobSetting(
      "max_attempts", \.policy.maxAttempts, .count(1...JobSettings.counts.upperBound), .policy,
      "Failures until the job has failed for good"),
    JobSetting(
      "max_losses", \.policy.maxLosses, .count(JobSettings.counts), .policy,
      "Losses (attempts without a known end) that a job survives"),
    JobSetting(
      "max_snoozes", \.policy.maxSnoozes, .count(JobSettings.counts), .policy,
      "Times that a handler may put itself off"),
    JobSetting("backoff", \.policy.backoff, .backoff, .policy, "Wait before the next attempt"),
    JobSetting(
      "jitter", \.policy.jitter, .words("none, equal or full"), .policy,
      "Chance mixed into the wait; for an automation also a duration, below which its jobs are delayed"
    ),
    JobSetting(
      "retry_for", \.policy.retryFor, .optional(.anyDuration(), word: "none"), .policy,
      "Give up when the next attempt could not begin within this time of the first"),
    JobSetting(
      "on_exit", \.policy.onExit, .exitRules, .policy,
      "What an end means, before the built-in rules, as 3=failed,SIGTERM=retry,*=retry"),
    JobSetting(
      "replay", \.policy.replay, .words("safe, keyed or unsafe"), .policy,
      "What is safe to run twice"),
    JobSetting(
      "verify", \.policy.verify, .optional(.command, word: "none"), .policy,
      "After an unknown outcome of an unsafe job, ask this command of sh -c: 0 it happened, 1 it did "
        + "not"),
    .queue, .priority, .limitKey, .limitMax,
    JobSetting(
      "log_cap", \.policy.logCap, .bytes(4096...1 << 40), .policy,
      "Output kept per attempt, without the middle of what is longer"),
    JobSetting(
      "keep_children", \.policy.keepChildren, .truth, .policy, standard: "stop it",
      "Leave running what the command left running when it ended"),

    .runAt, .delay, .expires, .key, .keyFor,
  ]
}

/// The settings that do not belong to the policy, which the code names.
extension JobSetting {
  public static let queue = JobSetting(
    "queue", \.queue, .name(255, "queue", example: "mail"), .placement,
    "The queue the job waits in")
  public static let priority = JobSetting(
    "priority", \.priority, .count(-1_000_000...1_000_000), .placement,
    "Higher is claimed first")
  public static let limitKey = JobSetting(
    "limit_key", \.limitKey, .optional(.name(255, "key", example: "host-a"), word: "none"),
    .placement,
    "Of all jobs with this key in the workspace, only so many run at once as --limit-max says")
  public static let limitMax = JobSetting(
    "limit_max", \.limitMax, .optional(.count(1...JobSettings.counts.upperBound)), .placement,
    standard: "1", "How many jobs with the same limit key may run at once")
  public static let runAt = JobSetting(
    "run_at", \.runAt, .optional(.time), .job,
    "Not before this time: 2026-03-01T08:30:00Z, or +10m")
  public static let delay = JobSetting(
    "delay", \.delay, .optional(.anyDuration(orZero: true)), .job,
    "Not before this time from now")
  public static let expires = JobSetting(
    "expires", \.expiresAt, .optional(.deadline), .job,
    "Cancel the job if it has not started by then")
  public static let key = JobSetting(
    "key", \.key, .optional(.name(1024, "key", example: "order-17")), .job,
    "Make one job only: the same key with the same request is the same job. A payload is the same "
      + "when it is the same JSON value, however it is spelled")
  public static let keyFor = JobSetting(
    "key_for", \.keyHold, .optional(.keyHold), .job,
    "How long the key is held, or 'done': until the job has ended (default: while the job is kept)")
}
