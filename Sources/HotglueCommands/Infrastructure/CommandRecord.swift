import HotglueCore

/// What a command is called, what it does to a workspace, and who may call it. Each command declares
/// its own, and `CommandRegistry` lists them all.
struct CommandRecord: Hashable, Sendable {
  /// The words that call it, nouns and a verb, or one word: `workspace switch`.
  let path: String
  let access: Access
  let required: RequiredRole
  /// The name in the audit log.
  let name: String
  /// Whether `-w` may be given more than once.
  let repeatsWorkspace: Bool
  /// The administrator of the machine may always repair the members of a workspace: otherwise one
  /// whose owners have left could never be managed again.
  let isForRescue: Bool
  /// Which of `--context`, `--store` and `-w` mean something to it.
  let contextFlags: ContextFlags
  /// Whether its answer names a change that it stored.
  let answersWithChange: Bool

  init(
    _ path: String, _ access: Access, requires required: RequiredRole, loggedAs name: String? = nil,
    repeatsWorkspace: Bool = false, isForRescue: Bool = false, contextFlags: ContextFlags? = nil,
    answersWithChange: Bool? = nil
  ) {
    self.path = path
    self.access = access
    self.required = required
    self.name = name ?? path
    self.repeatsWorkspace = repeatsWorkspace
    self.isForRescue = isForRescue
    self.contextFlags = contextFlags ?? access.contextFlags
    self.answersWithChange = answersWithChange ?? access.isChange
  }

  /// What a command does, and to what: guards depend on this.
  enum Access: String {
    /// Opens no store.
    case none
    /// Reads the store, or another workspace than the resolved one.
    case readsStore = "reads_store"
    /// Changes the store, or a workspace that is its own argument.
    case changesStore = "changes_store"
    case readsWorkspace = "reads_workspace"
    /// Records what already happened to jobs and effects: in an archived workspace too, so that none
    /// stays 'running' or 'uncertain' there.
    case settlesWorkspace = "settles_workspace"
    /// Refused in an archived workspace.
    case changesWorkspace = "changes_workspace"
  }

  /// The least role that a command takes, where a workspace has members.
  enum RequiredRole: Hashable {
    /// Acts in no workspace, or shows no more of one than that it exists.
    case none
    /// In the resolved workspace, or in the one that is the command's own argument.
    case role(Role)
    /// In every workspace of the store: the command acts on all of them.
    case everywhere(Role)
  }

  enum ContextFlags {
    case nothing
    case context
    case store
    case all
  }

  var words: [String] { path.split(separator: " ").map(String.init) }

  /// Only hotglue itself calls it.
  var isInternal: Bool { path.hasPrefix("__") }

  /// The least role, wherever it is required.
  var leastRole: Role? {
    switch required {
    case .none: nil
    case .role(let role), .everywhere(let role): role
    }
  }
}

extension CommandRecord.Access {
  fileprivate var contextFlags: CommandRecord.ContextFlags {
    switch self {
    case .none: .nothing
    case .readsStore, .changesStore: .store
    case .readsWorkspace, .settlesWorkspace, .changesWorkspace: .all
    }
  }

  fileprivate var isChange: Bool {
    switch self {
    case .changesStore, .settlesWorkspace, .changesWorkspace: true
    case .none, .readsStore, .readsWorkspace: false
    }
  }
}
