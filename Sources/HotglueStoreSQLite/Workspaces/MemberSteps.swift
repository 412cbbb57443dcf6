public import HotglueCore
public import HotglueStore

extension SQLiteStore: MemberStore {
  public func guardFacts(
    of id: WorkspaceID, for user: String
  ) throws(StoreError) -> GuardFacts {
    guard
      let facts = try connection.first(
        MemberSQL.guardOne, [.text(id.text), .text(user)], decodeGuardFacts)
    else { throw try unknownWorkspace(id) }
    return facts
  }

  public func guardFacts(for user: String) throws(StoreError) -> [GuardFacts] {
    try connection.all(MemberSQL.guardAll, [.text(user)], decodeGuardFacts)
  }

  public func members(of id: WorkspaceID) throws(StoreError) -> [Member] {
    try read { () throws(StoreError) in
      _ = try workspace(id)
      return try connection.all(MemberSQL.all, [.text(id.text)], decodeMember)
    }
  }

  public func addMember(
    _ user: String, as role: Role, in id: WorkspaceID, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> [Member] {
    try changeMembers(of: id, about: user, by: actor, at: now) {
      (members) throws(MembershipRefusal) in
      try members.adding(user, as: role, by: actor.user)
    }
  }

  public func removeMember(
    _ user: String, from id: WorkspaceID, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> [Member] {
    try changeMembers(of: id, about: user, by: actor, at: now) {
      (members) throws(MembershipRefusal) in
      try members.removing(user)
    }
  }

  public func setProtection(
    of id: WorkspaceID, to isProtected: Bool, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> Bool {
    try write { () throws(StoreError) in
      try requireActive(id, for: actor)
      let changed = try connection.run(
        MemberSQL.protect, [.text(id.text), .flag(isProtected)])
      guard changed == 1 else { return false }
      try logActivity(actor, in: id, subject: "workspace/\(id)", at: now)
      return true
    }
  }
}

extension SQLiteStore {
  /// The guards of every mutation, inside its transaction: the workspace exists and is not archived,
  /// and the actor may do this there.
  func requireActive(_ id: WorkspaceID, for actor: Actor) throws(StoreError) {
    guard let authority = actor.authority else { return try requireActive(id) }
    let facts = try guardFacts(of: id, for: actor.user)
    try require(authority, of: actor.user, facts)
    guard facts.workspace.state == .active else { throw StoreError.archivedWorkspace(id) }
  }

  /// As `requireActive`, for what is allowed in an archived workspace too.
  func requireAuthority(of actor: Actor, in id: WorkspaceID) throws(StoreError) {
    guard let authority = actor.authority else { return }
    try require(authority, of: actor.user, guardFacts(of: id, for: actor.user))
  }

  private func require(
    _ authority: Authority, of user: String, _ facts: GuardFacts
  ) throws(StoreError) {
    guard let problem = facts.problem(for: authority) else { return }
    let id = facts.workspace.id
    switch problem {
    case .role(let role):
      throw StoreError.roleNeeded(
        role, user: user, facts.standing, id, owners: try membership(of: id).owners)
    case .name: throw StoreError.protectedWorkspace(id)
    }
  }

  private func membership(of id: WorkspaceID) throws(StoreError) -> Membership {
    let members = try connection.all(MemberSQL.all, [.text(id.text)], decodeMember)
    return Membership(
      Dictionary(members.map { ($0.user, $0.role) }, uniquingKeysWith: { first, _ in first }))
  }

  /// Decided by `Membership` on rows read in the same transaction; what did not change is not written.
  private func changeMembers(
    of id: WorkspaceID, about user: String, by actor: Actor, at now: Timestamp,
    _ change: (Membership) throws(MembershipRefusal) -> Membership
  ) throws(StoreError) -> [Member] {
    try write { () throws(StoreError) in
      try requireActive(id, for: actor)
      let before = try membership(of: id)
      let after: Membership
      do throws(MembershipRefusal) {
        after = try change(before)
      } catch {
        throw StoreError.membership(error, user: user, id)
      }
      for (name, role) in after.roles.sorted(by: { $0.key < $1.key })
      where before.roles[name] != role {
        try connection.run(
          MemberSQL.set,
          [
            .text(id.text), .text(name), .text(role.rawValue), .integer(now.milliseconds),
            .text(actor.user),
          ])
        try logActivity(actor, in: id, subject: "member/\(name)", at: now)
      }
      for name in before.roles.keys.sorted() where after.roles[name] == nil {
        try connection.run(MemberSQL.remove, [.text(id.text), .text(name)])
        try logActivity(actor, in: id, subject: "member/\(name)", at: now)
      }
      return try connection.all(MemberSQL.all, [.text(id.text)], decodeMember)
    }
  }

  private func decodeMember(_ row: Row) throws(StoreError) -> Member {
    var columns = row.columns()
    return Member(
      user: columns.text(), role: try decodeRole(columns.text()),
      addedAt: Timestamp(milliseconds: columns.integer()), addedBy: columns.text())
  }

  private func decodeGuardFacts(_ row: Row) throws(StoreError) -> GuardFacts {
    let workspace = try decodeWorkspace(row)
    var columns = row.columns(from: 5)
    let hasMembers = columns.flag()
    let role = try columns.optionalText().map(decodeRole)
    return GuardFacts(
      workspace: workspace, standing: role.map { .member($0) } ?? (hasMembers ? .stranger : .open))
  }

  private func decodeRole(_ text: String) throws(StoreError) -> Role {
    guard let role = Role(rawValue: text) else {
      throw StoreError.corrupt(path: path, detail: "'\(text)' is no role")
    }
    return role
  }
}
