import Glibc
import HotglueCore
import HotglueStore

extension ResolvedContext.Source {
  /// How the store names this context.
  var key: ContextKey { ContextKey(contextID: file.contextID, path: realPath) }
}

extension ContextRecord {
  init(_ file: ContextFile) {
    self.init(
      generation: file.generation, workspace: file.workspace, previous: file.previous, intent: nil)
  }
}

extension StoreSession {
  /// Ends a switch of this context that was cut short: confirmed where the file was replaced, else
  /// given up. While its process lives and holds the lock, the switch is left to it; without the
  /// right to write beside the file, to whoever has it.
  func recoverSwitch() throws {
    guard let source = context.source, source.file.pinned == nil, context.origins.store != .flag
    else { return }
    guard let found = try store.context(source.key), found.intent != nil else { return }
    do {
      let mode = try ContextWriter.mode(of: source.realPath)
      guard let lock = try ContextLock(beside: source.realPath, mode: mode, wait: false) else {
        return
      }
      try settleIntent(of: source)
      _ = consume lock
    } catch let error as SystemError where [EACCES, EROFS, EPERM].contains(error.code) {
      return
    }
  }

  /// The recovery rule, under the context's lock. Returns what the file says now.
  @discardableResult
  func settleIntent(of source: ResolvedContext.Source) throws -> ContextFile {
    let loader = ContextLoader(environment)
    guard let now = try loader.read(source.realPath, shown: source.shownPath) else {
      throw ContextError.missingFile(
        path: source.shownPath, origin: context.origins.contextFile ?? .discovered)
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
      try store.confirmSwitch(source.key, intent, by: actor, at: self.now)
      output.detail("a switch to '\(intent.workspace)' that was cut short is confirmed")
    case .rollBack(let generation):
      var record = ContextRecord(file)
      record.generation = generation
      try store.rollBackSwitch(source.key, to: record)
      output.detail("a switch to '\(intent.workspace)' that was cut short is rolled back")
    }
    return file
  }
}
