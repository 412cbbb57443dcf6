import ArgumentParser
import HotglueCore

/// The flags that say how a job is claimed, stopped and retried, and what is safe twice. Every
/// command that makes jobs takes them.
struct PolicyOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "How long a claim holds before it must be renewed: 1s to 7d (default: 60s).",
      valueName: "duration"))
  var lease: String?

  @Option(
    help: ArgumentHelp(
      "Stop an attempt that runs longer (default: none).", valueName: "duration|none"))
  var timeout: String?

  @Option(
    help: ArgumentHelp(
      "How a handler is stopped: signals and the waits between them (default: TERM,10s,KILL).",
      valueName: "sequence"))
  var stop: String?

  @Option(
    help: ArgumentHelp(
      "Failures until the job has failed for good: 1 to 1000000 (default: 1, of a type 5).",
      valueName: "n"))
  var maxAttempts: String?

  @Option(
    help: ArgumentHelp(
      "Losses (attempts without a known end) that a job survives: 0 to 1000000 (default: 3).",
      valueName: "n"))
  var maxLosses: String?

  @Option(
    help: ArgumentHelp(
      "Times that a handler may put itself off: 0 to 1000000 (default: 1000).", valueName: "n"))
  var maxSnoozes: String?

  @Option(
    help: ArgumentHelp(
      "Wait before the next attempt: exponential, linear or fixed (default: exponential:10s:1h).",
      valueName: "kind[:base[:cap]]"))
  var backoff: String?

  @Option(
    help: ArgumentHelp(
      "Chance mixed into the wait: none, equal or full (default: equal).", valueName: "kind"))
  var jitter: String?

  @Option(
    help: ArgumentHelp(
      "Give up when the next attempt could not begin within this time of the first "
        + "(default: none).", valueName: "duration|none"))
  var retryFor: String?

  @Option(
    help: ArgumentHelp(
      "What an end means, before the built-in rules: 3=failed,SIGTERM=retry,*=retry.",
      valueName: "rules|none"))
  var onExit: String?

  @Option(
    help: ArgumentHelp(
      "What is safe to run twice: safe, keyed or unsafe (default: unsafe).", valueName: "kind"))
  var replay: String?

  @Option(
    help: ArgumentHelp(
      "After an unknown outcome of an unsafe job, ask this command of sh -c: "
        + "0 it happened, 1 it did not.", valueName: "command|none"))
  var verify: String?

  @Option(
    help: ArgumentHelp("The queue the job waits in (default: default).", valueName: "queue"))
  var queue: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Higher is claimed first: -1000000 to 1000000 (default: 0).", valueName: "n"))
  var priority: String?

  @Option(
    help: ArgumentHelp(
      "Of all jobs with this key in the workspace, only so many run at once as --limit-max says.",
      valueName: "key|none"))
  var limitKey: String?

  @Option(
    help: ArgumentHelp(
      "How many jobs with the same limit key may run at once (default: 1).", valueName: "n"))
  var limitMax: String?

  @Option(
    help: ArgumentHelp(
      "Output kept per attempt, 4K to 1024G; past it the middle goes (default: 64M).",
      valueName: "bytes"))
  var logCap: String?

  @Flag(
    inversion: .prefixedNo,
    help: "Leave running what the command left running when it ended (default: stop it).")
  var keepChildren: Bool?

  init() {}

  /// What was said; what was not stays as it is elsewhere.
  var given: [(JobSetting, String)] {
    let all: [(JobSetting, String?)] = [
      (.lease, lease), (.timeout, timeout), (.stop, stop), (.maxAttempts, maxAttempts),
      (.maxLosses, maxLosses), (.maxSnoozes, maxSnoozes), (.backoff, backoff), (.jitter, jitter),
      (.retryFor, retryFor), (.onExit, onExit), (.replay, replay), (.verify, verify),
      (.queue, queue), (.priority, priority), (.limitKey, limitKey), (.limitMax, limitMax),
      (.logCap, logCap), (.keepChildren, keepChildren.map { String($0) }),
    ]
    return all.compactMap { setting, value in value.map { (setting, $0) } }
  }
}
