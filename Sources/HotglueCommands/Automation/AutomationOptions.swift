import ArgumentParser
import HotglueCore
import HotglueStore

/// When an automation fires, and what becomes of occurrences: for `add` and `edit`.
struct AutomationOptions: ParsableArguments {
  @OptionGroup var schedule: ScheduleOptions

  @Option(help: ArgumentHelp("No occurrence before this time.", valueName: "time|none"))
  var from: String?

  @Option(help: ArgumentHelp("No occurrence at this time or later.", valueName: "time|none"))
  var until: String?

  @Option(
    help: ArgumentHelp(
      "What becomes of occurrences older than 60 s: skip them, fire the newest one, or all of them, "
        + "N at most (default: one; all: 100).", valueName: "skip|one|all[:n]"))
  var missed: String?

  @Option(
    help: ArgumentHelp(
      "Late occurrences that are older do not fire (default: none).", valueName: "duration|none"))
  var missedWithin: String?

  @Option(
    help: ArgumentHelp(
      "What an occurrence does while a job of the automation has not ended (default: skip).",
      valueName: "skip|queue|queue-all|allow|replace"))
  var overlap: String?

  @Option(
    help: ArgumentHelp(
      "Pause after so many bad ends in a row (default: none).", valueName: "n|none"))
  var pauseAfter: String?

  var given: [(AutomationKey, String)] {
    let all: [(AutomationKey, String?)] = [
      (.from, from), (.until, until), (.missed, missed), (.missedWithin, missedWithin),
      (.overlap, overlap), (.pauseAfter, pauseAfter),
    ]
    return schedule.given + all.compactMap { setting, value in value.map { (setting, $0) } }
  }
}

/// The schedule itself: also for `next`, which needs no automation.
struct ScheduleOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Five fields as in crontab(5), or @hourly, @daily, @weekly, @monthly, @yearly; may be repeated.",
      valueName: "expression"))
  var cron: [String] = []

  @Option(
    help: ArgumentHelp(
      "So often, counted from 1970-01-01T00:00:00Z: 10s, 15m, 1h.", valueName: "duration"))
  var every: String?

  @Option(
    help: ArgumentHelp(
      "The zone of the schedule (default: the machine's, by its name).", valueName: "zone"))
  var timezone: String?

  var given: [(AutomationKey, String)] {
    cron.map { (.cron, $0) }
      + [(.every, every), (.timezone, timezone)].compactMap { setting, value in
        value.map { (setting, $0) }
      }
  }

  var isEmpty: Bool { cron.isEmpty && every == nil }
}

/// What an automation enqueues, besides its policy.
struct AutomationJobOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The handler's standard input: JSON, a file of it, or '-' for what is piped in.",
      valueName: "json|@file|-"))
  var payload: String?

  @Option(
    help: ArgumentHelp(
      "Record a variable for the handler; NAME alone takes its value now.",
      valueName: "name[=value]"))
  var env: [String] = []

  @Option(
    help: ArgumentHelp(
      "Run it in this directory (default: this one; a type's where it was set).",
      valueName: "folder"))
  var cwd: String?

  var isEmpty: Bool { payload == nil && env.isEmpty && cwd == nil }
}

/// What an automation enqueues, as it is said: a type, a source to sync, or a command.
struct AutomationJobWords {
  var policy: [GivenSetting]
  var job: AutomationJobOptions
  /// What stands before `--`, after the name.
  var type: String?
  var source: String?
  var command: [String]

  static let usage: Hint =
    "hotglue automation add NAME (--cron EXPR | --every D) (TYPE | sync SOURCE | -- COMMAND…)"

  /// The request that is kept; `nil` when nothing is said of what to enqueue.
  func request(in session: WorkspaceSession) throws -> EnqueueRequest? {
    if type == nil, command.isEmpty { return nil }
    guard type == nil || command.isEmpty else {
      throw CommandError.usage(
        "there is a type and a command", hint: Self.usage)
    }
    if type == SyncJob.type {
      guard let source else {
        throw CommandError.usage("'sync' names no source", hint: Self.usage)
      }
      return try sync(source, in: session)
    }
    if let source {
      throw CommandError.usage("'\(source)' is one word too many", hint: Self.usage)
    }
    let enqueue = EnqueueWords(
      settings: policy, payload: job.payload, variables: job.env, directory: job.cwd)
    let bare = try BareJob(enqueue, in: session.environment)
    let payload = try enqueue.payloadText(in: session.environment)
    if let type {
      let name = try session.name(type, of: .type)
      return try bare.request(type: name, payload: payload)
    }
    return try bare.request(command: command, payload: payload)
  }

  private func sync(_ name: String, in session: WorkspaceSession) throws -> EnqueueRequest {
    guard job.isEmpty else {
      throw CommandError.usage(
        "a sync takes no '--payload', '--env' or '--cwd'", hint: "leave them out")
    }
    let source = try session.source(name)
    var request = SyncJob.request(SyncOrder(source: source.id), of: source)
    var settings = JobSettings()
    let clock = SettingClock(now: session.now)
    for given in policy {
      do {
        try settings.set(given.setting, to: given.value, clock)
      } catch {
        throw CommandError(error)
      }
    }
    if let policy = request.policy.applying(.object(settings.policyChange)) {
      request.policy = policy
    }
    request.queue = settings.queue
    request.priority = settings.priority
    return request
  }
}

extension PolicyOptions {
  /// What was said about the job, and the automation's own `--jitter`: a duration, or none.
  var givenToAutomation: (policy: [GivenSetting], jitter: String?) {
    var jitter: String?
    var policy: [GivenSetting] = []
    for one in given {
      if one.setting.key == AutomationKey.jitter.rawValue, one.value != Jitter.equal.rawValue,
        one.value != Jitter.full.rawValue
      {
        jitter = one.value
      } else {
        policy.append(one)
      }
    }
    return (policy, jitter)
  }
}
