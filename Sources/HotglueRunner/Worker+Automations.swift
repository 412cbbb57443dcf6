import HotglueCore
import HotglueProcess
import HotglueStore

/// The automations of a worker's workspaces.
///
/// Between two occurrences nothing is done for them: a timer of the wall clock wakes the worker at the
/// next one, and when that clock is set. A change of the store is looked at with the next look around,
/// so that neither claims nor ends of jobs ask for automations.
extension Worker {
  /// Decides what is due, and sets the timer for what comes next.
  func tickAutomations() throws(RunnerError) {
    guard let ticker, options.only == nil, phase == .working else { return }
    guard automationsMayHaveChanged || nextTick.map({ $0 <= place.now() }) ?? false else { return }
    let now = place.now()
    automationsMayHaveChanged = false
    var next: Timestamp?
    try storeStep { () throws(StoreError) in
      let places = try workspaces()
      next = try store.nextTick(in: places, at: now)
      guard let due = next, due <= now else { return }
      do throws(StoreError) {
        for (automation, records) in try ticker.tickDue(in: places, at: now) {
          let fired = records.count { $0.decision == .fired }
          observe(.ticked(automation.name, automation.workspace, fired: fired))
          if fired > 0 { mayClaim = true }
        }
      } catch {
        // The workspace was archived, or the user lost the role, since they were asked for.
        guard error.isRefusal else { throw error }
        claimable = nil
      }
      next = try store.nextTick(in: places, at: now)
    }
    // What cannot be decided now is not tried again at once.
    nextTick = next.map { $0 <= now ? now.advanced(by: .seconds(1)) : $0 }
    try processStep { () throws(ProcessError) in try timer.set(nextTick?.milliseconds) }
  }
}

extension StoreError {
  fileprivate var isRefusal: Bool {
    switch self {
    case .archivedWorkspace, .roleNeeded, .protectedWorkspace: true
    default: false
    }
  }
}
