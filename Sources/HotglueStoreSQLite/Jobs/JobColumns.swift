import HotglueCore
import HotglueStore

extension SQLiteStore {
  /// Decodes a row of `JobSQL.one` and of those statements that name the same columns.
  func decodeJob(_ row: Row) throws(StoreError) -> Job {
    var columns = row.columns()
    let id = columns.integer()
    let workspace = try decodeWorkspaceID(columns.text())
    let type = columns.text()
    let queue = columns.text()
    let priority = -columns.count()
    let state = try decodeState(columns.text())
    let reason = columns.optionalText()
    let parked = columns.flag()
    let runAt = Timestamp(milliseconds: columns.integer())
    let expiresAt = columns.optionalInteger().map(Timestamp.init(milliseconds:))
    let createdAt = Timestamp(milliseconds: columns.integer())
    let startedAt = columns.optionalInteger().map(Timestamp.init(milliseconds:))
    let finishedAt = columns.optionalInteger().map(Timestamp.init(milliseconds:))
    let attempt = columns.count()
    let failures = columns.count()
    let losses = columns.count()
    let snoozes = columns.count()
    let fence = columns.integer()
    let watch = columns.integer()
    let worker = columns.optionalText()
    let leaseBoot = columns.optionalText()
    let leaseMilliseconds = columns.optionalInteger()
    let leaseWall = columns.optionalInteger().map(Timestamp.init(milliseconds:))
    let cancelRequestedAt = columns.optionalInteger().map(Timestamp.init(milliseconds:))
    let limitKey = columns.optionalText()
    let limitMax = columns.count()
    let key = columns.optionalText()
    let keyHold = columns.optionalText()
    let errorCode = columns.optionalText()
    let errorMessage = columns.optionalText()
    let errorKind = columns.optionalText()
    let exitStatus = columns.optionalCount()
    let signal = columns.optionalCount()
    let progress = try decodeProgress(columns.optionalText())
    let result = try decodeJSON(columns.optionalText())
    let policy = try decodePolicy(columns.optionalText())
    let command = try decodeStrings(columns.text())
    let directory = columns.text()
    let umask = FileMask(bits: UInt16(truncatingIfNeeded: columns.integer()))
    let environment = try columns.optionalText().map(decodeStrings) ?? []
    let payload = columns.optionalText()
    let overrides = try decodeJSON(columns.optionalText()).map(TypeOverrides.init(column:))
    let typeRevision = columns.optionalCount()
    let automation = columns.optionalInteger()
    let occurrence = try columns.optionalText().flatMap { (text) throws(StoreError) in
      try decodeOccurrence(text, of: automation)
    }
    var lease: BootTime?
    if let leaseBoot, let leaseMilliseconds {
      lease = BootTime(bootID: leaseBoot, milliseconds: leaseMilliseconds)
    }
    var error: Job.Failure?
    if let errorCode {
      error = Job.Failure(code: errorCode, message: errorMessage ?? "", kind: errorKind ?? "")
    }
    var job = Job(
      id: id, workspace: workspace,
      request: EnqueueRequest(
        type: type, command: command, directory: directory, environment: environment,
        payload: payload, queue: queue, priority: priority, runAt: runAt, expiresAt: expiresAt,
        key: key, keyHold: KeyHold(column: keyHold), limitKey: limitKey, limitMax: limitMax,
        policy: policy, overrides: overrides),
      state: state, reason: reason, attempt: attempt, failures: failures, losses: losses,
      snoozes: snoozes, fence: fence, watch: watch, worker: worker, lease: lease,
      leaseExpiresAt: leaseWall, waitsForLimit: parked, cancelRequestedAt: cancelRequestedAt,
      runAt: runAt, createdAt: createdAt, startedAt: startedAt, finishedAt: finishedAt,
      progress: progress, result: result, error: error, exitStatus: exitStatus, signal: signal)
    job.typeRevision = typeRevision
    job.request.umask = umask
    job.request.occurrence = occurrence
    return job
  }

  func decodeState(_ text: String) throws(StoreError) -> JobState {
    guard let state = JobState(rawValue: text) else {
      throw StoreError.corrupt(path: path, detail: "'\(text)' is no state of a job")
    }
    return state
  }

  func decodeJSON(_ text: String?) throws(StoreError) -> JSON? {
    guard let text else { return nil }
    do {
      return try JSON.parse(text)
    } catch {
      throw StoreError.corrupt(path: path, detail: "a column holds broken JSON: \(error.reason)")
    }
  }

  func decodePolicy(_ text: String?) throws(StoreError) -> JobPolicy {
    if let text, let lastPolicy, lastPolicy.text == text { return lastPolicy.policy }
    guard let json = try decodeJSON(text) else { return .bareCommand }
    guard let policy = JobPolicy(json: json) else {
      throw StoreError.corrupt(path: path, detail: "a job's policy cannot be read")
    }
    if let text { lastPolicy = (text, policy) }
    return policy
  }

  /// The column `policy`.
  func policyText(_ policy: JobPolicy) -> String {
    if let lastPolicy, lastPolicy.policy == policy { return lastPolicy.text }
    let text = policy.json(complete: false).text
    lastPolicy = (text, policy)
    return text
  }

  func decodeStrings(_ text: String) throws(StoreError) -> [String] {
    guard let strings = try decodeJSON(text)?.stringArray else {
      throw StoreError.corrupt(path: path, detail: "a column holds no list of texts")
    }
    return strings
  }

  private func decodeProgress(_ text: String?) throws(StoreError) -> Job.Progress? {
    guard let json = try decodeJSON(text) else { return nil }
    return Job.Progress(
      current: json["current"]?.integerValue, total: json["total"]?.integerValue,
      message: json["message"]?.stringValue)
  }
}

extension KeyHold {
  /// The column `key_hold`: `kept`, `done`, or a span.
  init(column: String?) {
    switch column {
    case "done": self = .untilDone
    case let text? where text != "kept": self = Span(text).map(KeyHold.span) ?? .whileKept
    default: self = .whileKept
    }
  }

  var column: String {
    switch self {
    case .whileKept: "kept"
    case .untilDone: "done"
    case .span(let span): span.text
    }
  }
}
