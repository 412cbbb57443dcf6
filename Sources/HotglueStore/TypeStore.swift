public import HotglueCore

/// One revision of a job type.
public struct JobType: Hashable, Sendable {
  public var workspace: WorkspaceID
  public var name: String
  /// From 1; it grows with every change, also over a removal, and never repeats.
  public var revision: Int
  public var definition: TypeDefinition
  public var setAt: Timestamp
  /// The user who set it.
  public var setBy: String

  public init(
    workspace: WorkspaceID, name: String, revision: Int, definition: TypeDefinition,
    setAt: Timestamp, setBy: String
  ) {
    self.workspace = workspace
    self.name = name
    self.revision = revision
    self.definition = definition
    self.setAt = setAt
    self.setBy = setBy
  }
}

/// What setting a type came to. Without a difference there is no new revision.
public struct TypeChange: Hashable, Sendable {
  /// `nil`: it was not defined.
  public var before: JobType?
  public var after: JobType
  /// Attempts of earlier revisions that run at that moment, counted up to `mostRunning`. They go on as
  /// they were claimed, and what their ends mean is decided by the policy they were claimed with.
  public var running: Int
  public var isChange: Bool { before != after }

  public static let mostRunning = 1000

  public init(before: JobType?, after: JobType, running: Int = 0) {
    self.before = before
    self.after = after
    self.running = running
  }
}

/// Job types. Every method is one atomic, durable step.
public protocol TypeStore {
  /// Makes what `change` returns the definition of the type; it gets the current one, read in the same
  /// transaction. `nil` from `change`: nothing happens.
  func setType(
    _ name: String, in workspace: WorkspaceID, by actor: Actor, at now: Timestamp,
    _ change: (TypeDefinition?) -> TypeDefinition?
  ) throws(StoreError) -> TypeChange?

  /// Sets all of the types or none, in the order given. `dryRun` tells what would change.
  func setTypes(
    _ types: [(name: String, definition: TypeDefinition)], in workspace: WorkspaceID,
    dryRun: Bool, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> [TypeChange]

  /// Takes the type's definition away; its jobs wait until it is defined again, attempts that run go
  /// on. Returns how many wait. `dryRun` removes nothing.
  func removeType(
    _ name: String, in workspace: WorkspaceID, dryRun: Bool, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> Int

  /// The types that are defined, by name.
  func types(in workspace: WorkspaceID) throws(StoreError) -> [JobType]
  /// The current revision; `unknownType` when the type is not defined.
  func type(_ name: String, in workspace: WorkspaceID) throws(StoreError) -> JobType
  /// Every revision there ever was, oldest first, also of a removed type.
  func revisions(ofType name: String, in workspace: WorkspaceID) throws(StoreError) -> [JobType]
}
