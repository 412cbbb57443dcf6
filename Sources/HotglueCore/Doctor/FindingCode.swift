/// Everything that `hotglue doctor` can find, one stable word each.
public enum FindingCode: String, CaseIterable, Sendable {
  // The store as a file.
  case storeMissing = "store_missing"
  case storeUnusable = "store_unusable"
  case storeCorrupt = "store_corrupt"
  case storeBusy = "store_busy"
  case storeReadOnly = "store_read_only"
  case schemaNewer = "schema_newer"
  case fileSystem = "file_system"
  case otherStore = "other_store"
  case storeMoved = "store_moved"
  case notPrivate = "not_private"
  case contextUnusable = "context_unusable"
  case littleSpace = "little_space"
  case longLog = "long_log"
  case gateFrozen = "gate_frozen"
  case gateHeld = "gate_held"
  case gateReplaced = "gate_replaced"
  case otherProgram = "other_program"

  // Rows.
  case schemaChanged = "schema_changed"
  /// Rows that contradict each other, as only a fault of a program can leave them.
  case inconsistent = "inconsistent"

  // Attempts and processes.
  case attemptDead = "attempt_dead"
  case attemptHeld = "attempt_held"
  case attemptUnattended = "attempt_unattended"
  case attemptElsewhere = "attempt_elsewhere"
  case attemptUnknown = "attempt_unknown"
  case attemptResolving = "attempt_resolving"
  case leaseOver = "lease_over"
  case workerFrozen = "worker_frozen"
  case supervisorFrozen = "supervisor_frozen"
  case forkServerFrozen = "fork_server_frozen"
  case strayProcess = "stray_process"
  case storeCopied = "store_copied"
  case workerOutdated = "worker_outdated"
  case workerElsewhere = "worker_elsewhere"

  // What waits for somebody, and what was left.
  case switchOpen = "switch_open"
  case switchFrozen = "switch_frozen"
  case jobUncertain = "job_uncertain"
  case effectUnknown = "effect_unknown"
  case effectStray = "effect_stray"
  case zoneMissing = "zone_missing"
  case automationPaused = "automation_paused"
  case archivedRunning = "archived_running"
  case clockBehind = "clock_behind"
  case slotLeft = "slot_left"
  case lockLeft = "lock_left"
  case logLeft = "log_left"
  case draftLeft = "draft_left"

  /// Whether it is something to know rather than something that is wrong: a note does not change the
  /// exit status.
  public var isNote: Bool {
    switch self {
    case .gateHeld, .attemptUnattended, .attemptElsewhere, .attemptResolving,
      .workerOutdated, .workerElsewhere, .jobUncertain, .effectUnknown, .effectStray,
      .automationPaused, .archivedRunning, .clockBehind, .slotLeft, .lockLeft, .logLeft, .draftLeft:
      true
    case .storeMissing, .storeUnusable, .storeCorrupt, .storeBusy, .storeReadOnly, .schemaNewer,
      .fileSystem, .otherStore, .storeMoved, .notPrivate, .contextUnusable, .littleSpace, .longLog,
      .gateFrozen, .gateReplaced, .otherProgram, .schemaChanged, .inconsistent,
      .attemptDead, .attemptHeld, .attemptUnknown, .leaseOver, .workerFrozen, .supervisorFrozen,
      .forkServerFrozen, .strayProcess, .storeCopied, .switchOpen, .switchFrozen, .zoneMissing:
      false
    }
  }
}
