import ArgumentParser
import HotglueCore
import HotglueStore

/// The flags of a list of jobs.
struct JobFilterOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Only jobs in this state; repeat it or separate states by commas.", valueName: "state"))
  var state: [String] = []

  @Flag(help: "Only failed jobs: as '--state failed'.")
  var failed = false

  @Option(help: ArgumentHelp("Only jobs of this type, by name or link.", valueName: "type"))
  var type: [String] = []

  @Option(help: ArgumentHelp("Only jobs of this queue.", valueName: "queue"))
  var queue: [String] = []

  @Option(
    help: ArgumentHelp(
      "Only jobs enqueued since: 2h (ago), or a time.", valueName: "duration|time"))
  var since: String?

  func filter(in session: WorkspaceSession) throws -> JobFilter {
    var filter = JobFilter(
      states: try JobStateWords.parse(state),
      types: Set(try type.map { try session.name($0, of: .type) }), queues: Set(queue))
    if failed { filter.states.insert(.failed) }
    if let since {
      filter.since = try Moment.since(
        since, now: session.now, zone: session.environment.localZone)
    }
    filter.now = session.now
    return filter
  }

  /// What was asked, for a cursor: equal for two command lines that mean the same list.
  func words(of filter: JobFilter) -> [String] {
    filter.states.map { "state=\($0.rawValue)" } + filter.types.map { "type=\($0)" }
      + filter.queues.map { "queue=\($0)" } + [since.map { "since=\($0)" } ?? ""]
  }
}

/// States as they are written after `--state`.
enum JobStateWords {
  static func parse(
    _ texts: [String], allowed: [JobState] = JobState.allCases
  ) throws(CommandError) -> Set<JobState> {
    var states: Set<JobState> = []
    for word in texts.flatMap({ $0.split(separator: ",", omittingEmptySubsequences: false) }) {
      guard let state = JobState(rawValue: String(word)), allowed.contains(state) else {
        throw unknown(String(word), allowed)
      }
      states.insert(state)
    }
    return states
  }

  private static func unknown(_ word: String, _ allowed: [JobState]) -> CommandError {
    let names = allowed.map(\.rawValue)
    let near = NearMatch.among(names, to: word)
    var hint: Hint = "one of \(names.joined(separator: ", "))"
    if ["scheduled", "retrying", "limited", "undefined"].contains(word) {
      hint = "'\(word)' is how a pending job is shown: --state pending"
    } else if !near.isEmpty {
      hint = "did you mean \(near.map { "'\($0)'" }.joined(separator: " or "))?"
    }
    return .usage("'--state' cannot be '\(word)'", hint: hint)
  }
}
