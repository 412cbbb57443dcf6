import HotglueCore
import HotglueStore

extension Job {
  /// The state as people read it: a pending job is told apart by what it waits for.
  ///
  /// `hasRoom`: whether the limits of its queue and type leave room for it.
  func shownState(at now: Timestamp, hasRoom: Bool = true) -> String {
    guard state == .pending else { return state.rawValue }
    if runAt > now { return failures + losses + snoozes > 0 ? "retrying" : "scheduled" }
    if waitsForType { return "undefined" }
    return waitsForLimit || !hasRoom ? "limited" : state.rawValue
  }
}

extension Job {
  /// What a job that has not started waits for.
  enum WaitingFor: String {
    /// Its `run_at` has not come.
    case time
    /// Its type is not defined.
    case type
    /// As many run as the limit of its queue, type or limit key allows.
    case limit
    case dependencies
  }

  func waitingFor(at now: Timestamp, hasRoom: Bool) -> WaitingFor? {
    if state == .blocked { return .dependencies }
    guard state == .pending else { return nil }
    if runAt > now { return .time }
    if waitsForType { return .type }
    return waitsForLimit || !hasRoom ? .limit : nil
  }
}

extension Cell {
  /// A job's state, coloured by what it means.
  init(stateOf job: Job, at now: Timestamp, hasRoom: Bool = true) {
    var cell = Cell(job.state)
    cell.plain = job.shownState(at: now, hasRoom: hasRoom)
    self = cell
  }
}
