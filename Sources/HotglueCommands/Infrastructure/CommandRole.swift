import HotglueCore

/// The second half of the table of commands: who may call each, where a workspace has members.
///
/// The switch has no `default`: a new command cannot forget its row.
extension CommandKind {
  enum Need: Equatable {
    /// Anybody: it acts in no workspace, or tells no more of one than that it exists.
    case nothing
    /// This role at least, where the command acts: in the resolved workspace, or in the one that is
    /// its own argument.
    case role(Role)
    /// This role at least in every workspace of the store: the command acts on all of them.
    case roleEverywhere(Role)
  }

  var need: Need {
    switch self {
    case .initialize, .workspaceCreate, .workspaceList, .contextShow, .contextPath, .contextPrompt,
      .contextTrust, .storeInfo, .storeCheck, .jobLifecycle, .memberRoles, .completions, .doctor,
      .external,
      .recordOutcome, .benchClaim, .benchIngest:
      .nothing
    // A handler speaks for its own attempt, which somebody with the right to it has started.
    case .jobReport, .jobProgress:
      .nothing
    case .workspaceShow, .workspaceCurrent, .workspaceSwitch, .workspaceShell, .memberList,
      .jobList, .jobShow, .jobExplain, .jobLogs, .jobWait, .typeList, .typeShow, .typeDiff,
      .typeExport, .queueList, .open, .effectList, .effectShow, .draftList, .draftShow,
      .log, .complete, .sourceList, .sourceShow, .syncStatus, .syncHistory, .syncState,
      .syncRejects, .recordList, .recordCount, .recordExport:
      .role(.viewer)
    case .jobEnqueue, .jobCancel, .jobRetry, .jobResolve, .jobWork, .jobReclaim, .jobRun,
      .effectRun, .effectBegin, .effectConfirm, .effectAbandon, .draftNew, .draftEdit,
      .draftSubmit, .draftDiscard, .draftRestore, .sourceDiscover, .sourceTest, .syncRun,
      .syncReset, .syncAttempt:
      .role(.operator)
    // What a type runs, and what is kept, concerns everybody who works there.
    case .workspaceArchive, .workspaceUnarchive, .workspaceEdit, .workspaceProtect,
      .workspaceUnprotect, .memberAdd, .memberRemove,
      .jobPrune, .typeSet, .typeRemove, .typeApply, .queueLimit, .sourceAdd,
      .sourceSelect, .sourceEdit, .sourceRemove:
      .role(.owner)
    case .storeBackup:
      .roleEverywhere(.viewer)
    case .storeRestore, .storePrune:
      .roleEverywhere(.owner)
    }
  }

  /// The least role, wherever it is needed.
  var leastRole: Role? {
    switch need {
    case .nothing: nil
    case .role(let role), .roleEverywhere(let role): role
    }
  }

  /// The administrator of the machine may always put the members of a workspace right: else one whose
  /// owners have left could never be managed again.
  var isForRescue: Bool {
    [.memberAdd, .memberRemove, .memberList].contains(self)
  }
}
