import CSQLite
import HotglueCore

/// A job as its row says, read past the store: by a connection and statements of the simulation's own.
struct JobRow: Equatable, CustomStringConvertible {
  var id: JobID
  var workspace: String
  var type: String
  var queue: String
  var rank: Int64
  var state: String
  var reason: String?
  var isParked: Bool
  var runAt: Int64
  var expiresAt: Int64?
  var attempt: Int
  var failures: Int
  var losses: Int
  var snoozes: Int
  var fence: Fence
  var watch: Watch
  var worker: Int64?
  var leaseMs: Int64?
  var cancelRequestedAt: Int64?
  var limitKey: String?
  var limitMax: Int64
  var key: String?
  var holdsKey: Bool
  var policyText: String?
  var command: String
  var payload: String?
  var finishedAt: Int64?
  var startedAt: Int64?
  var progress: String?
  /// What `--retry-for` counts from.
  var budgetsStartedAt: Int64?

  var description: String {
    "job \(id) of \(workspace) \(type) \(state)\(reason.map { " (\($0))" } ?? "") fence \(fence) watch \(watch) worker \(worker ?? 0) attempt \(attempt) failures \(failures) losses \(losses) snoozes \(snoozes) run_at \(runAt)\(isParked ? " parked" : "") limit \(limitKey ?? "-") \(limitMax) key \(key ?? "-")\(holdsKey ? " held" : "")\(cancelRequestedAt == nil ? "" : " cancel") policy \(policyText ?? "-")"
  }

  var isFinished: Bool { !["pending", "running", "blocked"].contains(state) }

  var policy: JobPolicy {
    guard let policyText, let json = try? JSON.parse(policyText) else { return .bareCommand }
    return JobPolicy(json: json) ?? .bareCommand
  }
}

struct AttemptRow: Equatable {
  var fence: Fence
  var number: Int
  var outcome: String?
  var toState: String?
  var reason: String?
  var slot: String
}

struct HistoryRow: Equatable {
  var event: String
  var from: String?
  var to: String
}

struct TypeRow: Equatable {
  var limit: Int64?
}

/// Everything that the checks look at, at one moment.
struct Snapshot {
  var jobs: [JobID: JobRow] = [:]
  var attempts: [JobID: [AttemptRow]] = [:]
  var history: [JobID: [HistoryRow]] = [:]
  /// By `workspace/name`.
  var types: [String: TypeRow] = [:]
  /// The limit of a queue, by `workspace/name`.
  var queues: [String: Int64] = [:]
  var archived: Set<String> = []
  var dataVersion: Int64 = -1

  var ids: [JobID] { jobs.keys.sorted() }
}

/// A read-only connection of the simulation's own.
final class RowReader {
  private var handle: OpaquePointer?
  private var statements: [OpaquePointer?] = []

  private static let texts = [
    "PRAGMA data_version",
    """
    SELECT id, workspace, type, queue, rank, state, reason, parked, run_at, expires_at, attempt,
      failures, losses, snoozes, fence, watch, worker, lease_ms, cancel_requested_at, limit_key,
      limit_max, key, key_held, policy, command, payload, finished_at, started_at, progress,
      coalesce(budgets_started_at, started_at)
    FROM job
    """,
    "SELECT fence, number, outcome, to_state, reason, slot FROM attempt WHERE job = ?1 ORDER BY fence",
    "SELECT event, from_state, to_state FROM job_history WHERE job = ?1 ORDER BY fence, phase, seq",
    "SELECT workspace || '/' || name, running_limit FROM job_type WHERE removed_at IS NULL",
    "SELECT id FROM workspace WHERE state = 'archived'",
    "SELECT workspace || '/' || name, running_limit FROM queue",
    "SELECT scope_job FROM effect WHERE scope_job IS NOT NULL AND state IN ('intended', 'unknown')",
    "SELECT fence FROM late_report WHERE job = ?1",
  ]

