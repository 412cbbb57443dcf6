import HotglueCore

/// One thing that can be said about a job when it is enqueued.
///
/// The raw value is its key in JSON Lines; its flag is the same with dashes. Flags and lines are
/// read by the same code, so that a value means the same wherever it is written.
enum JobSetting: String, CaseIterable, Sendable {
  case lease, timeout, stop
  case maxAttempts = "max_attempts"
  case maxLosses = "max_losses"
  case maxSnoozes = "max_snoozes"
  case backoff, jitter
  case retryFor = "retry_for"
  case onExit = "on_exit"
  case replay, verify
  case logCap = "log_cap"
  case keepChildren = "keep_children"

  case queue, priority
  case limitKey = "limit_key"
  case limitMax = "limit_max"

  case runAt = "run_at"
  case delay, expires, key
  case keyFor = "key_for"

  var flag: String { "--" + rawValue.map { $0 == "_" ? "-" : String($0) }.joined() }

  /// The settings by their keys; looking one up must not cost a comparison with each.
  static let byKey = Dictionary(uniqueKeysWithValues: allCases.map { ($0.rawValue, $0) })
}

/// A value that does not have the form its setting asks for.
struct BadSetting: Error, Equatable {
  var setting: JobSetting
  var value: String
  /// The form that is accepted, as a sentence for a hint.
  var accepted: String
}

/// What was said about a job: a default where nothing was.
struct JobSettings: Hashable, Sendable {
  var policy = JobPolicy.bareCommand
  var queue = "default"
  var priority = 0
  var limitKey: String?
  var limitMax: Int?
  var runAt: Timestamp?
  var delay: Span?
  var expiresAt: Timestamp?
  var key: String?
  var keyHold: KeyHoldWord?
  /// What was said at all.
  private(set) var given: Set<JobSetting> = []

  /// How long the key is held, as it was said.
  enum KeyHoldWord: Hashable, Sendable {
    case span(Span)
    case done
  }
}

extension JobSettings {
  static let leases = Span.seconds(1)...Span.days(7)
  static let priorities = -1_000_000...1_000_000
  static let counts = 0...1_000_000
  static let logCaps = Int64(4096)...Int64(1 << 40)
  /// Names are for people and for indexes: bounded, and free of control characters.
  static let longestName = 255
  static let longestKey = 1024

  /// Reads `text` as the value of `setting`. `now` is what a time relative to now counts from, `zone`
  /// the zone of a local time; it is asked for only then.
  mutating func set(
    _ setting: JobSetting, to text: String, now: Timestamp, zone: () -> Zone? = { nil }
  ) throws(BadSetting) {
    func bad(_ accepted: String) -> BadSetting {
      BadSetting(setting: setting, value: text, accepted: accepted)
    }
    func span(_ bounds: ClosedRange<Span>) throws(BadSetting) -> Span {
      guard let span = Span(text), bounds.contains(span) else {
        throw bad(
          "give a duration from \(bounds.lowerBound.text) to \(bounds.upperBound.text), "
            + "as 500ms, 30s, 5m, 2h or 7d")
      }
      return span
    }
    func count(_ bounds: ClosedRange<Int>) throws(BadSetting) -> Int {
      guard let count = Int(text), bounds.contains(count) else {
        throw bad("give a whole number from \(bounds.lowerBound) to \(bounds.upperBound)")
      }
      return count
    }
    func name(_ longest: Int) throws(BadSetting) -> String {
      guard !text.isEmpty, text.utf8.count <= longest,
        text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
      else { throw bad("give a name of 1 to \(longest) bytes without control characters") }
      return text
    }
    let anySpan = Span(milliseconds: 1)...Span.days(36_500)
    given.insert(setting)

    switch setting {
    case .lease: policy.lease = try span(Self.leases)
    // What a job's type sets can be taken away for one job.
    case .timeout: policy.timeout = text == "none" ? nil : try span(anySpan)
    case .stop:
      guard let stopSequence = StopSequence(text) else {
        throw bad(
          "give at most \(StopSequence.mostSteps) signals with waits between them, ending in KILL, as "
            + "TERM,10s,KILL")
      }
      policy.stop = stopSequence
    case .maxAttempts: policy.maxAttempts = try count(1...Self.counts.upperBound)
    case .maxLosses: policy.maxLosses = try count(Self.counts)
    case .maxSnoozes: policy.maxSnoozes = try count(Self.counts)
    case .backoff:
      guard let backoff = Backoff(text) else {
        throw bad("give KIND[:BASE[:CAP]] of exponential, linear or fixed, as exponential:10s:1h")
      }
      policy.backoff = backoff
    case .jitter:
      guard let jitter = Jitter(rawValue: text) else { throw bad("give none, equal or full") }
      policy.jitter = jitter
    case .retryFor: policy.retryFor = text == "none" ? nil : try span(anySpan)
    case .onExit where text == "none": policy.onExit = .none
    case .onExit:
      guard let rules = ExitRules(text) else {
        throw bad(
          "give RULE,… of STATUS=OUTCOME, FIRST-LAST=OUTCOME, SIGNAL=OUTCOME or *=OUTCOME, the "
            + "outcome one of \(ExitRules.outcomes.map(\.rawValue).joined(separator: ", ")), "
            + "as 3=failed,SIGTERM=retry,*=retry; or none")
      }
      if let idle = rules.idleRule {
        throw bad(
          "'\(idle.text)' never fits, since the first rule that fits counts: put it before those "
            + "that take its place, or leave it out")
      }
      policy.onExit = rules
    case .replay:
      guard let replay = Replay(rawValue: text) else { throw bad("give safe, keyed or unsafe") }
      policy.replay = replay
    case .verify where text == "none": policy.verify = nil
    case .verify:
      guard !text.isEmpty, !text.utf8.contains(0) else {
        throw bad("give a command for sh -c; 0 says that it happened, 1 that it did not")
      }
      policy.verify = text
    case .logCap:
      guard let bytes = ByteCount.parse(text), Self.logCaps.contains(bytes) else {
        throw bad("give bytes from 4K to 1024G, plain or with K, M or G, as 64M")
      }
      policy.logCap = bytes
    case .keepChildren:
      guard let keep = Bool(text) else { throw bad("give true or false") }
      policy.keepChildren = keep
    case .queue: queue = try name(Self.longestName)
    case .priority: priority = try count(Self.priorities)
    case .limitKey: limitKey = text == "none" ? nil : try name(Self.longestName)
    case .limitMax: limitMax = try count(1...Self.counts.upperBound)
    case .runAt:
      guard let moment = Moment.parse(text, now: now, zone: zone, bareSpan: false) else {
        throw bad("give a time such as \(TimeExpression.examples)")
      }
      runAt = moment
    case .delay: delay = try span(Span.zero...anySpan.upperBound)
    case .expires:
      guard let moment = Moment.parse(text, now: now, zone: zone, bareSpan: true) else {
        throw bad("give a duration from now, as 10m, or a time such as \(TimeExpression.examples)")
      }
      expiresAt = moment
    case .key: key = try name(Self.longestKey)
    case .keyFor:
      if text == "done" {
        keyHold = .done
      } else if let span = Span(text), anySpan.contains(span) {
        keyHold = .span(span)
      } else {
        throw bad("give a duration, as 24h, or the word done")
      }
    }
  }
}

