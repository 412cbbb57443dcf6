import HotglueCore
import HotglueStore

/// One switch of one context file, from plan to confirmation.
///
/// ```
///   store                      context file
///   intent N+1 recorded        generation N         killed here: rolled back
///   intent N+1 recorded        generation N+1       killed here, or no room: confirmed by the next
///   generation N+1             generation N+1
/// ```
///
/// Drafts that move to the bin do so provisionally with the intent, for good with the confirmation,
/// and are open again when it is rolled back.
///
/// All of it happens under the file's lock, which ends with the process; whoever resolves the
/// context next and gets the lock puts right what was cut short.
struct SwitchTransition {
  let session: StoreSession
  let source: ResolvedContext.Source
  let target: String
  let ifGeneration: Int64?

  enum Result {
    /// `unconfirmed`: the file is replaced, which settles it, and why the store cannot record it yet.
    case switched(SwitchPlan, unconfirmed: StoreError?)
    /// The context is there already: nothing was changed.
    case alreadyThere(SwitchPlan)
    /// Drafts need a decision that was not given for them: nothing was changed.
    case undecided(SwitchPlan)
  }

  /// What the switch would do, on what the file says now. Takes no lock and changes nothing.
  func plan() throws -> SwitchPlan { try plan(from: source.file) }

  /// Switches. `decision` holds for the drafts in `decided`, as they were then, or for all of them when
  /// that is `nil`.
  func carryOut(
    _ decision: DraftFate.Decision?, on decided: Set<DraftStamp>?
  ) throws -> Result {
    let mode = try session.mode(of: source)
    guard let lock = try ContextLock(beside: source.realPath, mode: mode, wait: true) else {
      throw CommandError("busy", .tryLater, "another process is switching the context")
    }
    defer { _ = lock }
    let file = try session.settleIntent(of: source)
    let open = try plan(from: file)
    if open.isAlreadyThere { return .alreadyThere(open) }
    guard open.toState == .active else { throw StoreError.archivedWorkspace(open.to) }
    if let decided, !open.undecided.allSatisfy({ decided.contains($0.stamp) }) {
      return .undecided(open)
    }
    let plan = open.decided(decision)
    if !plan.undecided.isEmpty { return .undecided(plan) }
    try requireLeaveToMove(plan)

    let intent = try session.store.beginSwitch(
      source.key, from: try agreed(file), to: plan.to,
      drafts: Dictionary(uniqueKeysWithValues: plan.drafts.map { ($0.stamp, $0.fate.movesToBin) }),
      by: session.actor, at: session.now)
    try session.environment.switchStep(.intentRecorded)
    var next = file
    next.workspace = plan.to
    next.previous = file.workspace
    next.generation = intent.generation
    do {
      try ContextWriter(realPath: source.realPath, mode: mode).replace(with: next) {
        try session.environment.switchStep(.fileWritten)
        try requireUnchanged(file)
      }
    } catch let failure as SystemError {
      // The file may be either; the same rule that serves after a crash decides now, or, where that
      // cannot be written either, with the next command.
      do {
        try session.settleIntent(of: source)
      } catch let error as StoreError where error.isForLater {}
      throw failure
    }
    try session.environment.switchStep(.fileReplaced)
    var done = plan
    done.nextGeneration = intent.generation
    return .switched(done, unconfirmed: try confirm(intent))
  }

  /// The file is at the new generation, durably, and whoever reads it is in the new workspace already:
  /// there is no way back that could not fail like this, and what is left to do is in the intent. So
  /// a store that cannot be written now makes the switch no less done.
  private func confirm(_ intent: ContextRecord.Intent) throws(StoreError) -> StoreError? {
    do throws(StoreError) {
      try session.store.confirmSwitch(source.key, intent, by: session.actor, at: session.now)
      return nil
    } catch {
      guard error.isForLater else { throw error }
      return error
    }
  }

  /// Looks once more before the file is replaced. Whoever deletes it or puts another one there knows
  /// nothing of the lock, and what they did is not undone: the switch is given up.
  private func requireUnchanged(_ file: ContextFile) throws {
    let loader = ContextLoader(session.environment)
    let found = try loader.read(source.realPath, shown: source.shownPath)
    let there = found.flatMap { try? ContextFile(parsing: $0.bytes) }
    if there == file { return }
    if let there, there.contextID == file.contextID, there.storeID == file.storeID {
      try session.settleIntent(of: source)
    } else {
      try session.store.rollBackSwitch(source.key, to: session.record(of: file))
    }
    throw CommandError.refused(
      "'\(source.shownPath)' was \(found == nil ? "deleted" : "replaced") while it was switched: "
        + "nothing was switched",
      hint: "see 'hotglue context show', then decide again")
  }

