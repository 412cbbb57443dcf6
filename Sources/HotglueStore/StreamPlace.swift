public import HotglueCore

/// What jobs must share to be fed to one handler of a stream: whatever a process is started with.
public struct StreamKey: Hashable, Sendable {
  public var workspace: WorkspaceID
  public var type: String
  public var revision: Int
  public var directory: String
  public var umask = FileMask.standard
  /// Recorded variables, `NAME=VALUE` each.
  public var environment: [String]
  public var keepsChildren: Bool

  public init(
    workspace: WorkspaceID, type: String, revision: Int, directory: String,
    environment: [String] = [], keepsChildren: Bool = false
  ) {
    self.workspace = workspace
    self.type = type
    self.revision = revision
    self.directory = directory
    self.environment = environment
    self.keepsChildren = keepsChildren
  }
}

/// An open stream of the worker that claims.
public struct StreamPlace: Hashable, Sendable {
  public var slot: String
  public var key: StreamKey
  /// How many more jobs it takes.
  public var room: Int
  /// It has no job: the first one counts as an attempt that begins.
  public var isIdle: Bool

  public init(slot: String, key: StreamKey, room: Int, isIdle: Bool) {
    self.slot = slot
    self.key = key
    self.room = room
    self.isIdle = isIdle
  }
}

/// Names a type in its workspace.
public struct TypePlace: Hashable, Sendable {
  public var workspace: WorkspaceID
  public var type: String

  public init(workspace: WorkspaceID, type: String) {
    self.workspace = workspace
    self.type = type
  }
}
