/// Every command there is, and what it does to a workspace.
///
/// The switches below have no `default`: a new command cannot forget its guards.
enum CommandKind: CaseIterable {
  case initialize
  case workspaceCreate
  case workspaceList
  case workspaceShow
  case workspaceCurrent
  case workspaceSwitch
  case workspaceArchive
  case workspaceUnarchive
  case workspaceEdit
  case workspaceShell
  case workspaceProtect
  case workspaceUnprotect
  case memberAdd
  case memberRemove
  case memberList
  case memberRoles
  case contextShow
  case contextPath
  case contextPrompt
  case contextTrust
  case storeInfo
  case storeCheck
  case storeBackup
  case storeRestore
  case storePrune
  case jobEnqueue
  case jobList
  case jobShow
  case jobExplain
  case jobLogs
  case jobWait
  case jobCancel
  case jobRetry
  case jobResolve
  case jobPrune
  case jobLifecycle
  case typeSet
  case typeList
  case typeShow
  case typeRemove
  case typeDiff
  case typeApply
  case typeExport
  case queueLimit
  case queueList
  case open
  case log
  case jobWork
  case jobReclaim
  case jobRun
  case jobReport
  case jobProgress
  case effectRun
  case effectBegin
  case effectConfirm
  case effectAbandon
  case effectList
  case effectShow
  case draftNew
  case draftEdit
  case draftList
  case draftShow
  case draftSubmit
  case draftDiscard
  case draftRestore
  case sourceAdd
  case sourceList
  case sourceShow
  case sourceDiscover
  case sourceSelect
  case sourceEdit
  case sourceRemove
  case sourceTest
  case syncRun
  case syncStatus
  case syncHistory
  case syncState
  case syncReset
  case syncRejects
  case recordList
  case recordCount
  case recordExport
  case completions
  case doctor
  case recordOutcome
  case benchClaim
  case external
  case complete
  case syncAttempt
  case benchIngest

  /// What a command does, and to what: guards hang on this.
  enum Access: String {
    /// Opens no store.
    case none
    /// Reads the store, or another workspace than the resolved one.
    case readsStore = "reads_store"
    /// Changes the store, or a workspace that is its own argument.
    case changesStore = "changes_store"
    case readsWorkspace = "reads_workspace"
    /// Records what already happened to jobs and effects: in an archived workspace too, so that none
    /// stays 'running' or 'uncertain' there.
    case settlesWorkspace = "settles_workspace"
    /// Refused in an archived workspace.
    case changesWorkspace = "changes_workspace"
  }

  var access: Access {
    switch self {
    // Those two speak to their own attempt, which refuses what is late; they open the store only to
    // keep that for people.
    case .initialize, .contextPath, .contextPrompt, .jobLifecycle, .recordOutcome, .benchClaim,
      .benchIngest, .jobReport, .jobProgress, .completions, .memberRoles:
      .none
    case .contextShow, .workspaceList, .workspaceShow, .storeInfo, .storeCheck, .storeBackup,
      .open, .workspaceShell, .external, .complete, .doctor:
      .readsStore
    case .workspaceCreate, .workspaceArchive, .workspaceUnarchive, .workspaceSwitch, .storeRestore,
      .storePrune, .contextTrust:
      .changesStore
    case .workspaceCurrent, .jobList, .jobShow, .jobExplain, .jobLogs, .jobWait, .typeList,
      .typeShow, .typeDiff, .typeExport, .queueList, .effectList, .effectShow, .draftList,
      .draftShow, .memberList, .log, .sourceList, .sourceShow, .syncStatus, .syncHistory,
      .syncState, .syncRejects, .recordList, .recordCount, .recordExport, .sourceTest:
      .readsWorkspace
    case .jobReclaim, .jobResolve, .effectConfirm: .settlesWorkspace
    case .workspaceEdit, .jobEnqueue, .jobCancel, .jobRetry, .jobPrune, .jobRun, .jobWork, .typeSet,
      .typeRemove, .typeApply, .queueLimit, .effectRun, .effectBegin, .effectAbandon,
      .workspaceProtect, .workspaceUnprotect, .memberAdd, .memberRemove, .draftNew, .draftEdit,
      .draftSubmit, .draftDiscard, .draftRestore, .sourceAdd, .sourceDiscover, .sourceSelect,
      .sourceEdit, .sourceRemove, .syncRun, .syncReset, .syncAttempt:
      .changesWorkspace
    }
  }

