public import HotglueCore
import HotglueProcess
public import HotglueStore

/// Compares what a store says with what the machine shows, and says what is wrong.
///
/// It writes nothing, sends no signal and takes no lock that anybody waits for. What it looks at goes
/// on meanwhile: a row is read again before a process or a lock speaks against it, so that a moment's
/// difference is no finding.
public struct Doctor {
  public struct Diagnosis: Sendable {
    public var findings: [Finding] = []
    public var openBy: [OpenFile] = []
    public var freeBytes: Int64?

    public init() {}
  }

  /// A program that has the store's file open.
  public struct OpenFile: Hashable, Sendable {
    public var pid: Int32
    public var program: String
    public var isHotglue: Bool
    public var isWritable: Bool
  }

  let store: any AuditStore
  let audit: StoreAudit
  /// `STORE.d`.
  let folder: String
  let storePath: String
  /// `hotglue` with the flags that make a command mean this store.
  let hotglue: String
  /// The real path of the context file that the doctor was asked in.
  let contextFile: String?
  let now: Timestamp
  let here: ProcessIdentity
  let locks: HeldLocks

  public init(
    store: any AuditStore, audit: StoreAudit, hotglue: String, contextFile: String? = nil,
    now: Timestamp
  ) throws(RunnerError) {
    self.store = store
    self.contextFile = contextFile
    self.audit = audit
    self.hotglue = hotglue
    self.now = now
    folder = audit.info.folder
    storePath = audit.info.path
    here = try processStep { () throws(ProcessError) in try ProcessIdentity.current() }
    locks = HeldLocks()
  }

  public func diagnose() throws(RunnerError) -> Diagnosis {
    var diagnosis = Diagnosis()
    let processes = SeenProcess.all()
    diagnosis.findings += audit.violations.map(finding)
    diagnosis.findings += lookAtGate()
    diagnosis.openBy = openers(among: processes)
    diagnosis.findings += strangers(diagnosis.openBy)
    diagnosis.findings += lookForReplacedGate(diagnosis.openBy)
    diagnosis.freeBytes = freeBytes(at: folder)
    diagnosis.findings += lookAtSpace(free: diagnosis.freeBytes)
    diagnosis.findings += lookAtWorkers()
    diagnosis.findings += lookAtNurseries(among: processes)
    diagnosis.findings += try lookAtAttempts()
    diagnosis.findings += try lookForStrays(among: processes)
    diagnosis.findings += try lookForEffects()
    diagnosis.findings += lookAtSwitches()
    diagnosis.findings += whatWaits()
    diagnosis.findings += try whatWasLeft(processes)
    return diagnosis
  }

  // MARK: The rows

  private func finding(_ violation: StoreViolation) -> Finding {
    Finding(
      violation.code, violation.message, workspace: violation.workspace, job: violation.job,
      remedy: "\(hotglue) store restore BACKUP")
  }

  // MARK: What waits

  private func whatWaits() -> [Finding] {
    var findings: [Finding] = []
    for waiting in audit.uncertainJobs {
      findings.append(
        Finding(
          .jobUncertain, "\(waiting.count) uncertain jobs in workspace '\(waiting.workspace)'",
          workspace: waiting.workspace,
          remedy: "\(hotglue) job list -w \(waiting.workspace) --state uncertain"))
    }
    for waiting in audit.unknownEffects {
      findings.append(
        Finding(
          .effectUnknown,
          "\(waiting.count) effects of unknown outcome in workspace '\(waiting.workspace)'",
          workspace: waiting.workspace,
          remedy: "\(hotglue) effect list -w \(waiting.workspace) --state unknown"))
    }
    for waiting in audit.archivedRunning {
      findings.append(
        Finding(
          .archivedRunning,
          "\(waiting.count) jobs run in the archived workspace '\(waiting.workspace)'",
          workspace: waiting.workspace,
          remedy: "\(hotglue) job reclaim -w \(waiting.workspace)"))
    }
    for stopped in audit.stoppedAutomations {
      findings.append(
        Finding(
          stopped.isWithoutZone ? .zoneMissing : .automationPaused,
          "automation '\(stopped.name)' of workspace '\(stopped.workspace)': \(stopped.reason)",
          workspace: stopped.workspace,
          remedy: "\(hotglue) automation resume -w \(stopped.workspace) \(stopped.name)"))
    }
    if let latest = audit.latest, latest > now.advanced(by: .minutes(5)) {
      let ahead = Span(milliseconds: latest.milliseconds - now.milliseconds)
      findings.append(
        Finding(
          .clockBehind,
          "the store was written to \(ahead.approximateText) in the future of this machine's clock")
      )
    }
    return findings
  }
}
