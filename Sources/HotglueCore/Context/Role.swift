/// What a member of a workspace may do there. Each role may do what those below it may.
public enum Role: String, CaseIterable, Comparable, Sendable {
  /// Reads.
  case viewer
  /// Also enqueues, works, retries, cancels and syncs.
  case `operator`
  /// Also manages the workspace: members, types, protection, what is kept.
  case owner

  public static func < (left: Role, right: Role) -> Bool { left.rank < right.rank }

  private var rank: Int {
    switch self {
    case .viewer: 0
    case .operator: 1
    case .owner: 2
    }
  }

  /// With its article: `a viewer`, `an operator`.
  public var withArticle: String {
    switch self {
    case .viewer: "a viewer"
    case .operator: "an operator"
    case .owner: "an owner"
    }
  }
}

/// Where one user stands in one workspace.
public enum Standing: Hashable, Sendable {
  /// The workspace has no members: whoever may write the store may do everything there.
  case open
  case member(Role)
  /// The workspace has members, and the user is none of them.
  case stranger

  /// Whether that is enough for what takes `role` at least; `nil`: for what anybody may do.
  public func allows(_ role: Role?) -> Bool {
    guard let role else { return true }
    switch self {
    case .open: return true
    case .member(let own): return own >= role
    case .stranger: return false
    }
  }

  /// The roles whose commands are allowed, the least first.
  public var allowed: [Role] { Role.allCases.filter { allows($0) } }

  /// The word for it: a role, `open` or `none`.
  public var word: String {
    switch self {
    case .open: "open"
    case .member(let role): role.rawValue
    case .stranger: "none"
    }
  }
}

/// What a user may do after a switch that was not so before it, or no more.
public struct RightsChange: Hashable, Sendable {
  /// `nil`: the context had no workspace.
  public var from: Standing?
  public var to: Standing
  /// Roles whose commands are allowed there and were not here, the least first.
  public var gained: [Role]
  /// Roles whose commands were allowed here and are not there, the least first.
  public var lost: [Role]

  /// Pure: what a switch from where the user stands as `from` to where as `to` changes.
  public init(from: Standing?, to: Standing) {
    self.from = from
    self.to = to
    let before = from?.allowed ?? []
    gained = to.allowed.filter { !before.contains($0) }
    lost = before.filter { !to.allows($0) }
  }

  public var json: JSON {
    .object([
      JSON.Member("from", .text(from?.word)), JSON.Member("to", .string(to.word)),
      JSON.Member("gained", .strings(gained.map(\.rawValue))),
      JSON.Member("lost", .strings(lost.map(\.rawValue))),
    ])
  }
}

/// A change of the members of a workspace that is refused.
public enum MembershipRefusal: Error, Hashable, Sendable {
  /// Nobody could manage the workspace, nor make another owner.
  case lastOwner
  /// Who adds the first member becomes an owner, and cannot be another thing.
  case firstIsOwner
  case unknownMember
}

/// The members of a workspace, by name. The rule is kept here: a workspace has no members, or an
/// owner among them.
public struct Membership: Hashable, Sendable {
  public private(set) var roles: [String: Role]

  public init(_ roles: [String: Role]) { self.roles = roles }

  public func standing(of user: String) -> Standing {
    if roles.isEmpty { return .open }
    return roles[user].map { .member($0) } ?? .stranger
  }

  public var owners: [String] { roles.filter { $0.value == .owner }.keys.sorted() }

  /// The members after `adder` gave `user` a role. Who adds the first member becomes an owner, so
  /// that nobody locks out himself.
  public func adding(
    _ user: String, as role: Role, by adder: String
  ) throws(MembershipRefusal) -> Membership {
    var changed = self
    if roles.isEmpty {
      guard user != adder || role == .owner else { throw .firstIsOwner }
      changed.roles[adder] = .owner
    }
    changed.roles[user] = role
    guard !changed.owners.isEmpty else { throw .lastOwner }
    return changed
  }

  public func removing(_ user: String) throws(MembershipRefusal) -> Membership {
    guard roles[user] != nil else { throw .unknownMember }
    var changed = self
    changed.roles[user] = nil
    guard !changed.owners.isEmpty else { throw .lastOwner }
    return changed
  }
}
