public import HotglueCore

public typealias AutomationID = Int64

/// What an automation is set to: when it fires, and what it enqueues then.
public struct AutomationContract: Hashable, Sendable {
  public var definition: AutomationDefinition
  /// Without a time to run: the occurrence has it.
  public var job: EnqueueRequest
  public init(definition: AutomationDefinition, job: EnqueueRequest) {
    self.definition = definition
    self.job = job
  }

  /// By what is kept of both: a job of a type leaves its directory to the type.
  public static func == (left: AutomationContract, right: AutomationContract) -> Bool {
    left.definition == right.definition && left.job.template == right.job.template
  }

  public func hash(into hasher: inout Hasher) { hasher.combine(definition) }

  /// What changes from `before` to this contract, setting by setting; from nothing, all of it that is not
  /// the default.
  public func changes(from before: AutomationContract?) -> [SettingChange] {
    let old = before?.settings ?? Self.standard
    return settings.compactMap { new in
      let earlier = old.last { $0.key == new.key }?.value
      if earlier == new.value || (earlier == nil && new.value == .null) { return nil }
      return SettingChange(key: new.key, before: before == nil ? nil : earlier, after: new.value)
    }
  }

  /// Every setting on its own, for diffs.
  private var settings: [JSON.Member] {
    definition.settings
      + (job.template.members ?? []).flatMap { member in
        // The jitter of back-offs is not that of the automation.
        member.key != "policy"
          ? [member]
          : (member.value.members ?? []).map {
            JSON.Member($0.key == "jitter" ? "backoff_jitter" : $0.key, $0.value)
          }
      }
  }

  private static let standard = AutomationContract(
    definition: AutomationDefinition(schedule: .cron([]), zone: "", zoneOrigin: .standard),
    job: EnqueueRequest(command: [], directory: "")
  ).settings
}

/// An automation as the store knows it at one moment.
public struct Automation: Hashable, Sendable {
  public enum State: String, Sendable {
    case active, paused
    /// Its zone has no file any more: nothing is decided until it has.
    case zoneMissing = "zone_missing"
  }

  public var id: AutomationID
  public var workspace: WorkspaceID
  public var name: String
  /// From 1; it grows with every change of the contract.
  public var revision: Int
  public var contract: AutomationContract
  public var state: State
  /// Why it is paused, or which zone is missing.
  public var reason: String?
  /// It was paused by bad ends of its jobs, not by a user.
  public var isPausedByFailures: Bool
  /// Every occurrence up to it is decided.
  public var cursor: Timestamp
  /// When the next tick has something to decide; `nil`: never.
  public var nextTick: Timestamp?
  /// The occurrence that fired last, and its job.
  public var lastAt: Timestamp?
  public var lastJob: JobID?
  public var createdAt: Timestamp
  public var setAt: Timestamp
  public var setBy: String

  public init(
    id: AutomationID, workspace: WorkspaceID, name: String, revision: Int,
    contract: AutomationContract, state: State, reason: String?, isPausedByFailures: Bool,
    cursor: Timestamp, nextTick: Timestamp?, lastAt: Timestamp?, lastJob: JobID?,
    createdAt: Timestamp, setAt: Timestamp, setBy: String
  ) {
    self.id = id
    self.workspace = workspace
    self.name = name
    self.revision = revision
    self.contract = contract
    self.state = state
    self.reason = reason
    self.isPausedByFailures = isPausedByFailures
    self.cursor = cursor
    self.nextTick = nextTick
    self.lastAt = lastAt
    self.lastJob = lastJob
    self.createdAt = createdAt
    self.setAt = setAt
    self.setBy = setBy
  }

  public var definition: AutomationDefinition { contract.definition }
}

/// What an automation is to be set to.
public struct AutomationSetting: Hashable, Sendable {
  public var name: String
  public var contract: AutomationContract
  /// Its first occurrence after now; `nil`: it never fires.
  public var next: Timestamp?
  public init(name: String, contract: AutomationContract, next: Timestamp?) {
    self.name = name
    self.contract = contract
    self.next = next
  }
}

