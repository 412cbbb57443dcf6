import HotglueCore
import HotglueStore

extension CommandError {
  /// The user's role does not allow it: which one is needed, and who can grant it.
  static func roleNeeded(
    _ role: Role, of user: String, _ standing: Standing, in id: WorkspaceID, owners: [String],
    for what: String
  ) -> CommandError {
    let place =
      switch standing {
      case .member(let own): "\(own.withArticle) of workspace '\(id)'"
      case .stranger, .open: "no member of workspace '\(id)'"
      }
    let command: Hint =
      "hotglue -w \(id) workspace member add \(Shell.quoted(user)) --role \(role.rawValue)"
    return CommandError(
      "role_needed", .notPermitted,
      "user '\(user)' is \(place), and \(what) needs \(role.withArticle)",
      hint: "ask \(owners.isEmpty ? "an owner" : owners.joined(separator: " or ")): \(command)",
      facts: [
        JSON.Member("workspace", .string(id.text)), JSON.Member("user", .string(user)),
        JSON.Member("role", .string(standing.word)), JSON.Member("needed", .string(role.rawValue)),
        JSON.Member("owners", .strings(owners)),
      ])
  }

  /// A protected workspace is changed only when the command line itself says that it is meant.
  static func nameNeeded(_ id: WorkspaceID, _ provenance: String) -> CommandError {
    CommandError(
      "name_needed", .needsConfirmation,
      "workspace '\(id)' is protected, and the command line does not name it (\(provenance))",
      hint: "\(again: .workspace(id))",
      facts: [JSON.Member("workspace", .string(id.text))])
  }

  init(_ refusal: MembershipRefusal, of user: String, in id: WorkspaceID) {
    let facts = [
      JSON.Member("user", .string(user)), JSON.Member("workspace", .string(id.text)),
    ]
    switch refusal {
    case .lastOwner:
      self.init(
        "last_owner", .refused, "user '\(user)' is the last owner of workspace '\(id)'",
        hint: "make another one first: hotglue -w \(id) workspace member add USER --role owner",
        facts: facts)
    case .firstIsOwner:
      self.init(
        "first_is_owner", .refused,
        "who adds the first member of workspace '\(id)' becomes an owner of it",
        hint: "\(again: .option("--role", "owner"))",
        facts: facts)
    case .unknownMember:
      self.init(
        "unknown_member", .notFound, "user '\(user)' is no member of workspace '\(id)'",
        hint: "see them with 'hotglue -w \(id) workspace member list'", facts: facts)
    }
  }
}
