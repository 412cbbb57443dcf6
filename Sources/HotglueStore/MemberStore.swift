public import HotglueCore

/// One member of a workspace.
public struct Member: Hashable, Sendable {
  /// The login name of an operating-system user, or the number of one who has none.
  public var user: String
  public var role: Role
  public var addedAt: Timestamp
  public var addedBy: String

  public init(user: String, role: Role, addedAt: Timestamp, addedBy: String) {
    self.user = user
    self.role = role
    self.addedAt = addedAt
    self.addedBy = addedBy
  }
}

/// What the guards of a command need to know of a workspace, read at one moment.
public struct GuardFacts: Hashable, Sendable {
  public var workspace: Workspace
  public var standing: Standing
  public init(workspace: Workspace, standing: Standing) {
    self.workspace = workspace
    self.standing = standing
  }

  public enum Problem: Hashable, Sendable {
    /// The user needs this role.
    case role(Role)
    /// The workspace is protected and must be named.
    case name
  }

  /// Why a command that changes something may not act there; `nil` when it may. Whether an archived
  /// workspace may be changed depends on what is changed.
  public func problem(for authority: Authority) -> Problem? {
    if let role = authority.leastRole, !standing.allows(role) { return .role(role) }
    return workspace.isProtected && !authority.namesWorkspace ? .name : nil
  }
}

extension GuardFacts {
  /// The workspaces of a store that a command covers which acts on all of them.
  ///
  /// Once the store has members, one that is open belongs to nobody: any user may enqueue there, and a
  /// worker of another user would run that. So what works covers those where its user has the role.
  public static func covered(_ all: [GuardFacts], by role: Role?) -> [GuardFacts] {
    guard let role, role >= .operator, all.contains(where: { $0.standing != .open }) else {
      return all.filter { $0.standing.allows(role) }
    }
    return all.filter { $0.standing != .open && $0.standing.allows(role) }
  }
}

/// Who may do what in a workspace, and whether it must be named. Every method is one atomic, durable
/// step; what `Membership` refuses is `membership`.
public protocol MemberStore {
  /// The workspace and where the user stands in it; `unknownWorkspace` with near matches otherwise.
  func guardFacts(of id: WorkspaceID, for user: String) throws(StoreError) -> GuardFacts
  /// The same of every workspace, by ID.
  func guardFacts(for user: String) throws(StoreError) -> [GuardFacts]

  /// The members, by name; none in a workspace that is open to all.
  func members(of id: WorkspaceID) throws(StoreError) -> [Member]
  /// Gives the user a role, another one if the user has one. Who adds the first member becomes an
  /// owner in the same step. Returns the members after it; nothing is logged without a change.
  func addMember(
    _ user: String, as role: Role, in id: WorkspaceID, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> [Member]
  /// Returns the members after it.
  func removeMember(
    _ user: String, from id: WorkspaceID, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> [Member]

  /// Whether what is changed there must name the workspace on its command line. Returns whether it
  /// was otherwise before.
  func setProtection(
    of id: WorkspaceID, to isProtected: Bool, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> Bool
}

extension MemberStore {
  /// Where the user stands in the workspace.
  public func role(of user: String, in id: WorkspaceID) throws(StoreError) -> Standing {
    try guardFacts(of: id, for: user).standing
  }
}
