public import HotglueCore

/// What a store can refuse or fail with. A method that throws has changed nothing.
public enum StoreError: Error, Equatable, Sendable {
  // The store as a whole.
  /// Another process held the writer gate, or the database, for the whole bounded wait.
  case busy(holder: String?, waited: Span)
  case missing(path: String)
  case alreadyExists(path: String)
  case notAStore(path: String)
  case corrupt(path: String, detail: String)
  /// The store was written by a newer hotglue: `found` and `known` are schema versions.
  case newerSchema(path: String, found: Int, known: Int)
  case readOnly(path: String)
  case diskFull(path: String)
  /// The machine, or a limit of this process, gives no more memory.
  case outOfMemory(path: String)
  case inputOutput(path: String, detail: String)
  /// Owner or mode are not what a store needs; `remedy` is the command that mends it.
  case notPermitted(path: String, reason: String, remedy: String?)
  /// The real path, links resolved, is not UTF-8: it can be neither recorded nor shown as it is.
  case pathNotUTF8(path: String)
  /// A file system without reliable locks or shared memory: NFS, SMB, 9p, FUSE.
  case unsupportedFileSystem(path: String, kind: String)
  /// The file is not the one that the store was made in: a clone, an archive, a backup put in place by
  /// hand. It is used once its user trusts it.
  case copied(path: String)
  /// Another store is at the path where a context expects the one it was made with.
  case otherStore(path: String, expected: String, found: String)

  // What was asked of it.
  case unknownWorkspace(WorkspaceID, near: [String])
  case workspaceExists(WorkspaceID)
  case archivedWorkspace(WorkspaceID)
  /// The user's standing does not allow it; `owners` are those who can grant the role.
  case roleNeeded(Role, user: String, Standing, WorkspaceID, owners: [String])
  /// What is changed in a protected workspace must name it.
  case protectedWorkspace(WorkspaceID)
  /// The change of members is refused; `user` is whom it was about.
  case membership(MembershipRefusal, user: String, WorkspaceID)
  case unknownJob(JobID)
  case unknownType(String, WorkspaceID, near: [String])
  /// The job exists, in another workspace than the one the call names.
  case otherWorkspace(JobID, owner: WorkspaceID)
  case invalidTransition(JobID, InvalidTransition)
  /// The attempt is no longer the job's current one, or is minded by someone else.
  case stale(JobID, fence: Fence, current: Fence?)
  /// The key is held by `job`, whose request differs; `difference` says in what.
  case keyConflict(key: String, job: JobID, difference: String)
  /// The key is held by another live job, so this one cannot come back to life.
  case keyHeld(key: String, job: JobID)
  /// No such effect was ever begun.
  case unknownEffect(EffectName)
  /// The effect has no open intent that the caller can mean: `state` and `intent` are the current ones.
  case effectNotOpen(EffectName, state: EffectState, intent: Int)
  /// It was carried out by another command, or may have been; `difference` says in what.
  case effectOfOtherCommand(EffectName, state: EffectState, difference: String)
  /// It is confirmed with another output; `difference` says in what.
  case effectConfirmedOtherwise(EffectName, difference: String)
  case unknownDraft(DraftID)
  case draftOfOtherWorkspace(DraftID, owner: WorkspaceID)
  /// The draft is in the bin or submitted, or not in the bin where it should be.
  case draftNotOpen(DraftID, state: DraftState)
  /// The draft's text is not the one that was read.
  case draftChanged(DraftID)
  /// What the draft starts from has changed meanwhile.
  case draftBehind(DraftConflict)
  /// The drafts that a switch was decided on are not those that are there now.
  case draftsChanged
  case unknownSource(String, WorkspaceID, near: [String])
  case sourceExists(String, WorkspaceID)
  /// The source was changed since: it is at revision `found`.
  case staleSource(String, expected: Int, found: Int)
  case unknownAutomation(String, WorkspaceID, near: [String])
  case automationExists(String, WorkspaceID)
  /// The automation was changed since: it is at revision `found`.
  case staleAutomation(String, expected: Int, found: Int)
  /// It is active already.
  case automationNotPaused(String)
  case unknownSyncRun(SyncRunID, source: SourceID)
  case unknownTarget(SyncTargetID, source: SourceID)
  case unknownStream(String, source: SourceID, near: [String])
  /// A sync of the source runs, as the attempt of this job.
  case syncRuns(source: SourceID, run: SyncRunID, job: JobID?)
  /// Another run of the source has begun since: this one changes nothing any more.
  case staleSync(run: SyncRunID, current: SyncRunID?)
  /// The stream's records are kept under another key than the tap says now.
  case streamKeyChanged(stream: String, from: [String], to: [String])
  /// Attempts of these jobs have not ended: a store in which they are not known would run them again.
  case attemptsRunning([JobID])
  /// These processes belong to attempts or workers of a store whose rows do not tell what they do: a
  /// store in which they are not known would run the same once more.
  case processesAlive([LivingProcess])
  /// The file that was named as a backup cannot be one.
  case noBackup(path: String, reason: String)
  /// The context is not at the generation the caller expected.
  case staleGeneration(expected: Int64, found: Int64)
  /// An error of SQLite or of the machine that no rule above names.
  case unexpected(String)
}
