import HotglueCore
import HotglueStore

extension CommandError {
  /// For errors outside any workspace; `init(_:in:)` knows more to say.
  static func from(store error: any Error) -> CommandError {
    guard let error = error as? StoreError else {
      return CommandError("internal", .internalError, "internal error: \(error)")
    }
    return CommandError(error)
  }

  init(_ error: StoreError, in session: WorkspaceSession) {
    switch error {
    case .otherWorkspace(let job, let owner):
      self = .mismatch(of: "job", String(job), owner: owner, in: session)
    case .draftOfOtherWorkspace(let draft, let owner):
      self = .mismatch(of: "draft", String(draft), owner: owner, in: session)
    case .unknownSyncRun(_, let source): self.init(error, of: source, in: session, see: "history")
    case .unknownTarget(_, let source): self.init(error, of: source, in: session, see: "status")
    default: self.init(error)
    }
  }

  /// Something that a source does not have: its name is what the command that lists them needs.
  private init(
    _ error: StoreError, of source: SourceID, in session: WorkspaceSession, see verb: String
  ) {
    self.init(error)
    guard let owner = try? session.store.owner(ofSource: source) else { return }
    hint = Hint(
      .hotglue(["sync", verb, owner.name]), in: "see them with")
  }

  /// A thing that belongs to another workspace than the resolved one: the same command means it once it
  /// names that workspace. `changes`: what else it must say then.
  static func mismatch(
    of noun: String, _ id: String, owner: WorkspaceID, in session: WorkspaceSession,
    changes: [GivenArguments.Change] = []
  ) -> CommandError {
    let context = session.base.context
    return CommandError(
      "context_mismatch", .contextMismatch,
      "\(noun) \(id) belongs to workspace '\(owner)', but the context is '\(session.workspace)' "
        + "(\(context.workspaceProvenance))",
      hint: "\(again: [.workspace(owner), .only(id)] + changes)",
      facts: [
        JSON.Member("kind", .string(noun)),
        JSON.Member("id", Int64(id).map { .integer($0) } ?? .string(id)),
        JSON.Member("workspace", .string(owner.text)),
        JSON.Member("context_workspace", .string(session.workspace.text)),
        JSON.Member("context_origin", .text(context.origins.workspace?.rawValue)),
      ])
  }

  init(_ error: StoreError) {
    switch error {
    case .busy, .missing, .alreadyExists, .notAStore, .corrupt, .newerSchema, .readOnly,
      .diskFull, .outOfMemory, .inputOutput, .notPermitted, .unsupportedFileSystem, .copied,
      .otherStore,
      .unexpected:
      self.init(ofStore: error)
    case .pathNotUTF8(let path):
      self = .notUTF8(
        "the real path of '\(path)'", hint: "use one whose directories are UTF-8 text")
    case .unknownWorkspace, .workspaceExists, .archivedWorkspace, .unknownJob, .unknownType,
      .otherWorkspace, .invalidTransition, .stale, .keyConflict, .keyHeld, .staleGeneration,
      .attemptsRunning, .processesAlive, .noBackup,
      .unknownEffect, .effectNotOpen, .effectOfOtherCommand, .effectConfirmedOtherwise,
      .roleNeeded, .protectedWorkspace,
      .membership:
      self.init(ofRequest: error)
    case .unknownDraft, .draftOfOtherWorkspace, .draftNotOpen, .draftChanged, .draftBehind,
      .draftsChanged:
      self.init(ofDraft: error)
    case .unknownSource, .sourceExists, .staleSource, .unknownSyncRun, .unknownTarget,
      .unknownStream, .syncRuns, .staleSync, .streamKeyChanged:
      self.init(ofSource: error)
    case .unknownAutomation, .automationExists, .staleAutomation, .automationNotPaused:
      self.init(ofAutomation: error)
    }
  }

