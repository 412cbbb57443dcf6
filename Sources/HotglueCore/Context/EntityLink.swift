/// A link that names one thing in one workspace: `hotglue://WORKSPACE/KIND/ID`.
public struct EntityLink: Hashable, Sendable {
  public enum Kind: String, CaseIterable, Sendable {
    case job, draft, source, automation, record
  }

  public let workspace: WorkspaceID
  public let kind: Kind
  public let id: String
  public static let scheme = "hotglue://"

  public init(workspace: WorkspaceID, kind: Kind, id: String) {
    self.workspace = workspace
    self.kind = kind
    self.id = id
  }

  public static func job(_ id: JobID, in workspace: WorkspaceID) -> EntityLink {
    EntityLink(workspace: workspace, kind: .job, id: String(id))
  }

  public static func draft(_ id: DraftID, in workspace: WorkspaceID) -> EntityLink {
    EntityLink(workspace: workspace, kind: .draft, id: String(id))
  }

  /// The link, or `nil` when the text is not one or names a kind that does not exist.
  public init?(_ text: String) {
    guard text.hasPrefix(Self.scheme) else { return nil }
    let parts = text.dropFirst(Self.scheme.count).split(
      separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, let workspace = WorkspaceID(String(parts[0])),
      let kind = Kind(rawValue: String(parts[1])), !parts[2].isEmpty
    else { return nil }
    self.init(workspace: workspace, kind: kind, id: String(parts[2]))
  }

  public var text: String { "\(Self.scheme)\(workspace)/\(kind.rawValue)/\(id)" }
}
