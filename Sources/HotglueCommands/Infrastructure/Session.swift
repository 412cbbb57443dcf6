import HotglueCore
import HotglueStore

/// A resolved context with its store open: what a command acts on.
struct StoreSession {
  let command: CommandRecord
  let environment: CommandEnvironment
  let options: GlobalOptions
  let context: ResolvedContext
  let store: any Store
  let output: Output
  /// The name of the operating-system user, looked up once.
  let user: String
  /// The workspace is the command's own argument, so it is named.
  var isNamed = false
  /// The command does here what another one is for, which takes that one's role, too.
  var standsFor: CommandRecord?

  /// Resolves the context once, opens its store, and puts right a switch that was cut short, unless it
  /// is only to be looked at.
  static func open(
    for command: CommandRecord, _ options: GlobalOptions, in environment: CommandEnvironment,
    repairing: Bool = true
  ) throws -> StoreSession {
    let loader = ContextLoader(environment)
    let context = try Self.context(for: command, options, loader)
    let store = try openStore(of: context, loader)
    let session = StoreSession(
      command: command, environment: environment, options: options, context: context, store: store,
      output: Output(environment, options), user: environment.user.name())
    try requireRoleEverywhere(for: command, in: store, session.user)
    if repairing { try session.recoverSwitch() }
    return session
  }

  private static func openStore(
    of context: ResolvedContext, _ loader: ContextLoader
  ) throws -> any Store {
    do throws(StoreError) {
      return try loader.environment.stores.open(context.store, context.storeID)
    } catch {
      guard context.origins.store != .flag, let source = context.source,
        let link = loader.link(source.shownPath, to: source.realPath)
      else { throw error }
      throw CommandError(error).following(link)
    }
  }

  private static func context(
    for command: CommandRecord, _ options: GlobalOptions, _ loader: ContextLoader
  ) throws -> ResolvedContext {
    do {
      let context = try loader.resolve(options)
      try context.requireSpeaker(in: loader.environment)
      return context
    } catch ContextError.attemptEnded(let path) where command == EffectConfirm.record {
      guard let context = try ofEndedAttempt(path, options, loader.environment) else {
        throw ContextError.attemptEnded(path: path)
      }
      return context
    }
  }

  /// The context of an attempt whose file went with it: where it was tells whose it was, as it does
  /// for late reports. `nil` when the flags say otherwise, or the job is gone.
  private static func ofEndedAttempt(
    _ path: String, _ options: GlobalOptions, _ environment: CommandEnvironment
  ) throws -> ResolvedContext? {
    guard options.workspaces.isEmpty, options.store == nil, options.expect == nil,
      let place = AttemptPlace(contextPath: path)
    else { return nil }
    try environment.requireSpeaker(of: place.pin)
    let store = try environment.stores.open(String(place.folder.dropLast(2)), nil)
    let info = try store.info()
    guard let workspace = try store.owner(ofJob: place.pin.job) else { return nil }
    let file = ContextFile(
      contextID: "job-\(place.pin.job)-\(place.pin.fence)", store: info.path, storeID: info.storeID,
      workspace: workspace, generation: 1, pinned: place.pin)
    return ResolvedContext(
      workspace: workspace, store: info.path, storeID: info.storeID,
      source: ResolvedContext.Source(shownPath: path, realPath: path, file: file),
      origins: ResolvedContext.Origins(
        workspace: .contextFile, store: .contextFile, contextFile: .environment))
  }

  /// A context pinned to an attempt is refused once that attempt has ended. Its file goes with it;
  /// a copy of the file, or one that a killed supervisor left, is told apart by the fence.
  /// That an effect happened is a fact, also in the mouth of a late attempt: the store judges it.
  private func requireLiveAttempt() throws {
    guard command != EffectConfirm.record, let attempt = context.attempt else { return }
    let running = try store.runningAttempt(of: attempt.pin.job, in: attempt.workspace)
    guard let running, running.reference.fence == attempt.pin.fence else {
      throw ContextError.attemptEnded(path: context.source?.shownPath ?? "")
    }
  }

  var now: Timestamp { environment.now() }

  /// Who does it, for the log and for histories, and what that user may do.
  var actor: Actor {
    var actor = Actor(for: command, context, in: environment, user: user)
    actor.authority = Authority(
      leastRole: takenRole, namesWorkspace: isNamed || context.namesWorkspace)
    if isNamed { actor.workspaceOrigin = "argument" }
    return actor
  }

  /// The same session of a command whose own argument names the workspace.
  var naming: StoreSession {
    var session = self
    session.isNamed = true
    return session
  }