  init(path: String) throws {
    guard
      sqlite3_open_v2(path, &handle, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nil) == SQLITE_OK
    else { throw Violation(rule: "simulation", text: "the store cannot be read") }
    _ = csqlite_configure(handle.unsafelyUnwrapped, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    for text in Self.texts {
      var statement: OpaquePointer?
      guard sqlite3_prepare_v2(handle, text, -1, &statement, nil) == SQLITE_OK else {
        throw Violation(
          rule: "simulation", text: "\(String(cString: sqlite3_errmsg(handle))): \(text)")
      }
      statements.append(statement)
    }
  }

  deinit {
    for statement in statements { sqlite3_finalize(statement) }
    sqlite3_close_v2(handle)
  }

  /// What is there now. Attempts and history are read anew only of jobs whose row has changed since
  /// `known`, unless `whole`.
  func snapshot(after known: Snapshot, whole: Bool) throws -> Snapshot {
    var version: Int64 = 0
    try each(0) { version = $0.integer(0) }
    if version == known.dataVersion, !whole { return known }
    sqlite3_exec(handle, "BEGIN", nil, nil, nil)
    defer { sqlite3_exec(handle, "COMMIT", nil, nil, nil) }
    var found = Snapshot()
    found.dataVersion = version
    try each(1) { row in
      let job = row.job
      found.jobs[job.id] = job
    }
    for (id, job) in found.jobs {
      if !whole, known.jobs[id] == job {
        found.attempts[id] = known.attempts[id]
        found.history[id] = known.history[id]
        continue
      }
      var attempts: [AttemptRow] = []
      try each(2, id) { row in
        attempts.append(
          AttemptRow(
            fence: row.integer(0), number: Int(row.integer(1)), outcome: row.text(2),
            toState: row.text(3), reason: row.text(4), slot: row.text(5) ?? ""))
      }
      found.attempts[id] = attempts
      var history: [HistoryRow] = []
      try each(3, id) { row in
        history.append(
          HistoryRow(event: row.text(0) ?? "", from: row.text(1), to: row.text(2) ?? ""))
      }
      found.history[id] = history
    }
    try each(4) { found.types[$0.text(0) ?? ""] = TypeRow(limit: $0.optionalInteger(1)) }
    try each(5) { found.archived.insert($0.text(0) ?? "") }
    try each(6) { found.queues[$0.text(0) ?? ""] = $0.optionalInteger(1) }
    return found
  }

  func jobsWithOpenEffects() throws -> Set<JobID> {
    var jobs: Set<JobID> = []
    try each(7) { jobs.insert($0.integer(0)) }
    return jobs
  }

  func hasLateReport(_ job: JobID, _ fence: Fence) throws -> Bool {
    var found = false
    try each(8, job) { found = found || $0.integer(0) == fence }
    return found
  }

  struct Line {
    let statement: OpaquePointer?

    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }
    func optionalInteger(_ column: Int32) -> Int64? {
      sqlite3_column_type(statement, column) == SQLITE_NULL ? nil : integer(column)
    }
    func text(_ column: Int32) -> String? {
      sqlite3_column_text(statement, column).map { String(cString: $0) }
    }

    var job: JobRow {
      JobRow(
        id: integer(0), workspace: text(1) ?? "", type: text(2) ?? "", queue: text(3) ?? "",
        rank: integer(4), state: text(5) ?? "", reason: text(6), isParked: integer(7) == 1,
        runAt: integer(8), expiresAt: optionalInteger(9), attempt: Int(integer(10)),
        failures: Int(integer(11)), losses: Int(integer(12)), snoozes: Int(integer(13)),
        fence: integer(14), watch: integer(15), worker: optionalInteger(16),
        leaseMs: optionalInteger(17), cancelRequestedAt: optionalInteger(18), limitKey: text(19),
        limitMax: integer(20), key: text(21), holdsKey: integer(22) == 1, policyText: text(23),
        command: text(24) ?? "", payload: text(25), finishedAt: optionalInteger(26),
        startedAt: optionalInteger(27), progress: text(28),
        budgetsStartedAt: optionalInteger(29))
    }
  }

  private func each(_ index: Int, _ argument: Int64? = nil, _ body: (Line) -> Void) throws {
    let statement = statements[index]
    defer { sqlite3_reset(statement) }
    if let argument { sqlite3_bind_int64(statement, 1, argument) }
    while true {
      switch sqlite3_step(statement) {
      case SQLITE_ROW: body(Line(statement: statement))
      case SQLITE_DONE: return
      default:
        throw Violation(rule: "simulation", text: String(cString: sqlite3_errmsg(handle)))
      }
    }
  }
}
