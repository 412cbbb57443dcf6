import HotglueCore
import HotglueStore

/// A job as JSON. Keys and their order are documented and never change; absent values are `null`.
enum JobJSON {
  /// `hasRoom`: whether the limits of its queue and type leave room for it.
  static func object(_ job: Job, at now: Timestamp, hasRoom: Bool = true) -> JSON {
    .object(members(job, now, hasRoom))
  }

  private static func members(_ job: Job, _ now: Timestamp, _ hasRoom: Bool) -> [JSON.Member] {
    let request = job.request
    let policy = request.policy
    return [
      member("id", .integer(job.id)),
      member("workspace", .string(job.workspace.text)),
      member("link", .string(EntityLink.job(job.id, in: job.workspace).text)),
      member("type", .string(request.type)),
      member("queue", .string(request.queue)),
      // What dependencies and batches will say.
      member("batch", .null),
      member("automation", .text(request.occurrence?.name)),
      member("occurrence", time(request.occurrence?.at)),
      member("dependencies", .array([])),
      member("limit_key", .text(request.limitKey)),
      member("state", .string(job.state.rawValue)),
      member("waiting_for", .text(job.waitingFor(at: now, hasRoom: hasRoom)?.rawValue)),
      member("reason", .text(job.waitsForType ? "type_undefined" : job.reason)),
      member("priority", .integer(request.priority)),
      member("command", .strings(request.command)),
      member("directory", .string(request.directory)),
      member("payload", payload(request.payload)),
      member("key", .text(request.key)),
      member("replay", .string(policy.replay.rawValue)),
      member("attempt", .integer(job.attempt)),
      member("failures", .integer(job.failures)),
      member("max_attempts", .integer(policy.maxAttempts)),
      member("losses", .integer(job.losses)),
      member("max_losses", .integer(policy.maxLosses)),
      member("snoozes", .integer(job.snoozes)),
      member("max_snoozes", .integer(policy.maxSnoozes)),
      member("run_at", time(job.runAt)),
      member("expires_at", time(request.expiresAt)),
      member("created_at", time(job.createdAt)),
      member("started_at", time(job.startedAt)),
      member("finished_at", time(job.finishedAt)),
      member("fence", .integer(job.fence)),
      member("worker", .text(job.worker)),
      member("lease_expires_at", time(job.leaseExpiresAt)),
      member("progress", job.progress.map(progress) ?? .null),
      member("result", job.result ?? .null),
      member("error", job.error.map(failure) ?? .null),
      member("exit_status", .optional(job.exitStatus)),
      member("signal", .optional(job.signal)),
    ]
  }

  /// The job with its whole story, as `job show --json` prints it.
  static func story(_ story: JobStory, at now: Timestamp) -> JSON {
    .object(
      members(story.job, now, story.hasRoom) + [
        member("policy", policy(of: story.job.request)),
        member("attempts", .array(story.attempts.map(attempt))),
        member("history", .array(story.history.map(entry))),
        member("effects", .array(story.effects.map(EffectJSON.object))),
        member("late_reports", .array(story.lateReports.map(lateReport))),
      ])
  }

  /// Every setting that its flags have. Values of variables may be secrets: their names say enough.
  private static func policy(of request: EnqueueRequest) -> JSON {
    let hold: String? =
      switch request.keyHold {
      case .whileKept: nil
      case .span(let span): span.text
      case .untilDone: "done"
      }
    let names = request.environment.map { String($0.prefix { $0 != "=" }) }
    return .object(
      (request.policy.json(complete: true).members ?? []) + [
        member("queue", .string(request.queue)),
        member("priority", .integer(request.priority)),
        member("limit_key", .text(request.limitKey)),
        member("limit_max", request.limitKey == nil ? .null : .integer(request.limitMax)),
        member("key_for", request.key == nil ? .null : .text(hold)),
        member("environment", .strings(names)),
        member("directory", .string(request.directory)),
      ])
  }

  private static func attempt(_ attempt: Attempt) -> JSON {
    let usage = attempt.usage
    return .object([
      member("number", .integer(attempt.number)),
      member("fence", .integer(attempt.fence)),
      member("worker", .string(attempt.worker)),
      member("started_at", time(attempt.startedAt)),
      member("finished_at", time(attempt.finishedAt)),
      member("outcome", .text(attempt.outcome?.rawValue)),
      member("reason", .text(attempt.reason)),
      member("exit_status", .optional(usage.exitStatus)),
      member("signal", .optional(usage.signal)),
      member("user_ms", .optional(usage.userMilliseconds)),
      member("system_ms", .optional(usage.systemMilliseconds)),
      member("peak_memory_bytes", .optional(usage.peakMemoryBytes)),
      member("log", .text(usage.log)),
      member("warnings", .strings(attempt.warnings)),
      member("revision", .optional(attempt.typeRevision)),
    ])
  }

  private static func entry(_ entry: HistoryEntry) -> JSON {
    .object([
      member("at", time(entry.at)),
      member("event", .string(entry.event)),
      member("from", .text(entry.from?.rawValue)),
      member("to", .string(entry.to.rawValue)),
      member("by", .string(entry.by)),
      member("reason", .text(entry.reason)),
    ])
  }

  private static func lateReport(_ report: LateReport) -> JSON {
    .object([
      member("at", time(report.at)),
      member("fence", .integer(report.fence)),
      member("report", report.report),
    ])
  }

  private static func progress(_ progress: Job.Progress) -> JSON {
    .object([
      member("current", .optional(progress.current)),
      member("total", .optional(progress.total)),
      member("message", .text(progress.message)),
    ])
  }

  private static func failure(_ failure: Job.Failure) -> JSON {
    .object([
      member("code", .string(failure.code)),
      member("message", .string(failure.message)),
      member("kind", .string(failure.kind)),
    ])
  }

  /// The payload as the value that it is. The store keeps only texts that were valid JSON; should
  /// one not be, it is shown as the text that it is rather than not at all.
  private static func payload(_ text: String?) -> JSON {
    guard let text else { return .null }
    do {
      return try JSON.parse(text)
    } catch {
      return .string(text)
    }
  }

  private static func time(_ moment: Timestamp?) -> JSON { .text(moment?.rfc3339) }

  private static func member(_ key: String, _ value: JSON) -> JSON.Member {
    JSON.Member(key, value)
  }
}

/// All that is known of a job: what `job show` tells.
struct JobStory {
  var job: Job
  var attempts: [Attempt]
  var history: [HistoryEntry]
  var effects: [ShownEffect]
  var lateReports: [LateReport]
  /// Whether the limits of its queue and type leave room for it.
  var hasRoom: Bool

  init(
    of id: JobID, in workspace: WorkspaceID, from store: any Store, at now: Timestamp
  ) throws {
    job = try store.job(id, in: workspace).counted(at: now)
    hasRoom = try store.jobsWithoutRoom(among: [job], in: workspace, at: now).isEmpty
    attempts = try store.attempts(of: id, in: workspace)
    history = try store.history(of: id, in: workspace)
    effects = try ShownEffect.all(of: id, in: workspace, from: store)
    lateReports = try store.lateReports(of: id, in: workspace)
  }
}
