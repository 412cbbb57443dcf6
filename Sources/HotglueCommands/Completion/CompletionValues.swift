import HotglueCore
import HotglueStore

/// One thing that may stand at the cursor.
struct Candidate: Equatable {
  var text: String
  /// What it is, for shells that show it.
  var help = ""
}

/// What the value of an option or argument can be.
enum ValueKind: Equatable {
  case workspace
  /// Of these states; all when empty.
  case job(Set<JobState>)
  case type
  case automation
  case queue
  case state
  case words([String])
  case file
  case folder
  case unknown

  /// By what a command's definition calls it.
  init(_ parameter: CommandShape.Parameter, of command: CommandRecord?) {
    self =
      parameter.words.isEmpty
      ? Self.named(parameter.valueName, command) : .words(parameter.words)
  }

  private static func named(_ name: String, _ command: CommandRecord?) -> ValueKind {
    switch name {
    // A new workspace has a new ID.
    case "id": command == WorkspaceCreate.record ? .unknown : .workspace
    case "job": .job(states(for: command))
    case "type": .type
    case "name" where command?.words.first == "type": .type
    case "automation": .automation
    case "queue": .queue
    case "state": .state
    case "file", "file|-", "path", "json|@file|-": .file
    case "folder": .folder
    case "outcome": .words(["succeeded", "retry", "failed", "snooze"])
    case "bash|zsh|fish", "succeeded|failed|retry", "job|workspace":
      .words(name.split(separator: "|").map(String.init))
    default: .unknown
    }
  }

  /// The states in which a verb can do something to a job.
  private static func states(for command: CommandRecord?) -> Set<JobState> {
    switch command {
    case JobCancel.record: [.blocked, .pending, .running]
    case JobRetry.record: [.failed, .cancelled]
    case JobResolve.record: [.uncertain]
    case JobReclaim.record: [.running]
    default: []
    }
  }
}

/// Candidates from the store that the resolver finds, by the flags that are typed already.
struct CompletionValues {
  let session: StoreSession

  /// How many of the newest jobs are looked at.
  private static let reach = 500

  func candidates(_ kind: ValueKind) throws -> [Candidate] {
    switch kind {
    case .workspace:
      return try session.store.workspaces().filter { $0.state == .active }
        .map { Candidate(text: $0.id.text, help: $0.name == $0.id.text ? "" : $0.name) }
    case .job(let states):
      return try jobs(states).map {
        Candidate(
          text: String($0.id),
          help: "\($0.state.rawValue) \(ShellWords.joined($0.request.command))")
      }
    case .type:
      let workspace = try session.entering(session.requireWorkspace()).workspace
      return try session.store.types(in: workspace).map {
        Candidate(text: $0.name, help: ShellWords.joined($0.definition.command))
      }
    case .automation:
      let workspace = try session.entering(session.requireWorkspace()).workspace
      return try session.store.automations(in: workspace).map {
        Candidate(text: $0.name, help: $0.definition.schedule.words)
      }
    case .queue:
      let workspace = try session.entering(session.requireWorkspace()).workspace
      let defined = try session.store.types(in: workspace).map(\.definition.queue)
      return Set(try jobs([]).map(\.request.queue) + defined + ["default"]).sorted()
        .map { Candidate(text: $0) }
    case .state: return JobState.allCases.map { Candidate(text: $0.rawValue) }
    case .words(let words): return words.map { Candidate(text: $0) }
    case .file, .folder, .unknown: return []
    }
  }

  private func jobs(_ states: Set<JobState>) throws -> [Job] {
    let workspace = try session.entering(session.requireWorkspace()).workspace
    return try session.store.jobs(
      in: workspace, matching: JobFilter(states: states), before: nil, limit: Self.reach)
  }
}
