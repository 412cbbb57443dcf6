import ArgumentParser
import HotglueCore
import HotglueStore

/// `hotglue foo`, where `foo` is no command of ours: runs `hotglue-foo` from PATH.
///
/// What was resolved here is fixed for it, in a private file that `HOTGLUE_CONTEXT` names: whatever it
/// does, wherever it goes and whoever switches meanwhile, `hotglue` inside it acts where it was
/// started, unless told otherwise by a flag. Where nothing was resolved nothing is resolved inside.
struct ExternalCommand: HotglueCommand {
  static let record = CommandRecord(
    "__external", .readsStore, requires: .none, loggedAs: "external")
  static let configuration = CommandConfiguration(
    commandName: "__external", abstract: "run an external command; typed as 'hotglue NAME'",
    shouldDisplay: false)
  /// The names of programs that are external commands begin with it.
  static let prefix = "hotglue-"

  @OptionGroup var global: GlobalOptions

  @Argument(parsing: .postTerminator) var words: [String] = []

  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    guard let name = words.first else { throw CommandError.usage("no command is named") }
    let search = ProgramSearch(environment: environment)
    let path: String
    // A slash would lead out of the folders of PATH.
    switch name.contains("/") ? .nothing : search.find(Self.prefix + name) {
    case .program(let found): path = found
    case .notExecutable(let found): throw CommandError.notExecutable(found)
    case .nothing:
      throw Dispatch.unknown([name], externals: search.names(after: Self.prefix))
    }
    let handover = Handover(environment: environment)
    let line = [Self.prefix + name] + words.dropFirst()
    switch try inside(name, in: environment) {
    case .nothing: return try handover.run(path, line, contextFile: "")
    case .attempt(let file): return try handover.run(path, line, contextFile: file)
    case .fixed(let file):
      return try handover.run(path, line, context: PrivateContext.make(file, in: environment))
    }
  }

  /// What `hotglue` inside the command is to find.
  private enum Inside {
    case nothing
    /// The file of the attempt that this command is part of.
    case attempt(String)
    case fixed(ContextFile)
  }

  /// The store is closed again behind it: the command may stay for days.
  private func inside(_ name: String, in environment: CommandEnvironment) throws -> Inside {
    guard let session = try session(in: environment) else { return .nothing }
    if let file = session.attemptContext { return .attempt(file) }
    return .fixed(try session.fixedContext(for: name))
  }

  /// `nil` where there is no context at all, and none was asked for.
  private func session(in environment: CommandEnvironment) throws -> StoreSession? {
    let session: StoreSession
    do {
      session = try StoreSession.open(for: Self.record, global, in: environment)
    } catch let error as ContextError where error.saysThereIsNone && global.namesNoContext {
      return nil
    }
    if session.context.origins.store == .flag { _ = try session.requireWorkspace() }
    if let workspace = session.context.workspace { _ = try session.entering(workspace) }
    return session
  }
}

extension ContextError {
  /// No file is found, or the caller itself was started where there was none.
  fileprivate var saysThereIsNone: Bool {
    isNothingFound || self == .missingFile(path: "", origin: .environment)
  }
}

extension GlobalOptions {
  fileprivate var namesNoContext: Bool { workspaces.isEmpty && expect == nil }
}

extension StoreSession {
  /// The file of the attempt that this command is part of: it is private and fixed already. Not when
  /// a flag leads elsewhere.
  fileprivate var attemptContext: String? {
    guard let source = context.source, context.isOfHandler, context.origins.store != .flag,
      context.workspace == source.file.workspace
    else { return nil }
    return source.realPath
  }

  fileprivate func fixedContext(for name: String) throws -> ContextFile {
    ContextFile(
      contextID: environment.newID(), store: context.store,
      storeID: try context.storeID ?? store.info().storeID, workspace: context.workspace,
      generation: context.generation ?? 0,
      tenant: .command(name, namesWorkspace: context.namesWorkspace), within: context.attempt)
  }
}