/// A number of bytes: `4096`, `64K`, `64M`, `2G` (powers of 1024).
enum ByteCount {
  static func parse(_ text: String) -> Int64? {
    var digits = text[...]
    var unit: Int64 = 1
    switch text.last {
    case "K", "k": unit = 1 << 10
    case "M", "m": unit = 1 << 20
    case "G", "g": unit = 1 << 30
    default: break
    }
    if unit > 1 { digits.removeLast() }
    guard let count = Int64(digits), count >= 0 else { return nil }
    let (product, overflow) = count.multipliedReportingOverflow(by: unit)
    return overflow ? nil : product
  }

  static func text(_ bytes: Int64) -> String {
    for (suffix, unit) in [("G", Int64(1 << 30)), ("M", 1 << 20), ("K", 1 << 10)]
    where bytes >= unit && bytes % unit == 0 {
      return "\(bytes / unit)\(suffix)"
    }
    return String(bytes)
  }

  /// For a person, a size that is over a limit, and the limit: as bytes where rounding would make
  /// them look alike.
  static func texts(_ bytes: Int64, over limit: Int64) -> (size: String, limit: String) {
    let (size, bound) = (approximateText(bytes), approximateText(limit))
    return size == bound ? ("\(bytes) bytes", "\(limit) bytes") : (size, bound)
  }

  /// For a person: one decimal in the largest unit that fits.
  static func approximateText(_ bytes: Int64) -> String {
    for (suffix, unit) in [("GB", Int64(1_000_000_000)), ("MB", 1_000_000), ("kB", 1000)]
    where bytes >= unit {
      return "\(bytes / unit).\(bytes % unit * 10 / unit) \(suffix)"
    }
    return "\(bytes) B"
  }
}

/// A moment as it is written on the command line.
enum Moment {
  /// A time, or `+10m` from now; with `bareSpan` also `10m`, which means the same.
  static func parse(
    _ text: String, now: Timestamp, zone: () -> Zone?, bareSpan: Bool
  ) -> Timestamp? {
    if bareSpan, let span = Span(text) { return now.advanced(by: span) }
    return time(text, now: now, zone: zone, direction: .next)
  }

  /// The time that `--since` names: one that has passed, or a duration before now.
  static func past(_ text: String, now: Timestamp, zone: () -> Zone?) -> Timestamp? {
    if let span = Span(text) {
      return Timestamp(milliseconds: now.milliseconds - span.milliseconds)
    }
    return text.hasPrefix("+") ? nil : time(text, now: now, zone: zone, direction: .last)
  }

  /// The time of `--since`; anything else is refused.
  static func since(
    _ text: String, now: Timestamp, zone: () -> Zone?
  ) throws(CommandError) -> Timestamp {
    guard let moment = past(text, now: now, zone: zone) else {
      throw .usage(
        "invalid value '\(text)' for '--since'",
        hint: "give a duration such as 2h or 7d, or a time such as 22:00, yesterday or "
          + "2026-03-01T08:30:00Z")
    }
    return moment
  }

  private static func time(
    _ text: String, now: Timestamp, zone: () -> Zone?, direction: TimeExpression.Direction
  ) -> Timestamp? {
    guard TimeExpression.isLocal(text) else {
      return TimeExpression.time(text, now: now, zone: .utc, direction: direction)
    }
    return zone().flatMap {
      TimeExpression.time(text, now: now, zone: $0, direction: direction)
    }
  }
}