/// What a set came to; `before` is `nil` when there was none of that name.
public struct AutomationChange: Hashable, Sendable {
  public var before: Automation?
  public var after: Automation
  public init(before: Automation?, after: Automation) {
    self.before = before
    self.after = after
  }
  public var isChange: Bool { before?.revision != after.revision }
}

/// What is expected of an automation that is set.
public enum AutomationExpectation: Hashable, Sendable {
  case absent
  case revision(Int)
  case anything
}

/// Which occurrence a job is for: what its handler is told of it.
public struct JobOccurrence: Hashable, Sendable {
  public var automation: AutomationID
  public var name: String
  public var at: Timestamp
  /// As the clock of the automation's zone shows it, with its offset.
  public var local: String
  /// The occurrence before it in the schedule.
  public var previous: Timestamp?
  public var isCatchUp: Bool

  public init(
    automation: AutomationID, name: String, at: Timestamp, local: String, previous: Timestamp?,
    isCatchUp: Bool
  ) {
    self.automation = automation
    self.name = name
    self.at = at
    self.local = local
    self.previous = previous
    self.isCatchUp = isCatchUp
  }
}

/// The occurrences that a tick found due, computed from one reading of the automation. The step that
/// decides them is refused when the automation has changed since.
public struct TickPlan: Sendable {
  public struct Due: Hashable, Sendable {
    public var occurrence: Occurrence
    public var local: String
    public var previous: Timestamp?
    public init(occurrence: Occurrence, local: String, previous: Timestamp?) {
      self.occurrence = occurrence
      self.local = local
      self.previous = previous
    }
  }

  public var automation: Automation
  public var due: [Due]
  /// When there is something to decide after this tick; `nil`: never.
  public var next: Timestamp?

  public init(automation: Automation, due: [Due], next: Timestamp?) {
    self.automation = automation
    self.due = due
    self.next = next
  }
}

/// A row of an automation's history.
public struct OccurrenceRecord: Hashable, Sendable {
  public var occurrence: Occurrence
  public var zone: String
  public var decision: OccurrenceDecision
  public var reason: String?
  public var job: JobID?
  /// How the job stands; `nil` where it is not kept any more.
  public var jobState: JobState?
  public var isCatchUp: Bool
  public var decidedAt: Timestamp

  public init(
    occurrence: Occurrence, zone: String, decision: OccurrenceDecision, reason: String?,
    job: JobID?, jobState: JobState?, isCatchUp: Bool, decidedAt: Timestamp
  ) {
    self.occurrence = occurrence
    self.zone = zone
    self.decision = decision
    self.reason = reason
    self.job = job
    self.jobState = jobState
    self.isCatchUp = isCatchUp
    self.decidedAt = decidedAt
  }

  /// Orders the history, and continues a page of it.
  public var position: Int64 { occurrence.nominal.seconds * 2 + Int64(occurrence.fold) }
}

/// What a tick came to.
public enum TickResult: Hashable, Sendable {
  /// The rows that it wrote.
  case decided([OccurrenceRecord])
  /// The automation was changed, ticked or removed since the plan was made: read it again.
  case stale
}

/// What a trigger came to.
public enum TriggerResult: Hashable, Sendable {
  case enqueued(JobID)
  case held(by: AutomationTick.Unfinished)
}

/// What a resumed automation does about the occurrences of its pause.
public enum CatchUp: String, Sendable, CaseIterable { case none, one, all }

