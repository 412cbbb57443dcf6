public import HotglueCore
public import HotglueStore

extension SQLiteStore: JobStore {
  public func enqueue(
    _ requests: [EnqueueRequest], in workspace: WorkspaceID, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> [Enqueued] {
    guard !requests.isEmpty else { return [] }
    // What can be said of the requests without the store is worked out before the gate.
    var encoder = RequestEncoder()
    let rows = requests.map { encoder.row(of: $0, in: workspace, by: actor, at: now) }
    return try write { () throws(StoreError) in
      try requireActive(workspace, for: actor)
      let enqueued = try store(requests, rows, &encoder, in: workspace, by: actor, at: now)
      // A key that names a job which is there already makes nothing new.
      let made = enqueued.filter(\.isNew)
      if !made.isEmpty {
        try logActivity(actor, in: workspace, subject: Self.subject(of: made), at: now)
      }
      return enqueued
    }
  }

  /// Stores jobs inside the transaction that is open; the caller leaves the row in the log.
  func store(
    _ requests: [EnqueueRequest], in workspace: WorkspaceID, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> [Enqueued] {
    var encoder = RequestEncoder()
    let rows = requests.map { encoder.row(of: $0, in: workspace, by: actor, at: now) }
    return try store(requests, rows, &encoder, in: workspace, by: actor, at: now)
  }

  private func store(
    _ requests: [EnqueueRequest], _ rows: [RequestEncoder.EncodedRow],
    _ encoder: inout RequestEncoder, in workspace: WorkspaceID, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> [Enqueued] {
    var enqueued: [Enqueued] = []
    enqueued.reserveCapacity(requests.count)
    var types: [String: JobType?] = [:]
    for (request, row) in zip(requests, rows) {
      guard let overrides = request.overrides else {
        enqueued.append(try store(request, row, in: workspace, at: now))
        continue
      }
      let filled = try filledIn(request, overrides, in: workspace, &types)
      let row = encoder.row(of: filled, in: workspace, by: actor, at: now)
      var job = try store(filled, row, in: workspace, at: now)
      job.waitsForType = types[request.type] == .some(nil)
      enqueued.append(job)
    }
    return enqueued
  }

  private func store(
    _ request: EnqueueRequest, _ row: RequestEncoder.EncodedRow, in workspace: WorkspaceID,
    at now: Timestamp
  ) throws(StoreError) -> Enqueued {
    if let key = request.key,
      let known = try heldJob(key, for: request, in: workspace, at: now)
    {
      return Enqueued(id: known, isNew: false)
    }
    var values = row.values
    // A due job behind a saturated key would only be parked by the next claim.
    if let limitKey = request.limitKey, (request.runAt ?? now) <= now,
      try isSaturated(limitKey, limit: Int64(max(1, request.limitMax)), in: workspace)
    {
      values[RequestEncoder.parkedIndex] = .integer(1)
    }
    try connection.run(JobSQL.insert, values)
    let id = connection.lastInsertedID
    if let payload = row.longPayload {
      try connection.run(
        JobSQL.insertPayload, [.integer(id), .text(workspace.text), .text(payload)])
    }
    return Enqueued(id: id, isNew: true)
  }

  /// The job that holds the key, if it asks for the same; `keyConflict` if it does not. A key whose
  /// window is over is given free.
  private func heldJob(
    _ key: String, for request: EnqueueRequest, in workspace: WorkspaceID, at now: Timestamp
  ) throws(StoreError) -> JobID? {
    let holder = try connection.first(
      JobSQL.keyHolder, [.text(workspace.text), .text(request.type), .text(key)]
    ) { row in
      (
        id: row.integer(0), keyEnd: row.optionalInteger(2), command: row.text(3),
        payload: row.optionalText(4), overrides: row.optionalText(5), directory: row.text(6),
        deadline: row.optionalInteger(7)
      )
    }
    guard let holder else { return nil }
    if let end = holder.keyEnd, end <= now.milliseconds {
      try connection.run(JobSQL.releaseKey, [.integer(holder.id)])
      return nil
    }
    if let end = holder.deadline, end <= now.milliseconds {
      // It has ended, and with that it may have given its key free.
      try endExpired(holder.id, at: now)
      return try heldJob(key, for: request, in: workspace, at: now)
    }
    let command = try decodeStrings(holder.command)
    let isTyped = request.overrides != nil
    // The command of a typed job is its type's, and no part of the request.
    if (holder.overrides != nil) != isTyped
      || (!isTyped && !Self.isSame(command, request.command))
    {
      throw StoreError.keyConflict(
        key: key, job: holder.id,
        difference:
          "command: \(holder.command) there, \(JSON.strings(request.command).text) here")
    }
    // So is its directory, unless the request names one.
    let known =
      isTyped
      ? try decodeJSON(holder.overrides).flatMap { TypeOverrides(column: $0).directory }
      : holder.directory
    let asked = isTyped ? request.overrides?.directory : request.directory
    guard known?.utf8.elementsEqual(asked?.utf8 ?? "".utf8) ?? (asked == nil) else {
      throw StoreError.keyConflict(
        key: key, job: holder.id,
        difference:
          "directory: \(known ?? "the type's") there, \(asked ?? "the type's") here")
    }
    guard try means(holder.payload, request.payload) else {
      throw StoreError.keyConflict(
        key: key, job: holder.id,
        difference:
          "payload: \(Self.excerpt(holder.payload)) there, \(Self.excerpt(request.payload)) here")
    }
    return holder.id
  }

  /// Whether both name the same files: two spellings of a letter are two names.
  private static func isSame(_ left: [String], _ right: [String]) -> Bool {
    left.count == right.count && zip(left, right).allSatisfy { $0.utf8.elementsEqual($1.utf8) }
  }

  /// Whether two payloads are the same JSON value, however they are written.
  private func means(_ left: String?, _ right: String?) throws(StoreError) -> Bool {
    if left == nil, right == nil { return true }
    guard let left = try decodeJSON(left), let right = try decodeJSON(right) else { return false }
    return left.isEquivalent(to: right)
  }

  private static func excerpt(_ payload: String?) -> String {
    guard let payload else { return "none" }
    return payload.count <= 200 ? payload : payload.prefix(200) + "…"
  }

  private static func subject(of enqueued: [Enqueued]) -> String? {
    guard let first = enqueued.first, let last = enqueued.last else { return nil }
    return enqueued.count == 1 ? "job/\(first.id)" : "job/\(first.id)..\(last.id)"
  }
}

/// Puts requests into the form of `JobSQL.insert`.
///
/// Many requests of one call share command, folder and policy; their encoded form is kept from one to
/// the next.
struct RequestEncoder {
  struct EncodedRow {
    var values: [SQLValue]
    /// The payload, when it is too long for the job's own row.
    var longPayload: String?
  }

  /// The longest payload that is kept in the job's own row, in bytes of UTF-8.
  static let inlinePayloadBytes = 2048

  /// Where `parked` stands among the values.
  static let parkedIndex = 4

  private var command: (of: [String], text: String)?
  private var policy: (of: JobPolicy, text: String?)?

  mutating func row(
    of request: EnqueueRequest, in workspace: WorkspaceID, by actor: Actor, at now: Timestamp
  ) -> EncodedRow {
    let isLong = (request.payload?.utf8.count ?? 0) > Self.inlinePayloadBytes
    var keyExpiresAt: Timestamp?
    if request.key != nil, case .span(let span) = request.keyHold {
      keyExpiresAt = now.advanced(by: span)
    }
    return EncodedRow(
      values: [
        .text(workspace.text), .text(request.type), .text(request.queue),
        .integer(-max(Int64(request.priority), -(Int64.max - 1))), .integer(0),
        .integer((request.runAt ?? now).milliseconds), .optional(request.expiresAt?.milliseconds),
        .integer(now.milliseconds), .text(actor.user), .optional(request.limitKey),
        .integer(max(1, request.limitMax)), .optional(request.key), .flag(request.key != nil),
        .optional(request.key == nil ? nil : request.keyHold.column),
        .optional(keyExpiresAt?.milliseconds), .optional(text(of: request.policy)),
        .text(text(of: request.command)), .text(request.directory),
        .integer(Int64(request.umask.bits)),
        request.environment.isEmpty ? .null : .text(JSON.strings(request.environment).text),
        isLong ? .null : .optional(request.payload), .optional(request.overrides?.column),
        .optional(request.occurrence?.automation), .optional(request.occurrence?.column),
      ], longPayload: isLong ? request.payload : nil)
  }

  private mutating func text(of value: [String]) -> String {
    if let command, command.of == value { return command.text }
    let text = JSON.strings(value).text
    command = (value, text)
    return text
  }

  private mutating func text(of value: JobPolicy) -> String? {
    if let policy, policy.of == value { return policy.text }
    let text = value == .bareCommand ? nil : value.json(complete: false).text
    policy = (value, text)
    return text
  }
}