  /// Whether `-w` may be given more than once.
  var repeatsWorkspace: Bool { self == .jobWork }

  /// The words that call it: nouns and a verb, or one word.
  var words: [String] {
    switch self {
    case .initialize: ["init"]
    case .workspaceCreate: ["workspace", "create"]
    case .workspaceList: ["workspace", "list"]
    case .workspaceShow: ["workspace", "show"]
    case .workspaceCurrent: ["workspace", "current"]
    case .workspaceSwitch: ["workspace", "switch"]
    case .workspaceArchive: ["workspace", "archive"]
    case .workspaceUnarchive: ["workspace", "unarchive"]
    case .workspaceEdit: ["workspace", "edit"]
    case .workspaceShell: ["workspace", "shell"]
    case .workspaceProtect: ["workspace", "protect"]
    case .workspaceUnprotect: ["workspace", "unprotect"]
    case .memberAdd: ["workspace", "member", "add"]
    case .memberRemove: ["workspace", "member", "remove"]
    case .memberList: ["workspace", "member", "list"]
    case .memberRoles: ["workspace", "member", "roles"]
    case .contextShow: ["context", "show"]
    case .contextPath: ["context", "path"]
    case .contextPrompt: ["context", "prompt"]
    case .contextTrust: ["context", "trust"]
    case .storeInfo: ["store", "info"]
    case .storeCheck: ["store", "check"]
    case .storeBackup: ["store", "backup"]
    case .storeRestore: ["store", "restore"]
    case .storePrune: ["store", "prune"]
    case .jobEnqueue: ["job", "enqueue"]
    case .jobList: ["job", "list"]
    case .jobShow: ["job", "show"]
    case .jobExplain: ["job", "explain"]
    case .jobLogs: ["job", "logs"]
    case .jobWait: ["job", "wait"]
    case .jobCancel: ["job", "cancel"]
    case .jobRetry: ["job", "retry"]
    case .jobResolve: ["job", "resolve"]
    case .jobPrune: ["job", "prune"]
    case .jobLifecycle: ["job", "lifecycle"]
    case .typeSet: ["type", "set"]
    case .typeList: ["type", "list"]
    case .typeShow: ["type", "show"]
    case .typeRemove: ["type", "remove"]
    case .typeDiff: ["type", "diff"]
    case .typeApply: ["type", "apply"]
    case .typeExport: ["type", "export"]
    case .queueLimit: ["queue", "limit"]
    case .queueList: ["queue", "list"]
    case .open: ["open"]
    case .log: ["log"]
    case .jobWork: ["job", "work"]
    case .jobReclaim: ["job", "reclaim"]
    case .jobRun: ["job", "run"]
    case .jobReport: ["job", "report"]
    case .jobProgress: ["job", "progress"]
    case .effectRun: ["effect", "run"]
    case .effectBegin: ["effect", "begin"]
    case .effectConfirm: ["effect", "confirm"]
    case .effectAbandon: ["effect", "abandon"]
    case .effectList: ["effect", "list"]
    case .effectShow: ["effect", "show"]
    case .draftNew: ["draft", "new"]
    case .draftEdit: ["draft", "edit"]
    case .draftList: ["draft", "list"]
    case .draftShow: ["draft", "show"]
    case .draftSubmit: ["draft", "submit"]
    case .draftDiscard: ["draft", "discard"]
    case .draftRestore: ["draft", "restore"]
    case .sourceAdd: ["source", "add"]
    case .sourceList: ["source", "list"]
    case .sourceShow: ["source", "show"]
    case .sourceDiscover: ["source", "discover"]
    case .sourceSelect: ["source", "select"]
    case .sourceEdit: ["source", "edit"]
    case .sourceRemove: ["source", "remove"]
    case .sourceTest: ["source", "test"]
    case .syncRun: ["sync", "run"]
    case .syncStatus: ["sync", "status"]
    case .syncHistory: ["sync", "history"]
    case .syncState: ["sync", "state"]
    case .syncReset: ["sync", "reset"]
    case .syncRejects: ["sync", "rejects"]
    case .recordList: ["record", "list"]
    case .recordCount: ["record", "count"]
    case .recordExport: ["record", "export"]
    case .completions: ["completions"]
    case .doctor: ["doctor"]
    case .recordOutcome: ["__record"]
    case .benchClaim: ["__bench-claim"]
    case .external: ["__external"]
    case .complete: ["__complete"]
    case .syncAttempt: ["__sync"]
    case .benchIngest: ["__bench-ingest"]
    }
  }

