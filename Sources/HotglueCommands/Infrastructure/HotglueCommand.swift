import ArgumentParser
import HotglueCore
import HotglueStore

/// A verb: options, `validate()`, and a run that fetches, decides by calling the core, and renders.
protocol HotglueCommand: ParsableCommand {
  static var record: CommandRecord { get }
  var global: GlobalOptions { get }
  /// Throws `CommandError`, `StoreError`, `ContextError` or `SystemError`; the caller turns them into
  /// words and an exit status.
  func run(in environment: CommandEnvironment) throws -> ExitStatus
}

/// A verb that needs the store, and no workspace.
protocol StoreCommand: HotglueCommand {
  func run(in session: StoreSession) throws -> ExitStatus
}

/// A verb that acts in the resolved workspace.
protocol WorkspaceCommand: HotglueCommand {
  func run(in session: WorkspaceSession) throws -> ExitStatus
}

extension StoreCommand {
  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    try run(in: StoreSession.open(for: Self.record, global, in: environment))
  }
}

extension WorkspaceCommand {
  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    let session = try WorkspaceSession.open(for: Self.record, global, in: environment)
    return try session.telling { try run(in: session) }
  }
}

extension WorkspaceSession {
  /// Runs `body`; the words for a mismatch name the resolved workspace and where it came from.
  func telling<Value>(_ body: () throws -> Value) throws -> Value {
    do {
      return try body()
    } catch let error as StoreError {
      throw CommandError(error, in: self)
    }
  }
}
