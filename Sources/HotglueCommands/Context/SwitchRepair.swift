import Glibc
import HotglueCore
import HotglueStore

extension ResolvedContext.Source {
  /// How the store names this context.
  var key: ContextKey { ContextKey(contextID: file.contextID, path: realPath) }
}

extension StoreSession {
  /// Ends a switch of this context that was cut short: confirmed where the file was replaced, else
  /// given up. While its process lives and holds the lock, the switch is left to it.
  ///
  /// The file alone says where the context is, so nothing waits for the record: where it cannot be
  /// written now (no room, no leave, another one at the gate) it is left to whoever can.
  func recoverSwitch() throws {
    guard let source = context.source, source.file.pinned == nil, context.origins.store != .flag
    else { return }
    guard let intent = try store.context(source.key)?.intent else { return }
    let bound = store.writeBound
    store.writeBound = min(bound, Self.patience)
    defer { store.writeBound = bound }
    do {
      let mode = try mode(of: source)
      guard let lock = try ContextLock(beside: source.realPath, mode: mode, wait: false) else {
        return
      }
      try settleIntent(of: source)
      _ = consume lock
    } catch let error as SystemError where error.isForLater {
      leaveOpen(intent, of: source, CommandError(error))
    } catch let error as StoreError where error.isForLater {
      leaveOpen(intent, of: source, CommandError(error))
    }
  }

  /// How long a command that came by waits to end what another one began.
  static let patience = Span(milliseconds: 500)

  private func leaveOpen(
    _ intent: ContextRecord.Intent, of source: ResolvedContext.Source, _ reason: CommandError
  ) {
    let end =
      source.file.generation == intent.generation ? "not confirmed" : "not rolled back"
    let words =
      "a switch to '\(intent.workspace)' that was cut short is \(end) yet: \(reason.message)"
    // Drafts that it moved lie where they would after it.
    if command.words.first == "draft" { output.note(words) } else { output.detail(words) }
  }

  /// Who ends what another command began.
  private var repairer: Actor {
    var actor = actor
    actor.repairedBy = user
    return actor
  }

  /// What the file says, as the store can record it: a workspace that it does not have is none.
  func record(of file: ContextFile) throws -> ContextRecord {
    ContextRecord(
      generation: file.generation, workspace: try known(file.workspace),
      previous: try known(file.previous), intent: nil)
  }

  private func known(_ id: WorkspaceID?) throws(StoreError) -> WorkspaceID? {
    guard let id else { return nil }
    do throws(StoreError) {
      return try store.workspace(id).id
    } catch {
      guard case .unknownWorkspace = error else { throw error }
      return nil
    }
  }

  /// The mode of the context file, which somebody may have deleted since it was read.
  func mode(of source: ResolvedContext.Source) throws -> mode_t {
    do {
      return try ContextWriter.mode(of: source.realPath)
    } catch let error as SystemError where error.code == ENOENT {
      throw deleted(source)
    }
  }

  private func deleted(_ source: ResolvedContext.Source) -> CommandError {
    .refused(
      "'\(source.shownPath)' was deleted meanwhile: nothing was switched",
      hint: "make a context with 'hotglue init', or name one with --context FILE")
  }

  /// The recovery rule, under the context's lock. Returns what the file says now.
  @discardableResult
  func settleIntent(of source: ResolvedContext.Source) throws -> ContextFile {
    let loader = ContextLoader(environment)
    guard let now = try loader.read(source.realPath, shown: source.shownPath) else {
      throw deleted(source)
    }
    let file: ContextFile
    do {
      file = try ContextFile(parsing: now.bytes)
    } catch {
      throw ContextError.unusableFile(path: source.shownPath, error)
    }
    guard file.contextID == source.file.contextID, file.storeID == source.file.storeID else {
      throw CommandError.refused(
        "'\(source.shownPath)' was replaced by another context meanwhile",
        hint: "see 'hotglue context show', then decide again")
    }
    guard let intent = try store.context(source.key)?.intent else { return file }
    switch SwitchRecovery.decide(
      file: (file.generation, file.workspace), intent: (intent.generation, intent.workspace))
    {
    case .confirm:
      try store.confirmSwitch(source.key, intent, by: repairer, at: self.now)
      output.detail("a switch to '\(intent.workspace)' that was cut short is confirmed")
    case .rollBack(let generation):
      var record = try record(of: file)
      record.generation = generation
      try store.rollBackSwitch(source.key, to: record)
      output.detail("a switch to '\(intent.workspace)' that was cut short is rolled back")
    }
    return file
  }
}

extension StoreError {
  /// It can be done later as it is, once there is room, leave, or nobody in the way.
  var isForLater: Bool {
    switch self {
    case .busy, .diskFull, .readOnly, .inputOutput, .notPermitted: true
    default: false
    }
  }
}

extension SystemError {
  var isForLater: Bool {
    [EACCES, EROFS, EPERM, ENOSPC, EDQUOT, EIO, EMFILE, ENFILE].contains(code)
  }
}