  /// What is wrong with the store as a whole.
  private init(ofStore error: StoreError) {
    func path(_ path: String) -> [JSON.Member] { [JSON.Member("path", .string(path))] }
    switch error {
    case .busy(let holder, let waited):
      self.init(
        "busy", .tryLater,
        "the store is busy: waited \(waited.approximateText) for \(holder ?? "another process")",
        hint: "try again; a holder that is stopped must be woken or killed",
        facts: [
          JSON.Member("holder", .text(holder)),
          JSON.Member("waited_ms", .integer(waited.milliseconds)),
        ])
    case .missing(let place):
      self.init(
        "store_missing", .storeUnusable, "no store at '\(place)'",
        hint: "restore a backup into it: hotglue store restore BACKUP",
        facts: path(place))
    case .alreadyExists(let place):
      self.init(
        "already_exists", .cannotCreate, "'\(place)' exists already",
        hint: "choose another path, or move the file away first", facts: path(place))
    case .notAStore(let place):
      self.init(
        "not_a_store", .storeUnusable, "'\(place)' is not a hotglue store",
        hint:
          "name another file with --store, or make a store in another directory with 'hotglue init'",
        facts: path(place))
    case .corrupt(let place, let detail):
      self.init(
        "store_corrupt", .storeUnusable, "the store '\(place)' is damaged: \(detail)",
        hint: "move it away with its '-wal' and '-shm', then 'hotglue store restore BACKUP'",
        facts: path(place))
    case .newerSchema(let place, let found, let known):
      self.init(
        "store_newer", .storeUnusable,
        "the store '\(place)' has schema \(found), but this hotglue knows \(known) at most",
        hint: "use the newer hotglue that wrote it",
        facts: path(place) + [
          JSON.Member("found", .integer(found)), JSON.Member("known", .integer(known)),
        ])
    case .readOnly(let place):
      self.init(
        "store_read_only", .storeUnusable, "the store '\(place)' cannot be written to",
        hint: "look at the file's permissions and at how its file system is mounted",
        facts: path(place))
    case .diskFull(let place):
      self.init(
        "disk_full", .inputOutput, "no space left for the store '\(place)'; nothing was changed",
        hint: "free some space ('hotglue store prune'), then try again", facts: path(place))
    case .outOfMemory(let place):
      self.init(
        "out_of_memory", .tryLater, "out of memory for the store '\(place)'",
        hint: "raise the limits that 'ulimit -v' and 'ulimit -d' show", facts: path(place))
    case .inputOutput(let place, let detail):
      self.init(
        "input_output", .inputOutput, "cannot read or write the store '\(place)': \(detail)",
        facts: path(place))
    case .notPermitted(let place, let reason, let remedy):
      self.init(
        "not_permitted", .notPermitted, "'\(place)' cannot be used: \(reason)",
        hint: remedy.map { Hint($0) }
          ?? "look at its owner and mode, or make a store of your own: 'hotglue init'",
        facts: path(place))
    case .unsupportedFileSystem(let place, let kind):
      self.init(
        "unsupported_file_system", .storeUnusable,
        "the store '\(place)' is on \(kind), which has no reliable locks",
        hint: "keep the store on a local file system",
        facts: path(place) + [JSON.Member("file_system", .string(kind))])
    case .copied(let place):
      self.init(
        "store_copied", .needsConfirmation,
        "the store '\(place)' is a copy of one that was made elsewhere, and its jobs are commands "
          + "that would run here",
        hint: "if you trust it: hotglue context trust \(Shell.quoted(place))", facts: path(place))
    case .otherStore(let place, let expected, let found):
      self.init(
        "other_store", .contextMismatch,
        "'\(place)' is another store than the one this context was made with",
        hint: "put the right store back, or 'hotglue store restore BACKUP'",
        facts: path(place) + [
          JSON.Member("expected", .string(expected)), JSON.Member("found", .string(found)),
        ])
    case .unexpected(let reason):
      self.init("internal", .internalError, "the store failed: \(reason)")
    default:
      self.init("internal", .internalError, "the store failed: \(error)")
    }
  }

