import ArgumentParser
import HotglueCore
import HotglueStore

struct MemberAdd: WorkspaceCommand {
  static let record = CommandRecord(
    "workspace member add", .changesWorkspace, requires: .role(.owner), isForRescue: true)
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "give a user a role in the workspace",
    discussion: """
      A user who has a role gets this one instead. Who adds the first member becomes an owner: from
      then on all others are refused. See hotglue-guards(7) for what each role may do.
      """)

  @OptionGroup var global: GlobalOptions

  @Option(help: ArgumentHelp("What the user may do.", valueName: "viewer|operator|owner"))
  var role: String

  @Argument(help: ArgumentHelp("A login name, or the number of a user.", valueName: "user"))
  var user: String

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    guard let role = Role(rawValue: role) else {
      throw CommandError.usage(
        "'--role' cannot be '\(role)'",
        hint: "one of \(Role.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    let me = session.base.user
    let name = user == me ? me : try SystemUsers.loginName(of: user)
    let members = try session.store.addMember(
      name, as: role, in: session.workspace, by: session.actor, at: session.now)
    guard let added = members.first(where: { $0.user == name }) else { return .internalError }
    session.output.result(json: added.json(in: session.workspace), id: name) {
      "user '\(name)' is \(role.withArticle) of workspace '\(session.workspace)'"
    }
    if session.standing == .open, name != me {
      session.output.note("workspace '\(session.workspace)' has members now: '\(me)' is an owner")
    }
    return .done
  }
}

struct MemberRemove: WorkspaceCommand {
  static let record = CommandRecord(
    "workspace member remove", .changesWorkspace, requires: .role(.owner), isForRescue: true)
  static let configuration = CommandConfiguration(
    commandName: "remove", abstract: "take a user's role in the workspace away",
    discussion: "The last owner is not removed: nobody could manage the workspace after that.")

  @OptionGroup var global: GlobalOptions

  @Argument(help: ArgumentHelp("The user, as 'member list' shows it.", valueName: "user"))
  var user: String

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    let left = try session.store.removeMember(
      user, from: session.workspace, by: session.actor, at: session.now)
    session.output.result(
      json: .object([
        JSON.Member("user", .string(user)),
        JSON.Member("workspace", .string(session.workspace.text)),
        JSON.Member("removed", .bool(true)), JSON.Member("members", .integer(left.count)),
      ]), id: user
    ) { "user '\(user)' is no member of workspace '\(session.workspace)' any more" }
    return .done
  }
}

struct MemberList: WorkspaceCommand {
  static let record = CommandRecord(
    "workspace member list", .readsWorkspace, requires: .role(.viewer), isForRescue: true)
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "show the members of the workspace, by name")

  @OptionGroup var global: GlobalOptions

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    let output = session.output
    let members = try session.store.members(of: session.workspace)
    output.breadcrumb(session.workspace.text, "members")
    if output.isJSON {
      for member in members { output.jsonLine(member.json(in: session.workspace)) }
    } else if output.isQuiet {
      for member in members { output.line(member.user) }
    } else {
      output.table(
        ["user", "role", "added", "by"],
        members.map {
          [Cell($0.user), Cell($0.role.rawValue), Cell($0.addedAt), Cell($0.addedBy)]
        })
      if members.isEmpty {
        output.note(
          "workspace '\(session.workspace)' has no members: it is open to all who may write the "
            + "store")
      }
    }
    return .done
  }
}

extension Member {
  func json(in workspace: WorkspaceID) -> JSON {
    .object([
      JSON.Member("user", .string(user)), JSON.Member("role", .string(role.rawValue)),
      JSON.Member("workspace", .string(workspace.text)),
      JSON.Member("added_at", .string(addedAt.rfc3339)), JSON.Member("added_by", .string(addedBy)),
    ])
  }
}
