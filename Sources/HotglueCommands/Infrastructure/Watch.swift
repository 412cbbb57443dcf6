import ArgumentParser
import HotglueCore
import HotglueStore

struct WatchOptions: ParsableArguments {
  @Flag(help: "Show it anew whenever it changes.")
  var watch = false
}

/// Shows something anew whenever the store changes.
///
/// What was read under one workspace is not mixed with what is read under another: where the context
/// file named the workspace, and names another one now, or was switched there and back, the watch
/// ends. A workspace that `-w` names, or a context pinned to a job, means the same for ever.
struct Watch {
  private let session: WorkspaceSession
  private let changes: StoreChanges
  /// How long a look may be old: people see distances from now, and a context file can be replaced
  /// without a trace in the store.
  private static let longestSleep = Span.seconds(1)

  init(_ session: WorkspaceSession) throws {
    self.session = session
    changes = try StoreChanges(
      of: session.store, at: session.context.store, output: session.environment.output)
  }

  /// Calls `show` at once and after each change, until it returns false or nobody reads any more.
  /// On a terminal each time draws over the one before.
  func run(_ show: () throws -> Bool) throws {
    let environment = session.environment
    let entry = session.registerWatch("--watch", follows: true)
    defer { _ = entry }
    while true {
      try requireSameContext()
      try session.base.requireStanding(in: session.workspace)
      if session.output.drawsOver {
        environment.output.append("\u{1b}[H\u{1b}[2J")
        try environment.output.flush()
      }
      let goesOn = try show()
      try environment.output.flush()
      guard goesOn, !environment.output.isClosed else { return }
      // A terminal is drawn anew in any case: it shows how long ago things were.
      while try !changes.wait(until: SteadyMoment(in: Self.longestSleep)) {
        if session.output.drawsOver { break }
        try requireSameContext()
      }
    }
  }

  private func requireSameContext() throws {
    let context = session.context
    guard context.origins.workspace == .contextFile, context.pinned == nil,
      let source = context.source
    else { return }
    let now: ResolvedContext
    do {
      now = try ContextLoader(session.environment).resolve(session.options)
    } catch let error as ContextError {
      throw ended(source, "cannot be read any more: \(CommandError(error).message)", nil)
    }
    guard let file = now.source, file.realPath == source.realPath,
      file.file.contextID == source.file.contextID
    else {
      throw ended(
        source, "does not count here any more, but '\(now.source?.realPath ?? "none")'",
        now.workspace)
    }
    guard file.file.workspace == source.file.workspace,
      file.file.generation == source.file.generation
    else {
      let place = now.workspace.map { "'\($0)'" } ?? "no workspace"
      throw ended(
        source, "was switched to \(place) (generation \(file.file.generation))", now.workspace)
    }
  }

  private func ended(
    _ source: ResolvedContext.Source, _ what: String, _ now: WorkspaceID?
  ) -> CommandError {
    let workspace = session.workspace
    return CommandError(
      "context_mismatch", .contextMismatch,
      "this watches workspace '\(workspace)', but the context '\(source.shownPath)' \(what)",
      hint: "\(again: .workspace(workspace))",
      facts: [
        JSON.Member("workspace", .string(workspace.text)),
        JSON.Member("context_workspace", .text(now?.text)),
        JSON.Member("context_file", .string(source.realPath)),
      ])
  }
}