  /// What the switch starts from. A file that was exchanged by hand or by a rescue may be behind or
  /// ahead of the store: both go on from the larger generation, so that none is used twice.
  private func agreed(_ file: ContextFile) throws -> ContextRecord {
    var record = try session.record(of: file)
    guard let known = try session.store.context(source.key) else { return record }
    record.generation = max(file.generation, known.generation)
    if known.generation != record.generation {
      try session.store.rollBackSwitch(source.key, to: record)
    }
    return record
  }

  /// To put drafts aside is to act in the workspace that is left.
  func requireLeaveToMove(_ plan: SwitchPlan) throws {
    guard let from = plan.from, plan.drafts.contains(where: { $0.fate.movesToBin }) else { return }
    _ = try session.standing(for: DraftDiscard.record).entering(from, isNamed: true)
  }

  private func plan(from file: ContextFile) throws -> SwitchPlan {
    if let expected = ifGeneration, expected != file.generation {
      throw StoreError.staleGeneration(expected: expected, found: file.generation)
    }
    if let expected = session.options.expect, expected != file.workspace?.text {
      throw CommandError.refused(
        "the context is not in '\(expected)' any more: another process switched it",
        hint: "see 'hotglue context show', then decide again")
    }
    let to = try targetID(file)
    let there = try session.entering(to, isNamed: true)
    // A file may name a workspace that the store has never had, or has no more after a restore: it
    // can be left all the same.
    let left = try session.record(of: file).workspace.map { try session.store.workspace($0) }
    let here = try left.map { try session.store.role(of: session.user, in: $0.id) }
    var plan = SwitchPlan(
      from: file.workspace,
      fromState: file.workspace == nil
        ? nil : left.map { $0.state == .archived ? .archived : .active } ?? .unknown,
      to: to, toState: there.record.state == .archived ? .archived : .active,
      contextFile: source.realPath, generation: file.generation,
      goesOn: SwitchPlan.GoesOn(running: 0, pending: 0), roles: rights(from: here, to: there))
    guard let left else { return plan }
    let contents = try session.store.contents(of: left.id)
    plan.goesOn.running = contents.count(.running)
    plan.goesOn.pending = contents.count(.pending)
    plan.goesOn.shells = PrivateContext.shells(
      in: left.id, below: session.store.folder, besides: source.realPath,
      for: ContextLoader(session.environment))
    if plan.isAlreadyThere { return plan }
    let mayMove = here.map { session.mayStand(for: DraftDiscard.record, as: $0) } ?? true
    plan.drafts = try staleDrafts(in: left, mayMove: mayMove)
    plan.hidesDrafts = here?.allows(.viewer) == false
    let watches = WatchRegister(session.store).living().filter {
      $0.workspace == left.id && $0.contextID == source.key.contextID
        && $0.contextPath == source.key.path
    }
    plan.staleWatches = watches.filter(\.followsContext)
    plan.goesOn.watches = watches.filter { !$0.followsContext }
    return plan
  }

  /// Drafts that were begun in this context file and are bound to the workspace that it leaves.
  private func staleDrafts(
    in workspace: Workspace, mayMove: Bool
  ) throws -> [SwitchPlan.StaleDraft] {
    let desk = DraftDesk(session.store)
    return try session.store.openDrafts(of: source.key, in: workspace.id).map { draft in
      SwitchPlan.StaleDraft(
        draft,
        fate: DraftFate.onSwitch(
          draft, isOpenInEditor: desk.isAtWork(draft.id),
          isArchived: workspace.state == .archived, mayMove: mayMove))
    }
  }

  /// What the user may do here and there; `nil` where neither workspace has members.
  private func rights(from here: Standing?, to: WorkspaceSession) -> RightsChange? {
    if here ?? .open == .open, to.standing == .open { return nil }
    return RightsChange(from: here, to: to.standing)
  }

  private func targetID(_ file: ContextFile) throws -> WorkspaceID {
    guard target == "-" else { return try WorkspaceID(argument: target) }
    guard let previous = file.previous else {
      throw CommandError(
        "no_previous", .notFound, "the context has no previous workspace",
        hint: "name one: 'hotglue workspace list'")
    }
    return previous
  }
}