/// Automations. Every method is one atomic, durable step; each that changes something leaves a row in
/// the log.
public protocol AutomationStore {
  /// Creates or changes the automation. A new one, and one whose schedule changes, begins at now: its
  /// cursor is `now`. Without a difference nothing changes.
  func setAutomation(
    _ setting: AutomationSetting, in workspace: WorkspaceID,
    expecting expectation: AutomationExpectation, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> AutomationChange

  /// Sets types and automations as a file says: all of them or none, in the order given. With `dryRun`
  /// nothing is changed.
  func apply(
    _ types: [(name: String, definition: TypeDefinition)], _ automations: [AutomationSetting],
    in workspace: WorkspaceID, dryRun: Bool, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> (types: [TypeChange], automations: [AutomationChange])

  /// Its jobs stay, and what is recorded of its occurrences until retention removes it. Its name is
  /// free again, its number is not.
  func removeAutomation(
    _ name: String, in workspace: WorkspaceID, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> Automation

  func pauseAutomation(
    _ name: String, reason: String?, in workspace: WorkspaceID, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> Automation

  /// Ends a pause, or the state `zone_missing`. The cursor moves to now; `next` is the first occurrence
  /// after it. With a catch-up, occurrences that the pause let go fire now: the newest, or all of them,
  /// oldest first.
  func resumeAutomation(
    _ name: String, next: Timestamp?, catchUp: CatchUp, local: (Occurrence) -> TickPlan.Due,
    in workspace: WorkspaceID, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> (automation: Automation, fired: [OccurrenceRecord])

  /// The automations by name.
  func automations(in workspace: WorkspaceID) throws(StoreError) -> [Automation]
  /// The automation; `unknownAutomation` with near matches otherwise.
  func automation(_ name: String, in workspace: WorkspaceID) throws(StoreError) -> Automation
  /// Which workspace an automation's number belongs to, for links; `nil` when there is none.
  func owner(
    ofAutomation id: AutomationID
  ) throws(StoreError) -> (workspace: WorkspaceID, name: String)?

  /// Those of active workspaces with something to decide at `now`: an occurrence has come, or the clock
  /// was set back behind the cursor. At most `limit`, longest due first.
  func dueAutomations(
    in workspaces: [WorkspaceID], at now: Timestamp, limit: Int
  ) throws(StoreError) -> [Automation]

  /// When there is something to decide next; cheap.
  func nextTick(in workspaces: [WorkspaceID], at now: Timestamp) throws(StoreError) -> Timestamp?

  /// Decides what is due: one transaction repeats revision, state and cursor, inserts a row for every
  /// occurrence, enqueues, cancels what is replaced, and moves the cursor to `now`. The worker of a running job
  /// that is replaced stops it, as after any cancel.
  ///
  /// A process that dies before the commit leaves everything as it was.
  func tick(_ plan: TickPlan, by actor: Actor, at now: Timestamp) throws(StoreError) -> TickResult

  /// Records that the zone of the automation cannot be read; nothing of it is decided, and it is asked
  /// again at `retry`.
  func noteMissingZone(
    _ automation: Automation, reason: String, retry: Timestamp, by actor: Actor, at now: Timestamp
  ) throws(StoreError)

  /// Enqueues the automation's job now, whether or not it is paused, unless the overlap rule holds it.
  func trigger(
    _ name: String, as due: TickPlan.Due, in workspace: WorkspaceID, by actor: Actor,
    at now: Timestamp
  ) throws(StoreError) -> TriggerResult

  /// Enqueues a job for each of the occurrences, one at a time behind a limit key of their own, and
  /// records them as fired. Occurrences that have a job are left out, unless `redo` says to repeat them.
  func backfill(
    _ name: String, _ due: [TickPlan.Due], redo: BackfillRedo, priority: Int, dryRun: Bool,
    in workspace: WorkspaceID, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> [OccurrenceRecord]

  /// At most `limit` rows of the history below the position `before`, newest first.
  func occurrences(
    of id: AutomationID, in workspace: WorkspaceID, before: Int64?, limit: Int
  ) throws(StoreError) -> [OccurrenceRecord]

  /// Records that something ticks the workspace's automations from time to time, as cron does.
  func noteTicker(
    in workspace: WorkspaceID, by actor: Actor, at now: Timestamp
  ) throws(StoreError)
  /// When that was last recorded.
  func lastTicker(in workspace: WorkspaceID) throws(StoreError) -> Timestamp?
  /// Workers that have not retired and cover the workspace.
  func workers(covering workspace: WorkspaceID) throws(StoreError) -> [WorkerIdentity]
}

/// Which occurrences of a backfill are run although they have a job.
public enum BackfillRedo: String, Sendable, CaseIterable {
  case none
  /// Those whose job ended badly.
  case failed
  case all
}
