import HotglueCore

/// A type that hotglue itself knows how to run.
enum BuiltInType: CaseIterable {
  case exec, sync

  init?(_ name: String) {
    guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = found
  }

  var name: String {
    switch self {
    case .exec: TypeName.bareCommand
    case .sync: SyncJob.type
    }
  }

  /// Its contract where a job's own flags say nothing.
  var definition: TypeDefinition {
    var definition = TypeDefinition(command: [], directory: "")
    switch self {
    case .exec: definition.policy = .bareCommand
    case .sync: definition.policy = SyncJob.policy
    }
    return definition
  }

  var runs: String {
    switch self {
    case .exec:
      "the command that the job was enqueued with, without a shell, in the folder where that was, "
        + "once per attempt"
    case .sync:
      "a sync of the source that the job names, from its last bookmark on, once per attempt"
    }
  }

  var waits: String {
    switch self {
    case .exec:
      "in queue 'default', unless 'job enqueue' or 'job run' says otherwise, as it may of all that "
        + "follows"
    case .sync:
      "in queue 'default'; 'sync run' takes an unfinished one up instead of adding another"
    }
  }
}