  /// The same session in one workspace, with the guards of the command's record. `isNamed`:
  /// the workspace is the command's own argument.
  func entering(_ id: WorkspaceID, isNamed: Bool = false) throws -> WorkspaceSession {
    try requireLiveAttempt()
    let facts = try store.guardFacts(of: id, for: user)
    let session = isNamed ? naming : self
    try session.requireRole(facts)
    switch command.access {
    case .changesWorkspace:
      guard facts.workspace.state == .active else { throw StoreError.archivedWorkspace(id) }
      try session.requireName(facts.workspace)
    case .settlesWorkspace: try session.requireName(facts.workspace)
    case .none, .readsStore, .changesStore, .readsWorkspace: break
    }
    return WorkspaceSession(base: session, record: facts.workspace, standing: facts.standing)
  }

  /// The least role that the command takes of this user.
  private var takenRole: Role? {
    if command.isForRescue && environment.user.id == 0 { return nil }
    guard let other = standsFor?.leastRole, let own = command.leastRole else {
      return command.leastRole
    }
    return max(own, other)
  }

  /// For commands that act on the store as a whole: the role is needed in each of its workspaces.
  static func requireRoleEverywhere(
    for command: CommandRecord, in store: any Store, _ user: String
  ) throws {
    guard case .everywhere(let role) = command.required else { return }
    for facts in try store.guardFacts(for: user) {
      try require(role, of: user, facts, for: "'\(command.name)'", in: store)
    }
  }

  private static func require(
    _ role: Role, of user: String, _ facts: GuardFacts, for what: String, in store: any Store
  ) throws {
    guard !facts.standing.allows(role) else { return }
    let owners = try store.members(of: facts.workspace.id).filter { $0.role == .owner }
    throw CommandError.roleNeeded(
      role, of: user, facts.standing, in: facts.workspace.id, owners: owners.map(\.user),
      for: what)
  }

  /// A command that stays looks again whether its user may still be there.
  func requireStanding(in id: WorkspaceID) throws {
    try requireRole(store.guardFacts(of: id, for: user))
  }

  private func requireRole(_ facts: GuardFacts) throws {
    guard let role = takenRole else { return }
    let also = standsFor.map { ", which does here what '\($0.name)' does," } ?? ""
    try Self.require(role, of: user, facts, for: "'\(command.name)'\(also)", in: store)
  }

  /// The same session of a command that does what another one is for.
  func standing(for other: CommandRecord) -> StoreSession {
    var session = self
    session.standsFor = other
    return session
  }

  /// Whether one who stands so in a workspace may do there what another command is for, too.
  func mayStand(for other: CommandRecord, as standing: Standing) -> Bool {
    standing.allows(self.standing(for: other).takenRole)
  }

  /// The workspaces of the store where the user may do this, and how many there are besides; of the
  /// active ones alone, if only those are meant. To ask for all of them counts as naming each.
  func allowedWorkspaces(
    onlyActive: Bool = false
  ) throws -> (allowed: [Workspace], others: Int) {
    let all = try store.guardFacts(for: user).filter {
      !onlyActive || $0.workspace.state == .active
    }
    let allowed = GuardFacts.covered(all, by: takenRole).map(\.workspace)
    return (allowed, all.count - allowed.count)
  }

  private func requireName(_ workspace: Workspace) throws(CommandError) {
    // Another one that is named does not name this one.
    let isMeant =
      workspace.id == context.workspace || options.workspaces.contains(workspace.id.text)
    guard workspace.isProtected, !isNamed, !(context.namesWorkspace && isMeant) else { return }
    throw .nameNeeded(workspace.id, context.workspaceProvenance)
  }
}

/// A session in the resolved workspace, which exists.
struct WorkspaceSession {
  let base: StoreSession
  let record: Workspace
  /// Where the user stands there.
  let standing: Standing

  static func open(
    for command: CommandRecord, _ options: GlobalOptions, in environment: CommandEnvironment
  ) throws -> WorkspaceSession {
    let session = try StoreSession.open(for: command, options, in: environment)
    return try session.entering(session.requireWorkspace())
  }

  var workspace: WorkspaceID { record.id }
  var environment: CommandEnvironment { base.environment }
  var options: GlobalOptions { base.options }
  var context: ResolvedContext { base.context }
  var store: any Store { base.store }
  var output: Output { base.output }
  var actor: Actor { base.actor }
  var now: Timestamp { base.now }
}

extension StoreSession {
  func requireWorkspace() throws -> WorkspaceID {
    if context.workspace == nil, context.origins.store == .flag {
      throw ContextError.storeNeedsWorkspace(store: context.store)
    }
    return try context.requireWorkspace()
  }
}

extension Actor {
  init(
    for command: CommandRecord, _ context: ResolvedContext, in environment: CommandEnvironment,
    user: String? = nil
  ) {
    self.init(
      user: user ?? environment.user.name(), command: command.name,
      workspaceOrigin: context.origins.workspace?.rawValue ?? "none",
      terminal: environment.terminalName(),
      job: context.attempt?.pin.job)
  }
}
