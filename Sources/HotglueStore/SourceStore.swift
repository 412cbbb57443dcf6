public import HotglueCore

public typealias SourceID = Int64

/// A source as the store knows it at one moment.
public struct Source: Hashable, Sendable {
  public var id: SourceID
  public var workspace: WorkspaceID
  public var name: String
  /// From 1; it grows with every change.
  public var revision: Int
  public var definition: SourceDefinition
  public var createdAt: Timestamp
  public var setAt: Timestamp
  /// The user who set it.
  public var setBy: String

  public init(
    id: SourceID, workspace: WorkspaceID, name: String, revision: Int,
    definition: SourceDefinition, createdAt: Timestamp, setAt: Timestamp, setBy: String
  ) {
    self.id = id
    self.workspace = workspace
    self.name = name
    self.revision = revision
    self.definition = definition
    self.createdAt = createdAt
    self.setAt = setAt
    self.setBy = setBy
  }
}

/// What is expected of a source that is set.
public enum SourceExpectation: Hashable, Sendable {
  /// There is none of this name: `sourceExists` otherwise.
  case absent
  /// It is at this revision: `staleSource` otherwise.
  case revision(Int)
  case anything
}

/// Sources. Every method is one atomic, durable step.
public protocol SourceStore {
  /// Makes or changes the source. Without a difference there is no new revision.
  func setSource(
    _ name: String, to definition: SourceDefinition, in workspace: WorkspaceID,
    expecting expectation: SourceExpectation, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> Source

  /// Takes the source away. Its records vanish at once for every reader; `sweepSyncs` gives their
  /// room back in small steps. Its name is free again, its number is not. `syncRuns` while a sync of it runs.
  func removeSource(
    _ name: String, in workspace: WorkspaceID, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> Source

  /// The sources by name.
  func sources(in workspace: WorkspaceID) throws(StoreError) -> [Source]
  /// The source; `unknownSource` with near matches otherwise.
  func source(_ name: String, in workspace: WorkspaceID) throws(StoreError) -> Source
  /// Which workspace a source number belongs to, for links; `nil` when there is no such source.
  func owner(ofSource id: SourceID) throws(StoreError) -> (workspace: WorkspaceID, name: String)?
}