  var type: any HotglueCommand.Type {
    switch self {
    case .initialize: Initialize.self
    case .workspaceCreate: WorkspaceCreate.self
    case .workspaceList: WorkspaceList.self
    case .workspaceShow: WorkspaceShow.self
    case .workspaceCurrent: WorkspaceCurrent.self
    case .workspaceSwitch: WorkspaceSwitch.self
    case .workspaceArchive: WorkspaceArchive.self
    case .workspaceUnarchive: WorkspaceUnarchive.self
    case .workspaceEdit: WorkspaceEdit.self
    case .workspaceShell: WorkspaceShell.self
    case .workspaceProtect: WorkspaceProtect.self
    case .workspaceUnprotect: WorkspaceUnprotect.self
    case .memberAdd: MemberAdd.self
    case .memberRemove: MemberRemove.self
    case .memberList: MemberList.self
    case .memberRoles: MemberRoles.self
    case .contextShow: ContextShow.self
    case .contextPath: ContextPath.self
    case .contextPrompt: ContextPrompt.self
    case .contextTrust: ContextTrustCommand.self
    case .storeInfo: StoreInfoCommand.self
    case .storeCheck: StoreCheck.self
    case .storeBackup: StoreBackup.self
    case .storeRestore: StoreRestore.self
    case .storePrune: StorePrune.self
    case .jobEnqueue: JobEnqueue.self
    case .jobList: JobList.self
    case .jobShow: JobShow.self
    case .jobExplain: JobExplain.self
    case .jobLogs: JobLogs.self
    case .jobWait: JobWait.self
    case .jobCancel: JobCancel.self
    case .jobRetry: JobRetry.self
    case .jobResolve: JobResolve.self
    case .jobPrune: JobPrune.self
    case .jobLifecycle: JobLifecycle.self
    case .typeSet: TypeSet.self
    case .typeList: TypeList.self
    case .typeShow: TypeShow.self
    case .typeRemove: TypeRemove.self
    case .typeDiff: TypeDiff.self
    case .typeApply: TypeApply.self
    case .typeExport: TypeExport.self
    case .queueLimit: QueueLimit.self
    case .queueList: QueueList.self
    case .open: OpenLink.self
    case .log: ActivityLog.self
    case .jobWork: JobWork.self
    case .jobReclaim: JobReclaim.self
    case .jobRun: JobRun.self
    case .jobReport: JobReport.self
    case .jobProgress: JobProgressReport.self
    case .effectRun: EffectRun.self
    case .effectBegin: EffectBegin.self
    case .effectConfirm: EffectConfirm.self
    case .effectAbandon: EffectAbandon.self
    case .effectList: EffectList.self
    case .effectShow: EffectShow.self
    case .draftNew: DraftNew.self
    case .draftEdit: DraftEdit.self
    case .draftList: DraftList.self
    case .draftShow: DraftShow.self
    case .draftSubmit: DraftSubmit.self
    case .draftDiscard: DraftDiscard.self
    case .draftRestore: DraftRestore.self
    case .sourceAdd: SourceAdd.self
    case .sourceList: SourceList.self
    case .sourceShow: SourceShow.self
    case .sourceDiscover: SourceDiscover.self
    case .sourceSelect: SourceSelect.self
    case .sourceEdit: SourceEdit.self
    case .sourceRemove: SourceRemove.self
    case .sourceTest: SourceTest.self
    case .syncRun: SyncRunCommand.self
    case .syncStatus: SyncStatus.self
    case .syncHistory: SyncHistory.self
    case .syncState: SyncState.self
    case .syncReset: SyncReset.self
    case .syncRejects: SyncRejects.self
    case .recordList: RecordList.self
    case .recordCount: RecordCount.self
    case .recordExport: RecordExport.self
    case .completions: Completions.self
    case .doctor: DoctorCommand.self
    case .recordOutcome: RecordOutcome.self
    case .benchClaim: BenchClaim.self
    case .external: ExternalCommand.self
    case .complete: Complete.self
    case .syncAttempt: SyncAttempt.self
    case .benchIngest: BenchIngest.self
    }
  }

  /// The name in the log: `workspace switch`.
  var name: String {
    if self == .external { return "external" }
    // The handler of a sync does what that command asked for.
    if self == .syncAttempt { return CommandKind.syncRun.name }
    return words.joined(separator: " ")
  }
}
