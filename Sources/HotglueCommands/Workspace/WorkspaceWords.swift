import HotglueCore
import HotglueStore

extension WorkspaceID {
  /// The ID that an argument names; malformed ones are refused with the rule.
  init(argument text: String) throws(ContextError) {
    guard let id = WorkspaceID(text) else { throw .badWorkspaceID(text) }
    self = id
  }
}

extension Workspace {
  var json: JSON {
    .object([
      JSON.Member("id", .string(id.text)), JSON.Member("name", .string(name)),
      JSON.Member("state", .string(state.rawValue)), JSON.Member("protected", .bool(isProtected)),
      JSON.Member("created_at", .string(createdAt.rfc3339)),
    ])
  }
}

extension WorkspaceContents {
  func count(_ state: JobState) -> Int { jobsByState[state] ?? 0 }

  /// `2 running, 5 pending jobs`, in the order of the lifecycle; what there is none of is left out.
  var summary: String {
    let parts = JobState.allCases.compactMap { state -> String? in
      count(state) == 0 ? nil : "\(count(state)) \(state.rawValue)"
    }
    let total = JobState.allCases.reduce(0) { $0 + count($1) }
    let jobs =
      parts.isEmpty
      ? "no jobs" : parts.joined(separator: ", ") + (total == 1 ? " job" : " jobs")
    return openDrafts == 0 ? jobs : jobs + " and " + Count.of(openDrafts, "open draft")
  }

  /// Beside a workspace's own members.
  var members: [JSON.Member] {
    [
      JSON.Member("jobs", json),
      JSON.Member("drafts", .object([JSON.Member("open", .integer(openDrafts))])),
    ]
  }

  var json: JSON {
    .object(
      JobState.allCases.map { JSON.Member($0.rawValue, .integer(count($0))) })
  }
}
