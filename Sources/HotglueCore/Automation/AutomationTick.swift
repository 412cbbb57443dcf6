/// What one tick decides about the occurrences of an automation that became due since the last one.
///
/// The store calls this inside the transaction in which it inserts the rows, enqueues, and moves the
/// cursor, so the jobs that it sees are those that there are at that moment. Always true:
///
/// - every occurrence at or before the cursor has its row, and no occurrence has two: the schema keeps
///   (automation, nominal time, fold) unique;
/// - an occurrence with the decision `fired` has exactly one job, enqueued in the same transaction;
/// - a process that dies before the commit leaves the cursor where it was, and the next tick decides the
///   same occurrences anew; one that dies after it leaves nothing to do.
public struct AutomationTick: Sendable {
  /// A job of the automation that has not ended.
  public struct Unfinished: Hashable, Sendable {
    public var id: JobID
    public var state: JobState
    /// An attempt of it has begun.
    public var hasStarted: Bool
    public init(id: JobID, state: JobState, hasStarted: Bool) {
      self.id = id
      self.state = state
      self.hasStarted = hasStarted
    }
  }

  /// Why an occurrence does not fire.
  public enum Reason: Hashable, Sendable {
    case late
    /// `--missed one`: a newer late one fires.
    case newerFires
    /// `--missed all:N`: so many fire already.
    case tooMany(Int)
    case outside(Span)
    case paused(String?)
    case held(by: Unfinished)
    /// A job that this tick enqueues itself, for the row at this index.
    case heldByRow(Int)
    /// `replace`: a newer one of this tick fires.
    case replaced
  }

  public struct Row: Hashable, Sendable {
    public var occurrence: Occurrence
    public var decision: OccurrenceDecision
    public var reason: Reason?
    public var isCatchUp = false
    /// Its job waits until the jobs before it have ended.
    public var waitsInTurn = false
  }

  public struct Result: Hashable, Sendable {
    public var rows: [Row] = []
    /// Jobs that a newer one replaces.
    public var cancels: [JobID] = []
  }

  /// Older than this, an occurrence is late.
  public static let grace = Span.seconds(60)

  public var isPaused = false
  public var pauseReason: String?
  public var missed: MissedRule
  public var missedWithin: Span?
  public var overlap: OverlapRule
  /// Oldest first.
  public var unfinished: [Unfinished]
  public var now: Timestamp

  public init(
    _ definition: AutomationDefinition, unfinished: [Unfinished], now: Timestamp
  ) {
    missed = definition.missed
    missedWithin = definition.missedWithin
    overlap = definition.overlap
    self.unfinished = unfinished
    self.now = now
  }

  public func decide(_ occurrences: [Occurrence]) -> Result {
    var result = Result()
    guard !isPaused else {
      result.rows = occurrences.map {
        Row(occurrence: $0, decision: .paused, reason: .paused(pauseReason))
      }
      return result
    }
    result.rows = byAge(occurrences)
    byOverlap(&result)
    return result
  }

  /// Whether a job that a person asks for now is held, and by what; else what it replaces.
  public func decideTrigger() -> (held: Unfinished?, cancels: [JobID]) {
    switch overlap {
    case .allow, .queueAll: (nil, [])
    case .replace: (nil, unfinished.map(\.id))
    case .skip: (unfinished.first, [])
    case .queue: (unfinished.first { !$0.hasStarted }, [])
    }
  }

  // MARK: Late ones

  private func age(of occurrence: Occurrence) -> Int64 {
    now.milliseconds - occurrence.at.milliseconds
  }

  private func isLate(_ occurrence: Occurrence) -> Bool {
    age(of: occurrence) > Self.grace.milliseconds
  }

  /// What `--missed` and `--missed-within` leave.
  private func byAge(_ occurrences: [Occurrence]) -> [Row] {
    func isOutside(_ occurrence: Occurrence) -> Bool {
      guard let missedWithin, isLate(occurrence) else { return false }
      return age(of: occurrence) > missedWithin.milliseconds
    }
    let newestLate = occurrences.last { isLate($0) && !isOutside($0) }
    var caughtUp = 0
    return occurrences.map { occurrence in
      func missed(_ reason: Reason) -> Row {
        Row(occurrence: occurrence, decision: .missed, reason: reason)
      }
      guard isLate(occurrence) else { return Row(occurrence: occurrence, decision: .fired) }
      if let missedWithin, isOutside(occurrence) { return missed(.outside(missedWithin)) }
      switch self.missed {
      case .skip: return missed(.late)
      case .one:
        guard occurrence == newestLate else { return missed(.newerFires) }
      case .all(let most):
        guard caughtUp < most else { return missed(.tooMany(most)) }
      }
      caughtUp += 1
      return Row(occurrence: occurrence, decision: .fired, isCatchUp: true)
    }
  }

  // MARK: Overlap

  private func byOverlap(_ result: inout Result) {
    let firing = result.rows.indices.filter { result.rows[$0].decision == .fired }
    guard let last = firing.last else { return }
    switch overlap {
    case .allow: break
    case .queueAll: for index in firing { result.rows[index].waitsInTurn = true }
    case .replace:
      result.cancels = unfinished.map(\.id)
      result.rows[last].waitsInTurn = true
      for index in firing where index != last { skip(&result.rows[index], .replaced) }
    case .skip, .queue:
      var begun: Int?
      for index in firing {
        if let holder = holder(of: result.rows[index], after: begun) {
          skip(&result.rows[index], holder)
        } else {
          // Those that are caught up come one after the other, whatever else holds.
          result.rows[index].waitsInTurn = overlap == .queue || result.rows[index].isCatchUp
          begun = index
        }
      }
    }
  }

  /// What keeps a row from firing under `skip` and `queue`. Late ones of one tick, which `--missed all`
  /// asks for, do not hold one another.
  private func holder(of row: Row, after begun: Int?) -> Reason? {
    let waiting = unfinished.first { !$0.hasStarted }
    if overlap == .skip, let first = unfinished.first { return .held(by: first) }
    if overlap == .queue, let waiting { return .held(by: waiting) }
    guard let begun, !row.isCatchUp else { return nil }
    // A job of this tick waits: for one that runs, or to be the one that runs.
    return .heldByRow(begun)
  }

  private func skip(_ row: inout Row, _ reason: Reason) {
    row.decision = .skipped
    row.reason = reason
    row.isCatchUp = false
  }
}

extension AutomationTick.Reason {
  /// As it is recorded and shown. `job` is the one of the row that `heldByRow` names.
  public func text(job: JobID? = nil) -> String {
    switch self {
    case .late: "late"
    case .newerFires: "late: a newer occurrence fires"
    case .tooMany(let most): "late: \(most) occurrences were caught up"
    case .outside(let span): "older than \(span.text)"
    case .paused(let reason): reason ?? "paused"
    case .held(let job): "job \(job.id) is \(job.state.rawValue)"
    case .heldByRow: job.map { "job \($0) is pending" } ?? "an earlier occurrence has just fired"
    case .replaced: "replaced by a newer occurrence"
    }
  }
}