  /// What is wrong with what was asked of it.
  private init(ofRequest error: StoreError) {
    switch error {
    case .unknownWorkspace(let id, let near):
      self.init(
        "unknown_workspace", .notFound, "no workspace '\(id)'",
        hint: near.isEmpty
          ? "make it with 'hotglue workspace create \(id)'"
          : "did you mean \(near.map { "'\($0)'" }.joined(separator: " or "))?",
        facts: [
          JSON.Member("workspace", .string(id.text)), JSON.Member("near", .strings(near)),
        ])
    case .workspaceExists(let id):
      self.init(
        "workspace_exists", .cannotCreate, "workspace '\(id)' exists already",
        hint: "IDs are never reused; choose another, or 'hotglue workspace switch \(id)'",
        facts: [JSON.Member("workspace", .string(id.text))])
    case .archivedWorkspace(let id):
      self.init(
        "workspace_archived", .refused, "workspace '\(id)' is archived and cannot be changed",
        hint: "to use it again: hotglue workspace unarchive \(id)",
        facts: [JSON.Member("workspace", .string(id.text))])
    case .roleNeeded(let role, let user, let standing, let id, let owners):
      self = .roleNeeded(role, of: user, standing, in: id, owners: owners, for: "this")
    case .protectedWorkspace(let id):
      self.init(
        "name_needed", .needsConfirmation,
        "workspace '\(id)' is protected, and the command line does not name it",
        hint: "\(again: .workspace(id))", facts: [JSON.Member("workspace", .string(id.text))])
    case .membership(let refusal, let user, let id):
      self.init(refusal, of: user, in: id)
    case .unknownJob(let id):
      self.init(
        "unknown_job", .notFound, "no job \(id)", hint: "see them with 'hotglue job list'",
        facts: [JSON.Member("job", .integer(id))])
    case .unknownType(let name, let workspace, let near):
      self.init(
        "unknown_type", .notFound,
        BuiltInType(name) == nil
          ? "no job type '\(name)' in workspace '\(workspace)'"
          : "type '\(name)' is built in, and has no definition in workspace '\(workspace)'",
        hint: adviceOnType(name, near: near),
        facts: [
          JSON.Member("type", .string(name)), JSON.Member("workspace", .string(workspace.text)),
          JSON.Member("near", .strings(near)),
        ])
    case .otherWorkspace(let id, let owner):
      self.init(
        "context_mismatch", .contextMismatch, "job \(id) belongs to workspace '\(owner)'",
        hint: "\(again: .workspace(owner), .only(String(id)))",
        facts: [
          JSON.Member("job", .integer(id)), JSON.Member("workspace", .string(owner.text)),
        ])
    case .invalidTransition(let id, let transition):
      // The command is called 'retry'; an attempt's end of that name is another event.
      let event =
        transition.event == .retryAgain ? "retry" : transition.event.rawValue
      let allowed = transition.allowedIn.map { "'\($0.rawValue)'" }.joined(separator: ", ")
      self.init(
        "invalid_state", .refused,
        "job \(id) is '\(transition.state?.rawValue ?? "new")', and "
          + "'\(event)' is allowed in \(allowed) only",
        hint: "see 'hotglue job show \(id)' and 'hotglue job lifecycle'",
        facts: [
          JSON.Member("job", .integer(id)), JSON.Member("state", .text(transition.state?.rawValue)),
          JSON.Member("event", .string(transition.event.rawValue)),
          JSON.Member("allowed_in", .strings(transition.allowedIn.map(\.rawValue))),
        ])
    case .stale(let id, let fence, let current):
      self.init(
        "stale", .refused, "attempt \(fence) of job \(id) is not the current one any more",
        hint: "what it did is in 'hotglue job show \(id)'; nothing was changed",
        facts: [
          JSON.Member("job", .integer(id)), JSON.Member("fence", .integer(fence)),
          JSON.Member("current", .optional(current)),
        ])
    case .keyConflict(let key, let id, let difference):
      self.init(
        "key_conflict", .refused,
        "key '\(key)' belongs to job \(id), whose request differs: \(difference)",
        hint: "use another --key, or the same request; see 'hotglue job show \(id)'",
        facts: [
          JSON.Member("key", .string(key)), JSON.Member("job", .integer(id)),
          JSON.Member("difference", .string(difference)),
        ])
    case .keyHeld(let key, let id):
      self.init(
        "key_held", .refused, "key '\(key)' is held by job \(id)",
        hint: "wait for it: 'hotglue job wait \(id)'",
        facts: [JSON.Member("key", .string(key)), JSON.Member("job", .integer(id))])
    case .unknownEffect(let name):
      self.init(
        "unknown_effect", .notFound, "no effect '\(name.key)' in the scope of \(name.scopeWords)",
        hint: "see them with 'hotglue effect list'",
        facts: [JSON.Member("key", .string(name.key))])
    case .effectNotOpen(let name, let state, let intent):
      self.init(
        "effect_not_open", .refused,
        "effect '\(name.key)' is '\(state.rawValue)' (intent \(intent)), so this is refused",
        hint: "see 'hotglue effect show \(Shell.quoted(name.key)) \(name.scopeFlags)'",
        facts: [
          JSON.Member("key", .string(name.key)), JSON.Member("state", .string(state.rawValue)),
          JSON.Member("intent", .integer(intent)),
        ])
    case .effectOfOtherCommand(let name, let state, let difference):
      let happened = state == .confirmed
      self.init(
        "effect_conflict", .refused,
        "effect '\(name.key)' \(happened ? "happened" : "may have happened") by another command, and "
          + "nothing was run: \(difference)",
        hint: happened
          ? "one effect key names one thing that is done: use another key"
          : "use another key; if it has not happened: 'hotglue effect abandon "
            + "\(Shell.quoted(name.key)) \(name.scopeFlags)'",
        facts: [
          JSON.Member("key", .string(name.key)), JSON.Member("state", .string(state.rawValue)),
          JSON.Member("difference", .string(difference)),
        ])
    case .effectConfirmedOtherwise(let name, let difference):
      self.init(
        "effect_conflict", .refused,
        "effect '\(name.key)' is confirmed with another output: \(difference)",
        hint: "see 'hotglue effect show \(Shell.quoted(name.key)) \(name.scopeFlags) --output'",
        facts: [
          JSON.Member("key", .string(name.key)), JSON.Member("difference", .string(difference)),
        ])
    case .attemptsRunning(let jobs):
      let shown = jobs.prefix(5).map { String($0) }.joined(separator: ", ")
      self.init(
        "attempts_running", .refused,
        "an attempt of \(jobs.count == 1 ? "job" : "jobs") \(shown)\(jobs.count > 5 ? ", …" : "") "
          + "has not ended: the restored store would run it once more",
        hint: "stop the workers, wait or 'hotglue job cancel' them, then 'hotglue job reclaim'",
        facts: [JSON.Member("jobs", .array(jobs.map { .integer($0) }))])
    case .processesAlive(let processes): self = .alive(processes)
    case .noBackup(let path, let reason):
      self.init(
        "no_backup", .badInput, "'\(path)' cannot be restored from: \(reason)",
        hint: "'hotglue store backup FILE' makes a backup",
        facts: [JSON.Member("path", .string(path))])
    case .staleGeneration(let expected, let found):
      self.init(
        "stale_generation", .refused,
        "the context is at generation \(found), not at \(expected)",
        hint: "see 'hotglue context show', then decide again",
        facts: [
          JSON.Member("expected", .integer(expected)), JSON.Member("found", .integer(found)),
        ])
    default:
      self.init("internal", .internalError, "the store failed: \(error)")
    }
  }
}

private func adviceOnType(_ name: String, near: [String]) -> Hint {
  if BuiltInType(name) != nil { return "see 'hotglue type show \(name)'" }
  return near.isEmpty
    ? "see them with 'hotglue type list'"
    : "did you mean \(near.map { "'\($0)'" }.joined(separator: " or "))?"
}
