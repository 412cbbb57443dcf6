/// A draft's number: unique across the store, never per workspace, never reused.
public typealias DraftID = Int64

/// What a draft becomes when it is submitted.
public enum DraftKind: String, CaseIterable, Sendable {
  case job, type, source, automation
}

public enum DraftState: String, CaseIterable, Sendable {
  case open
  /// Put aside by a person or by a switch; it can be restored until it is pruned.
  case bin
  /// It became what it describes; kept for a while as a record of that.
  case submitted
}

/// The text of something that is not there yet, bound to the workspace it was begun in.
public struct Draft: Hashable, Sendable {
  public var id: DraftID
  public var workspace: WorkspaceID
  public var kind: DraftKind
  /// What it is of, as its text says or as it was begun with; `nil` while nothing says it.
  public var name: String?
  public var state: DraftState
  /// What the editor was opened on first.
  public var template: [UInt8]
  /// As it was typed: perhaps not valid, perhaps not even UTF-8.
  public var text: [UInt8]
  /// The folder that relative paths in the text start from.
  public var directory: String
  /// The revision of what it was begun from; `nil`: there was nothing of that name.
  public var baseRevision: Int?
  /// Grows with every change of the row: what was decided on an older one is refused.
  public var version: Int
  public var createdAt: Timestamp
  public var updatedAt: Timestamp
  /// What it became, as `job/42`, once it is submitted.
  public var entity: String?

  public init(
    id: DraftID, workspace: WorkspaceID, kind: DraftKind, name: String?, state: DraftState,
    template: [UInt8], text: [UInt8], directory: String, baseRevision: Int?, version: Int,
    createdAt: Timestamp, updatedAt: Timestamp, entity: String?
  ) {
    self.id = id
    self.workspace = workspace
    self.kind = kind
    self.name = name
    self.state = state
    self.template = template
    self.text = text
    self.directory = directory
    self.baseRevision = baseRevision
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
    self.entity = entity
  }

  /// Whether its bytes differ from the template.
  public var isTouched: Bool { text != template }

  public var stamp: DraftStamp { DraftStamp(id: id, version: version) }

  /// The longest text that is taken, in bytes.
  public static let longest = 4 << 20
}

/// A draft as somebody saw it: it means no other content than that.
public struct DraftStamp: Hashable, Sendable {
  public var id: DraftID
  public var version: Int
  public init(id: DraftID, version: Int) {
    self.id = id
    self.version = version
  }
}
