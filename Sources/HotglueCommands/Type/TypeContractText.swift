import HotglueCore
import HotglueStore

/// The whole contract of a type in words: what a job of it may expect, whatever happens.
struct TypeContractText {
  let definition: TypeDefinition
  private var policy: JobPolicy { definition.policy }

  /// The type is one that hotglue itself has.
  private let builtIn: BuiltInType?

  init(_ definition: TypeDefinition, of builtIn: BuiltInType? = nil) {
    self.definition = definition
    self.builtIn = builtIn
  }

  var lines: [(name: String, text: String)] {
    [
      ("runs", runs), ("waits", waits), ("at once", atOnce), ("claim", claim),
      ("attempts", attempts), ("retries", retries), ("safe twice", safeTwice),
      ("on a crash", onCrash), ("on time-out", onTimeout), ("on exit", onExit),
      ("on cancel", "\(stopping); the job ends cancelled"), ("output", output),
      ("flags", flags),
    ]
  }

  private var runs: String {
    if let builtIn { return builtIn.runs }
    let command = "\(ShellWords.joined(definition.command)) in \(definition.directory)"
    return definition.isStream
      ? "\(command), as a persistent handler: one process is given many jobs, one at a time, and "
        + "answers each; it ends when it has had nothing to do for 10s"
      : "\(command), once per attempt"
  }

  private var waits: String {
    if let builtIn { return builtIn.waits }
    let priority = definition.priority == 0 ? "" : ", priority \(definition.priority)"
    return "in queue '\(definition.queue)'\(priority), unless a job says otherwise when it is "
      + "enqueued"
  }

  private var atOnce: String {
    var limits: [String] = []
    if let limit = definition.limit { limits.append("\(limit) of this type in the workspace") }
    if builtIn == .sync { return "one of each source" }
    if let key = definition.limitKey {
      limits.append("\(definition.limitMax) of all jobs with limit key '\(key)'")
    }
    return limits.isEmpty
      ? "as many as the workers take" : "at most " + limits.joined(separator: ", and at most ")
  }

  private var claim: String {
    let third = Span(milliseconds: policy.lease.milliseconds / 3)
    return "by one worker at a time, in one atomic write; it holds for \(policy.lease.text) and is "
      + "renewed every \(third.text) while the worker lives. A worker that dies costs no attempt: "
      + "another one takes over what still runs"
  }

  private var attempts: String {
    let whole = policy.retryFor.map { "; none begins later than \($0.text) after the first" } ?? ""
    return "\(policy.maxAttempts) at most that fail\(whole); a handler may put itself off "
      + "\(Count.of(policy.maxSnoozes, "time")), which counts as no failure"
  }

  private var retries: String {
    guard policy.maxAttempts > 1 else { return "none: the first failure ends the job" }
    let shown = min(policy.maxAttempts - 1, 8)
    let waits = (1...shown).map { Self.text(policy.delayBounds(afterFailure: $0)) }
    let more = shown < policy.maxAttempts - 1 ? ", and so on" : ""
    return "after \(waits.joined(separator: ", then "))\(more), then the job has failed "
      + "(\(policy.backoff.text), jitter \(policy.jitter.rawValue); 'job show' tells a job's own "
      + "times)"
  }

  private static func text(_ bounds: ClosedRange<Span>) -> String {
    bounds.lowerBound == bounds.upperBound
      ? bounds.upperBound.text : "\(bounds.lowerBound.text) to \(bounds.upperBound.text)"
  }

  private var safeTwice: String {
    switch policy.replay {
    case .safe: "yes: running it again is harmless (replay safe)"
    case .keyed:
      "with the same key: every attempt gets the same HOTGLUE_KEY, and must pass it on (replay "
        + "keyed)"
    case .unsafe: "no: it is never run again by itself after an unknown outcome (replay unsafe)"
    }
  }

  private var onCrash: String {
    let outcome =
      definition.isStream
      ? "of the machine, the supervisor or the handler: what it had answered counts, what it was not "
        + "given is pending again at once; of the one job it had in hand the outcome is unknown, "
      : "of the machine, the supervisor or the handler: the outcome is unknown, "
    guard policy.replay == .unsafe else {
      return outcome + "and it is run again after the same waits; "
        + "past \(policy.maxLosses) such \(policy.maxLosses == 1 ? "loss" : "losses") the job has failed"
    }
    guard let verify = policy.verify else {
      return outcome + "and the job is uncertain until a person resolves it"
    }
    return outcome + "and 'sh -c \(Shell.quoted(verify))' is asked: 0 it happened and the job "
      + "succeeded, 1 it did not and it is run again, anything else: uncertain"
  }

  private var onTimeout: String {
    guard let timeout = policy.timeout else { return "there is none: an attempt may run for ever" }
    let since = definition.isStream ? " with one job" : ""
    return "after \(timeout.text)\(since): \(stopping); the outcome is unknown, as on a crash"
  }

  private var stopping: String {
    let steps = policy.stop.steps.map { step in
      step.wait == .zero ? step.signal.name : "\(step.signal.name), and after \(step.wait.text) "
    }
    return steps.joined()
      + (policy.keepChildren ? ", to the command" : ", to the command and all it started")
  }

  private var onExit: String {
    let own = policy.onExit == .none ? "" : "\(policy.onExit.text); else "
    guard !definition.isStream else {
      return "its exit is not about a job: the one in hand without an answer is unknown, whatever "
        + "the status or signal"
    }
    let good = "0 succeeded"
    // Behind '*' no other rule is asked about a status.
    if policy.onExit.rules.contains(where: { $0.match == .anyStatusButZero }) {
      return own + good + ", a signal unknown"
    }
    return own + good + ", 75 retry, "
      + "64 65 66 77 78 80 81 82 126 127 failed for good, 83 or a signal unknown, any other retry"
  }

  /// What the flags of 'type set' say, as far as that is not their default.
  private var flags: String {
    let said = definition.saidSettings.compactMap { member -> String? in
      guard let setting = JobSettingTable.current[member.key] else { return nil }
      if setting.shape.kind == .truth { return setting.flag }
      return "\(setting.flag) \(Shell.quoted(setting.text(of: member.value)))"
    }
    return said.isEmpty ? "none: each has its default" : said.joined(separator: " ")
  }

  private var output: String {
    "kept up to \(ByteCount.text(policy.logCap)) per attempt"
      + (policy.keepChildren ? "; what the command leaves running is left alone" : "")
  }
}
