import HotglueCore
import HotglueStore

extension Job {
  /// The state as people read it: a pending job is told apart by what it waits for.
  func shownState(at now: Timestamp) -> String {
    guard state == .pending else { return state.rawValue }
    if runAt > now { return failures + losses + snoozes > 0 ? "retrying" : "scheduled" }
    if waitsForType { return "undefined" }
    return waitsForLimit ? "limited" : state.rawValue
  }
}

extension Cell {
  /// A job's state, coloured by what it means.
  init(stateOf job: Job, at now: Timestamp) {
    var cell = Cell(job.state)
    cell.plain = job.shownState(at: now)
    self = cell
  }
}
