/// The transition table: the only changes of state there are. `job lifecycle` prints it and
/// `JobFacts.after` refuses whatever is not in it.
public enum Lifecycle {
  public struct Row: Sendable {
    /// `nil`: the job does not exist yet.
    public let from: JobState?
    public let event: JobEvent.Kind
    /// Every state the event may lead to.
    public let to: [JobState]
    public let condition: String
  }

  public static let rows: [Row] = [
    Row(
      from: nil, event: .enqueue, to: [.pending, .blocked],
      condition: "blocked while it waits for other jobs"),
    Row(from: .blocked, event: .dependenciesEnded, to: [.pending], condition: "all ended well"),
    Row(
      from: .blocked, event: .dependencyFailed, to: [.cancelled, .pending],
      condition: "reason dependency; pending with --after-any"),
    Row(
      from: .pending, event: .claim, to: [.running],
      condition: "run_at reached, limits allow; fence + 1, owner epoch = 1, lease set"),
    Row(
      from: .running, event: .renew, to: [.running],
      condition: "fence and owner epoch match; lease extended"),
    Row(
      from: .running, event: .adopt, to: [.running],
      condition: "same attempt, same fence; owner epoch + 1, new owner, new lease"),
    Row(
      from: .running, event: .succeeded, to: [.succeeded], condition: "result stored"),
    Row(
      from: .running, event: .retry, to: [.pending, .failed, .cancelled],
      condition:
        "failures + 1; failed past --max-attempts or --retry-for; cancelled if that was asked"),
    Row(
      from: .running, event: .failed, to: [.failed],
      condition: "reason declared, exit or not_executable"),
    Row(
      from: .running, event: .snooze, to: [.pending, .failed, .cancelled],
      condition:
        "snoozes + 1; failed past --max-snoozes or --retry-for; cancelled if that was asked"),
    Row(
      from: .running, event: .neverStarted, to: [.pending, .failed, .cancelled],
      condition:
        "no budget touched, attempt - 1; in a row with a back-off, failed past 100; cancelled if that was asked"
    ),
    Row(
      from: .running, event: .unknown,
      to: [.pending, .failed, .uncertain, .succeeded, .cancelled],
      condition:
        "losses + 1; safe or keyed: pending, failed past --max-losses or --retry-for; unsafe: as --verify decides, without it uncertain; cancelled if that was asked and it is safe or keyed"
    ),
    Row(
      from: .running, event: .cancel, to: [.running],
      condition: "the request is recorded and the order sent"),
    Row(
      from: .running, event: .stoppedByCancel, to: [.cancelled],
      condition: "stopped by the order of the recorded cancel"),
    Row(from: .pending, event: .cancel, to: [.cancelled], condition: "asked for"),
    Row(from: .blocked, event: .cancel, to: [.cancelled], condition: "asked for"),
    Row(
      from: .pending, event: .deadlinePassed, to: [.cancelled],
      condition: "reason expired; no attempt has started"),
    Row(
      from: .blocked, event: .deadlinePassed, to: [.cancelled],
      condition: "reason expired; no attempt has started"),
    Row(
      from: .pending, event: .restored, to: [.uncertain],
      condition: "unsafe, in a backup: it may have run since; not with --assume-not-run"),
    Row(
      from: .blocked, event: .restored, to: [.uncertain],
      condition: "unsafe, in a backup: it may have run since; not with --assume-not-run"),
    Row(
      from: .uncertain, event: .resolve, to: [.succeeded, .failed, .pending],
      condition: "by a person, with a reason"),
    Row(
      from: .failed, event: .retryAgain, to: [.pending],
      condition: "fresh budgets; refused while another live job holds its dedupe key"),
    Row(
      from: .cancelled, event: .retryAgain, to: [.pending],
      condition: "fresh budgets; refused while another live job holds its dedupe key"),
  ]

  /// The states in which `event` is allowed.
  public static func states(allowing event: JobEvent.Kind) -> [JobState] {
    rows.filter { $0.event == event }.compactMap(\.from)
  }

  static func row(from state: JobState?, _ event: JobEvent.Kind) -> Row? {
    rows.first { $0.from == state && $0.event == event }
  }

  /// The table as a graph in the language of Graphviz.
  public static var dot: String {
    var lines = ["digraph lifecycle {", "  rankdir=LR", "  node [shape=box, style=rounded]"]
    lines.append("  new [shape=point]")
    for row in rows {
      for target in row.to {
        let from = row.from?.rawValue ?? "new"
        lines.append("  \(from) -> \(target.rawValue) [label=\"\(row.event.rawValue)\"]")
      }
    }
    return (lines + ["}"]).joined(separator: "\n")
  }
}
