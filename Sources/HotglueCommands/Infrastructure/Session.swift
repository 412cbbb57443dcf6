import HotglueCore
import HotglueStore

/// A resolved context with its store open: what a command acts on.
struct StoreSession {
  let kind: CommandKind
  let environment: CommandEnvironment
  let options: GlobalOptions
  let context: ResolvedContext
  let store: any Store
  let output: Output

  /// Resolves the context once, opens its store, and puts right a switch that was cut short, unless it
  /// is only to be looked at.
  static func open(
    for kind: CommandKind, _ options: GlobalOptions, in environment: CommandEnvironment,
    repairing: Bool = true
  ) throws -> StoreSession {
    let loader = ContextLoader(environment)
    let context = try Self.context(for: kind, options, loader)
    let store = try environment.stores.open(context.store, context.storeID)
    try loader.confirmGroup(of: context)
    let session = StoreSession(
      kind: kind, environment: environment, options: options, context: context, store: store,
      output: Output(environment, options))
    if repairing { try session.recoverSwitch() }
    return session
  }

  private static func context(
    for kind: CommandKind, _ options: GlobalOptions, _ loader: ContextLoader
  ) throws -> ResolvedContext {
    do {
      return try loader.resolve(options)
    } catch ContextError.attemptEnded(let path) where kind == .effectConfirm {
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
    guard kind != .effectConfirm, let pin = context.pinned,
      let workspace = context.source?.file.workspace,
      context.origins.store != .flag
    else { return }
    let running = try store.runningAttempt(of: pin.job, in: workspace)
    guard let running, running.reference.fence == pin.fence else {
      throw ContextError.attemptEnded(path: context.source?.shownPath ?? "")
    }
  }

  var now: Timestamp { environment.now() }

  /// Who does it, for the log and for histories.
  var actor: Actor { Actor(for: kind, context, in: environment) }

  /// The same session in one workspace, with the guards of the command's row in the table.
  func entering(_ id: WorkspaceID) throws -> WorkspaceSession {
    try requireLiveAttempt()
    let workspace = try store.workspace(id)
    switch kind.access {
    case .changesWorkspace where workspace.state == .archived:
      throw StoreError.archivedWorkspace(id)
    case .none, .readsStore, .changesStore, .readsWorkspace, .settlesWorkspace, .changesWorkspace:
      break
    }
    return WorkspaceSession(base: self, record: workspace)
  }
}

/// A session in the resolved workspace, which exists.
struct WorkspaceSession {
  let base: StoreSession
  let record: Workspace

  static func open(
    for kind: CommandKind, _ options: GlobalOptions, in environment: CommandEnvironment
  ) throws -> WorkspaceSession {
    let session = try StoreSession.open(for: kind, options, in: environment)
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
    for kind: CommandKind, _ context: ResolvedContext, in environment: CommandEnvironment
  ) {
    self.init(
      user: environment.user.name(), command: kind.name,
      workspaceOrigin: context.origins.workspace?.rawValue ?? "none",
      terminal: environment.terminalName(), job: context.pinned?.job)
  }
}
