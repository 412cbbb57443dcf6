import ArgumentParser

/// Every command there is, in the order in which they are listed.
enum CommandRegistry {
  static let commands: [any HotglueCommand.Type] = [
    Initialize.self,

    WorkspaceCreate.self, WorkspaceList.self, WorkspaceShow.self, WorkspaceCurrent.self,
    WorkspaceSwitch.self, WorkspaceShell.self, WorkspaceEdit.self, WorkspaceArchive.self,
    WorkspaceUnarchive.self, WorkspaceProtect.self, WorkspaceUnprotect.self,

    MemberAdd.self, MemberRemove.self, MemberList.self, MemberRoles.self,

    ContextShow.self, ContextPath.self, ContextPrompt.self, ContextTrustCommand.self,

    JobEnqueue.self, JobList.self, JobShow.self, JobExplain.self, JobLogs.self, JobWait.self,
    JobCancel.self, JobRetry.self, JobResolve.self, JobPrune.self, JobLifecycle.self, JobWork.self,
    JobReclaim.self, JobRun.self, JobReport.self, JobProgressReport.self,

    TypeSet.self, TypeList.self, TypeShow.self, TypeRemove.self, TypeDiff.self, TypeApply.self,
    TypeExport.self,

    QueueLimit.self, QueueList.self,

    AutomationAdd.self, AutomationList.self, AutomationShow.self, AutomationEdit.self,
    AutomationRemove.self, AutomationPause.self, AutomationResume.self, AutomationTrigger.self,
    AutomationNext.self, AutomationTickCommand.self, AutomationBackfill.self,
    AutomationHistory.self, AutomationCheck.self, AutomationImportCrontab.self,
    AutomationExport.self,

    EffectRun.self, EffectBegin.self, EffectConfirm.self, EffectAbandon.self, EffectList.self,
    EffectShow.self,

    DraftNew.self, DraftEdit.self, DraftList.self, DraftShow.self, DraftSubmit.self,
    DraftDiscard.self, DraftRestore.self,

    SourceAdd.self, SourceList.self, SourceShow.self, SourceDiscover.self, SourceSelect.self,
    SourceEdit.self, SourceTest.self, SourceRemove.self,

    SyncRunCommand.self, SyncStatus.self, SyncHistory.self, SyncState.self, SyncReset.self,
    SyncRejects.self,

    RecordList.self, RecordCount.self, RecordExport.self,

    StoreInfoCommand.self, StoreCheck.self, StoreBackup.self, StoreRestore.self, StorePrune.self,

    OpenLink.self, ActivityLog.self, DoctorCommand.self, Completions.self,

    RecordOutcome.self, SyncAttempt.self, ExternalCommand.self, Complete.self, BenchClaim.self,
    BenchIngest.self,
  ]

  static var records: [CommandRecord] { commands.map { $0.record } }

  static func command(_ words: some Collection<String>) -> (any HotglueCommand.Type)? {
    let path = words.joined(separator: " ")
    return commands.first { $0.record.path == path }
  }

  /// Whether more words must follow these.
  static func isNoun(_ words: some Collection<String>) -> Bool {
    let start = words.joined(separator: " ") + " "
    return commands.contains { $0.record.path.hasPrefix(start) }
  }

  /// The words that may follow these, in the order of the registry; without those that only hotglue
  /// itself uses.
  static func verbs(of words: some Collection<String>) -> [String] {
    var verbs: [String] = []
    for record in records where !record.isInternal {
      let path = record.words
      guard path.count > words.count, path.starts(with: words) else { continue }
      let verb = path[words.count]
      if !verbs.contains(verb) { verbs.append(verb) }
    }
    return words.isEmpty ? verbs.sorted() : verbs
  }

  /// The commands of a noun, or those that have none: what its row in the tree of commands has.
  static func commands(of noun: String) -> [any ParsableCommand.Type] {
    commands.filter { $0.record.words.dropLast().joined(separator: " ") == noun }
  }
}
