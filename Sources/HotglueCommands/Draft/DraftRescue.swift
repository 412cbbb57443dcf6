import Glibc
import HotglueCore
import HotglueFiles
import HotglueProcess
import HotglueStore

/// Takes up what lies on the desk of editors whose hotglue was killed, or that saved after it had
/// gone: before any command that looks at drafts.
///
/// What is taken up is logged as done by whoever had the editor, and names who came by. Whoever may
/// not change drafts in that workspace, and did not type it, leaves it to those who may; so does a
/// command that finds no room or no leave to write. What lies there stays.
struct DraftRescue {
  let session: StoreSession
  private var desk: DraftDesk { DraftDesk(session.store) }

  init(_ session: StoreSession) { self.session = session }

  func run() throws {
    let bound = session.store.writeBound
    session.store.writeBound = min(bound, StoreSession.patience)
    defer { session.store.writeBound = bound }
    for id in try desk.drafts() {
      let lock: LockFile?
      do throws(SystemError) {
        lock = try desk.lock(id)
      } catch {
        guard [EACCES, EROFS, ENOENT, ENOSPC, EDQUOT].contains(error.code) else { throw error }
        // Whoever may write here takes it up.
        session.output.detail("'\(desk.path(of: id))' cannot be taken up by this user")
        continue
      }
      // Open in an editor, whoever started that.
      guard let lock else { continue }
      do {
        try takeUp(id)
      } catch {
        // One draft keeps nobody from the others, nor from a switch. Its file stays.
        session.output.note(
          "'\(desk.path(of: id))' cannot be taken up now: \(CommandError(from: error).message)")
      }
      lock.removeFile()
    }
  }

  /// Under the draft's lock. What cannot be taken stays where it is, and is told.
  private func takeUp(_ id: DraftID) throws {
    let path = desk.path(of: id)
    let found: [UInt8]?
    do throws(SystemError) {
      found = try desk.text(of: id)
    } catch {
      // One that cannot be read keeps nobody from the other drafts.
      session.output.note(
        error.code == EACCES
          ? "'\(path)' belongs to another user, who can take it up"
          : "'\(path)' cannot be read and stays where it is: \(error.reason)")
      return
    }
    guard let found else { return try desk.clear(id) }
    guard found.count <= Draft.longest else {
      session.output.note(
        "'\(path)' is too long for a draft (\(Draft.longest >> 20) MiB) and stays where it is")
      return
    }
    guard let owner = try session.store.owner(ofDraft: id) else {
      session.output.note(
        "'\(path)' belongs to no draft of this store and stays where it is")
      return
    }
    let typist = try session.store.editor(ofDraft: id, in: owner)
    guard try mayTakeUp(what: typist, in: owner) else {
      session.output.detail(
        "'\(path)' is of workspace '\(owner)', where this user changes no drafts")
      return
    }
    var actor = typist ?? session.actor
    actor.repairedBy = session.user
    let keeper = DraftKeeper(store: session.store, actor: actor, now: session.now)
    // The bytes first: what they say is read when they are safe in the store, whatever they are.
    let kept = try keeper.keep(found, of: session.store.draft(id, in: owner), readingName: false)
    switch kept {
    case .same: break
    case .saved(let draft):
      session.output.note(
        "draft \(draft.id) of workspace '\(owner)': what was typed in an editor that was left alone "
          + "is kept")
    case .anew(let draft):
      session.output.note(
        "draft \(id) was submitted while an editor had it open: what was typed there is draft "
          + "\(draft.id) of workspace '\(owner)'")
    }
    try desk.clear(id)
    try keeper.readName(of: kept.draft)
  }

  private func mayTakeUp(what typist: Actor?, in workspace: WorkspaceID) throws -> Bool {
    if typist?.user == session.user { return true }
    let standing = try session.store.role(of: session.user, in: workspace)
    return standing.allows(DraftEdit.record.leastRole)
  }
}

/// Keeps in the store what was typed.
struct DraftKeeper {
  let store: any Store
  let actor: Actor
  let now: Timestamp

  enum Kept {
    case same(Draft)
    case saved(Draft)
    /// The draft was submitted meanwhile, so there is another one now.
    case anew(Draft)

    var draft: Draft {
      switch self {
      case .same(let draft), .saved(let draft), .anew(let draft): draft
      }
    }
  }

  /// `bytes` as they lie in the file. An empty file is what an editor leaves that could not write, and
  /// says nothing.
  func keep(
    _ bytes: [UInt8], of draft: Draft, readingName: Bool = true
  ) throws(StoreError) -> Kept {
    let typed = DraftRemark.removed(from: bytes)
    if typed == draft.text || typed.isEmpty { return .same(draft) }
    let name = readingName ? name(in: typed, of: draft) : nil
    // A submitted draft is a record of what was submitted. One that is submitted between this look
    // and the step is refused there, and its file stays for the next command.
    if draft.state != .submitted {
      let saved = try store.saveDraft(
        draft.id, in: draft.workspace, text: typed, name: name, by: actor, at: now)
      return .saved(saved)
    }
    let other = NewDraft(
      kind: draft.kind, name: name ?? draft.name, template: draft.template, text: typed,
      directory: draft.directory, context: nil)
    return .anew(try store.startDraft(other, in: draft.workspace, by: actor, at: now))
  }

  /// Gives a draft the name that its text says.
  func readName(of draft: Draft) throws(StoreError) {
    guard draft.state != .submitted, let name = name(in: draft.text, of: draft), name != draft.name
    else { return }
    _ = try store.saveDraft(
      draft.id, in: draft.workspace, text: draft.text, name: name, by: actor, at: now)
  }

  /// A draft that was begun from something keeps its name.
  private func name(in text: [UInt8], of draft: Draft) -> String? {
    draft.baseRevision == nil ? DraftForms.name(in: text, of: draft.kind) : nil
  }
}
