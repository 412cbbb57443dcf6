public import HotglueCore

/// What a workspace holds, for `archive` and `show`.
public struct WorkspaceContents: Hashable, Sendable {
  public var jobsByState: [JobState: Int]
  public var openDrafts: Int
  public init(jobsByState: [JobState: Int], openDrafts: Int = 0) {
    self.jobsByState = jobsByState
    self.openDrafts = openDrafts
  }
}

/// A context file as the store knows it.
public struct ContextRecord: Hashable, Sendable {
  public var generation: Int64
  public var workspace: WorkspaceID?
  public var previous: WorkspaceID?
  /// A switch that was begun and neither confirmed nor rolled back.
  public var intent: Intent?

  public struct Intent: Hashable, Sendable {
    public var generation: Int64
    public var workspace: WorkspaceID
    public init(generation: Int64, workspace: WorkspaceID) {
      self.generation = generation
      self.workspace = workspace
    }
  }

  public init(
    generation: Int64, workspace: WorkspaceID?, previous: WorkspaceID?, intent: Intent?
  ) {
    self.generation = generation
    self.workspace = workspace
    self.previous = previous
    self.intent = intent
  }
}

/// Names a context file: its `context_id` together with its real path, so that a copied file is
/// another context.
public struct ContextKey: Hashable, Sendable {
  public var contextID: String
  public var path: String
  public init(contextID: String, path: String) {
    self.contextID = contextID
    self.path = path
  }
}

/// Workspaces, and the switches between them. Every method is one atomic, durable step.
public protocol WorkspaceStore {
  func createWorkspace(
    _ id: WorkspaceID, name: String, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> Workspace
  func workspaces() throws(StoreError) -> [Workspace]
  /// The workspace; `unknownWorkspace` with near matches otherwise.
  func workspace(_ id: WorkspaceID) throws(StoreError) -> Workspace
  func contents(of id: WorkspaceID) throws(StoreError) -> WorkspaceContents
  func archiveWorkspace(_ id: WorkspaceID, by actor: Actor, at now: Timestamp) throws(StoreError)
  /// Takes an archived workspace into use again; one that is active stays as it is.
  func unarchiveWorkspace(_ id: WorkspaceID, by actor: Actor, at now: Timestamp) throws(StoreError)
  /// Changes the name for people. False: it is called so already, and nothing is written.
  func renameWorkspace(
    _ id: WorkspaceID, to name: String, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> Bool

  func context(_ key: ContextKey) throws(StoreError) -> ContextRecord?
  /// Records the intent to switch, generation + 1, and who has it; `from` is what the file says now. `drafts` are the
  /// open ones that the switch was decided on, each with whether it moves to the bin: they move
  /// provisionally. `draftsChanged` when the ones that are there now are not those, or when one moves
  /// and the workspace that is left has been archived.
  func beginSwitch(
    _ key: ContextKey, from file: ContextRecord, to workspace: WorkspaceID,
    drafts: [DraftStamp: Bool], by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> ContextRecord.Intent
  /// The file was replaced: the intent becomes the record, drafts that moved stay in the bin, and the
  /// log gets its rows. They are of whoever recorded the intent, and name who repaired it where
  /// `actor` says so; of `actor` where nobody was recorded.
  func confirmSwitch(
    _ key: ContextKey, _ intent: ContextRecord.Intent, by actor: Actor, at now: Timestamp)
    throws(StoreError)
  /// The intent is given up: drafts that moved are open again, and the record continues at
  /// `generation`.
  func rollBackSwitch(_ key: ContextKey, to file: ContextRecord) throws(StoreError)
}
